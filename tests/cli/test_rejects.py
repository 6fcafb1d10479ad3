#!/usr/bin/env python3
"""Bad records: every kind with its place, the same for any number of jobs, limits, exit codes, and generated files against a reader of their own."""
import csv
import json
import os
import random
import zipfile

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)
NAMES = ["file", "member", "line", "record", "record_offset", "byte_offset", "column_index", "column_name", "error",
         "expected_type", "value", "raw_record", "message"]


def schema(path, **types):
    fields = [{"name": name, "type": kind.removesuffix("!"), "nullable": not kind.endswith("!")} for name, kind in types.items()]
    write(path, json.dumps({"stoa_schema": 1, "fields": fields}))


def read_rejects(path="r.csv"):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def run(*args, jobs="2"):
    return stoa("convert", *args, "-o", "-", "--to", "csv", "-j", jobs, "--progress", "never")


# ---- Every kind ----
schema("s.json", id="int16!", word="utf8", day="date32", price="decimal(5,2)", at="timestamp(ns)", ratio="float64")
GOOD = b"1,x,2024-01-31,1.50,2024-01-31 00:00:00,0.5\n"
KINDS = [  # record, column, error, expected type, value, message behind the line
    (b"-,x,,,,\n", 1, "cast", "int16", "-", '"-" is not int16'),
    (b"32768,x,,,,\n", 1, "out_of_range", "int16", "32768", '"32768" is not int16'),
    (b"-99999999999999999999,x,,,,\n", 1, "out_of_range", "int16", "-99999999999999999999", '"-99999999999999999999" is not int16'),
    (b",x,,,,\n", 1, "not_null", "int16", "", "no value, and the schema says that it is not nullable"),
    (b"2,\xffx,,,,\n", 2, "invalid_encoding", "utf8", "\udcffx", '"\\xffx" is not UTF-8'),
    (b"2,x,2024-02-30,,,\n", 3, "cast", "date32", "2024-02-30", '"2024-02-30" is not date32'),
    (b"2,x,,1000.00,,\n", 4, "out_of_range", "decimal(5,2)", "1000.00", '"1000.00" is not decimal(5,2)'),
    (b"2,x,,1.005,,\n", 4, "out_of_range", "decimal(5,2)", "1.005", '"1.005" is not decimal(5,2)'),
    (b'2,x,,"1,5",,\n', 4, "cast", "decimal(5,2)", "1,5", '"1,5" is not decimal(5,2)'),
    (b"2,x,,,3000-01-01 00:00:00,\n", 5, "out_of_range", "timestamp(ns)", "3000-01-01 00:00:00",
     '"3000-01-01 00:00:00" is not timestamp(ns)'),
    (b"2,x,,,,1e999\n", 6, "out_of_range", "float64", "1e999", '"1e999" is not float64'),
    (b'2,x,,,,"say ""no"""\n', 6, "cast", "float64", 'say "no"', '"say ""no""" is not float64'),
    (b"2,x,,,\n", 6, "missing_columns", "", "", "5 fields where there are 6 columns"),
    (b"2,x,,,,,\n", 7, "too_many_columns", "", "", "7 fields where there are 6 columns"),
    (b"2,x,32.1.2024,x,,\n", 3, "cast", "date32", "32.1.2024", '"32.1.2024" is not date32'),
    (b'2,"x\r\ny",,,,z\r\n', 6, "cast", "float64", "z", '"z" is not float64'),
    (b'2,"x,,,,\n# the end\n', 2, "unterminated_quote", "", "", "the quote is never closed"),
]
COLUMNS = ["id", "word", "day", "price", "at", "ratio"]


