#!/usr/bin/env python3
"""stoa recover: what it writes, says and exits with, for files damaged in every way a user meets."""
import json
import os
import re
import subprocess

import cli
from cli import STOA, expect, point, read, refuse, stoa, write

cli.work_in_a_folder()
write("in.csv", "id,name\n" + "".join(f"{i},name {i % 97}\n" for i in range(5000)))
stoa("convert", "in.csv", "-o", "whole.stoa", "--row-group-rows", "1000")
whole = read("whole.stoa")
rows = stoa("cat", "whole.stoa").out.splitlines(True)
MAGIC = b"\x8bSTOA\r\n\x1a"
at = [m.start() for m in re.finditer(re.escape(MAGIC), whole)]
groups = [offset for offset in at if whole[offset + 8] == 5]


def ids(path):
    return [int(line.split(",")[0]) for line in stoa("cat", path).out.splitlines()[1:]]


def summary(rows, groups, rest):
    return lambda err: re.fullmatch(rf"(?s).*saved\.stoa: {rows} rows? in {groups} row groups?, {rest}, [\d.]+ s\n",
                                    err)


# ---- Whole files ----
expect("a whole file comes back as it is", ["recover", "whole.stoa", "-o", "same.stoa"], 0, "",
       lambda err: re.fullmatch(r"same\.stoa: 5,000 rows in 5 row groups, nothing is lost, [\d.]+ s\n", err))
point("byte for byte", read("same.stoa") == whole)

# ---- Cut ----
write("cut.stoa", whole[:groups[3] + 200])
expect("a cut file gives the row groups in front of the cut", ["recover", "cut.stoa", "-o", "saved.stoa"], 5, "",
       summary("3,000", 3, "1,000 rows lost, how many rows followed is not known"))
point("their rows", ids("saved.stoa") == list(range(3000)))
expect("which verifies", ["verify", "--deep", "saved.stoa"], 0)
done = stoa("recover", "cut.stoa", "-o", "saved.stoa", "--force")
point("each loss has a line", re.fullmatch(
    r"stoa: cut\.stoa: rows 3000 to 3999: [^\n]+\n"
    r"stoa: cut\.stoa: from row 4000 on: the end is missing, which would say whether there were more rows\n"
    r"saved\.stoa: [^\n]+\n", done.err), done)
with open("cut.stoa", "rb") as file:
    done = subprocess.run([STOA, "recover", "-", "-o", "-"], stdin=file, capture_output=True)
point("from a pipe to a pipe", done.returncode == 5 and done.stdout == read("saved.stoa"), done.stderr.decode())

# ---- A copy that was broken off and taken up again, from the start of a row group on ----
footer = at[-1]
for number, begin in enumerate(groups):
    write("again.stoa", whole[:begin + 150] + whole[begin:footer])
    expect(f"row group {number} is taken from where it is whole",
           ["recover", "again.stoa", "-o", "saved.stoa", "--force"], 5, "",
           summary("5,000", 5, "how many rows followed is not known"))
    point("all rows, once", ids("saved.stoa") == list(range(5000)))
    write("again.stoa", whole[:begin + 150] + whole[begin:])
    expect(f"row group {number}, with a footer", ["recover", "again.stoa", "-o", "saved.stoa", "--force"], 0, "",
           summary("5,000", 5, "nothing is lost"))
    point("the whole file", read("saved.stoa") == whole)
    write("again.stoa", whole + whole[begin:])
    expect(f"row groups from {number} on stand behind the file once more",
           ["recover", "again.stoa", "-o", "saved.stoa", "--force"], 0, "", summary("5,000", 5, "nothing is lost"))
    point("and count once", read("saved.stoa") == whole)
os.remove("again.stoa")

# ---- Holes ----
hole = bytearray(whole)
hole[groups[1] + 300:groups[1] + 310] = bytes(10)
write("hole.stoa", hole)
expect("a hole takes its row group", ["recover", "hole.stoa", "-o", "saved.stoa", "-f"], 5, "",
       lambda err: err.startswith("stoa: hole.stoa: rows 1000 to 1999: ")
       and summary("4,000", 4, "1,000 rows lost")(err))
