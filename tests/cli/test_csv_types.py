#!/usr/bin/env python3
"""Types of CSV columns: what inference must leave exact, from the text to the table and back, and the options."""
import json
import os
import random

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
D40 = "1234567890123456789012345678901234567890"

# ---- Values that stay what they are: the column's texts, its type, and how they are printed again ----
for name, texts, kind, again in (
        ("leading zeros", ["007", "10"], "utf8", None),
        ("plus signs", ["+5", "3"], "utf8", None),
        ("an exponent", ["1e5", "2"], "float64", ["100000.0", "2.0"]),
        ("zeros behind a fraction", ["0.10", "1.5"], "float64", ["0.1", "1.5"]),
        ("a negative zero", ["-0.0", "1.5"], "float64", None),
        ("a negative zero without a point", ["-0", "1"], "utf8", None),
        ("one more than int64", ["9223372036854775808", "0"], "uint64", None),
        ("the ends of int64", ["9223372036854775807", "-9223372036854775808"], "int64", None),
        ("beyond uint64", ["18446744073709551616", "-1"], "decimal(38,0)", None),
        ("40 digits", [D40, "-" + D40], "decimal(40,0)", None),
        ("77 digits", ["1" * 77, "2"], "utf8", None),
        ("25 digits with a fraction", ["123456789012345678901234.5", "0.1"], "decimal(38,1)", None),
        ("18 digits of a fraction", ["0.123456789012345678", "1.000000000000000001"], "decimal(38,18)", None),
        ("17 significant digits", ["0.12345678901234566", "2.5"], "float64", None),
        ("integers that a double rounds", ["1.5", "9007199254740993"], "decimal(38,1)", ["1.5", "9007199254740993.0"]),
        ("NA among texts", ["NA", "DE", "NULL"], "utf8", None),
        ("NA among numbers", ["NA", "1", "NULL"], "int64", ["", "1", ""]),
        ("a quoted empty text and nothing", ['""', "x", ""], "utf8", None),
        ("nan and inf", ["NaN", "Infinity", "-Infinity", "1.5"], "float64", None),
        ("days that are undecided", ["12/03/2024", "11/03/2024"], "utf8", None),
        ("days that one value decides", ["12/03/2024", "13/03/2024"], "date32", None),  # by the format of the column
        ("months that one value decides", ["12/03/2024", "12/13/2024"], "date32", None),
        ("years of two digits", ["31/12/98"], "utf8", None),
        ("a day that there is not", ["2023-02-29", "2024-02-29"], "utf8", None),
        ("the first and the last year", ["0001-01-01", "9999-12-31"], "date32", None),
        ("year 0", ["0000-01-01"], "utf8", None),
        ("24:00:00", ["24:00:00", "23:59:59"], "utf8", None),
        ("a leap second", ["2016-12-31 23:59:60"], "utf8", None),
        ("fractions of seconds", ["23:59:59.5", "00:00:00"], "time(ms)", ["23:59:59.500", "00:00:00"]),
        ("microseconds", ["2024-01-01 00:00:00.000001"], "timestamp(us)", None),
        ("nanoseconds of a far year", ["9999-12-31 00:00:00.0000001"], "utf8", None),
        ("a clock and an instant", ["2024-01-01 00:00:00", "2024-01-01 00:00:00Z"], "utf8", None),
        ("another offset", ["2024-01-01 00:00:00+01:00"], "utf8", None),
        ("words that could be true", ["yes", "no"], "utf8", None),
        ("0 and 1", ["0", "1"], "int64", None),
        ("blanks around a number", [" 1", "2"], "utf8", ['" 1"', "2"]),
        ("a decimal comma", ['"1,5"', "2"], "float64", ["1.5", "2.0"]),
        ("hexadecimal digits", ["0x1F", "1"], "utf8", None)):
    write("v.csv", "n,v\n" + "".join(f"{i},{text}\n" for i, text in enumerate(texts)))
    done = stoa("convert", "v.csv", "-o", "v.stoa", "--force", "--header", "1", "--delimiter", ",")
    schema = json.loads(stoa("schema", "v.stoa", "--json").out)
    got = stoa("cat", "v.stoa").out
    wanted = "n,v\n" + "".join(f"{i},{text}\n" for i, text in enumerate(again or texts))
    point(f"{name}: {kind}", done.code == 0 and schema["fields"][1]["type"] == kind and got == wanted, done, schema, got, wanted)

# ---- Late values ----
write("none.json", '{"stoa_schema": 1, "fields": []}')
write("nul.csv", "a,b\n1,true\n2,true\0\n3,false\n")
with open("late.csv", "w") as f:
    f.write("id,v\n")
    f.writelines(f"{i:07},{'x' if i == 149999 else i}\n" for i in range(150000))
expect("the last value of a file is in a window", ["schema", "late.csv"], 0,
       "column  type  nullable\nid      utf8  yes\nv       utf8  yes\n")
with open("late.csv", "w") as f:
    f.write("id,v\n")
    f.writelines(f"{i},{'x' if i == 300000 else i}\n" for i in range(600001))
