#!/usr/bin/env python3
"""convert --sort-by against sorting in Python: every order, every way in and out, the same bytes for any memory and any number of jobs."""
import csv
import functools
import io
import json
import math
import os
import random
import resource
import signal
import subprocess
import time

import cli
from cli import expect, point, read, refuse, stoa, write

cli.work_in_a_folder()
random.seed(5)
NROWS = 6000


def some(value, part=0.1):
    return "" if random.random() < part else value


def make_row(i):
    return {"n": some(str(random.randrange(-40, 40))), "x": some(random.choice(("0.0", "-0.0", "NaN", f"{random.gauss(0, 100):.3f}"))),
            "t": some(random.choice(("", "a", "ab", "Ä", "zz top", "common-beginning-" + str(random.randrange(50))))),
            "d": some(f"20{random.randrange(10, 30)}-{random.randrange(1, 13):02}-11"), "i": str(i)}


rows = [make_row(i) for i in range(NROWS)]
text = "n,x,t,d,i\n" + "".join(",".join(row.values()) + "\n" for row in rows)
write("t.csv", text)
made = stoa("convert", "t.csv", "-o", "t.stoa", "--row-group-rows", "1000")
point("a file that is not sorted", made.code == 0, made)


def value_of(name, text):
    if text == "":
        return None
    return int(text) if name in "ni" else float(text) if name == "x" else text.encode()


def compare(keys, a, b):
    for name, descending, nulls_first in keys:
        x, y = value_of(name, a[name]), value_of(name, b[name])
        if x is None or y is None:
            if (x is None) != (y is None):
                return -1 if (x is None) == nulls_first else 1
            continue
        x, y = [(math.isnan(v), 0 if math.isnan(v) else v) if name == "x" else v for v in (x, y)]
        if x != y:
            return (-1 if x < y else 1) * (-1 if descending else 1)
    return 0


def parse(order):
    keys = []
    for item in order.split(","):
        name, *words = item.split(":")
        keys.append((name, "desc" in words, "nulls-first" in words))
    return keys


def in_order(order, of=rows):
    return [row["i"] for row in sorted(of, key=functools.cmp_to_key(functools.partial(compare, parse(order))))]


def numbers(path):
    done = stoa("cat", path, "--select", "i")
    return done.out.split()[1:] if done.code == 0 else str(done)


# ---- Every kind of key ----
ORDERS = ["n", "n:desc", "n:nulls-first", "x", "x:desc", "x:desc:nulls-first", "t", "t:desc", "d", "d:asc:nulls-last,n:desc", "n,x,t,d",
          "t,x:desc:nulls-first,i:desc", "i:desc", "x:nulls-first,t:desc"]
for order in ORDERS:
    done = stoa("convert", "t.csv", "-o", "s.stoa", "-f", "--sort-by", order, "--row-group-rows", "700")
    point(f"sorted by {order}", done.code == 0 and numbers("s.stoa") == in_order(order), done)

# ---- The same bytes for all jobs and memory; one run, many, and more than are merged at a time ----
for group_rows, order in (("131072", "t,n"), ("700", "x:desc,t"), ("16", "n,d:desc")):
    files = []
    for jobs, memory in (("1", "40M"), ("2", "1G"), ("7", "300M")):
        for source in ("t.csv", "t.stoa"):
            done = stoa("convert", source, "-o", "s.stoa", "-f", "--sort-by", order, "--row-group-rows", group_rows, "--jobs", jobs,
                        "--memory", memory)
            files.append(read("s.stoa") if done.code == 0 else str(done))
    point(f"row groups of {group_rows}: equal bytes for all jobs, memory and formats of input",
          len(set(files)) == 1 and numbers("s.stoa") == in_order(order), *[f[:300] for f in files])
expect("what was written is whole, and in order", ["verify", "--deep", "s.stoa"], 0)
expect("the file knows what it is sorted by", ["info", "s.stoa"], 0, lambda out: out.split("\n")[1] == "sorted by n,d:desc", "")
expect("... also for programs", ["info", "s.stoa", "--json"], 0, lambda out: json.loads(out)["sorted_by"] == "n,d:desc", "")
expect("a file that is not sorted", ["info", "t.stoa", "--json"], 0, lambda out: json.loads(out)["sorted_by"] is None, "")

