#!/usr/bin/env python3
"""Command lines: what is taken, what is refused and how, help, the man page, the version."""
import os
import re

import cli
from cli import expect, point, refuse, stoa

cli.work_in_a_folder()
cli.write("t.csv", "a,b\n1,x\n2,y\n3,z\n")
point("a file to look at is made", stoa("convert", "t.csv", "-o", "t.stoa").code == 0)
COMMANDS = ("convert", "restore", "merge", "schema", "sniff", "info", "head", "cat", "sample", "count", "stats", "explain",
            "verify", "recover")

# ---- Help, the man page, the version ----
overview = expect("--help lists the commands", ["--help"], 0,
                  lambda out: all(re.search(rf"^  {c} +[A-Z]", out, re.M) for c in COMMANDS), "")
expect("no command: the same on standard error", [], 2, "", overview.out)
expect("help without dashes", ["help"], 0, overview.out, "")
for command in COMMANDS:
    shown = expect(f"{command} --help", [command, "--help"], 0,
                   lambda out: out.startswith(f"usage: stoa {command} ") and "  -h, --help " in out, "")
    expect(f"help {command} is the same", ["help", command], 0, shown.out, "")
    wide = [line for line in shown.out.split("\n") if len(line) > 90]
    point(f"{command} --help fits a terminal", not wide, *wide)
    rows = shown.out.split("\noptions:\n")[1].split("\n\n")[0].rstrip("\n").split("\n")
    glued = [row for row in rows if row[28:29].strip() and not re.fullmatch(r"  (-\w, |    )--[a-z-]+ \S+", row)]
    point(f"{command} --help keeps options apart from what they do", not glued, *glued)
refuse("help of no command", ["help", "smell"], 2, 'there is no command "smell" (try: stoa --help)')
version = expect("--version", ["--version"], 0, lambda out: re.fullmatch(r"stoa \d+\.\d+\.\d+\n", out), "")
man = expect("--man", ["--man"], 0, lambda out: out.count("\n.SS stoa ") == len(COMMANDS), "")
point("docs/man/stoa.1 is what --man prints",
      cli.read(os.path.join(cli.ROOT, "docs/man/stoa.1")).decode() == man.out,
      "run: stoa --man > docs/man/stoa.1")

# ---- What is no command line ----
refuse("no such command", ["smell", "t.csv"], 2, 'there is no command "smell" (try: stoa --help)')
for command, usage in (("info", "FILE [options]"), ("cat", "FILE... [options]"),
                       ("explain", "FILE --where EXPR [options]"), ("convert", "IN... -o OUT [options]")):
    refuse(f"{command} without a file", [command], 2,
           f"usage: stoa {command} {usage} (more: stoa {command} --help)")
refuse("two files where one is wanted", ["info", "t.stoa", "t.stoa"], 2,
       "usage: stoa info FILE [options] (more: stoa info --help)")
