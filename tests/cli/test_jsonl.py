#!/usr/bin/env python3
"""JSON lines in: values, guesses that are wrong, bad records, compressed inputs, any number of jobs."""
import decimal
import gzip
import json
import os
import random
import re
import subprocess
import tarfile
import zipfile

from cli import STOA, end, expect, point, read, stoa, work_in_a_folder, write

work_in_a_folder()

# ---- Generated records, with Python's json as oracle. ----

seed = int(os.environ.get("STOA_TEST_SEED", "1"))
print(f"# STOA_TEST_SEED={seed}")
rng = random.Random(seed)
TEXTS = ["", "a", "é", "日本", "😀", "\x00", "\n\t\"\\/", "2024-01-01", "12", "null", "\u2028", "x" * 100]


def make_shape(depth=0):
    kind = rng.choice(["int", "big", "float", "mixed", "bool", "text", "date", "stamp", "js", "null", "any"] +
                      ["object", "list"] * (2 if depth < 4 else 0))
    if kind == "object":
        return kind, [(rng.choice(["k", "clé", "a b", "\"q\"", ""]) + str(i), make_shape(depth + 1)) for i in range(rng.randint(0, 4))]
    return (kind, make_shape(depth + 1)) if kind == "list" else (kind, None)


def make_value(shape):
    kind, of = shape
    if rng.random() < 0.1:
        return None
    if kind == "object":
        members = [(key, make_value(child)) for key, child in of if rng.random() < 0.8]
        rng.shuffle(members)
        return dict(members)
    if kind == "list":
        return [make_value(of) for _ in range(rng.choice([0, 1, 2, 5]))]
    return {
        "int": lambda: rng.choice([0, -1, 7, 2**31, -2**63, 2**63 - 1]),
        "big": lambda: rng.choice([2**63, 2**64 - 1, 10**30, -10**37, 10**80, 5]),
        "float": lambda: rng.choice([0.5, -1.25, 1e300, 5e-324, 0.1, 3.0, rng.random(), -0.0]),
        "mixed": lambda: rng.choice([1, 2.5, -3, 2**53 + 1]),
        "bool": lambda: rng.random() < 0.5,
        "text": lambda: rng.choice(TEXTS),
        "date": lambda: f"20{rng.randint(10, 30)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}",
        "stamp": lambda: f"2013-01-{rng.randint(10, 28)} 1{rng.randint(0, 9)}:00:0{rng.randint(0, 9)}",
        "js": lambda: f"2013-01-{rng.randint(10, 28)}T10:00:00.{rng.randint(0, 2)}00Z",
        "null": lambda: None,
        "any": lambda: rng.choice([1, "1", [1, {"x": []}], {"y": None}, True, {}]),
    }[kind]()