def with_kinds():
    """A file with all kinds among good records, and what its rejects are."""
    data, line, record, wanted = b"id,word,day,price,at,ratio\n", 2, 1, []
    for raw, column, error, kind, value, message in KINDS:
        for filler in (GOOD, b"\n" if chance.randrange(2) else b"", GOOD * chance.randrange(3)):
            data += filler
            line += filler.count(b"\n")
            record += filler.count(GOOD)
        text = raw.decode("utf-8", "surrogateescape")
        in_column = f", column {column}" if error == "unterminated_quote" else f", column {column} ({COLUMNS[column - 1]})" if kind else ""
        wanted.append({"file": "k.csv", "member": "", "line": str(line), "record": str(record), "record_offset": str(len(data)),
                       "column_index": str(column), "column_name": COLUMNS[column - 1] if column <= 6 else "", "error": error,
                       "expected_type": kind, "value": value, "raw_record": text.removesuffix("\n").removesuffix("\r"),
                       "message": f"line {line}{in_column}: {message}"})
        data += raw
        line += raw.count(b"\n")
        record += 1
    return data, wanted


data, wanted = with_kinds()
with open("k.csv", "wb") as file:
    file.write(data)
good = data.count(GOOD)
outs = set()
for jobs in ("1", "2", "3", "8"):
    for rows in ("1", "7", "1000"):
        done = run("k.csv", "--schema", "s.json", "--rejects", "r.csv", "--force", "--row-group-rows", rows, jobs=jobs)
        with open("r.csv", "rb") as file:
            outs.add((done.code, done.out, file.read()))
        point(f"{len(KINDS)} bad records, {jobs} jobs, units of {rows}", done.code == 5 and
              f"{len(KINDS)} bad records left out, {len(KINDS)} in r.csv" in done.err, done)
point("the same for any jobs and units", len(outs) == 1)
got = read_rejects()
point("the columns of the file", list(got[0]) == NAMES, got[0])
offsets = [int(row.pop("byte_offset")) for row in got]
for row, want in zip(got, wanted):
    point(f"{want['error']}: {want['message']}", row == want, row, want)
point("no other", len(got) == len(wanted))
point("the good ones are there", next(iter(outs))[1].count("\n") == good + 1)
point("bytes that are wrong are in their records", all(
    int(row["record_offset"]) <= at <= int(row["record_offset"]) + len(raw) for row, at, (raw, *_) in zip(got, offsets, KINDS)), offsets)

# ---- Columns have their names, whether they are read or not, where the inputs have them in another order ----
write("1.csv", "a,b,c\n1,x,2\n1,x\n")
write("2.csv", "c,a,b\n2,1\n2,1,x,y\n")
done = run("1.csv", "2.csv", "--select", "a", "--where", "a = 1", "--rejects", "r.csv", "--force")
point("columns that are not read have names", done.code == 5 and [(row["column_index"], row["column_name"]) for row in read_rejects()] ==
      [("3", "c"), ("3", "b"), ("4", "")], done)

# ---- With `strict` quotes only where the option is; several inputs have records of their own ----
write("1.csv", "a,b\n1,x\nq,y\n")
write("2.csv", "a,b\n\nr,z\n3,w\n")
schema("ab.json", a="int64", b="utf8")
done = run("1.csv", "2.csv", "--schema", "ab.json", "--rejects", "r.csv", "--force")
point("two inputs", done.code == 5 and done.out == "a,b\n1,x\n3,w\n", done)
point("... each with its own records", [(row["file"], row["line"], row["record"]) for row in read_rejects()] ==
      [("1.csv", "3", "2"), ("2.csv", "3", "1")], read_rejects())

