#!/usr/bin/env python3
"""`stoa merge` and `stoa schema --diff`: rows, bytes, refusals, and adding rows to a file."""
import base64
import json
import os
import signal
import subprocess
import time

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()


def make(name, text, *args):
    write(name + ".csv", text)
    point(f"{name}.stoa is made", stoa("convert", name + ".csv", "-o", name + ".stoa", "--no-source-text", *args).code == 0)


def rows(path):
    return stoa("cat", path).out


make("a", "id,word,price\n1,x,5\n2,y,6\n")
make("b", "price,id,word\n2.5,3,x\n")
make("c", "id,extra\n4,2013-01-02\n")
make("d", "id,word,price\n5,z,true\n")

# ---- Rows ----
expect("merge in words", ["merge", "a.stoa", "b.stoa", "-o", "ab.stoa"], 0, "",
       lambda err: err.startswith("ab.stoa: 3 rows in 2 row groups, 3 columns from 2 inputs, 1 column encoded anew, "))
expect("rows follow each other, columns by name", ["cat", "ab.stoa"], 0, "id,word,price\n1,x,5.0\n2,y,6.0\n3,x,2.5\n")
expect("it is clean", ["verify", "--deep", "ab.stoa"], 0)
expect("--fill-missing", ["merge", "a.stoa", "c.stoa", "-o", "ac.stoa", "--fill-missing"], 0)
expect("... is null", ["cat", "ac.stoa"], 0, "id,word,price,extra\n1,x,5,\n2,y,6,\n4,,,2013-01-02\n")
expect("--as-text", ["merge", "a.stoa", "d.stoa", "-o", "ad.stoa", "--as-text"], 0)
expect("... is text", ["cat", "ad.stoa"], 0, "id,word,price\n1,x,5\n2,y,6\n5,z,true\n")
expect("one file", ["merge", "a.stoa", "-o", "a2.stoa"], 0)
point("... is itself", cli.read("a.stoa") == cli.read("a2.stoa"))

refuse("standard input is no input", ["merge", "-", "-o", "x.stoa"], 2,
       "a Stoa file is read from its end: standard input can't be one")

# ---- Three types: what became text first keeps its text when bytes follow. ----
make("text", "c1\nx\n")
expect("a file of bytes", ["convert", os.path.join(cli.FIXTURES, "golden/v1/words.stoa"), "-o", "bytes.stoa",
                           "--select", "c1", "--where", "c1 is null"], 0)
for number, (type_text, value) in enumerate([
        ("enum(a,b)", "b"), ("float32", "1.5"), ("date32", "2013-01-02"), ("int8", "-7"), ("bool", "true"),
        ("decimal(38,0)", "92233720368547762176"), ("interval", "P1Y2M3D"),
        ("decimal(60,2)", "1234567890123456789012345678901234567890.12")]):
    write("x.json", json.dumps({"stoa_schema": 1, "fields": [{"name": "c1", "type": type_text}]}))
    make(f"x{number}", f"c1\n{value}\n", "--schema", "x.json")
    done = stoa("merge", f"x{number}.stoa", "text.stoa", "bytes.stoa", "-o", "xyz.stoa", "--as-text", "--force")
    lines = stoa("cat", "-f", "jsonl", "xyz.stoa").out.split()
    values = [base64.b64decode(json.loads(line)["c1"]).decode() for line in lines[:2]]
    point(f"{type_text}, utf8 and binary", done.code == 0 and values == [value, "x"], done.err, lines[:3])

os.mkdir("parts")
for i, part in enumerate("aba"):
    write(f"parts/{i}.stoa", cli.read(part + ".stoa"))
for name, inputs in (("a folder", ["parts"]), ("a pattern", ["parts/*.stoa"])):
    expect(name, ["merge", *inputs, "-o", "all.stoa", "--force"], 0)
    point("... in the order of names", rows("all.stoa") == "id,word,price\n1,x,5.0\n2,y,6.0\n3,x,2.5\n1,x,5.0\n2,y,6.0\n")
