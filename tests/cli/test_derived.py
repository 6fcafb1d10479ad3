#!/usr/bin/env python3
"""Columns that are derived from others, by the command: every value comes back, also of a part of a page."""
import json
import random

import cli
from cli import expect, point, stoa, write

cli.work_in_a_folder()
seed = random.SystemRandom().randrange(1 << 32)
print(f"# seed {seed}")
rng = random.Random(seed)
NROWS = 20000


def table(name, header, rows, *options):
    """Writes and converts a table; every value comes back, and the file is whole."""
    text = header + "\n" + "".join(",".join(row) + "\n" for row in rows)
    write(name + ".csv", text)
    done = stoa("convert", name + ".csv", "-o", name + ".stoa", *options)
    point(f"{name}: converts", done.code == 0, done)
    done = stoa("verify", "--deep", name + ".stoa")
    point(f"{name}: every hash", done.code == 0, done)
    expect(f"{name}: every value", ["cat", name + ".stoa"], 0, text, "")
    return json.loads(stoa("info", name + ".stoa", "--json").out)["columns"]


def ranges(name, column, values):
    """Rows from anywhere to anywhere of a column that leaves its base by an exception here and there."""
    wrong = []
    for _ in range(40):
        begin = rng.randrange(NROWS - 1)
        end = begin + rng.choice((1, 2, 50, 5000))
        done = stoa("cat", name + ".stoa", "-s", column, "-w", f"id >= {begin} and id < {end}")
        if done.code != 0 or done.out != "\n".join([column] + values[begin:end]) + "\n":
            wrong.append(f"rows [{begin}, {end}): {done}")
    point(f"{name}: parts of {column}", not wrong, *wrong[:3])


# Base values that are equal in their lowest 64 bits are different values.
bases = [10**21 + k * 2**64 for k in range(40)] + [rng.randrange(2**60) for _ in range(5)]
follows = {base: rng.randrange(2**30) for base in bases}
picked = [rng.choice(bases) for _ in range(NROWS)]
columns = table("wide", "id,base,t", ([str(i), str(base), str(follows[base])] for i, base in enumerate(picked)))
point("wide: a decimal of more than 64 bits", columns[1]["type"].startswith("decimal"), columns[1])

# What is left of a value when its base is taken away is no value of these types.
bools = [rng.choice(("true", "false")) for _ in range(NROWS)]
others = [value if rng.random() < 0.98 else {"true": "false", "false": "true"}[value] for value in bools]
columns = table("bools", "id,a,b", ([str(i), *pair] for i, pair in enumerate(zip(bools, others))))
point("bools: one is derived", bool(columns[1].get("derived_from") or columns[2].get("derived_from")), columns)
ranges("bools", "a", bools)
ranges("bools", "b", others)

small = [f"{rng.randrange(10000) / 100:.2f}" for _ in range(NROWS)]
large = [value if rng.random() < 0.99 else f"{10**15 + rng.randrange(10**6)}.00" for value in small]
columns = table("decimals", "id,t,p", ([str(i), *pair] for i, pair in enumerate(zip(small, large))),
                "--types", "t=decimal(4,2),p=decimal(18,2)")
point("decimals: one is derived", bool(columns[1].get("derived_from") or columns[2].get("derived_from")), columns)
ranges("decimals", "t", small)
ranges("decimals", "p", large)

# The bytes do not depend on how many threads wrote them, or how much memory they had.
rows, places = [], [f"place {k}" for k in range(60)]
for i in range(NROWS):
    when, seconds, place = 1357000000 + rng.randrange(10**6), rng.randrange(5000), rng.choice(places)
    rows.append([str(when), str(seconds), str(when + seconds + (rng.random() < 0.01)), place, str(len(place) * 7 + int(place[6:]) * 31)])
columns = table("sweep", "begin,seconds,end,place,fare", rows, "--row-group-rows", "4100")
point("sweep: a sum and what a place determines", columns[4].get("derived_from") == ["place"]
      and sum(bool(column.get("derived_from")) for column in columns[:3]) == 1, columns)
written = set()
for jobs, memory in ((1, "256M"), (2, "256M"), (3, "512M"), (8, "1G"), (1, "64M"), (8, "64M")):
    done = stoa("convert", "sweep.csv", "-o", "again.stoa", "--force", "--row-group-rows", "4100",
                "--jobs", str(jobs), "--memory", memory)
    with open("again.stoa", "rb") as file:
        written.add(file.read())
    point(f"sweep: {jobs} jobs, {memory}", done.code == 0 and len(written) == 1, done, len(written))
cli.end()