# ---- What becomes of them ----
write("t.csv", "a,b\n" + "".join(f"{'x' if i % 10 == 7 else i},{i}\n" for i in range(100)))
BAD = 't.csv: line 9, column 1 (a): "x" is not int64'
ARGS = ["t.csv", "--schema", "ab.json"]
refuse("abort names the first", ["convert", *ARGS, "-o", "t.stoa", "--row-group-rows", "3"], 1, BAD)
point("... and leaves nothing", not os.path.exists("t.stoa"))
done = run(*ARGS, "--on-error", "skip")
point("skip", done.code == 5 and done.out.count("\n") == 91 and "\n10 bad records left out\n" in done.err, done)
done = stoa("convert", *ARGS, "-o", "t.stoa", "--on-error", "skip", "--json", "--progress", "never")
told = json.loads(done.out)
point("--json counts them", done.code == 5 and (told["rows"], told["rejected"], told["skipped"]) == (90, 0, 10), done)
done = stoa("convert", *ARGS, "-o", "t.stoa", "-f", "--rejects", "r.csv", "--rejects-limit", "4", "--json", "--progress", "never")
told = json.loads(done.out)
point("--rejects-limit", done.code == 5 and (told["rows"], told["rejected"], told["skipped"]) == (90, 4, 6) and len(read_rejects()) == 4, done)
point("... the first ones", [row["line"] for row in read_rejects()] == ["9", "19", "29", "39"])
write("good.csv", "a,b\n1,2\n")
done = run("good.csv", "--schema", "ab.json", "--rejects", "none.csv")
point("no bad record: exit code 0, and a file that says so", done.code == 0 and "\n0 bad records left out\n" in done.err and
      read_rejects("none.csv") == [], done)

# ---- Limits ----
for jobs in ("1", "2", "8"):
    done = stoa("convert", *ARGS, "-o", "over.stoa", "--rejects", "o.csv", "-f", "--max-errors", "3", "-j", jobs, "--row-group-rows", "7")
    point(f"--max-errors, {jobs} jobs", done.code == 1 and done.err == 'stoa: t.csv: line 39, column 1 (a): "x" is not int64; 3 bad records '
          "before it were left out, which is the limit\n" and not os.path.exists("over.stoa"), done)
    point("... the file tells which", [row["line"] for row in read_rejects("o.csv")] == ["9", "19", "29", "39"], read_rejects("o.csv"))
    refuse(f"--max-error-ratio, {jobs} jobs", ["convert", *ARGS, "-o", "over.stoa", "--on-error", "skip", "--max-error-ratio", "0.05", "-j", jobs,
                                              "--row-group-rows", "20"], 1,
           "t.csv: 2 of the first 20 records are bad, which is more than the limit")
done = run(*ARGS, "--on-error", "skip", "--max-errors", "10", "--max-error-ratio", "0.15", "--row-group-rows", "50")
point("limits that are kept", done.code == 5, done)

# ---- What makes no sense ----
for args, why in ((["--on-error", "ignore"], "--on-error ignore: expected abort, skip, reject or skip-block"),
                  (["--on-error", "reject"], "--on-error reject: --rejects FILE says where to"),
                  (["--on-error", "skip", "--rejects", "x.csv"], "--on-error skip: --rejects asks for something else"),
                  (["--max-errors", "0"], "--max-errors 0: expected a number, 1 or more"),
                  (["--max-error-ratio", "2"], "--max-error-ratio 2: expected a number above 0 and up to 1, such as 0.01")):
    refuse(" ".join(args), ["convert", *ARGS, "-o", "n.stoa", *args], 2, why)
refuse("a file that is there", ["convert", *ARGS, "-o", "n.stoa", "--rejects", "r.csv"], 2, "r.csv: exists already (--force replaces it)")
refuse("both to standard output", ["convert", *ARGS, "-o", "-", "--to", "csv", "--rejects", "-"], 2,
       "rows and bad records can't both go to standard output")
expect("rejects to standard output", ["convert", *ARGS, "-o", "out.stoa", "--rejects", "-", "--rejects-limit", "1", "--progress", "never"], 5,
       ",".join(NAMES) + '\n"t.csv",,9,8,32,32,1,"a","cast","int64","x","x,7","line 9, column 1 (a): ""x"" is not int64"\n')
point("a cancelled or failed run leaves no list", stoa("convert", "missing.csv", "-o", "m.stoa", "--rejects", "m.csv").code == 3 and
      not os.path.exists("m.csv"))

