#!/usr/bin/env python3
"""
Files that are not as they should be, read as text in two ways: told their dialect, and with everything found out.

The classes are those of the public benchmark Pollock (Vitagliano et al., VLDB 2023): one defect at a time in a table of
84 records and nine columns. So is the score of a file: 1 for being read, and precision, recall and F1 of the header, of
the records and of the cells, 10 together. The table and the files are made here.
"""
import collections
import csv
import io
import json
import random

import cli
from cli import point, stoa, write

cli.work_in_a_folder()
NAMES = ["DAY", "AT", "Count", "Code", "Price", "Kind", "Description", "Link", "Remark"]
NROWS = 83


def make_table():
    draw = random.Random(11)
    kinds = ["Rope of Hemp", "Captain's Lamp", "Chart, Folded", "Oar", "Men's Oilskin Coat"]
    words = "made to last in salt and sun, with a handle that fits any hand and a line that does not chafe".split(" ")
    rows = []
    for i in range(NROWS):
        text = " ".join(draw.sample(words, 12)).capitalize() + "."
        rows.append([f"{1 + i % 28:02}/{1 + i // 28:02}/2018", f"{i // 4 % 24:02}:{i % 4 * 15:02}", str(draw.randrange(10)),
                     f"{draw.choice('ABCD')}{draw.choice('XYZ')}-{draw.randrange(1000, 10000)}",
                     f"${draw.randrange(1, 100)}.{draw.randrange(100):02}", draw.choice(kinds), text,
                     f"https://www.example.com/{i}.html", ""])
    return rows


ROWS = make_table()
CLEAN = [NAMES, *ROWS]
USUAL = {"delimiter": ",", "quote": '"', "escape": '"', "skip": 0, "header": 1}


def cell(text, column, quote='"', escape='"'):
    """The last columns are quoted, as are texts with a comma."""
    if column in (6, 7) or "," in text:
        return quote + text.replace(quote, escape + quote) + quote
    return text


def lines(rows=CLEAN, delimiter=",", **dialect):
    return [delimiter.join(cell(text, i, **dialect) for i, text in enumerate(row)) for row in rows]


def changed(row, text):
    out = lines()
    out[row] = text
    return out


def pieces(row):
    return [cell(text, i) for i, text in enumerate(CLEAN[row])]


def files():
    """Name, text, what it says, its dialect."""
    end = "\r\n"
    text = end.join(lines()) + end
    yield "as it should be", text, CLEAN, {}
    yield "no final line end", text[:-2], CLEAN, {}
    yield "two final line ends", text + end, CLEAN, {}
    yield "LF", text.replace(end, "\n"), CLEAN, {}
    yield "CR", text.replace(end, "\r"), CLEAN, {}
    yield "no header", end.join(lines(ROWS)) + end, None, {"header": 0}
    yield "a header alone", lines()[0] + end, CLEAN[:1], {}
    yield "one row", end.join(lines()[:2]) + end, CLEAN[:2], {}
    for n in 2, 3:
        names = [" ".join([name] * n) for name in NAMES]
        yield f"{n} headers", (lines()[0] + end) * (n - 1) + text, [names, *ROWS], {"header": n}
    yield "a preamble", "PREAMBLE" + "," * 8 + end + "," * 8 + end + text, CLEAN, {"skip": 2}
    yield "semicolons", end.join(lines(delimiter=";")) + end, CLEAN, {"delimiter": ";"}
    yield "tabs", end.join(lines(delimiter="\t")) + end, CLEAN, {"delimiter": "\t"}
    yield "comma and blank", end.join(lines(delimiter=", ")) + end, CLEAN, {"trim": "start"}
    yield "apostrophes", end.join(lines(quote="'", escape="'")) + end, CLEAN, {"quote": "'", "escape": "'"}
    quoted = [[*row[:6], row[6].replace(" and ", ' "and" '), *row[7:]] for row in CLEAN]
    yield "doubled quotes", end.join(lines(quoted)) + end, quoted, {}
    yield "backslashes", end.join(lines(quoted, escape="\\")) + end, quoted, {"escape": "\\"}
    yield "two tables", text + text, CLEAN + CLEAN, {}
    for row in (0, 1, 40, NROWS):
        for column in range(9):
            parts = pieces(row)
            if column > 0:
                less = ",".join(parts[:column]) + ",".join(["", *parts[column:]])[1:]
                yield (f"row {row} lacks delimiter {column}", end.join(changed(row, less)) + end,
                       CLEAN, {})
            more = ",".join([*parts[:column], "", *parts[column:]])
            yield (f"row {row} has one more at {column}", end.join(changed(row, more)) + end,
                   CLEAN, {})
            stray = ",".join([*parts[:column], '"' + parts[column], *parts[column + 1:]])
            yield (f"row {row} has a quote at {column}", end.join(changed(row, stray)) + end,
                   [*CLEAN[:row], [*CLEAN[row][:column], '"' + CLEAN[row][column], *CLEAN[row][column + 1:]],
                    *CLEAN[row + 1:]], {})
        yield f"row {row} has blanks", end.join(changed(row, " ".join(pieces(row)))) + end, CLEAN, {}


