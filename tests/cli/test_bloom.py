#!/usr/bin/env python3
"""convert --bloom: what is skipped, what is asked for wrongly, the same bytes for any number of jobs, also where types widen."""
import json
import random
import re

import cli
from cli import point as ok, refuse, stoa

cli.work_in_a_folder()
random.seed(5)
rows = [(f"{random.getrandbits(64):016x}", random.randrange(10 ** 9), random.randrange(10 ** 6) / 100) for _ in range(6000)]

def write(name, rows):
    with open(name, "w") as file:
        file.write("id,n,x\n" + "".join(f"{i},{n},{x:.2f}\n" for i, n, x in rows))


def skipped(path, where):
    done = json.loads(stoa("explain", path, "--where", where, "--json").out)
    return done["row_groups"]["skipped"]


write("t.csv", rows)
groups = ["--row-group-rows", "1000"]
stoa("convert", "t.csv", "-o", "plain.stoa", *groups)
done = stoa("convert", "t.csv", "-o", "t.stoa", "--bloom", "id,n", "--bloom-rate", "0.0001", *groups, "--jobs", "1")
ok("it is written", done.code == 0, done.err)
stoa("convert", "t.csv", "-o", "two.stoa", "--bloom", "id,n", "--bloom-rate", "0.0001", *groups, "--jobs", "2")
ok("the same bytes for any number of jobs", open("t.stoa", "rb").read() == open("two.stoa", "rb").read())
for k in (0, 999, 1000, 3456, 5999):
    i, n, x = rows[k]
    for where in (f"id = '{i}'", f"n = {n}", f"id in ('{i}', '0000')", f"n = {n} and x = {x}"):
        done = stoa("count", "t.stoa", "--where", where)
        ok(f"row {k} is found by {where}", int(done.out) >= 1, done.out)
        ok("... in one row group", skipped("t.stoa", where) == 5, str(skipped("t.stoa", where)))
ok("without filters nothing is skipped", skipped("plain.stoa", f"id = '{rows[7][0]}'") == 0)
info = json.loads(stoa("info", "t.stoa", "--json").out)
ok("info tells their bytes", info["bytes_by_kind"]["bloom filters"] > 6 * 2 * 1000 * 27 / 8)
done = stoa("verify", "--deep", "t.stoa")
ok("verify holds them against the values", done.code == 0, done.err)
stoa("merge", "t.stoa", "t.stoa", "-o", "m.stoa")
ok("merge keeps them", skipped("m.stoa", f"id = '{rows[7][0]}'") == 10)


def filters(path):
    return json.loads(stoa("info", path, "--json").out)["bytes_by_kind"]["bloom filters"]