# ---- Long records are cut ----
write("long.csv", "a,b\nx," + "y" * 30000 + "\n" + "z" * 20000 + ",\n")
run("long.csv", "--schema", "ab.json", "--rejects", "r.csv", "--force")
got = read_rejects()
point("10,000 bytes of a record and of a value", [(len(row["raw_record"]), len(row["value"])) for row in got] == [(10000, 1), (10000, 10000)], got)

# ---- The records as they stand ----
for jobs in ("1", "8"):
    for rows in ("1", "7", "1000"):
        done = run("k.csv", "--schema", "s.json", "--rejects", "r.csv", "--rejects-raw", "raw.csv", "--force", "--row-group-rows", rows, jobs=jobs)
        point(f"raw records, {jobs} jobs, units of {rows}", done.code == 5 and cli.read("raw.csv") == b"".join(kind[0] for kind in KINDS) and
              f"{len(KINDS)} in r.csv, {len(KINDS)} in raw.csv" in done.err and len(read_rejects()) == len(KINDS), done)
done = run("long.csv", "--schema", "ab.json", "--rejects-raw", "raw.csv", "--force")
point("... whole, and without a list", cli.read("raw.csv") == cli.read("long.csv")[4:] and done.code == 5 and " in raw.csv" in done.err, done)
write("1.csv", "a,b\n1,x\nq,y")
write("2.csv", "a,b\nr,z\r\n3,w\n")
done = run("1.csv", "2.csv", "1.csv", "--schema", "ab.json", "--rejects-raw", "raw.csv", "--force")
point("... one without a line end gets one if another follows", cli.read("raw.csv") == b"q,y\nr,z\r\nq,y", done)
done = run("1.csv", "2.csv", "1.csv", "--schema", "ab.json", "--rejects", "r.csv", "--rejects-raw", "raw.csv", "--rejects-limit", "2", "--force")
point("... no more than are listed", cli.read("raw.csv") == b"q,y\nr,z\r\n" and len(read_rejects()) == 2, done)
write("raw.csv", cli.read("raw.csv").replace(b"q", b"7").replace(b"r", b"8"))
done = run("raw.csv", "--schema", "ab.json", "--header", "none")
point("... can be mended and converted", done.out == "a,b\n7,y\n8,z\n", done)
ONE_FILE = "the list of bad records and the records can't both go to one file"
refuse("... one file for both", ["convert", "1.csv", "-o", "o.stoa", "--rejects", "x", "--rejects-raw", "x"], 2, ONE_FILE)
refuse("... that exists", ["convert", "1.csv", "-o", "o.stoa", "--rejects-raw", "raw.csv"], 2,
       "raw.csv: exists already (--force replaces it)")
refuse("... and skips", ["convert", "1.csv", "-o", "o.stoa", "--rejects-raw", "x", "--on-error", "skip"], 2,
       "--on-error skip: --rejects-raw asks for something else")

# ---- One file by two names ----
os.makedirs("in/deep")
os.symlink("deep", "in/link")
os.symlink("1.csv", "1.link")
KEPT = cli.read("1.csv")
HERE = os.getcwd()
for output, rejects in (("x", "./x"), ("x", f"{HERE}/x"), ("in//deep/x", "in/deep/../link/x"), ("out.stoa", "./out.stoa")):
    refuse(f"rows to {output}, rejects to {rejects}", ["convert", "1.csv", "-o", output, "--to", "stoa", "-f", "--rejects", rejects], 2,
           "rows and bad records can't both go to one file")
    refuse("... raw ones", ["convert", "1.csv", "-o", output, "--to", "stoa", "-f", "--rejects-raw", rejects], 2,
           "rows and bad records can't both go to one file")
    refuse("... both of them", ["convert", "1.csv", "-o", "no.stoa", "-f", "--rejects", output, "--rejects-raw", rejects], 2, ONE_FILE)
for rejects in ("2.csv", "./2.csv", f"{HERE}/2.csv", "1.link"):
    for option in ("--rejects", "--rejects-raw"):
        refuse(f"{option} {rejects}, an input", ["convert", "1.csv", "2.csv", "-o", "no.stoa", "-f", option, rejects], 2,
               f"{rejects}: is an input: bad records need another file")
