#!/usr/bin/env python3
"""Files of very many columns and of very many row groups: right answers, and memory that follows what is read."""
import json
import os

import cli
from cli import expect, point, stoa, write

cli.work_in_a_folder()
NCOLUMNS, NGROUPS = 10000, 20000

write("wide.csv", "".join(",".join(row) + "\n" for row in (
    (f"c{i}" for i in range(NCOLUMNS)), (str(i) for i in range(NCOLUMNS)), (str(3 * i) for i in range(NCOLUMNS)),
    (str(-i) for i in range(NCOLUMNS)))))
done = stoa("convert", "wide.csv", "-o", "wide.stoa", "--row-group-rows", "2")
point(f"{NCOLUMNS} columns", done.code == 0, done)
write("long.csv", "n,w,x\n" + "".join(f"{i},word {i % 3},{i / 4}\n" for i in range(NGROUPS)))
done = stoa("convert", "long.csv", "-o", "long.stoa", "--row-group-rows", "1")
point(f"{NGROUPS} row groups", done.code == 0, done)


def peak(*args):
    """The exit code, and the peak of memory in MiB."""
    child = os.posix_spawn(cli.STOA, [cli.STOA, *args], os.environ,
                           file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    status, used = os.wait4(child, 0)[1:]
    return os.waitstatus_to_exitcode(status), used.ru_maxrss / 1024


expect("one column of many", ["cat", "wide.stoa", "-s", "c7777"], 0, "c7777\n7777\n23331\n-7777\n", "")
expect("a predicate on another", ["cat", "wide.stoa", "-s", "c2", "-w", "c9999 < 0"], 0, "c2\n-2\n", "")
expect("rows of all columns", ["count", "wide.stoa"], 0, "3\n", "")
row = stoa("head", "wide.stoa", "-n", "1", "--json")
point("a row of all columns", json.loads(row.out) == {f"c{i}": i for i in range(NCOLUMNS)}, row)
info = json.loads(stoa("info", "wide.stoa", "--json").out)
point("info", len(info["columns"]) == NCOLUMNS and sum(info["bytes_by_kind"].values()) == info["bytes"])

expect("one row of many groups", ["cat", "long.stoa", "-w", "n = 12345"], 0, "n,w,x\n12345,word 0,3086.25\n", "")
expect("rows of all groups", ["count", "long.stoa"], 0, f"{NGROUPS}\n", "")
expect("rows that a predicate selects", ["count", "long.stoa", "-w", "w = 'word 1'"], 0, f"{(NGROUPS + 1) // 3}\n", "")
text = stoa("cat", "long.stoa", "-s", "n").out
point("all rows in order", text == "n\n" + "".join(f"{i}\n" for i in range(NGROUPS)), len(text))
got = json.loads(stoa("stats", "long.stoa", "--json", "-s", "n,x").out)["columns"]
total = NGROUPS * (NGROUPS - 1) // 2
point("sums", [column["sum"] for column in got] == [str(total), repr(total / 4)], got)

if cli.IS_RELEASE:  # a child's peak is never below that of the interpreter, some 33 MiB
    for args, mib in ((("head", "wide.stoa", "-s", "c5"), 40), (("count", "wide.stoa", "-w", "c5 > 0"), 40),
                      (("head", "wide.stoa", "-n", "1", "-f", "csv"), 48), (("head", "long.stoa", "-n", "1"), 40),
                      (("count", "long.stoa", "-w", "n > 5"), 40), (("cat", "long.stoa", "-s", "n", "-f", "csv"), 40)):
        code, used = peak(*args)
        point(f"{' '.join(args)}: within {mib} MiB", code == 0 and used < mib, used)
else:
    cli.skip("memory", "not the release build")
cli.end()
