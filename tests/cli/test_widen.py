#!/usr/bin/env python3
"""Values that the types guessed from a sample can't hold: the file is the one that the final types give."""
import gzip
import json
import subprocess

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
NROWS, LATE = 30000, 27777  # what comes through a pipe is sampled at its head alone: 20,480 rows
HEADER = "n,guess,word,other\n"


def table(usual, late, at=LATE):
    """Rows with usual(i) in the column `guess`, but for the row `at`."""
    return HEADER + "".join(f"{i},{late if i == at else usual(i)},w{i * i % 977},{i / 8}\n" for i in range(NROWS))


def schema_of(path):
    return stoa("schema", path, "--format", "json").out


def field(path, name):
    return next(f for f in json.loads(schema_of(path))["fields"] if f["name"] == name)


def instant(i):
    return f"2013-01-{i % 28 + 1:02} {i % 24:02}:{i % 60:02}:30"


# Of the column: its usual values, the one that does not fit, the type in the end.
CASES = {
    "a word among whole numbers": (str, "12x", "utf8"),
    "a number that is too large": (str, "9223372036854775808", "uint64"),
    "a negative and a larger one": (lambda i: str(9223372036854775800 + i % 100), "-1", "decimal(38,0)"),
    "forty digits": (str, "1234567890" * 4, "decimal(40,0)"),
    "a fraction among whole numbers": (str, "0.5", "float64"),
    "a leading zero": (str, "007", "utf8"),
    "a plus sign": (str, "+5", "utf8"),
    "a long fraction among floats": (lambda i: f"{i / 4}", "0.1234567890123456789012345", None),
    "an exponent among whole numbers": (str, "1e5", "float64"),
    "a word among dates": (lambda i: f"2013-01-{i % 28 + 1:02}", "soon", "utf8"),
    "a time among dates": (lambda i: f"2013-01-{i % 28 + 1:02}", "2013-01-05 10:00:00", "utf8"),
    "a fraction of a second": (instant, "2013-01-05 10:00:00.25", "timestamp(ms)"),
    "a zone": (instant, "2013-01-05T10:00:00Z", "utf8"),
    "maybe": (lambda i: "true" if i % 3 else "false", "maybe", "utf8"),
    "a comma in quotes": (str, '"1,5"', "utf8"),
    "nothing, then a number": (lambda i: "", "7", "utf8"),
    "NA among numbers, and a word": (lambda i: "NA" if i % 7 == 0 else str(i), "word", "utf8"),
}

for name, (usual, late, wanted) in CASES.items():
    text = table(usual, late).encode()
    write("t.csv", text)
    done = stoa("convert", "-", "-o", "widened.stoa", "--force", "--row-group-rows", "2000", stdin=text)
    point(f"{name}: converted", done.code == 0, done)
    if done.code != 0:
        continue
    got = field("widened.stoa", "guess")["type"]
    point(f"{name}: {wanted or 'a type'}", wanted in (None, got), got)
    write("final.json", schema_of("widened.stoa"))
    done = stoa("convert", "-", "-o", "given.stoa", "--force", "--row-group-rows", "2000", "--schema", "final.json",
                stdin=text)
    point(f"{name}: the bytes of a run with the final schema", cli.read("widened.stoa") == cli.read("given.stoa"), done)
    done = stoa("restore", "widened.stoa", "-o", "-")
    point(f"{name}: restored", done.code == 0 and done.out.encode() == text, done.err)
    expect(f"{name}: verifies", ["verify", "widened.stoa", "--deep"])

# Two columns at once, more than once each, for any number of threads, from any kind of input.
text = HEADER + "".join(f"{i if i % 9999 else 'x'},{i if i < LATE else i / 2},w{i * i % 977},"
                        f"{'much' if i == LATE - 1000 else i}\n" for i in range(1, NROWS))
write("t.csv", text)
write("t.csv.gz", gzip.compress(text.encode()))
outputs = []
for jobs in "1238":
    stoa("convert", "-", "-o", f"{jobs}.stoa", "--jobs", jobs, "--row-group-rows", "1000", stdin=text.encode())
    outputs.append(cli.read(f"{jobs}.stoa"))
point("equal bytes for 1, 2, 3 and 8 jobs", len(set(outputs)) == 1)
done = stoa("cat", "1.stoa")
point("every value is there", done.out.splitlines()[1:4] == ["1,1.0,w1,1", "2,2.0,w4,2", "3,3.0,w9,3"], done.out[:100])
done = stoa("convert", "-", "-o", "gz.stoa", "--row-group-rows", "1000", stdin=cli.read("t.csv.gz"))
point("compressed, through a pipe", done.code == 0 and field("gz.stoa", "n")["type"] == "utf8", done)
done = stoa("convert", "-", "-o", "1.stoa", "--force", stdin=text.encode())
point("the columns are named", "guess" in done.err and "other" in done.err, done.err)
point("no litter", cli.litter("t.csv", "t.csv.gz", "final.json", "widened.stoa", "given.stoa", "gz.stoa",
                              *(f"{jobs}.stoa" for jobs in "1238")) == [], cli.litter())