def is_same(a, b):
    """Equal, where what is missing is null."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(is_same(a.get(key), b.get(key)) for key in {*a, *b})
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, (int, float, decimal.Decimal)) and isinstance(b, (int, float, decimal.Decimal)):
        return isinstance(a, bool) == isinstance(b, bool) and decimal.Decimal(a) == decimal.Decimal(b)
    return type(a) is type(b) and a == b


def dump(row):
    text = json.dumps(row, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": "), (" ,\t", " :  ")]))
    return rng.choice(["", "", " \t"]) + text + rng.choice(["\n", "\n", "\r\n", " \n\n"])


def load(lines):
    return [json.loads(line, parse_float=decimal.Decimal) for line in lines.splitlines() if line.strip()]


nwrong = 0
for table in range(60):
    shape = ("object", [(f"c{i}", make_shape()) for i in range(rng.randint(1, 6))])
    lines = "".join(dump(make_value(shape) or {}) for _ in range(rng.choice([1, 5, 60])))
    lines = dump({"c0": make_value(shape[1][0][1])}) + lines
    write("g.jsonl", lines)
    made = stoa("convert", "g.jsonl", "-o", "g.stoa", "--force")
    back = stoa("cat", "g.stoa", "-f", "jsonl")
    wanted = [json.loads(line, parse_float=decimal.Decimal) for line in lines.split("\n") if line.strip()]
    got = [json.loads(line, parse_float=decimal.Decimal) for line in back.out.split("\n") if line]
    if made.code != 0 or stoa("verify", "g.stoa").code != 0 or len(wanted) != len(got) or not all(map(is_same, wanted, got)):
        nwrong += 1
        print(f"# table {table}: {made.err} {back.err}")
        for a, b in zip(wanted, got):
            if not is_same(a, b):
                print(f"# {a}\n# {b}")
                break
point("generated records come back with equal values", nwrong == 0)

# ---- Types. ----

TYPES = (
    ("1 2", "int64"), ("1 9223372036854775808", "uint64"), ("-1 9223372036854775808", "decimal(38,0)"),
    ("1 2.5", "float64"), ("9007199254740993 2.5", "decimal(38,1)"), ("1e5 1", "float64"), ("-0 1", "float64"),
    ("0.12345678901234567891 1", "decimal(38,20)"), ("1e400 1", "utf8"), ("1e-400 1", "utf8"), (f"{10**76} 1", "utf8"),
    ("true null", "bool"), ("null null", "null"), ("{} {}", "utf8"), ("[] []", "list<null>"), ("[[1],[null]] [[]]", "list<list<int64>>"),
    ("1 \"1\"", "utf8"), ("\"2024-02-29\" null", "date32"), ("\"2023-02-29\" null", "utf8"), ("\"10:00:00\" \"10:00:00.5\"", "utf8"),
    ("\"10:00:00.500\" \"10:00:00\"", "time(ms)"), ("\"2024-01-01T00:00:00Z\" null", "timestamp(s,UTC)"),
    ("\"2024-01-01T00:00:00.000Z\" null", "timestamp(ms,UTC)"), ("\"2024-01-01T00:00:00+01:00\" null", "utf8"),
    ("\"2024-01-01T00:00:00\" \"2024-01-01T00:00:00.000001\"", "timestamp(us)"),
    ("\"2024-01-01T00:00:00\" \"2024-01-01@00:00:00\"", "utf8"), ("\"1500-01-01T00:00:00.123456789Z\" null", "utf8"),
)
for values, type_name in TYPES:
    first, second = values.rsplit(" ", 1) if "@" not in values else values.split(" ", 1)
    second = second.replace("@", " ")
    write("t.jsonl", f'{{"v":{first}}}\n{{"v":{second}}}\n')
    stoa("convert", "t.jsonl", "-o", "t.stoa", "--force")
    found = re.search(r"^v +(.*?) +yes$", stoa("schema", "t.stoa").out, re.M)
    rows = stoa("cat", "t.stoa", "-f", "jsonl").out
    same = load(rows) == load(f'{{"v":{first}}}\n{{"v":{second}}}\n')
    point(f"{values} is {type_name}", found is not None and found[1] == type_name and same, (found and found[1], rows))

deep = "[" * 40 + "1" + "]" * 40
write("t.jsonl", f'{{"v":{deep}}}\n{{"v":{{"a":1}}}}\n{{"v":null}}\n')
stoa("convert", "t.jsonl", "-o", "t.stoa", "--force")
point("what is mixed or deep stays as it stands", stoa("cat", "t.stoa", "-f", "csv").out == f'v\n{deep}\n"{{""a"":1}}"\n\n')
write("t.jsonl", "".join(json.dumps({"m": {f"k{i}": i for i in range(n)}}) + "\n" for n in (3, 1001)))
expect("an object of a thousand keys is a map, which is text", ["schema", "t.jsonl"], 0, "column  type  nullable\nm       utf8  yes\n")

# ---- Guesses, and any number of jobs, inputs, compressions, pipes. ----

ODD, LATE = 40000, 44500  # between the windows of the sample


def record(i):
    return {"a": "x" if i == ODD else i, "b": i / 4, "t": f"2024-01-01 00:00:{i % 60:02}", "pad": "-" * 150,
            **({"late": {"q": [i]}} if LATE <= i < LATE + 10 else {})}


LINES = "".join(json.dumps(record(i)) + "\n" for i in range(50000))
CHANGES = ("stoa: note: a: int64 in the sample, but not behind it: the column is utf8 now\n"
           "stoa: note: late: a key behind the sample: a column of struct<q:list<int64>>\n")
write("w.jsonl", LINES)
GROUPS = ["--row-group-rows", "7000"]
expect("all records, looked at before", ["convert", "w.jsonl", "-o", "full.stoa", "--infer", "full", *GROUPS, "--progress", "never"], 0, "", None)
FULL = read("full.stoa")
for jobs in (1, 2, 3, 8):
    made = stoa("convert", "w.jsonl", "-o", "w.stoa", "--force", "-j", str(jobs), *GROUPS)
    point(f"{jobs} jobs: the same bytes, and what changed", made.code == 0 and made.err.startswith(CHANGES) and read("w.stoa") == FULL, made)
write("w.jsonl.gz", gzip.compress(LINES.encode()))
with zipfile.ZipFile("w.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("w.jsonl", LINES)
for name in ("w.jsonl.gz", "w.zip"):
    made = stoa("convert", name, "-o", "w.stoa", "--force", *GROUPS)
    point(f"{name}: the same bytes", made.code == 0 and read("w.stoa") == FULL, made)
for name in ("w.jsonl", "w.jsonl.gz"):
    made = subprocess.run([STOA, "convert", "-", "--from", "jsonl", "-o", "w.stoa", "--force", *GROUPS], input=read(name), capture_output=True)
    point(f"{name} through a pipe: the same bytes", made.returncode == 0 and read("w.stoa") == FULL, made.stderr)
ROWS = [json.loads(line) for line in LINES.splitlines()]
for to, args in (("jsonl", []), ("csv", ["--select", "a,b,t"]), ("tsv", ["--select", "t,a"]),
                 ("jsonl", ["--where", "b > 11126 and late.q is not null", "--select", "late,a"]),
                 ("csv", ["--where", 'a = \'"x"\'', "--select", "b"])):
    wanted = stoa("convert", "full.stoa", "-o", "-", "--to", to, *args)
    for jobs in (1, 3):
        got = stoa("convert", "w.jsonl", "-o", "-", "--to", to, "-j", str(jobs), *args)
        point(f"to {to} {args} by {jobs}", got.code == 0 and got.out == wanted.out and len(got.out) > 5, got.err)
point("a column that the sample does not have can be selected",
      stoa("convert", "w.jsonl", "-o", "s.jsonl", "--select", "late").code == 0 and read("s.jsonl").count(b"[") == 10)
write("behind.jsonl", '{"a":1}\n' * ODD * 20 + '{"a":2,"late":7}\n' + '{"a":3}\n' * ODD * 4)
for args in (["--types", "late=float64"], ["--sort-by", "late,a:desc"], ["--select", "late,a", "--sort-by", "late"]):
    full = stoa("convert", "behind.jsonl", "-o", "full.jsonl", "--force", "--infer", "full", *args)
    made = stoa("convert", "behind.jsonl", "-o", "s.jsonl", "--force", *args)
    point(f"nor is it unknown to {args}", made.code == full.code == 0 and read("s.jsonl") == read("full.jsonl") and b'"late":7' in read("s.jsonl"), made)
for args in (["--types", "laet=utf8"], ["--sort-by", "laet"]):
    made = stoa("convert", "behind.jsonl", "-o", "s.jsonl", "--force", *args)
    point(f"one that no record has is: {args}", made.code == 2 and 'did you mean \"late\"' in made.err, made)
write("0.jsonl", '{"b":1,"a":2}\n')
write("1.jsonl", '{"c":"x"}')
write("2.jsonl", "")
expect("inputs are one table by name", ["convert", "0.jsonl", "1.jsonl", "2.jsonl", "-o", "-", "--to", "jsonl", "--filename", "f"], 0,
       '{"b":1,"a":2,"c":null,"f":"0.jsonl"}\n{"b":null,"a":null,"c":"x","f":"1.jsonl"}\n', None)
with tarfile.open("t.tar.gz", "w:gz") as archive:
    for name in ("0.jsonl", "1.jsonl"):
        archive.add(name)
expect("members of an archive, which are found to be JSON", ["convert", "t.tar.gz", "-o", "-", "--to", "jsonl", "--filename", "f"], 0,
       '{"b":1,"a":2,"c":null,"f":"t.tar.gz:0.jsonl"}\n{"b":null,"a":null,"c":"x","f":"t.tar.gz:1.jsonl"}\n', None)

# ---- Schemas. ----

SCHEMA = {"stoa_schema": 1, "fields": [
    {"name": "i", "type": "int8", "nullable": False}, {"name": "d", "type": "decimal(5,2)"}, {"name": "u", "type": "uuid"},
    {"name": "m", "type": "map<utf8,int64>"}, {"name": "x", "type": "fixed_list<float32,2>"}, {"name": "b", "type": "binary"},
    {"name": "e", "type": "enum(a,b)"}, {"name": "du", "type": "duration(ms)"}, {"name": "iv", "type": "interval"},
    {"name": "day", "type": "date32", "metadata": {"json_format": "%d/%m/%Y"}},
    {"name": "s", "type": "struct<p:utf8 not null,q:list<struct<r:bool>>>"}, {"name": "j", "type": "utf8", "metadata": {"json_text": "true"}}]}
write("s.json", json.dumps(SCHEMA))
ROW = ('{"i":-7,"d":12.50,"u":"01234567-89ab-cdef-0123-456789abcdef","m":[{"key":"k","value":1}],"x":[1.5,2.0],"b":"AAE=","e":"b",'
       '"du":"PT1.5S","iv":"P1Y2M3D","day":"31/12/2020","s":{"p":"t","q":[{"r":true},null]},"j":{"any": [1]}}\n')
NULLS = "".join(f',"{field["name"]}":null' for field in SCHEMA["fields"][1:])
OBJECT = ROW.replace('[{"key":"k","value":1}]', '{"k":1}').replace("-7", "-70e-1").replace('"b":"AAE="', '"\\u0062":"AA\\u0045="')
write("s.jsonl", ROW + '{"i":1}\n' + OBJECT)
expect("a schema", ["convert", "s.jsonl", "-o", "-", "--to", "jsonl", "--schema", "s.json"], 0, f'{ROW}{{"i":1{NULLS}}}\n{ROW}', None)
BAD = (
    ("[1]", "[1] is no object, which each line must be"), ("{\"i\":1}}", "byte 8: something stands behind the object"),
    ("{\"i\":1", "byte 7: ',' or '}' is expected"), ("{\"i\":01}", "byte 6: no number as JSON has it"), ("{i:1}", "byte 2: a key in quotes is expected"),
    ("{\"i\" 1}", "byte 6: ':' is expected"), ("{\"i\":1{\"n\":2}", "byte 7: ',' or '}' is expected"), ("{\"i\":1,}", "byte 8: a key in quotes is expected"), ("{,\"i\":1}", "byte 2: a key in quotes is expected"), ("{\"i\":1,\"i\":2}", "byte 8: the key \"i\" stands twice"),
    ("{\"i\":1,\"zz\":2}", "byte 8: the schema has no key \"zz\""), ("{\"i\":1,\"s\":{\"p\":\"\",\"zz\":2}}", "byte 20: the schema has no key \"zz\" in s"),
    ("{\"i\":128}", "i: 128 is not int8"), ("{\"i\":\"1\"}", "i: \"1\" is not int8"), ("{}", "i is null, and the schema says that it is not nullable"),
    ("{\"i\":null}", "i is null, and the schema says that it is not nullable"), ("{\"i\":1,\"s\":{}}", "s.p is null, and the schema says that it is not nullable"),
    ("{\"i\":1,\"s\":{\"p\":\"\",\"q\":[{\"r\":1}]}}", "s.q[].r: 1 is not bool"), ("{\"i\":1,\"d\":1.234}", "d: 1.234 is not decimal(5,2)"),
    ("{\"i\":1,\"x\":[1]}", "x: [1] is not fixed_list<float32,2>"), ("{\"i\":1,\"b\":\"A\"}", "b: \"A\" is not binary"),
    ("{\"i\":1,\"j\":\"\\ud800\"}", "byte 13: half of a surrogate pair, which is no character"), ("{\"i\":1,\"j\":\"\\x\"}", "byte 13: no escape that JSON has"),
    ("{\"i\":1,\"j\":\"a\tb\"}", "byte 14: a control character in quotes, which must be escaped"), ("{\"i\":1,\"j\":\"a}", "byte 15: the line ends within quotes"),
    ("{\"i\":1,\"j\":" + "[" * 65, "byte 76: nested more than 64 deep"), ("{\"i\":1,\"j\":tru}", "byte 12: a value is expected"),
)
for line, message in BAD:
    write("b.jsonl", f'{{"i":1}}\n\n{line}\n{{"i":2}}\n')
    expect(f"{line[:40]} is an error", ["convert", "b.jsonl", "-o", "-", "--to", "jsonl", "--schema", "s.json"], 1, None, f"stoa: b.jsonl: line 3: {message}\n")
    made = stoa("convert", "b.jsonl", "-o", "-", "--to", "jsonl", "--schema", "s.json", "--on-error", "skip")
    point(f"{line[:40]} leaves nothing behind", made.code == 5 and made.out == f'{{"i":1{NULLS}}}\n{{"i":2{NULLS}}}\n', made)
write("b.jsonl", b'{"a":1}\n{"a":"\xff"}\n{"a":1,"a":1}\n' + b'{"a":"' + b"x" * 20000 + b'"}\n{"a":2')
expect("bad records are listed", ["convert", "b.jsonl", "-o", "-", "--to", "jsonl", "--rejects", "r.csv", "--rejects-raw", "r.raw", "--max-record-size", "9K"], 5,
       '{"a":1}\n', None)
write("wide.json", json.dumps({"stoa_schema": 1, "fields": [{"name": "a", "type": "int8"}, {"name": "l", "type": "list<fixed_list<fixed_list<int8,60000>,60000>>"}]}))
write("wide.jsonl", '{"l":[]}\n{"a":1,"l":[null]}\n')
expect("a null in a list that would be too many", ["convert", "wide.jsonl", "-o", "-", "--to", "jsonl", "--schema", "wide.json"], 1, None,
       "stoa: wide.jsonl: line 2: l[][][]: the lists of a unit have more than 134217728 nulls, which is the limit (with a smaller --row-group-rows there are fewer)\n")
listed = [line.split(b",")[8] for line in read("r.csv").splitlines()[1:3]]
point("with what is wrong", listed == [b'"invalid_encoding"', b'"duplicate_key"'] and read("r.csv").count(b"record_too_large") == 1
      and read("r.csv").rstrip().endswith(b"byte 7: ',' or '}' is expected\""), read("r.csv"))
point("and as they stand", read("r.raw") == b'{"a":"\xff"}\n{"a":1,"a":1}\n{"a":2', read("r.raw"))
write("r1.jsonl", '{"a":1}\n{"a":\n')
write("r2.jsonl", "")
stoa("convert", *["r1.jsonl", "r2.jsonl"] * 5, "-o", "r.stoa", "--force", "--rejects", "r1.csv", "-j", "1", "--row-group-rows", "1")
listed = [line.split(b",")[3] for line in read("r1.csv").splitlines()[1:]]
point("records are counted from the beginning of each input", listed == [b"2"] * 5, listed)
with tarfile.open("none.tar", "w") as archive:
    archive.add(os.curdir, "folder", recursive=False)
os.mkfifo("none.pipe")
feeder = subprocess.Popen(["sh", "-c", "cat none.tar > none.pipe"])
expect("an archive without files in a pipe is read once", ["convert", "none.pipe", "--from", "jsonl", "-o", "-", "--to", "jsonl"], 2, "",
       "stoa: none.pipe: there is no file to read in this archive\n", timeout=60)
feeder.wait()
expect("too many of them", ["convert", "b.jsonl", "-o", "-", "--to", "jsonl", "--on-error", "skip", "--max-errors", "1"], 1, None,
       'stoa: b.jsonl: line 3: byte 8: the key "a" stands twice; 1 bad record before it were left out, which is the limit\n')
expect("no keys", ["convert", "2.jsonl", "-o", "-", "--to", "jsonl"], 1, "", "stoa: 2.jsonl: no object with a key: there are no columns\n")
for name, text, fault in (("cut off", '{"a":1', "byte 7: ',' or '}' is expected"),
                          ("no object", "[1,2]\n", "[1,2] is no object, which each line must be")):
    write("only.jsonl", text)
    for command in (["convert", "only.jsonl", "-o", "-", "--to", "csv"], ["schema", "only.jsonl"], ["cat", "only.jsonl"]):
        expect(f"the only line is {name}: {command[0]}", command, 1, "", f"stoa: only.jsonl: line 1: {fault}\n")
    expect(f"the only line is {name}: a pipe", ["cat", "-", "--from", "jsonl"], 1, "", f"stoa: standard input: line 1: {fault}\n", stdin=text.encode())
expect("a conflict can be an error", ["convert", "w.jsonl", "-o", "-", "--to", "jsonl", "--on-conflict", "error"], 1, None,
       'stoa: w.jsonl: line 40001: a: "x" is not int64\n')
expect("types that are given", ["convert", "0.jsonl", "-o", "-", "--to", "jsonl", "--types", "b=decimal(5,2)"], 0, '{"b":1.00,"a":2}\n', None)
expect("nothing but text", ["convert", "0.jsonl", "-o", "-", "--to", "csv", "--infer", "none"], 0, "b,a\n1,2\n", None)
expect("the name of a column that is there", ["convert", "0.jsonl", "-o", "-", "--to", "csv", "--filename", "b"], 2, "",
       None)
GUESS = "(taken for JSON lines, as it begins with {; CSV that does so needs --from csv)"
BRACES = '{"a",b\n1,2\n'
write("braces", BRACES)
expect("CSV in a pipe that begins as JSON lines do", ["convert", "-", "-o", "-", "--to", "csv"], 1, "",
       f"stoa: standard input: line 1: byte 5: ':' is expected {GUESS}\n", stdin=BRACES.encode())
expect("or in a file", ["convert", "braces", "-o", "-", "--to", "csv"], 1, "", f"stoa: braces: line 1: byte 5: ':' is expected {GUESS}\n")
with gzip.open("whole.gz", "wb") as packed:
    packed.write("".join(f'{{"a":{rng.randrange(10**9)}}}\n' for _ in range(1000)).encode())
write("cut.gz", read("whole.gz")[:2000])
write("keyless", "{}\n{}\n")
write("none.jsonl", "")
write("later", '{"a":1}\n{"a",b\n')
ROWS = b"x,y\n1,2\n"
VALUE = "line 1: byte 1: a value is expected"
for name, inputs, stdin, why in (
        ("damage", ["cut.gz"], None, "cut.gz: gzip data ends early, after [0-9]+ bytes of text"),
        ("objects without keys", ["keyless"], None, "keyless: no object with a key: there are no columns"),
        ("other text behind an object", ["later"], None, "later: line 2: byte 5: ':' is expected"),
        ("a name that says so", ["-", "none.jsonl"], ROWS, f"standard input: {VALUE}"),
        ("a pipe that is taken for what a file is", ["keyless", "-"], ROWS, f"standard input: {VALUE}")):
    expect(f"{name}: no guess is to blame", ["convert", *inputs, "-o", "-", "--to", "csv"], 1, "",
           lambda err, why=why: re.fullmatch(f"stoa: {why}\n", err), stdin=stdin)
expect("two files that are both guessed", ["convert", "keyless", "braces", "-o", "-", "--to", "csv"], 1, "",
       f"stoa: braces: line 1: byte 5: ':' is expected {GUESS}\n")
expect("what helps", ["convert", "-", "--from", "csv", "-o", "-", "--to", "jsonl"], 0, '{"{\\"a\\"":1,"b":2}\n', None, stdin=BRACES.encode())

# ---- Row groups: many units of text, as large as their values. ----

write("long.jsonl", "".join(f'{{"number":{i},"text":"{i:0200d}"}}\n' for i in range(131_072)))
expect("a row group of many units has its limit too", ["convert", "long.jsonl", "-o", "long.stoa", "--memory", "64M"], 2, "",
       lambda err: re.fullmatch(r"stoa: 64 MiB of memory are too few: one row group needs about \d+ MiB \(smaller row groups need less\)\n", err))
needs = int(re.search(r"about (\d+) MiB", stoa("convert", "long.jsonl", "-o", "long.stoa", "--memory", "48M").err)[1])
expect("what it is said to need does", ["convert", "long.jsonl", "-o", "long.stoa", "--memory", f"{needs}M", "--force"])
os.remove("long.stoa")
expect("the memory that is usual bounds row groups that are larger than usual",
       ["convert", "long.jsonl", "long.jsonl", "long.jsonl", "long.jsonl", "-o", "large.stoa", "--jobs", "2", "--row-group-bytes", "1G",
        "--row-group-rows", "16000000"], 2, "",
       lambda err: re.fullmatch(r"stoa: 256 MiB of memory are too few: one row group needs about \d+ MiB \(smaller row groups need less\)\n", err))
write("empty.jsonl", "{}\n" * 131_072)
write("texts.json", json.dumps({"stoa_schema": 1, "fields": [{"name": f"c{i}", "type": "utf8", "nullable": True} for i in range(64)]}))
expect("... and none of the usual size", ["convert", "empty.jsonl", "-o", "empty.stoa", "--schema", "texts.json", "--jobs", "2"])
expect("filters count once in a row group of many units",
       ["convert", "long.jsonl", "-o", "large.stoa", "--jobs", "2", "--memory", "170M", "--bloom", "text"])
expect("smaller ones fit it", ["convert", "long.jsonl", "-o", "long.stoa", "--memory", "64M", "--row-group-rows", "16384"])
point("a row group holds as many rows as were asked for", json.loads(stoa("info", "--json", "long.stoa").out)["row_groups"] == 8,
      stoa("info", "long.stoa").out)
expect("keys take no part in its size", ["convert", "long.jsonl", "-o", "one.stoa", "-s", "number"])
point("nor does text that is not read", json.loads(stoa("info", "--json", "one.stoa").out)["row_groups"] == 1, stoa("info", "one.stoa").out)

made = json.loads(stoa("convert", "0.jsonl", "-o", "o.stoa", "--json").out)
point("no text is restored", not made["restorable"] and "JSON lines" in made["obstacle"] and stoa("restore", "o.stoa", "-o", "x").code != 0, made)

end()