point("... which stays, and nothing is written", cli.read("1.csv") == KEPT and not os.path.exists("no.stoa") and not os.path.exists("x"))
done = stoa("convert", "1.csv", "--schema", "ab.json", "-o", "in/x", "--to", "csv", "--rejects", "in/deep/x", "--rejects-raw", "x")
point("... one name in three folders", done.code == 5 and cli.read("x") == b"q,y" and len(read_rejects("in/deep/x")) == 1, done)
done = stoa("convert", "-", "--schema", "ab.json", "-o", "in/y", "--to", "csv", "--rejects", "-", "--progress", "never", stdin=b"a,b\nq,y\n")
point("... standard input is not standard output", done.code == 5 and done.out.count("\n") == 2, done)

# ---- Members of archives ----
with zipfile.ZipFile("z.zip", "w") as archive:
    archive.write("1.csv", "in: a/1.csv")
    archive.write("2.csv")
done = run("z.zip", "2.csv", "--schema", "ab.json", "--rejects", "r.csv", "--force")
point("members have a column", [(row["file"], row["member"], row["line"]) for row in read_rejects()] ==
      [("z.zip", "in: a/1.csv", "3"), ("z.zip", "2.csv", "2"), ("2.csv", "", "2")], done, read_rejects())
refuse("... and are named in messages", ["convert", "z.zip", "--schema", "ab.json", "-o", "o.stoa"], 1,
       'z.zip:in: a/1.csv: line 3, column 1 (a): "q" is not int64')

# ---- Generated ----
schema("g.json", n="int64!", d="date32", t="utf8")
wrong = []
for _ in range(max(1, int(15 * SCALE))):
    end = chance.choice(["\n", "\r\n"])
    text, line, record, rows, bad = "n,d,t" + end, 2, 0, [], []
    for _ in range(chance.randrange(400)):
        if not chance.randrange(12):
            text += end
            line += 1
            continue
        n = chance.choice(["1", "-5", "77", "", "x", "9223372036854775808"] if not chance.randrange(4) else ["4"])
        d = chance.choice(["2024-01-01", "", "yesterday"] if not chance.randrange(6) else ["2020-02-29"])
        t = chance.choice(["word", "", '"a,b"', '"l\nf"', '"q""q"'])
        fields = [n, d, t, "more"][:chance.choice([2, 4]) if not chance.randrange(15) else 3]
        record += 1
        reason = ("missing_columns" if len(fields) == 2 else "too_many_columns" if len(fields) == 4 else
                  "not_null" if n == "" else "out_of_range" if len(n) > 9 else "cast" if n == "x" else
                  "cast" if d == "yesterday" else None)
        raw = ",".join(fields)
        if reason is None:
            rows.append([n, d, next(csv.reader([t.replace("\n", "\0")]), [""])[0].replace("\0", "\n") if t else ""])
        else:
            bad.append((str(line), str(record), str(len(text)), reason, raw))
        text += raw + end
        line += raw.count("\n") + 1
    write("g.csv", text)
    for jobs in ("1", "3"):
        done = run("g.csv", "--schema", "g.json", "--rejects", "r.csv", "--rejects-raw", "raw.csv", "--force", "--row-group-rows", str(chance.randrange(1, 90)), jobs=jobs)
        got = [tuple(row[name] for name in ("line", "record", "record_offset", "error", "raw_record")) for row in read_rejects()]
        out = list(csv.reader(done.out.splitlines(True)))[1:]
        raw = cli.read("raw.csv").decode()
        if got != bad or out != rows or raw != "".join(row[4] + end for row in bad) or done.code != (5 if bad else 0):
            wrong.append(f"{text!r}\n{got!r}\n{bad!r}\n{done}")
point("generated files: rows and bad records are those of another reader", not wrong, *wrong[:1])
cli.end()
