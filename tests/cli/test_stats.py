#!/usr/bin/env python3
"""stoa stats beside exact arithmetic: every number from `stoa cat` as a fraction, floats by their bits."""
import decimal
import fractions
import json
import math
import os
import random
import struct

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
decimal.getcontext().prec = 200

# ---- A table whose sums would overflow 64 bits or lose digits. ----
FIELDS = [("i8", "int8"), ("i64", "int64"), ("u64", "uint64"), ("d9", "decimal(9,2)"), ("d38", "decimal(38,10)"),
          ("price", "float64"), ("wild", "float64"), ("f32", "float32"), ("day", "date32"), ("at", "timestamp(us)"),
          ("word", "utf8"), ("flag", "bool"), ("kind", "enum(red,green,blue)"), ("void", "int32")]
INTS, FLOATS = {"i8", "i64", "u64", "d9", "d38", "void"}, {"price", "wild", "f32"}
SCALE = {"d9": 2, "d38": 10}
NROWS = 6000

rng = random.Random(20)


def value(name):
    if rng.random() < 0.1:
        return ""
    return {
        "i8": lambda: str(rng.randint(-128, 127)),
        "i64": lambda: str(rng.randint(2 ** 62, 2 ** 63 - 1) * rng.choice((1, 1, -1))),
        "u64": lambda: str(rng.randint(2 ** 63, 2 ** 64 - 1)),
        "d9": lambda: f"{rng.randint(-10 ** 9 + 1, 10 ** 9 - 1) / 100:.2f}",
        "d38": lambda: str(decimal.Decimal(rng.randint(9 * 10 ** 37, 10 ** 38 - 1)).scaleb(-10)),
        "price": lambda: repr(rng.randint(0, 10000) / 100),
        "wild": lambda: repr(rng.choice((1e300, -1e300, 1e-300, 1.0, -1.0, 1e16)) * (1 + rng.randint(0, 3))),
        "f32": lambda: repr(rng.randint(0, 1 << 20) / 256),
        "day": lambda: f"20{rng.randint(10, 24)}-0{rng.randint(1, 9)}-{rng.randint(10, 28)}",
        "at": lambda: f"2020-01-{rng.randint(10, 28)}T10:00:00.{rng.randint(0, 999999):06d}",
        "word": lambda: rng.choice(("a", "ä", "", "a text that is longer than sixteen bytes" + str(rng.randint(0, 99)))),
        "flag": lambda: rng.choice(("true", "false")),
        "kind": lambda: rng.choice(("red", "green", "blue")),
        "void": lambda: "",
    }[name]()


rows = [[value(name) for name, _ in FIELDS] for _ in range(NROWS)]
for row in rows:  # an empty text is no null, and CSV tells them apart by quotes
    row[10] = f'"{row[10]}"' if rng.random() > 0.1 else ""
header = ",".join(name for name, _ in FIELDS) + "\n"
write("schema.json", json.dumps({"stoa_schema": 1, "fields": [
    {"name": name, "type": kind, "nullable": True} for name, kind in FIELDS]}))
