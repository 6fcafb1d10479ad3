#!/usr/bin/env python3
"""stoa sample: rows of the file, in its order, the same for the same seed, of those that a predicate selects."""
import json

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
write("t.csv", "n,word,x\n" + "".join(f"{i},word {i % 13},{i / 8}\n" for i in range(5000)))
point("a file to draw from", stoa("convert", "t.csv", "-o", "t.stoa", "--row-group-rows", "900").code == 0)
rows = stoa("cat", "t.stoa", "-f", "jsonl").out.splitlines()


def draw(*args):
    return stoa("sample", "t.stoa", "-f", "jsonl", *args).out.splitlines()


def is_subsequence(part, whole):
    at = iter(whole)
    return all(line in at for line in part)


for args, n in (([], 10), (["-n", "1"], 1), (["--rows", "333"], 333), (["-n", "6000"], 5000),
                (["-n", "40", "--seed", "9876543210987654321"], 40)):
    got = draw(*args)
    point(f"{args}: {n} rows of the file in its order", len(got) == n and is_subsequence(got, rows), got)
    point(f"{args}: for any number of jobs", all(draw(*args, "-j", j) == got for j in ("1", "2", "3", "8")))
point("another seed draws other rows", draw("--seed", "1") != draw("--seed", "2"))
point("--seed 0 is the default", draw("--seed", "0") == draw())
point("a larger sample holds the smaller one", is_subsequence(draw("-n", "20"), draw("-n", "200")))
half = draw("--fraction", "0.5", "--seed", "9")
point("a fraction", 2300 < len(half) < 2700 and is_subsequence(half, rows), len(half))
point("all of it", draw("--fraction", "1") == rows)
some = [line for line in rows if json.loads(line)["word"] == "word 7"]
got = draw("-w", "word = 'word 7'", "-n", "50")
point("of the rows that a predicate selects", len(got) == 50 and is_subsequence(got, some), got)
point("no more than it selects", draw("-w", "n < 20", "-n", "50") == rows[:20])
expect("columns and forms", ["sample", "t.stoa", "-w", "n = 12", "-s", "x,n", "-f", "csv"], 0, "x,n\n1.5,12\n", "")
expect("a table", ["sample", "t.stoa", "-w", "n = 12"], 0, " n  word       x\n12  word 12  1.5\n", "")
expect("no row", ["sample", "t.stoa", "-w", "n < 0", "-f", "tsv"], 0, "n\tword\tx\n", "")

for option, why in (("0", "expected a number, 1 or more"), ("x", "expected a number, 1 or more")):
    refuse(f"-n {option}", ["sample", "t.stoa", "-n", option], 2, f"--rows {option}: {why}")
for option in ("0", "1.1", "-1", "x", "", "nan", "1x"):
    refuse(f"--fraction {option}", ["sample", "t.stoa", "--fraction=" + option], 2,
           f"--fraction {option}: expected a number above 0 and up to 1, such as 0.01")
refuse("--seed -1", ["sample", "t.stoa", "--seed=-1"], 2, "--seed -1: expected a number, 0 or more")
refuse("both", ["sample", "t.stoa", "-n", "3", "--fraction", "0.5"], 2, "--rows or --fraction, not both")
cli.end()