made = set()
for memory in ("8M", "64M", "1G"):
    stoa("merge", "a.stoa", "b.stoa", "-o", "same.stoa", "--force", "-m", memory)
    made.add(cli.read("same.stoa"))
point("the same bytes for any memory", made == {cli.read("ab.stoa")})
done = subprocess.run([cli.STOA, "merge", "a.stoa", "b.stoa", "-o", "-"], capture_output=True)
point("-o -", done.returncode == 0 and done.stdout == cli.read("ab.stoa"), done.stderr)

# ---- Adding rows ----
write("old.stoa", cli.read("a.stoa"))
os.chmod("old.stoa", 0o640)
expect("an input may be the output", ["merge", "old.stoa", "b.stoa", "-o", "old.stoa"], 0)
point("... with the same bytes", cli.read("old.stoa") == cli.read("ab.stoa"))
point("... and permissions", os.stat("old.stoa").st_mode & 0o777 == 0o640)
os.symlink("old.stoa", "link.stoa")
expect("... by another name", ["merge", "old.stoa", "b.stoa", "-o", "link.stoa"], 0)
expect("... has the rows", ["count", "old.stoa"], 0, "4\n")
point("... and is still a link", os.path.islink("link.stoa"))
refuse("an output that is not the first input stays", ["merge", "a.stoa", "old.stoa", "-o", "old.stoa"], 2,
       "old.stoa: exists already (--force replaces it)")
before = cli.read("old.stoa")
refuse("a merge that fails leaves it", ["merge", "old.stoa", "c.stoa", "-o", "old.stoa"], 1,
       "c.stoa: column word: is in the files before, but not here (--fill-missing makes it null where it is missing)")
point("... as it was", cli.read("old.stoa") == before)

# ---- Refusals ----
refuse("no output", ["merge", "a.stoa"], 2, "merge: where to? -o FILE names the output, -o - is standard output")
refuse("no such input", ["merge", "a.stoa", "e.stoa", "-o", "x.stoa"], 3,
       "e.stoa: can't be opened: No such file or directory")
refuse("no Stoa file", ["merge", "a.stoa", "a.csv", "-o", "x.stoa"], 4, "a.csv: not a Stoa file")
refuse("types that clash", ["merge", "a.stoa", "d.stoa", "-o", "x.stoa"], 1,
       "d.stoa: column price: is bool here and int64 in the files before: no type but text holds the values of both "
       "(--as-text makes it utf8)")
write("big.csv", "id,word,price\n9007199254740993,x,1\n")
stoa("convert", "big.csv", "-o", "big.stoa")
write("f.csv", "id,word,price\n1.5,x,1\n")
stoa("convert", "f.csv", "-o", "f.stoa")
refuse("a value without an equal one", ["merge", "f.stoa", "big.stoa", "-o", "x.stoa"], 1,
       "big.stoa: row group 0: column id: value 0 is 9007199254740993, which has no equal float64")
write("bad.stoa", cli.read("b.stoa")[:-64])
refuse("a cut input", ["merge", "a.stoa", "bad.stoa", "-o", "x.stoa"], 4, stoa("count", "bad.stoa").err[6:-1])
refuse("--json and -o -", ["merge", "a.stoa", "-o", "-", "--json"], 2,
       "merge --json: standard output holds the file (--progress json tells more)")
point("nothing was written", not os.path.exists("x.stoa") and not [f for f in os.listdir(".") if "stoa-tmp" in f])

# ---- Damage: in any page ----
wrong = []
whole = cli.read("a.stoa")
for at in range(0, len(whole), 7):
    damaged = bytearray(whole)
    damaged[at] ^= 4
    write("bad.stoa", bytes(damaged))
    done = stoa("merge", "bad.stoa", "b.stoa", "-o", "x.stoa", "--force")
    if done.code == 0 and cli.read("x.stoa") != cli.read("ab.stoa") or done.code not in (0, 4) or \
            done.code == 4 and not done.err.startswith("stoa: bad.stoa: "):
        wrong.append((at, done))