# What is made of Stoa files has the filters that these have.
for name, args, bloom, skips in (
        ("as it is", ["t.stoa"], filters("t.stoa"), 5), ("sorted", ["t.stoa", "--sort-by", "x"], filters("t.stoa"), 5),
        ("twice", ["t.stoa", "t.stoa"], 2 * filters("t.stoa"), 10),
        ("with another file that has none", ["plain.stoa", "t.stoa"], 2 * filters("t.stoa"), 10),
        ("one column of two", ["t.stoa", "--select", "x,id"], filters("t.stoa") // 2, 5),
        ("other columns on request", ["t.stoa", "--bloom", "x,n", "--bloom-rate", "0.0001"], None, 0),
        ("no columns that have them", ["t.stoa", "--select", "x"], 0, None), ("on request none", ["t.stoa", "--no-bloom"], 0, 0)):
    done = stoa("convert", *args, "-o", "kept.stoa", "--force", *groups)
    ok(f"filters of Stoa files: {name}", done.code == 0, done.err)
    found = filters("kept.stoa")
    ok("... have their size", found > 0 if bloom is None else abs(found - bloom) <= bloom // 50, f"{found}, not {bloom}")
    if skips is not None:
        ok("... and skip", skipped("kept.stoa", f"id = '{rows[7][0]}'") == skips, str(skipped("kept.stoa", f"id = '{rows[7][0]}'")))
    ok("... and hold", stoa("verify", "--deep", "kept.stoa").code == 0)
stoa("convert", "t.stoa", "-o", "small.stoa", "--where", "n < 500000000", *groups)
ok("... behind a predicate", stoa("verify", "--deep", "small.stoa").code == 0 and filters("small.stoa") > 0)
cli.write("n.jsonl", "".join(json.dumps({"p": {"q": f"{i}", "r": n}}) + "\n" for i, n, _ in rows))
stoa("convert", "n.jsonl", "-o", "n.stoa", "--bloom", "p.q,p.r", *groups)
stoa("convert", "n.stoa", "-o", "n2.stoa", *groups)
ok("... of parts of structs", filters("n2.stoa") == filters("n.stoa") > 0 and skipped("n2.stoa", f"p.q = '{rows[7][0]}'") == 5)
refuse("both", ["convert", "t.stoa", "-o", "no.stoa", "--bloom", "id", "--no-bloom"], 2, "--no-bloom: --bloom names columns that shall have them")

# A column that widens behind the sample of a pipe gets the filters of its final type; those of the others are copied.
LATE, NROWS = 45000, 50000
wide = "id,n,x\n" + "".join(f"{k:05x}ff,{k * 7919 % 10 ** 6}{'.5' if k >= LATE else ''},{k}\n" for k in range(NROWS))
options = ["--bloom", "n,id", "--row-group-rows", "5000", "-o"]
done = stoa("convert", "-", *options, "w.stoa", stdin=wide.encode())
ok("a column that widens", done.code == 0 and "column 2 (n)" in done.err, done)
cli.write("w.json", stoa("schema", "w.stoa", "--format", "json").out)
done = stoa("convert", "-", *options, "w2.stoa", "--schema", "w.json", stdin=wide.encode())
ok("... has the bytes of a run with its type", cli.read("w.stoa") == cli.read("w2.stoa"), done)
ok("... and filters", skipped("w.stoa", f"n = {(LATE + 9) * 7919 % 10 ** 6}.5") >= 8)
ok("... that hold", stoa("verify", "--deep", "w.stoa").code == 0)
done = stoa("convert", "-", *options, "w3.stoa", "--where", "x >= 0", stdin=wide.encode())
ok("... also behind a predicate", skipped("w3.stoa", f"n = {(LATE + 9) * 7919 % 10 ** 6}.5") >= 8, done)

refuse("no such column", ["convert", "t.csv", "-o", "no.stoa", "--bloom", "id,m"], 2, 'Bloom filter of "m": there is no column "m"')
refuse("... that is left out", ["convert", "t.csv", "-o", "no.stoa", "--bloom", "id", "--select", "n"], 2,
       'Bloom filter of "id": there is no column "id"')
for rate in ("0.9", "0.33", "0.000009", "0", "-1", "nan", "inf", "x", ""):
    refuse(f"a rate that cannot be: {rate}", ["convert", "t.csv", "-o", "no.stoa", "--bloom", "id", "--bloom-rate", rate], 2,
           f"--bloom-rate {rate}: expected a number from 0.00001 to less than 0.33")
refuse("a rate of nothing", ["convert", "t.csv", "-o", "no.stoa", "--bloom-rate", "0.01"], 2,
       "--bloom-rate 0.01: --bloom says of which columns")
refuse("another output", ["convert", "t.csv", "-o", "no.csv", "--bloom", "id"], 2, "no.csv: Bloom filters are for Stoa files")
refuse("a name that is empty", ["convert", "t.csv", "-o", "no.stoa", "--bloom", "id,"], 2, "--bloom id,: a name is empty")

# A filter that is damaged is not used, and verify says so.
data = bytearray(cli.read("t.stoa"))
heads = re.search(rb"\0{8}(.{4})\xe8\x03\0{6}\x01\0{3}\1\xe8\x03", data, re.S)  # 1,000 values in row groups 0 and 1
data[heads.start() + 12 * 16 + 5] ^= 1
open("bad.stoa", "wb").write(data)
done = stoa("count", "bad.stoa", "--where", f"id = '{rows[7][0]}'")
ok("a damaged filter loses nothing", done.out.strip() == "1", done.err)
done = stoa("verify", "bad.stoa")
ok("... and is reported", done.code == 4 and "section bloom filters" in done.out + done.err, done.out + done.err)
cli.end()