# Each note has its line, in whatever order columns and records are met; and so has a bad record in front of them.
rows = [f"{i},{i},w,{i}\n" for i in range(NROWS)]
rows[LATE], rows[LATE - 7], rows[LATE - 12] = f"x,{LATE},w,{LATE}\n", "0,y,w,0\n", "0,0,w,z\n"
rows[LATE - 20], rows[LATE - 5] = "too,few\n", "0,0,w,0,0\n"
mixed = (HEADER + "".join(rows)).encode()
notes = [f'stoa: note: standard input: line {LATE + line}, column {column}: "{text}" is not int64: the column is utf8 now'
         for line, column, text in ((2, "1 (n)", "x"), (-5, "2 (guess)", "y"), (-10, "4 (other)", "z"))]
for jobs in "13":
    expect(f"lines of notes, {jobs} jobs", ["convert", "-", "-o", "1.stoa", "--force", "--on-conflict", "widen", "--rejects", "r.csv",
                                            "--jobs", jobs], 5, "", lambda err: err.splitlines()[:3] == notes, stdin=mixed)
    point(f"lines of bad records, {jobs} jobs", [line.split(",")[2] for line in cli.read("r.csv").decode().splitlines()[1:]] ==
          [str(LATE - 18), str(LATE - 3)], cli.read("r.csv"))
refuse("a bad record in front of values that widen", ["convert", "-", "-o", "no.stoa"], 1,
       f"standard input: line {LATE - 18}: 2 fields where there are 4 columns", stdin=mixed)

# What goes to a pipe waits until the types are known.
done = subprocess.run([cli.STOA, "convert", "-", "-o", "-", "--to", "stoa", "--row-group-rows", "1000"],
                      input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
point("into a pipe", done.returncode == 0 and done.stdout == outputs[0], done.stderr)
sure = HEADER + "1,2,w,3\n"
stoa("convert", "-", "-o", "sure.stoa", stdin=sure.encode())
done = subprocess.run([cli.STOA, "convert", "-", "-o", "-", "--to", "stoa"], input=sure.encode(),
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
point("into a pipe, with types that hold", done.stdout == cli.read("sure.stoa"), done.stderr)

# Without the text, and with other wishes.
done = stoa("convert", "-", "-o", "bare.stoa", "--no-source-text", "--row-group-rows", "1000", stdin=text.encode())
point("without the text", done.code == 0 and len(cli.read("bare.stoa")) < len(outputs[0]), done)
write("final.json", schema_of("bare.stoa"))
stoa("convert", "-", "-o", "given.stoa", "--force", "--no-source-text", "--row-group-rows", "1000", "--schema",
     "final.json", stdin=text.encode())
point("the same with the final schema", cli.read("bare.stoa") == cli.read("given.stoa"))
late = (HEADER + "".join(f"{i},{'12x' if i == LATE else i},w,1\n" for i in range(NROWS))).encode()
MESSAGE = f'standard input: line {LATE + 2}, column 2 (guess): "12x" is not int64'
refuse("an error where that is wished", ["convert", "-", "-o", "no.stoa", "--on-conflict", "error"], 1,
       MESSAGE + "; --infer full, --types or a schema can give the column another type", stdin=late)
expect("a note says why", ["convert", "-", "-o", "1.stoa", "--force"], 0, "",
       lambda err: err.startswith(f"stoa: note: {MESSAGE}: the column is utf8 now\n"), stdin=late)
expect("a bad record where that is wished", ["convert", "-", "-o", "1.stoa", "--force", "--rejects", "r.csv"], 5, "",
       lambda err: "1 bad record left out" in err, stdin=late)
expect("widened beside bad records", ["convert", "-", "-o", "1.stoa", "--force", "--rejects", "r.csv", "--on-conflict",
                                      "widen"], 0, "", lambda err: MESSAGE in err, stdin=late)
refuse("rejected to nowhere", ["convert", "-", "-o", "no.stoa", "--on-conflict", "reject"], 2,
       "--on-conflict reject: --rejects FILE says where to", stdin=late)
refuse("an unknown wish", ["convert", "-", "-o", "no.stoa", "--on-conflict", "guess"], 2,
       "--on-conflict guess: expected widen, reject or error", stdin=late)
cli.end()