full = stoa("schema", "late.csv", "--infer", "full", "--json")
evidence = json.loads(full.out)["evidence"]
point("full inference sees every value", full.code == 0 and evidence[1] == {
    "name": "v", "rows": 600001, "nulls": 0, "min": "0", "max": "x", "decided_by": '"x" in line 300002'}, full)
for jobs in "1", "2", "3", "8":
    expect(f"full inference and conversion by {jobs} threads",
           ["convert", "late.csv", "--infer", "full", "-o", f"late{jobs}.stoa", "-j", jobs, "--row-group-rows", "7001"], 0)
point("no row is lost between looking and reading", stoa("count", "late1.stoa").out == "600001\n")
point("the same file for any number of threads",
      len({open(f"late{jobs}.stoa", "rb").read() for jobs in "1238"}) == 1)
refuse("full inference of a pipe", ["convert", "-", "--infer", "full", "-o", "p.stoa"], 2,
       "standard input: full inference reads every input twice, and this one can be read only once: save it to a file, or "
       "infer from a sample", stdin=b"a\n1\n")

refuse("a schema without columns", ["convert", "late.csv", "-o", "e.stoa", "--schema", "none.json", "--header", "none"], 2,
       "the schema has no columns, and text has some")
refuse("a NUL behind a word", ["convert", "nul.csv", "-o", "e.stoa", "--types", "b=bool"], 1,
       r'nul.csv: line 3, column 2 (b): "true\x00" is not bool')

# ---- Options ----
write("o.csv", "zip,day,amount\n10115,01/02/2024,1.50\n00501,03/04/2024,20.00\n")


def types(*args):
    return [line.split()[1] for line in stoa("schema", "o.csv", *args).out.splitlines()[1:]]


for args, wanted in (
        ([], ["utf8", "utf8", "float64"]),
        (["--infer", "none"], ["utf8", "utf8", "utf8"]),
        (["--date-order", "dmy"], ["utf8", "date32", "float64"]),
        (["--date-format", "%m/%d/%Y"], ["utf8", "date32", "float64"]),
        (["--types", "amount=decimal(10,2),zip=int32"], ["int32", "utf8", "decimal(10,2)"]),
        (["--infer", "none", "--types", "amount=decimal(10,2)"], ["utf8", "utf8", "decimal(10,2)"])):
    point("schema " + " ".join(args), types(*args) == wanted, types(*args))
# ---- What an option would decide is said, once ----
NOTE = "stoa: note: {}: text, because day and month can't be told apart: --date-order dmy or mdy tells\n"
expect("schema notes an order of dates that is open", ["schema", "o.csv"], err=NOTE.format("day"))
expect("... and not one that was given", ["schema", "o.csv", "--date-order", "mdy"], err="")
expect("... nor text that was wanted", ["schema", "o.csv", "--types", "day=utf8"], err="")
expect("convert notes it too", ["convert", "o.csv", "-o", "-", "--to", "csv", "--progress", "never"],
       err=lambda text: text.startswith(NOTE.format("day")) and text.count("note") == 1)
expect("... with every record looked at", ["convert", "o.csv", "-o", "-", "--to", "csv", "--progress", "never", "--infer", "full"],
       err=lambda text: text.startswith(NOTE.format("day")) and text.count("note") == 1)
write("many.csv", ",".join(f"the day {i}" for i in range(50)) + "\n" + ",".join(["01/02/2024"] * 50) + "\n")
expect("many columns are one line", ["schema", "many.csv", "--json"],
       err=NOTE.format(", ".join(f"the day {i}" for i in range(15)) + ", ..."))
for order, day in ("dmy", "2024-02-01"), ("mdy", "2024-01-02"):
    stoa("convert", "o.csv", "-o", "o.stoa", "--force", "--date-order", order, "--types", "zip=int32,amount=decimal(10,2)")
    expect(f"the days of {order}", ["cat", "o.stoa", "-n", "1", "-s", "day", "-f", "jsonl"], 0, f'{{"day":"{day}"}}\n')
    expect(f"they are written as they were, {order}", ["cat", "o.stoa", "-n", "1"], 0, "zip,day,amount\n10115,01/02/2024,1.50\n")
    expect("a type that was given takes a text by its value", ["cat", "o.stoa", "-w", "zip = 501", "-s", "zip"], 0, "zip\n501\n")
write("q.csv", 'a,"b,c","d=e"\n1,2,3\n')
expect("names and types with commas and equal signs", ["schema", "q.csv", "--types", '"b,c"=utf8,"d=e"=enum(3,"a,b")'], 0,
       lambda out: [line.split()[1] for line in out.splitlines()[1:]] == ["int64", "utf8", 'enum(3,"a,b")'])
refuse("a type that CSV can't hold", ["schema", "q.csv", "--types", "a=list<int8>"], 2,
       "column a: CSV can't hold list<int8>; JSON lines (jsonl) can")
refuse("a type of no column", ["convert", "o.csv", "-o", "x.stoa", "--types", "amonut=utf8"], 2,
       'there is no column "amonut"; did you mean "amount"?')
