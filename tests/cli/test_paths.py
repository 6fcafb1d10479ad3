#!/usr/bin/env python3
"""--where on nested columns and on the wide types, beside the golden tables in JSON filtered by Python."""
import decimal
import fractions
import json
import lzma
import re

import cli
from cli import expect, point, read, refuse, stoa

cli.work_in_a_folder()
GOLDEN = cli.FIXTURES + "/golden/v1/"


def lines_of(name):
    with lzma.open(f"{GOLDEN}{name}.jsonl.xz", "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def part(row, *names):
    """The value at a path; a part of null is null."""
    for name in names:
        row = None if row is None else row[name]
    return row


def seconds(text):
    """An ISO duration of days, hours, minutes and seconds, exactly."""
    sign, days, hours, minutes, rest = re.fullmatch(
        r"(-?)P(?:(-?[\d.]+)D)?(?:T(?:(-?[\d.]+)H)?(?:(-?[\d.]+)M)?(?:(-?[\d.]+)S)?)?", text).groups()
    total = sum(fractions.Fraction(number or 0) * unit
                for number, unit in ((days, 86400), (hours, 3600), (minutes, 60), (rest, 1)))
    return -total if sign else total


def known(value, test):
    """A test of null is unknown, and unknown rows are not selected."""
    return value is not None and test(value)


CASES = {
    "nested": [
        ("c1.c > 2000", lambda r: known(part(r, "c1", "c"), lambda v: v > 2000)),
        ("not c1.c > 2000", lambda r: known(part(r, "c1", "c"), lambda v: v <= 2000)),
        ("C1.C is null", lambda r: part(r, "c1", "c") is None),
        ("\"c1.a\" is not null and c1.a >= 'm'", lambda r: known(part(r, "c1", "a"), lambda v: v >= "m")),
        ("c1.b is null or c0 is null", lambda r: part(r, "c1", "b") is None or r["c0"] is None),
        ("c2 is not null and c3 is null", lambda r: r["c2"] is not None and r["c3"] is None),
        ("c1.a like '%a%' and c1.c in (0, 1547, 2206, -1)",
         lambda r: known(part(r, "c1", "a"), lambda v: "a" in v) and part(r, "c1", "c") in (0, 1547, 2206, -1)),
    ],
    "deep": [
        ("c1 is not null", lambda r: r["c1"] is not None),
        ("c1.a is null", lambda r: part(r, "c1", "a") is None),
        ("c1.a.b.c < 0", lambda r: known(part(r, "c1", "a", "b", "c"), lambda v: v < 0)),
        ("c1.a.b.d is not null", lambda r: part(r, "c1", "a", "b", "d") is not None),
        ("c1.e is null and c2 is null", lambda r: part(r, "c1", "e") is None and r["c2"] is None),
    ],
    "spans": [
        ("c0 < 0", lambda r: known(r["c0"], lambda v: float(v) < 0)),  # "-Infinity" is text in JSON
        ("c1 < -0.0000001", lambda r: known(r["c1"], lambda v: v < decimal.Decimal("-0.0000001"))),
        ("c1 between -3.6 and 1e20", lambda r: known(r["c1"], lambda v: decimal.Decimal("-3.6") <= v <= 10 ** 20)),
        ("c2 > 'PT2725670H7M7.302304S'",
         lambda r: known(r["c2"], lambda v: seconds(v) > seconds("PT2725670H7M7.302304S"))),
        ("c2 <= '-P1DT0.0000005S'", lambda r: known(r["c2"], lambda v: seconds(v) <= seconds("-P1DT0.0000005S"))),
        ("c3 is null", lambda r: r["c3"] is None),
    ],
}

for name, cases in CASES.items():
    lines = lines_of(name)
    rows = [json.loads(line, parse_float=decimal.Decimal) for line in lines]
    for where, test in cases:
        wanted = [line for line, row in zip(lines, rows) if test(row)]
        expect(f"count of {name}: {where}", ["count", f"{GOLDEN}{name}.stoa", "--where", where], 0, f"{len(wanted)}\n")
        done = stoa("convert", f"{GOLDEN}{name}.stoa", "-o", "out.jsonl", "--force", "--where", where)
        point(f"rows of {name}: {where}", done.code == 0 and read("out.jsonl").decode().splitlines() == wanted, done)

for where, message in (
        ("c1.d = 1", 'c1.d = 1: in c1: there is no part "d"'),
        ("c1.b.x = 1", 'c1.b.x = 1: in c1.b: there is no path to "x": it is a list, whose values have no place of '
                       'their own in a row; its one test is "is null"'),
        ("c9.a = 1", 'c9.a = 1: there is no column "c9"'),
        ("c0 = 1", 'c0 = 1: the column is list<int32>, which has no test but "is null"')):
    refuse(f"no path: {where}", ["count", GOLDEN + "nested.stoa", "--where", where], 2,
           f"{GOLDEN}nested.stoa: {message}")

cli.end()