point("damage is named or left behind", not wrong, *wrong[:3])

# ---- JSON, dry runs, progress ----
KEYS = {"output", "dry_run", "inputs", "rows", "row_groups", "columns", "columns_encoded", "chunks_copied",
        "chunks_encoded", "input_bytes", "output_bytes", "shared_bytes", "seconds"}
report = json.loads(stoa("merge", "a.stoa", "b.stoa", "-o", "j.stoa", "--json").out)
point("merge --json", set(report) == KEYS and (report["rows"], report["row_groups"], report["chunks_copied"],
                                               report["chunks_encoded"], report["columns_encoded"]) == (3, 2, 5, 1, 1)
      and report["output_bytes"] == os.path.getsize("j.stoa"), report)
expect("--dry-run", ["merge", "a.stoa", "b.stoa", "-o", "dry.stoa", "--dry-run"], 0, "",
       lambda err: err.startswith("dry.stoa: would have 3 rows in 2 row groups, 3 columns from 2 inputs, "))
expect("... refuses what a merge would", ["merge", "a.stoa", "c.stoa", "-o", "dry.stoa", "--dry-run"], 1)
point("... and writes nothing", not os.path.exists("dry.stoa"))
done = stoa("merge", "a.stoa", "b.stoa", "-o", "j.stoa", "--force", "--progress", "json")
point("--progress json", json.loads(done.err.splitlines()[-1])["done"] is True, done)

# ---- schema --diff ----
expect("--diff", ["schema", "--diff", "a.stoa", "b.stoa"], 0,
       "column  first  second   merged   the first's                the second's\n"
       "price   int64  float64  float64  encoded anew, if in range  as it is\n", "")
expect("--diff of one schema", ["schema", "--diff", "a.stoa", "a2.stoa"], 0, "the columns are the same\n", "")
expect("--diff of text", ["schema", "--diff", "a.csv", "b.stoa"], 0, stoa("schema", "--diff", "a.stoa", "b.stoa").out)
expect("--diff of a clash", ["schema", "--diff", "a.stoa", "c.stoa"], 1, lambda out: "refused" in out, "")
expect("... is none with --fill-missing", ["schema", "--diff", "a.stoa", "c.stoa", "--fill-missing"], 0)
diff = json.loads(stoa("schema", "--diff", "a.stoa", "d.stoa", "--json").out)
point("--diff --json", diff == {"mergeable": False, "differences": [
    {"column": "price", "first": "int64", "second": "bool", "first_change": "clash", "second_change": "clash"}]}, diff)
refuse("--diff of one input", ["schema", "--diff", "a.stoa"], 2, "schema --diff: compares two inputs, not 1")

# ---- Interrupted ----
write("t.csv", "n,x\n" + "".join(f"{i},{i / 7}\n" for i in range(200000)))
stoa("convert", "t.csv", "-o", "t.stoa", "--row-group-rows", "5000")
begin = time.monotonic()
stoa("merge", *["t.stoa"] * 40, "-o", "t2.stoa")
whole_run = time.monotonic() - begin
old, wrong = cli.read("a.stoa"), []
for i in range(12):
    write("o.stoa", old)
    number, code = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, 137))[i % 3]
    process = subprocess.Popen([cli.STOA, "merge", *["t.stoa"] * 40, "-o", "o.stoa", "--force"], stderr=subprocess.PIPE)
    time.sleep(whole_run * i / 12)
    got = cli.stop(process, number)
    new = cli.read("o.stoa")
    if new not in (old, cli.read("t2.stoa")) or (got not in (0, code)):
        wrong.append((i, got, len(new)))
point("a signal at any time leaves the old file or the new one", not wrong, *wrong)
cli.end()