refuse("a type that is none", ["convert", "o.csv", "-o", "x.stoa", "--types", "zip=int31"], 2,
       '--types zip=int31: type "int31": there is no type int31; did you mean int32?')
refuse("no type", ["convert", "o.csv", "-o", "x.stoa", "--types", "zip"], 2, "--types zip: expected NAME=TYPE,NAME=TYPE,...")
refuse("a column given twice", ["convert", "o.csv", "-o", "x.stoa", "--types", "zip=utf8,zip=utf8"], 2,
       '--types zip=utf8,zip=utf8: there are two columns "zip"')
refuse("a mode that there is not", ["schema", "o.csv", "--infer", "all"], 2, "--infer all: expected sample, full or none")

# ---- What `stoa schema` printed is taken again ----
for form, path in ("json", "o.json"), ("avsc", "o.avsc"):
    write(path, stoa("schema", "o.csv", "--format", form, "--date-order", "dmy", "--types", "zip=int32,amount=decimal(10,2)").out)
    expect(f"a schema in {form}", ["convert", "o.csv", "--schema", path, "-o", "o.stoa", "--force"], 0)
    expect(f"rows under a schema in {form}", ["cat", "o.stoa"], 0, "zip,day,amount\n10115,01/02/2024,1.50\n501,03/04/2024,20.00\n")
    expect(f"their days under a schema in {form}", ["cat", "o.stoa", "-s", "day", "-f", "jsonl"], 0,
           '{"day":"2024-02-01"}\n{"day":"2024-04-03"}\n')
point("a Stoa file prints the .avsc that it was made with", stoa("schema", "o.stoa", "--format", "avsc").out == open("o.avsc").read())
avro = json.loads(open("o.avsc").read())
point("the .avsc is one of Avro", avro["type"] == "record" and avro["name"] == "o" and
      [field["name"] for field in avro["fields"]] == ["zip", "day", "amount"], avro)
write("bad.avsc", '{"type": "record", "name": "t", "fields": [{"name": "a", "type": "u"}]}')
refuse("an .avsc with a type of no name", ["convert", "o.csv", "--schema", "bad.avsc", "-o", "x.stoa"], 1,
       'bad.avsc: Avro schema: field "a": there is no type "u"')

# ---- Many files as one table ----
write("m1.csv", "id,name\n1,a\n2,b\n")
write("m2.csv", "name,id\nc,3\n")
write("m3.csv", "id,score\n4,1.5\n")
expect("columns by name", ["convert", "m1.csv", "m2.csv", "m3.csv", "-o", "m.stoa"], 0)
expect("rows of all of them", ["cat", "m.stoa"], 0, "id,name,score\n1,a,\n2,b,\n3,c,\n4,,1.5\n")
write("m.json", stoa("schema", "m1.csv", "m2.csv", "m3.csv", "--json").out)
expect("under the schema of all", ["convert", "m3.csv", "m2.csv", "--schema", "m.json", "-o", "n.stoa"], 0)
expect("its columns in its order", ["cat", "n.stoa"], 0, "id,name,score\n4,,1.5\n3,c,\n")
refuse("a column that the schema does not have", ["convert", "m1.csv", "o.csv", "--schema", "m.json", "-o", "x.stoa"], 1,
       'o.csv: line 1, column 1: the schema has no column "zip"')

# ---- Every type that inference gives a generated column gives its texts back ----
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)
POOLS = [
    [str(chance.randrange(-10**k, 10**k)) for k in range(0, 20) for _ in range(3)],
    [f"{chance.uniform(-1000, 1000):.{k}f}" for k in range(1, 9) for _ in range(4)] + ["-0.5", "0.25"],
    ["true", "false", "True", "FALSE"],
    [f"{chance.randrange(1, 9999):04}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}" for _ in range(20)],
    [f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}" for _ in range(20)],
    ["x", "NA", "007", "+1", "a b", "é"],
]
values = []
for _ in range(60):
    pool = chance.choice(POOLS)
    values.append([chance.choice(pool) if chance.random() > 0.05 else chance.choice(chance.choice(POOLS)) for _ in range(12)])
write("g.csv", ",".join(f"c{i}" for i in range(60)) + "\n" + "".join(",".join(row) + "\n" for row in zip(*values)))
expect("generated columns", ["convert", "g.csv", "-o", "g.stoa", "--header", "1", "--delimiter", ","], 0)
rows = [json.loads(line) for line in stoa("cat", "g.stoa", "-f", "jsonl").out.splitlines()]


def says(text, value):
    """Whether a value of JSON is what the text said."""
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, int):
        return text == str(value)
    if isinstance(value, float):
        return float(text) == value
    return value == text or value is None and text in ("NA", "") or float(value) == float(text)


wrong = [(i, k, column[k], rows[k][f"c{i}"]) for i, column in enumerate(values) for k in range(12)
         if not says(column[k], rows[k][f"c{i}"])]
point("720 values are what their texts said", not wrong, wrong[:5])
cli.end()