REFUSED = (
    (["cat", "--frob", "t.stoa"], "cat --frob: no such option (try: stoa cat --help)"),
    (["cat", "--frob=1", "t.stoa"], "cat --frob: no such option (try: stoa cat --help)"),
    (["cat", "-x", "t.stoa"], "cat -x: no such option (try: stoa cat --help)"),
    (["cat", "--sel", "a", "t.stoa"], "cat --sel: no such option (try: stoa cat --help)"),
    (["cat", "t.stoa", "--limit"], "cat --limit: a value is missing (try: stoa cat --help)"),
    (["cat", "t.stoa", "-n"], "cat -n: a value is missing (try: stoa cat --help)"),
    (["cat", "--json=1", "t.stoa"], "cat --json: takes no value (try: stoa cat --help)"),
    (["cat", "-n", "1", "-n", "2", "t.stoa"], "cat --limit: is given twice"),
    (["cat", "--force", "t.stoa"], "cat --force: no such option (try: stoa cat --help)"),
    (["cat", "-n", "0", "t.stoa"], "--limit 0: expected a number, 1 or more"),
    (["cat", "-n", "-1", "t.stoa"], "--limit -1: expected a number, 1 or more"),
    (["cat", "-n", "1K", "t.stoa"], "--limit 1K: expected a number, 1 or more"),
    (["cat", "-n", "99999999999999999999", "t.stoa"],
     "--limit 99999999999999999999: expected a number, 1 or more"),
    (["cat", "-j", "1025", "t.stoa"], "--jobs 1025: expected a number from 1 to 1024"),
    (["cat", "-f", "xml", "t.stoa"], "--format xml: expected csv, tsv, jsonl or table"),
    (["cat", "-f", "csv", "--json", "t.stoa"], "--format csv: --json says the same or something else"),
    (["cat", "-s", "a,,b", "t.stoa"], "--select a,,b: a name is empty"),
    (["cat", "-s", "", "t.stoa"], "--select : a name is empty"),
    (["cat", "-s", "c", "t.stoa"], 't.stoa: there is no column "c"'),
    (["explain", "t.stoa"], "explain: --where EXPR says what to explain"),
    (["schema", "-f", "yaml", "t.csv"], "--format yaml: expected text, json or avsc"),
    (["schema", "--from", "xml", "t.csv"], "--from xml: there is no such format (csv, tsv, stoa, jsonl, avro)"),
    (["schema", "t.stoa", "t.csv"], "t.stoa is stoa, but t.csv is csv: one format at a time"),
    (["convert", "t.csv"], "convert: where to? -o FILE names the output, -o - is standard output"),
    (["convert", "t.csv", "-o", "-"], "convert -o -: which format? --to csv, tsv, jsonl, avro or stoa"),
    (["convert", "t.csv", "-o", "out"],
     "out: the name does not say which format to write: csv, tsv, jsonl, avro or stoa"),
    (["convert", "t.csv", "-o", "out.csv", "-s", "a,A"], 'column "a" is selected twice'),
    (["convert", "t.csv", "-o", "out.xlsx", "--to", "xlsx"],
     "--to xlsx: there is no such format (csv, tsv, stoa, jsonl, avro)"),
    (["convert", "t.csv", "-o", "-", "--to", "csv", "--json"],
     "convert --json: standard output holds the rows (--progress json tells more)"),
    (["convert", "t.csv", "-o", "out.stoa", "--progress", "often"],
     "--progress often: expected auto, always, never or json"),
    (["convert", "t.csv", "-o", "out.stoa", "--memory", "64Q"],
     "--memory 64Q: expected a size such as 1000000, 64M or 2G"),
    (["convert", "t.csv", "-o", "out.stoa", "--memory", "64 "],
     "--memory 64 : expected a size such as 1000000, 64M or 2G"),
    (["convert", "t.csv", "-o", "out.stoa", "--memory", "99999999999G"],
     "--memory 99999999999G: expected a size such as 1000000, 64M or 2G"),
    (["convert", "t.csv", "-o", "out.stoa", "--memory", "1M"],
     lambda err: re.fullmatch(r"stoa: 1 MiB of memory are too few: one row group needs about \d+ MiB "
                              r"\(smaller row groups need less\)\n", err)),
    (["convert", "t.csv", "-o", "out.stoa", "--row-group-rows", "16777217"],
     "--row-group-rows 16777217: expected a number from 1 to 16777216"),
    (["convert", "t.csv", "-o", "out.stoa", "-d", ",,"],
     '--delimiter ,,: expected one character (no quote, no line end) or "tab"'),
    (["convert", "t.csv", "-o", "t.stoa"], "t.stoa: exists already (--force replaces it)"),
    (["convert", "t.csv", "-o", "t.stoa", "--dry-run"], "t.stoa: exists already (--force replaces it)"),
    (["convert", "t.stoa", "-o", "out.csv", "--schema", "t.csv"],
     "t.csv: not JSON: line 1, column 1: '[' or '{' expected near 'a'"),
    (["convert", "t.csv", "t.stoa", "-o", "out.stoa"],
     "t.csv is csv, but t.stoa is stoa: one format at a time"),
)
STOA_ONLY = (("--level", "small", "a level is for Stoa files"), ("--bloom", "a", "Bloom filters are for Stoa files"),
             ("--no-source-text", None, "to leave out source text is for Stoa files"))
CSV_ONLY = (("--quoting", "all", "quoting is"), ("--newline", "crlf", "a choice of line ends is"), ("--bom", None, "a byte order mark is"),
            ("--null-text", "NA", "a text of null is"), ("--output-delimiter", ";", "an output delimiter is"),
            ("--output-encoding", "latin1", "an output encoding is"), ("--no-output-header", None, "to leave out the header is"),
            ("--nested", "json", "a way to nest is"), ("--safe-spreadsheet", None, "care for spreadsheets is"))
