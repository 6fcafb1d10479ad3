#!/usr/bin/env python3
"""head, cat and count of inputs that are no Stoa files: what they print is what they print of the Stoa file made of these."""
import bz2
import gzip
import json
import lzma
import os
import random
import subprocess
import tarfile
import zipfile

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)
ROWS = [{"id": i, "word": chance.choice(["a", "b,c", 'd"e', "é", None]), "x": chance.choice([None, i / 4]),
         "day": f"2024-01-{1 + i % 28:02}", "flag": chance.choice([True, False, None])} for i in range(3000)]


def as_csv(rows, delimiter=","):
    def field(value):
        if value is None:
            return ""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\t') else text
    return "".join(delimiter.join(fields) + "\n" for fields in [list(rows[0])] + [[field(v) for v in row.values()] for row in rows])


def as_jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


write("t.csv", as_csv(ROWS))
write("t.tsv", as_csv(ROWS, "\t"))
write("t.jsonl", as_jsonl(ROWS))
for name, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)):
    write(f"t.csv.{name}", pack(as_csv(ROWS).encode()))
    write(f"t.jsonl.{name}", pack(as_jsonl(ROWS).encode()))
write("1.csv", as_csv(ROWS[:1000]))
write("2.csv", as_csv(ROWS[1000:]))
write("1.jsonl", as_jsonl(ROWS[:1000]))
write("2.jsonl", as_jsonl(ROWS[1000:]))
write("plain", as_jsonl(ROWS))
point("a Stoa file of the same rows", stoa("convert", "t.csv", "-o", "t.stoa").code == 0)

ASKED = ([], ["-n", "1"], ["-n", "2999"], ["-n", "5000"], ["-w", "id > 10 and id < 20"], ["-w", "x > 700 and flag = true", "-s", "word,id"],
         ["-w", "word = 'é'", "-n", "3", "-s", "x"], ["-w", "id < 0"], ["-s", "day"])
INPUTS = [["t.csv"], ["t.tsv"], ["t.jsonl"], ["plain"], ["t.csv.gz"], ["t.csv.bz2"], ["t.jsonl.xz"], ["t.jsonl.gz"], ["1.csv", "2.csv"],
          ["1.jsonl", "2.jsonl"]]
for inputs in INPUTS:
    wrong = []
    for words in ASKED:
        for form in ("csv", "jsonl", "tsv"):
            want, got = stoa("cat", "t.stoa", "-f", form, *words), stoa("cat", *inputs, "-f", form, *words, "-j", str(chance.randrange(1, 4)))
            if (got.code, got.out, got.err) != (0, want.out, ""):
                wrong.append(f"cat {words} {form}\n{got}\n{want}")
        want, got = stoa("head", "t.stoa", *words), stoa("head", inputs[0], *words)
        if len(inputs) == 1 and (got.code, got.out, got.err) != (want.code, want.out, want.err):
            wrong.append(f"head {words}\n{got}\n{want}")
        where = words[words.index("-w"):][:2] if "-w" in words else []
        want, got = stoa("count", "t.stoa", *where), stoa("count", *inputs, *where)
        if (got.code, got.out, got.err) != (0, want.out, ""):
            wrong.append(f"count {where}\n{got}\n{want}")
    point(f"head, cat and count of {' '.join(inputs)}", not wrong, *wrong[:2])
point("no file is left behind", cli.litter("t.csv", "t.tsv", "t.jsonl", "plain", "t.stoa", "1.csv", "2.csv", "1.jsonl", "2.jsonl",
                                           *(f"t.{form}.{pack}" for form in ("csv", "jsonl") for pack in ("gz", "bz2", "xz"))) == [])

# ---- Pipes, options, and what can't be. ----
expect("standard input is CSV", ["cat", "-", "-n", "1"], 0, "a,b\n1,2\n", "", stdin=b"a,b\n1,2\n3,4\n")
expect("... or what --from says", ["cat", "-", "--from", "jsonl"], 0, "a\n1\n", "", stdin=b'{"a":1}\n')
expect("... and is counted", ["count", "-"], 0, "2\n", "", stdin=b"a,b\n1,2\n3,4\n")
expect("... as an object", ["count", "-", "--json"], 0, lambda out: json.loads(out) == {"rows": 2}, "", stdin=b"a,b\n1,2\n3,4\n")
LINES = b'{"a":1,"b":2}\n{"a":1,"b":3}\n'
JSON_LINES = "begins as JSON lines do: --from jsonl reads them, --from csv takes them for CSV"
for name, piped in (("JSON lines", LINES), ("... packed", gzip.compress(LINES)), ("... behind a mark", b"\xef\xbb\xbf \n{ }\n" + LINES)):
    want = stoa("cat", "-", "--from", "jsonl", stdin=piped).out
    point(f"{name} in a pipe are read as such", want.startswith("a,b\n"))
    expect("... by cat", ["cat", "-"], 0, want, "", stdin=piped)
    expect("... by head", ["head", "-", "-n", "1"], 0, stoa("head", "-", "-n", "1", "--from", "jsonl", stdin=piped).out, "", stdin=piped)
    expect("... by count", ["count", "-"], 0, f"{len(want.splitlines()) - 1}\n", "", stdin=piped)
    for to in ("csv", "stoa", "avro"):
        got = [stoa("convert", "-", "-f", "-o", f"piped.{to}", *more, stdin=piped) for more in ((), ("--from", "jsonl"))]
        point(f"... by convert to {to}", [done.code for done in got] == [0, 0] and stoa("cat", f"piped.{to}").out == want, got)
    for command in (["schema", "-"], ["sniff", "-"]):
        refuse(f"... but {command[0]} wants --from", command, 2, f"standard input: {JSON_LINES}", stdin=piped)