# ---- Where it goes, and what else is asked for ----
wanted = in_order("t:desc,n")
by_number = {row["i"]: row for row in rows}
done = stoa("convert", "t.csv", "-o", "-", "--to", "csv", "--sort-by", "t:desc,n")
back = list(csv.DictReader(io.StringIO(done.out)))
point("CSV in order", done.code == 0 and [row["i"] for row in back] == wanted, done)
point("... with the values of each row", all(value_of("n", row["n"]) == value_of("n", by_number[row["i"]]["n"]) and
                                             row["d"] == by_number[row["i"]]["d"] for row in back))
done = stoa("convert", "t.stoa", "-o", "-", "--to", "jsonl", "--sort-by", "t:desc,n")
point("JSON lines in order", done.code == 0 and [str(json.loads(line)["i"]) for line in done.out.splitlines()] == wanted, done)
done = stoa("convert", "t.csv", "-o", "s.stoa", "-f", "--sort-by", "i:desc", "--select", "t,i", "--where", "n > 3 and x < 50")
chosen = [row for row in rows if row["n"] != "" and int(row["n"]) > 3 and row["x"] != "" and float(row["x"]) < 50]
point("rows that a filter selects", done.code == 0 and numbers("s.stoa") == in_order("i:desc", chosen), done)
done = stoa("convert", "t.stoa", "t.stoa", "-o", "s.stoa", "-f", "--sort-by", "n")
point("several inputs", done.code == 0 and numbers("s.stoa") == in_order("n", rows + rows), done)
write("none.csv", "a,b\n")
expect("no rows", ["convert", "none.csv", "-o", "none.stoa", "--sort-by", "b"], 0)
expect("... are none", ["count", "none.stoa"], 0, "0\n")

# ---- What a sorted file keeps when some of it is converted ----
stoa("convert", "t.stoa", "-o", "k.stoa", "--sort-by", "n,d:desc")
for args, wanted in (([], "n,d:desc"), (["--where", "n > 0"], "n,d:desc"), (["--select", "i,n"], "n"), (["--select", "d,t"], None),
                     (["--sort-by", "t"], "t")):
    stoa("convert", "k.stoa", "-o", "m.stoa", "-f", *args)
    done = stoa("info", "m.stoa", "--json")
    point(f"converted: {' '.join(args) or 'all'}", done.code == 0 and json.loads(done.out)["sorted_by"] == wanted, done)
stoa("convert", "k.stoa", "k.stoa", "-o", "m.stoa", "-f")
done = stoa("info", "m.stoa", "--json")
point("converted: two of them", done.code == 0 and json.loads(done.out)["sorted_by"] is None, done)

# ---- Merging files that are sorted ----
for name, where in (("low", "i < 3000"), ("high", "i >= 3000")):
    stoa("convert", "t.stoa", "-o", f"{name}.stoa", "--sort-by", "i,t", "--where", where)
for parts, wanted in ((("low", "high"), "i,t"), (("high", "low"), None), (("low", "t"), None)):
    stoa("merge", *(f"{name}.stoa" for name in parts), "-o", "m.stoa", "-f")
    done = stoa("info", "m.stoa", "--json")
    point(f"merged: {', '.join(parts)}", done.code == 0 and json.loads(done.out)["sorted_by"] == wanted, done)

# ---- A guess that does not hold: the order is that of the type in the end ----
write("w1.csv", "n,i\n" + "".join(f"{random.randrange(200)},{k}\n" for k in range(40000)))
write("w2.csv", "n,i\n" + "".join(f"{random.randrange(200)}{'x' if k == 30000 else ''},{k}\n" for k in range(40000)))
read_rows = [line.split(",") for name in ("w1.csv", "w2.csv") for line in read(name).decode().splitlines()[1:]]
done = stoa("convert", "w1.csv", "w2.csv", "-o", "w.stoa", "--sort-by", "n", "--row-group-rows", "5000")
out = stoa("cat", "w.stoa").out.splitlines()[1:]
point("numbers that turn out to be text are sorted as text", done.code == 0 and
      [line.split(",") for line in out] == sorted(read_rows, key=lambda row: row[0]), done, out[:5])