def measures(wanted, got):
    """Precision, recall and F1 of one multiset as another."""
    same = sum((collections.Counter(wanted) & collections.Counter(got)).values())
    if not wanted:
        return 3.0
    if not same:
        return 0.0
    precision, recall = same / len(wanted), same / len(got)
    return precision + recall + 2 * precision * recall / (precision + recall)


def score(done, wanted):
    if done.code != 0:
        return 0.0
    got = list(csv.reader(io.StringIO(done.out, newline="")))
    if wanted is None:  # names that nobody gave are not counted
        wanted, got = [got[0], *ROWS], got
    return (1 + measures(wanted[0], got[0] if got else [])
            + measures(["".join(row) for row in wanted[1:]], ["".join(row) for row in got[1:]])
            + measures([c for row in wanted for c in row], [c for row in got for c in row]))


def told(dialect):
    out = []
    for option, name in (("delimiter", "-d"), ("quote", "--quote"), ("escape", "--escape"), ("trim", "--trim")):
        out += [name, {**USUAL, "trim": "none"}[option] if option not in dialect else dialect[option]]
    out += ["--comment", "none", "--trailing-delimiter", "no", "--schema", "names.json", "--header", "none"]
    skip = dialect.get("skip", 0) + dialect.get("header", 1)
    return [*out, "--skip-lines", str(skip) if skip else "none"]


def run(args):
    return stoa("convert", "polluted.csv", "-o", "-", "--to", "csv", "--ragged", "pad,truncate", "--progress", "never",
                *args)


totals = {"told": [], "found out": []}
for name, text, wanted, dialect in files():
    write("polluted.csv", text.encode())
    names = wanted[0] if wanted is not None and len(wanted[0]) == 9 and len(set(wanted[0])) == 9 else NAMES
    write("names.json", json.dumps({"stoa_schema": 1, "fields": [{"name": n, "type": "utf8"} for n in names]}))
    times = NROWS - 2 if name.startswith("row 40 ") else 1  # it stands for all rows in the middle
    totals["told"] += [(score(run(told(dialect)), wanted), name)] * times
    totals["found out"] += [(score(run(["--infer", "none"]), wanted), name)] * times
for way, least in ("told", 9.96), ("found out", 9.6):
    mean = sum(s for s, _ in totals[way]) / len(totals[way])
    worst = "\n".join(f"{s:.3f} {name}" for s, name in sorted(totals[way])[:8])
    print(f"# {way}: {mean:.3f} of 10 in {len(totals[way])} files")
    point(f"polluted files with their dialect {way}: {least} or more", mean >= least, mean, worst)
cli.end()