for outputs, options in ((("csv", "tsv", "jsonl", "avro"), STOA_ONLY),
                         (("stoa", "jsonl", "avro"), [(name, value, f"{what} for CSV files") for name, value, what in CSV_ONLY])):
    for output in outputs:
        for name, value, why in options:
            given = [name] if value is None else [name, value]
            refuse(f"{name} of another output: {output}", ["convert", "t.csv", "-o", f"no.{output}", *given], 2, f"no.{output}: {why}")
for args, message in REFUSED:
    err = message if callable(message) else f"stoa: {message}\n"
    expect("refused: " + " ".join(args), args, 2, "", err)
cli.write("odd.csv", "c\n1\n")
stoa("convert", "odd.csv", "-o", "odd\n.stoa")
refuse("an odd name of an output", ["convert", "t.csv", "-o", "o\n\x1b[1mut"], 2,
       "o\\x0a\\x1b[1mut: the name does not say which format to write: csv, tsv, jsonl, avro or stoa")
refuse("an odd name beside another format", ["convert", "odd\n.stoa", "t.csv", "-o", "out.csv"], 2,
       "odd\\x0a.stoa is stoa, but t.csv is csv: one format at a time")
refuse("an odd name of another schema", ["convert", "t.stoa", "odd\n.stoa", "-o", "out.csv"], 2,
       "odd\\x0a.stoa: another schema than t.stoa has")
os.remove("odd\n.stoa")
os.remove("odd.csv")
for later in ("--resume",):
    refuse(f"convert {later} is for a later version", ["convert", "t.csv", "-o", "out.stoa", later], 2,
           f"convert {later}: no such option (try: stoa convert --help)")
refuse("a folder that is missing", ["convert", "t.csv", "-o", "none/out.stoa"], 3,
       "none/out.stoa: can't be created, there is no such folder: No such file or directory")
refuse("a folder as the output", ["convert", "t.csv", "-o", ".", "--to", "stoa", "--force"], 2,
       ".: is a folder, not a file")

# ---- Predicates: the place is shown ----
for text, message, mark in (
        ("a = ", 'character 5: expected a value after "="', 4),
        ("b = 'é' and a ? 1", None, 14)):
    done = stoa("count", "t.stoa", "-w", text)
    lines = done.err.split("\n")
    point(f"a mark below what is wrong in {text}",
          done.code == 2 and lines[0].startswith(f"stoa: --where: character {mark + 1}: ")
          and lines[1:] == ["  " + text, "  " + " " * mark + "^", ""]
          and (message is None or lines[0] == f"stoa: --where: {message}"), done)
expect("no mark below a predicate of two lines", ["count", "t.stoa", "-w", "a =\n"], 2, "",
       lambda err: err.count("\n") == 1)
refuse("a column that is not there", ["count", "t.stoa", "-w", "c = 3"], 2,
       't.stoa: c = 3: there is no column "c"')

# ---- What is taken ----
THREE = "a,b\n1,x\n2,y\n"
for args in (["cat", "t.stoa", "--limit", "2"], ["cat", "--limit=2", "t.stoa"], ["cat", "-n2", "t.stoa"],
             ["cat", "-n", "2", "--", "t.stoa"], ["cat", "-fcsv", "-n2", "t.stoa"],
             ["cat", "t.stoa", "-w", "a < 3", "-s", "a,b"], ["cat", "t.stoa", "-s", '"a","b"', "-n", "2"]):
    expect("taken: " + " ".join(args), args, 0, THREE, "")
os.rename("t.stoa", "-t.stoa")
expect("a file whose name begins with a dash", ["cat", "-n2", "--", "-t.stoa"], 0, THREE, "")
os.rename("-t.stoa", "t.stoa")
expect("letters without values in one word", ["convert", "-fo", "t.stoa", "t.csv"], 0, "",
       lambda err: err.startswith("t.stoa: 3 rows, 2 columns from 1 input, "))
expect("sizes with units", ["convert", "t.csv", "-o", "u.stoa", "-m", "100MiB", "--row-group-bytes", "1k"], 0)
expect("a column with a comma in its name",
       ["convert", "-", "-o", "-", "--to", "csv", "-s", '"a,""b"""'], 0, '"a,""b"""\n1\n', None,
       stdin=b'"a,""b""",c\n1,2\n')

point("no refused command left a file", cli.litter("t.csv", "t.stoa", "u.stoa") == [], cli.litter())
cli.end()