# ---- Wide rows ride along ----
write("wide.csv", "k," + ",".join(f"c{i}" for i in range(300)) + "\n" +
      "".join(f"{(i * 7919) % 101}," + ",".join(str(i * 300 + k) for k in range(300)) + "\n" for i in range(500)))
done = stoa("convert", "wide.csv", "-o", "wide.stoa", "--sort-by", "k:desc", "--row-group-rows", "40")
out = [line.split(",") for line in stoa("cat", "wide.stoa").out.splitlines()[1:]]
wanted = sorted(([str((i * 7919) % 101)] + [str(i * 300 + k) for k in range(300)] for i in range(500)), key=lambda row: -int(row[0]))
point("300 columns", done.code == 0 and out == wanted, done)

# ---- What it says ----
expect("it says that the source can't be restored", ["convert", "t.csv", "-o", "s.stoa", "-f", "--sort-by", "n"], 0, "",
       lambda err: err.endswith("restorable: no, because rows are sorted\n"))
refuse("... which --verify wants", ["convert", "t.csv", "-o", "v.stoa", "--sort-by", "n", "--verify"], 2,
       "nothing to verify: no CSV can be restored, because rows are sorted")
refuse("no such column", ["convert", "t.csv", "-o", "v.stoa", "--sort-by", "n,m"], 2,
       'sort order: there is no column "m"')
refuse("a column twice", ["convert", "t.csv", "-o", "v.stoa", "--sort-by", "n,t,n:desc"], 2, 'sort order: column "n" comes twice')
refuse("a name that is empty", ["convert", "t.csv", "-o", "v.stoa", "--sort-by", "n,,t"], 2, "sort order: a name is empty")
refuse("a column that is left out", ["convert", "t.csv", "-o", "v.stoa", "--select", "n,t", "--sort-by", "x"], 2,
       'sort order: there is no column "x"')
write("q.csv", '"a,b","c:desc","say ""hi""",d\n1,2,3,4\n1,3,2,5\n')
done = stoa("convert", "q.csv", "-o", "-", "--to", "csv", "--sort-by", '"a,b","c:desc":desc,"say ""hi""",d')
point("names in quotes", done.out.splitlines()[1:] == ["1,3,2,5", "1,2,3,4"], done)
point("nothing is left behind", not cli.litter("t.csv", "t.stoa", "s.stoa", "none.csv", "none.stoa", "w1.csv", "w2.csv", "w.stoa", "wide.csv", "low.stoa", "high.stoa", "m.stoa", "k.stoa",
                                               "wide.stoa", "q.csv"), cli.litter())

# ---- Temporary files: full, failing, and the run is stopped ----
write("large.csv", "n,t\n" + "".join(f"{random.randrange(10**9)},{random.randrange(10**9):x}\n" for _ in range(300000)))
write("large.json", stoa("schema", "large.csv", "--format", "json").out)
os.mkdir("tmp")
tmp = dict(os.environ, TMPDIR=os.path.abspath("tmp"))
for limit in (0, 100000, 1 << 20):
    done = stoa("convert", "large.csv", "-o", "large.stoa", "--sort-by", "n", "--row-group-rows", "20000", "--schema", "/dev/stdin",
                stdin=cli.read("large.json"), env=tmp,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    point(f"temporary files may not become larger than {limit}", done.code == 3 and "can't be written: File too large" in done.err and
          not os.path.exists("large.stoa") and not os.listdir("tmp"), done, os.listdir("tmp"))
expect("a folder for temporary files that is not there", ["convert", "large.csv", "-o", "large.stoa", "--sort-by", "n"], 3, "",
       lambda err: "a temporary file can't be made there (TMPDIR)" in err, env=dict(tmp, TMPDIR="nowhere"))
stopped = 0
for delay in (0.05, 0.1, 0.2, 0.3, 0.4):
    process = subprocess.Popen([cli.STOA, "convert", "large.csv", "-o", "large.stoa", "--sort-by", "t,n", "--row-group-rows", "5000", "--jobs", "2"],
                               env=tmp, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    code = cli.stop(process, signal.SIGINT)
    if code == 0:
        os.remove("large.stoa")
    stopped += code == 130
    point(f"interrupted after {delay} s", code in (0, 130) and not os.path.exists("large.stoa") and not os.listdir("tmp"), code)
point("it was stopped in the middle", stopped > 0)
cli.end()