for name, part in (("all", rows), ("first", rows[:NROWS // 3]), ("rest", rows[NROWS // 3:])):
    write(name + ".csv", header + "".join(",".join(row) + "\n" for row in part))
    done = stoa("convert", name + ".csv", "--schema", "schema.json", "--row-group-rows", "700", "-o", name + ".stoa")
    point(f"{name}.csv is converted", done.code == 0, done)


# ---- The oracle. ----
def near(x):
    """The double nearest to a fraction, as `stoa` writes it is read."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def oracle(name, cells):
    known = [x for x in cells if x is not None]
    out = {"count": len(known), "nulls": len(cells) - len(known)}
    if name in FLOATS:
        floats = [float(x) for x in known]
        if name == "f32":  # its text has the digits that a float32 needs
            floats = [struct.unpack("f", struct.pack("f", x))[0] for x in floats]
        out["nans"] = sum(map(math.isnan, floats))
        if floats:
            out["min"], out["max"] = (float(x) for x in (min(known, key=float), max(known, key=float)))
            out["sum"] = near(sum(map(fractions.Fraction, floats)))
            out["mean"] = near(sum(map(fractions.Fraction, floats)) / len(floats))
            assert out["sum"] == math.fsum(floats)
        else:
            out["sum"] = 0.0
    elif name in INTS:
        numbers = [decimal.Decimal(x) for x in known]
        scale = SCALE.get(name, 0)
        total = sum(numbers, decimal.Decimal(0)).quantize(decimal.Decimal(1).scaleb(-scale))
        out["sum"] = f"{total:f}"
        if numbers:
            out["min"], out["max"] = str(min(numbers)), str(max(numbers))
            mean = fractions.Fraction(total) / len(numbers)
            digits = round(mean * 10 ** (scale + 6))  # half to even
            out["mean"] = f"{decimal.Decimal(digits).scaleb(-scale - 6):f}"
    elif known and name == "kind":
        order = ["red", "green", "blue"]
        out["min"], out["max"] = min(known, key=order.index), max(known, key=order.index)
    elif known and name == "word":
        out["min"], out["max"] = min(known, key=str.encode), max(known, key=str.encode)
    elif known and name == "flag":
        out["min"], out["max"] = ("true" if x else "false" for x in (min(known), max(known)))
    elif known:
        out["min"], out["max"] = min(known), max(known)
    return out


def selected(where):
    args = ["-w", where] if where else []
    text = stoa("cat", "all.stoa", "-f", "jsonl", *args).out
    return [json.loads(line, parse_int=str, parse_float=str) for line in text.splitlines()]


def comparable(name, column):
    out = {key: value for key, value in column.items() if key not in ("name", "type")}
    if name in FLOATS:
        out.update({key: float(out[key]) for key in ("min", "max", "sum", "mean") if key in out})
    return out


FILTERS = [None, "i8 > 100", "i8 > 200", "price < 3.5 or word is null", "kind = 'blue' and flag = false", "wild is not null",
           "day < '2012-01-01'", "d38 > 95000000000000000000000000000.5"]
for where in FILTERS:
    args = ["-w", where] if where else []
    wanted = selected(where)
    texts = {j: stoa("stats", "all.stoa", "--json", "-j", str(j), *args).out for j in (1, 2, 3, 8)}
    point(f"{where}: the same for any number of jobs", len(set(texts.values())) == 1)
    got = json.loads(texts[1])
    point(f"{where}: {len(wanted)} rows", got["rows"] == len(wanted), got["rows"])
    wrong = []
    for column, (name, kind) in zip(got["columns"], FIELDS):
        want = oracle(name, [row[name] for row in wanted])
        if comparable(name, column) != want or (column["name"], column["type"]) != (name, kind):
            wrong.append((column, want))
    point(f"{where}: every number", not wrong, *wrong)
    parts = json.loads(stoa("stats", "first.stoa", "rest.stoa", "--json", *args).out)
    point(f"{where}: of two files", parts["columns"] == got["columns"] and parts["rows"] == got["rows"])

# ---- What is read. ----
read = json.loads(stoa("stats", "all.stoa", "--json", "-s", "day,at,flag,kind,void").out)["bytes"]
point("what statistics prove is not read", read["read"] == 0 < read["total"], read)
read = json.loads(stoa("stats", "all.stoa", "--json", "-s", "i64").out)["bytes"]
point("sums are", 0 < read["read"] <= read["total"], read)

# ---- Words for people. ----
write("small.csv", "n,x,t\n1,0.5,b\n2,NaN,a\n,1.5,\n")
stoa("convert", "small.csv", "-o", "small.stoa")
expect("a table", ["stats", "small.stoa"], 0,
       lambda out: out.startswith("column  type     count  nulls  NaN  min  max  sum      mean\n"
                                  "n       int64        2      1         1    2    3  1.500000\n"
                                  "x       float64      3      0    1  0.5  1.5  NaN       NaN\n"
                                  "t       utf8         2      1         a    b       \n"
                                  "\n3 rows, read "), "")
expect("columns that are chosen", ["stats", "small.stoa", "-s", "t"], 0,
       lambda out: out.splitlines()[1].split() == ["t", "utf8", "2", "1", "a", "b"], "")
expect("no rows", ["stats", "small.stoa", "-w", "n > 5"], 0,
       lambda out: out.splitlines()[1].split() == ["n", "int64", "0", "0", "0"], "")
refuse("no such column", ["stats", "small.stoa", "-s", "m"], 2,
       'small.stoa: there is no column "m"')
refuse("files of other columns", ["stats", "small.stoa", "all.stoa"], 2,
       "all.stoa: another schema than small.stoa has (compare them with stoa schema)")

# ---- Nested columns have counts. ----
nested = os.path.join(cli.FIXTURES, "golden", "v1", "nested.stoa")
rows = [json.loads(line) for line in stoa("cat", nested, "-f", "jsonl").out.splitlines()]
got = json.loads(stoa("stats", nested, "--json").out)["columns"]
want = [{"name": name, "type": column["type"], "count": sum(row[name] is not None for row in rows),
         "nulls": sum(row[name] is None for row in rows)} for name, column in zip(rows[0], got)]
point("nested columns", got == want, got, want)
got = json.loads(stoa("stats", nested, "--json", "-w", "c0 is not null").out)["columns"]
kept = [row for row in rows if row["c0"] is not None]
point("nested columns of some rows", [column["nulls"] for column in got] ==
      [sum(row[name] is None for row in kept) for name in rows[0]], got)
lines = [json.loads(line) for line in stoa("stats", nested, "--zones", "--json").out.splitlines()]
point("zone maps of nested columns", len(lines) >= len(want) and all("min" not in line for line in lines) and
      {name: sum(line["nulls"] for line in lines if line["column"] == name) for name in rows[0]} ==
      {column["name"]: column["nulls"] for column in want}, *lines)

# ---- Zone maps. ----
write("long.csv", "n,w\n" + "".join(f"{i},word {i % 7}\n" for i in range(20000)))
stoa("convert", "long.csv", "-o", "long.stoa", "--row-group-rows", "10000")
expect("zone maps as a table", ["stats", "long.stoa", "--zones", "-s", "n"], 0,
       "column  row group  zone  first row   rows  nulls    min    max  exact  order\n"
       "n               0     0          0  8,192      0      0   8191  both   rises\n"
       "n               0     1      8,192  1,808      0   8192   9999  both   rises\n"
       "n               1     0     10,000  8,192      0  10000  18191  both   rises\n"
       "n               1     1     18,192  1,808      0  18192  19999  both   rises\n", "")
lines = [json.loads(line) for line in stoa("stats", "long.stoa", "--zones", "--json").out.splitlines()]
point("zone maps as JSON lines", len(lines) == 8 and lines[5] == {
    "file": "long.stoa", "column": "w", "row_group": 0, "zone": 1, "first_row": 8192, "rows": 1808, "nulls": 0,
    "min": "word 0", "max": "word 6", "min_exact": True, "max_exact": True, "no_nan": False, "ascending": False,
    "descending": False}, *lines)
refuse("zone maps of a filter", ["stats", "long.stoa", "--zones", "-w", "n > 1"], 2,
       "--zones prints what the file has; it takes no --where")
cli.end()