point("and no other", ids("saved.stoa") == list(range(1000)) + list(range(2000, 5000)))
done = stoa("recover", "hole.stoa", "-o", "saved.stoa", "-f", "--partial", "--json")
report = json.loads(done.out)
losses = report.pop("losses")
report.pop("seconds")
point("--partial keeps the other column", done.code == 5 and done.err == "" and report == {
    "file": "hole.stoa", "output": "saved.stoa", "complete": False, "rows": 5000, "row_groups": 5,
    "lost_rows": 0, "lost_values": 1000, "end_lost": False, "parts": 1} and len(losses) == 1
      and {key: losses[0][key] for key in ("part", "first_row", "rows")} == {"part": 0, "first_row": 1000, "rows": 1000}
      and losses[0]["column"] in ("id", "name") and losses[0]["reason"], done)
kept = 1 if losses and losses[0]["column"] == "id" else 0
saved = stoa("cat", "saved.stoa").out.splitlines(True)
point("with null for what is lost", len(saved) == len(rows) and all(
    (got == want) == (not 1000 <= i < 2000)
    and got.rstrip("\n").split(",")[kept] == want.rstrip("\n").split(",")[kept]
    for i, (got, want) in enumerate(zip(saved[1:], rows[1:]))))

# ---- Other bytes ----
write("two.stoa", whole + whole)
expect("two files joined into one give the rows of both", ["recover", "two.stoa", "-o", "saved.stoa", "-f"], 0, "",
       summary("10,000", 10, "nothing is lost"))
point("in order", ids("saved.stoa") == list(range(5000)) * 2)
write("among.stoa", b"other bytes" + whole + b"behind")
expect("a file among other bytes is whole", ["recover", "among.stoa", "-o", "saved.stoa", "-f"], 0, "",
       summary("5,000", 5, "nothing is lost"))
point("byte for byte, too", read("saved.stoa") == whole)
write("less.stoa", whole[:groups[2] + 300] + whole[groups[2] + 307:])
expect("bytes that are missing in the middle cost a row group", ["recover", "less.stoa", "-o", "saved.stoa", "-f"], 5,
       "", summary("4,000", 4, "1,000 rows lost"))

# ---- Refused ----
write("none.stoa", b"a,b\n1,2\n")
refuse("what is no Stoa file", ["recover", "none.stoa", "-o", "new.stoa"], 4,
       "none.stoa: nothing to recover: there is no whole schema in it")
write("start.stoa", whole[:groups[0] + 70])
done = expect("what has no whole row group", ["recover", "start.stoa", "-o", "new.stoa"], 4, "",
              lambda err: err.endswith("stoa: start.stoa: nothing to recover: no row group of it is whole\n"))
point("leaves no output", not os.path.exists("new.stoa") and not cli.litter(
    "in.csv", "whole.stoa", "same.stoa", "cut.stoa", "saved.stoa", "hole.stoa", "two.stoa", "among.stoa", "less.stoa",
    "none.stoa", "start.stoa"))
before = read("cut.stoa")
refuse("an output that exists", ["recover", "cut.stoa", "-o", "saved.stoa"], 2,
       "saved.stoa: exists already (--force replaces it)")
os.link("cut.stoa", "link.stoa")
for name in ("cut.stoa", "link.stoa"):
    refuse(f"the input as the output, {name}", ["recover", "cut.stoa", "-o", name, "--force"], 2,
           f"{name}: is the damaged file: it stays as it is (-o names another)")
point("which is as it was", read("cut.stoa") == before)
refuse("no output", ["recover", "cut.stoa"], 2,
       "recover: where to? -o FILE names the output, -o - is standard output")
refuse("--json and the file on standard output", ["recover", "cut.stoa", "-o", "-", "--json"], 2,
       "recover --json: standard output holds the file")
refuse("no such file", ["recover", "missing.stoa", "-o", "new.stoa"], 3,
       "missing.stoa: can't be opened: No such file or directory")
done = stoa("recover", "cut.stoa", "-o", "saved.stoa", "-f", "--progress", "json")
last = json.loads(done.err.splitlines()[-1])
point("--progress json ends with the result", last["done"] is True and last["rows"] == 3000, done)
cli.end()