# The sample and the last line disagree: what was read of the pipe is read again.
many = b'{"a":1}\n' * 300000 + b'{"a":"x"}\n'
done = stoa("convert", "-", "-o", "many.stoa", stdin=many)
point("... and read again where the sample was wrong", done.code == 0 and stoa("count", "many.stoa").out == "300001\n" and
      stoa("cat", "many.stoa").out.endswith('\n1\n"""x"""\n'), done)
expect("... unless --from says CSV", ["count", "-", "--from", "csv", "--header", "none"], 0, "2\n", "", stdin=LINES)
expect("a brace alone is CSV", ["cat", "-"], 0, "{a,b\n1,2\n", "", stdin=b"{a,b\n1,2\n")
expect("a pipe is what the files beside it are", ["count", "-", "t.jsonl"], 0, f"{int(stoa('count', 't.jsonl').out) + 2}\n", "",
       stdin=LINES)
refuse("... and refused where it is not", ["count", "-", "t.csv"], 2, f"standard input: {JSON_LINES}", stdin=LINES)
with tarfile.open("lines.tar", "w") as archive:
    archive.add("t.jsonl")
refuse("JSON lines in an archive in a pipe want --from", ["cat", "-"], 2, f"standard input:t.jsonl: {JSON_LINES}", stdin=cli.read("lines.tar"))
os.mkfifo("lines.pipe")
with subprocess.Popen(["sh", "-c", "cat > lines.pipe"], stdin=subprocess.PIPE) as feeder:
    feeder.stdin.write(LINES)
    feeder.stdin.close()
    expect("a FIFO is a pipe", ["count", "lines.pipe"], 0, "2\n", "")
stoa("convert", "t.csv", "-o", "t.avro")
AVRO = cli.read("t.avro")
for name, piped in (("Avro", AVRO), ("... packed", gzip.compress(AVRO))):
    for command in (["cat", "-"], ["head", "-"], ["count", "-"], ["convert", "-", "-o", "-", "--to", "csv"]):
        got, want = stoa(*command, stdin=piped), stoa(*command, "--from", "avro", stdin=AVRO)
        point(f"{name} in a pipe is read as such: {command[0]}", (got.code, got.out) == (want.code, want.out) == (0, got.out), got.err)
    refuse("... but schema wants --from", ["schema", "-"], 2, "standard input: is an Avro file in a pipe: --from avro reads it", stdin=piped)
point("... whole", stoa("count", "-", stdin=AVRO).out == stoa("count", "t.csv").out)
write("packed", gzip.compress(AVRO))
expect("... and a packed file without a name", ["count", "packed"], 0, stoa("count", "t.csv").out, "")
for name in ("t.avro", "t.stoa"):
    kind = "an Avro" if name == "t.avro" else "a Stoa"
    with zipfile.ZipFile("in.zip", "w") as archive:
        archive.write(name)
    with tarfile.open("in.tar", "w") as archive:
        archive.add(name)
    for path in ("in.zip", "in.tar"):
        refuse(f"{name} in {path}", ["count", path], 2, f"{path}: holds {kind} file, which is not read in an archive: unpack it first")
    refuse(f"{name} in an archive, as Avro", ["count", "in.zip", "--from", "avro"], 2,
           "in.zip: is an archive, in which Avro files are not read: unpack it first")
refuse("Avro as Stoa", ["head", "t.avro", "--from", "stoa"], 4, "t.avro: not a Stoa file (`stoa convert` makes one of Avro)")
for name in ("in.zip", "in.tar", "packed", "lines.pipe", "t.avro"):
    os.remove(name)
expect("a header alone", ["cat", "-", "-n", "3"], 0, "a,b\n", "", stdin=b"a,b\n")
expect("... of no rows", ["count", "-"], 0, "0\n", "", stdin=b"a,b\n")
expect("a dialect", ["cat", "-", "-d", ";", "--header", "none", "--decimal", ","], 0, "column_1,column_2\n1.5,x\n", "", stdin=b"1,5;x\n")
expect("types", ["cat", "-", "--types", "a=utf8", "-f", "jsonl"], 0, '{"a":"1","b":2}\n', "", stdin=b"a,b\n1,2\n")
refuse("two formats", ["cat", "t.csv", "t.stoa"], 2, "t.csv is csv, but t.stoa is stoa: one format at a time")
refuse("an unknown format", ["count", "t.csv", "--from", "xls"], 2, "--from xls: there is no such format (csv, tsv, stoa, jsonl, avro)")
refuse("a column that is not there", ["head", "t.csv", "-s", "none"], 2, 'there is no column "none"')
refuse("a bad record", ["count", "-"], 1, "standard input: line 3: 1 field where there are 2 columns: is it another delimiter?", stdin=b"a,b\n1,2\n3\n")
LATE = b"n\n" + b"1\n" * 600000 + b"x\n" + b"1\n" * 600000
write("late.csv", LATE)
expect("a value behind the sample widens its column", ["cat", "late.csv", "-j", "2"], 0, LATE.decode())
expect("... and does not hinder counting", ["count", "late.csv"], 0, "1200001\n", "")
expect("... nor what is printed in front of it", ["head", "late.csv", "-n", "1", "-f", "csv"], 0, "n\n1\n", "")
done = stoa("count", "late.csv", "-w", "n = 1")
point("... but a predicate of it is an error", done.code == 1 and done.out == "" and "line 600002" in done.err, done)
expect("... unless all is looked at before", ["count", "late.csv", "-w", "n = '1'", "--infer", "full"], 0, "1200000\n", "")
cli.end()
