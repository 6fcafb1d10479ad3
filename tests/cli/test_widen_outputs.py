#!/usr/bin/env python3
"""Wrong guesses where rows and columns are left out, or the output is text: what the final types give, to the byte."""
import gzip
import os

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
NROWS, LATE = 30000, 27777  # what comes through a pipe is sampled at its head alone: 20,480 rows
SCALE = int(os.environ.get("STOA_TEST_SCALE", "1"))


def row(i):
    """Columns that become text, a float, text again; `word` and `part` stay what they were."""
    return [i if i != 23456 else "x", i if i != LATE else i / 2, f"w{i * i % 977}", f"{i % 50 / 4:.2f}",
            "much" if i == LATE - 1000 else i % 50]


def table(rows):
    return "".join(",".join(str(value) for value in values) + "\n" for values in rows).encode()


HEADER = ["n", "guess", "word", "part", "other"]
text = table([HEADER] + [row(i) for i in range(1, NROWS)])
inputs = {"plain": text, "packed": gzip.compress(text)}
stoa("convert", "-", "-o", "whole.stoa", stdin=text)
write("final.json", stoa("schema", "whole.stoa", "--format", "json").out)

OUTPUTS = {
    "stoa": ["--to", "stoa", "--row-group-rows", "1000"],
    "large row groups": ["--to", "stoa"],
    "csv": ["--to", "csv", "--row-group-rows", "1000"],
    "csv.gz": ["--to", "csv", "--compress", "gz", "--row-group-rows", "700"],
    "jsonl": ["--to", "jsonl", "--row-group-rows", "1000"],
}
# A filter that is right for the types in the end alone is wrong for the guess: there --types says better.
TYPES = {"to text": ["--types", "n=utf8"]}
WHERES = {
    "all": None,
    "widened": "guess < 40.5 or guess > 13800",
    "to text": "n >= '9' or n = 'x'",
    "as it was": "word like 'w1%' or word = 'w0'",
    "both": "(guess > 20000 or guess is null) and word like 'w%5'",
    "one": "guess = 13888.5",
    "none": "guess < 0",
}
SELECTS = {"all": None, "widened": "n,guess", "others": "word,part", "back to front": "other,word,guess"}
turn = 0
for output, options in OUTPUTS.items():
    for where, predicate in WHERES.items():
        for select, names in SELECTS.items():
            wishes = options + (["--where", predicate] if predicate else []) + (["--select", names] if names else [])
            stoa("convert", "-", "-o", "given", "--force", "--schema", "final.json", *wishes, stdin=text)
            expected, wrong = cli.read("given"), []
            for way in range(8 if SCALE > 1 else 1):
                turn += 1  # each way with some of the wishes; all with all of them when there is time
                jobs, kind = "1238"[turn % 4], ["plain", "packed"][turn // 4 % 2]
                done = stoa("convert", "-", "-o", "widened", "--force", "--jobs", jobs, *wishes, *TYPES.get(where, []),
                            stdin=inputs[kind])
                if done.code != 0 or cli.read("widened") != expected:
                    wrong.append((jobs, kind, done))
            point(f"{output}, rows: {where}, columns: {select}", wrong == [], *wrong)

# What comes out, and what is said.
MISFIT = f'standard input: line {LATE + 1}, column 2 (guess): "13888.5" is not int64'
expect("the value is there", ["convert", "-", "-o", "-", "--to", "csv", "--where", "guess = 13888.5 or part = 0.25 and "
                              "guess < 52"], 0, "n,guess,word,part,other\n1,1.0,w1,0.25,1\n51,51.0,w647,0.25,1\n"
       f"{LATE},13888.5,w{LATE * LATE % 977},{LATE % 50 / 4},27\n",
       lambda err: f"stoa: note: {MISFIT}: the column is float64 now\n" in err, stdin=text)
expect("columns that are not read widen nothing", ["convert", "-", "-o", "-", "--to", "csv", "--select", "word", "--where",
                                                   "part > 12"], 0, None, lambda err: "note" not in err, stdin=text)
done = stoa("convert", "-", "-o", "no.csv", "--where", "n > 100", stdin=text)
point("a filter that has no meaning in the end", done.code == 2 and
      done.err.endswith("stoa: n > 100: 100 is not utf8: put it in quotes\n") and "n): \"x\" is not int64: the column is utf8 now"
      in done.err, done)
done = stoa("convert", "-", "-o", "no.csv", "--where", "n = 'x'", stdin=text)
point("a filter that has none for the guess", done.code == 2 and done.err == "stoa: n = 'x': 'x' is not int64\n", done)

# Values that don't fit as errors and as bad records.
for output, options in OUTPUTS.items():
    name = f"{output}: "
    refuse(name + "an error where that is wished", ["convert", "-", "-o", "no", "--select", "guess", "--where",
                                                    "part = 0.25", "--on-conflict", "error", *options], 1,
           MISFIT + "; --infer full, --types or a schema can give the column another type", stdin=text)
    for jobs in "13":
        expect(name + f"bad records, {jobs} jobs", ["convert", "-", "-o", f"{jobs}.out", "--force", "--where", "part >= 0.25",
                                                    "--rejects", f"{jobs}.rejects", "--on-conflict", "reject", "--jobs",
                                                    jobs, *options], 5, "",
               lambda err: err.endswith(f"\n3 bad records left out, 3 in {jobs}.rejects\n") and "note" not in err, stdin=text)
    point(name + "equal for any number of jobs", cli.read("1.out") == cli.read("3.out") and
          cli.read("1.rejects") == cli.read("3.rejects"))
    columns = [line.split(",")[7] for line in cli.read("1.rejects").decode().splitlines()]
    point(name + "the bad records by position", columns == ["column_name", '"n"', '"other"', '"guess"'], columns)
stoa("convert", "-", "-o", "good.csv", "--where", "part >= 0.25", "--schema", "final.json",
     stdin=table([HEADER] + [row(i) for i in range(1, NROWS) if i not in (23456, LATE, LATE - 1000)]))
stoa("convert", "-", "-o", "1.csv", "--where", "part >= 0.25", "--rejects", "1.rejects", "--force", stdin=text)
point("the other rows are there", cli.read("1.csv").replace(b".0,", b",") == cli.read("good.csv").replace(b".0,", b","))

# Both: records of another width are bad, values that don't fit widen.
ragged = text.replace(b"\n500,", b"\n500\n500,", 1)
expect("widened beside bad records", ["convert", "-", "-o", "both.csv", "--rejects", "1.rejects", "--force", "--on-conflict",
                                      "widen", "--where", "guess > 0"], 5, "",
       lambda err: MISFIT.replace(str(LATE + 1), str(LATE + 2)) in err and "\n1 bad record left out, 1 in 1.rejects\n" in err,
       stdin=ragged)
stoa("convert", "-", "-o", "given.csv", "--schema", "final.json", "--where", "guess > 0", stdin=text)
point("the same as without them", cli.read("both.csv") == cli.read("given.csv"))
point("no litter", cli.litter("whole.stoa", "final.json", "given", "widened", "1.out", "3.out", "1.rejects", "3.rejects",
                              "good.csv", "1.csv", "both.csv", "given.csv") == [], cli.litter())
cli.end()
