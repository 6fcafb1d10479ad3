#!/usr/bin/env python3
"""Records that are larger than a record may be: bad records as others are, and one of 300 MB where that is allowed."""
import csv
import gzip
import json
import resource

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
LIMIT = 100 * 1024
KEPT = 10000  # bytes of a record in the rejects file


def too_large(line):
    return f"line {line}: a record of more than {LIMIT} bytes: is a quote left open?"


def table():
    """Rows, of which some are too large, and what is told of these: line, record, offset, column, the record."""
    good, bad, text, line = [], [], "a,b,c\n", 2
    for record in range(1, 4001):
        row = f"{record},w{record},{record / 2}\n"
        if record == 1:
            row = '1,"' + "first\n" * 40000 + '",0\n'
        elif record == 2000:
            row = '2000,"' + ("x" * 99 + "\n") * 3000 + '",0\n'
        elif record == 2001:
            row = "2001," + "y" * LIMIT + "\n"
        elif record == 2002:  # as large as it may be
            row = "2002,," + "z" * (LIMIT - 7) + "\n"
        elif record == 4000:
            row = '4000,"' + "never closed\r\n" * 50000
        if len(row) > LIMIT:
            bad.append((line, record, len(text), 2, row))
        else:
            good.append(row)
        text += row
        line += row.count("\n")
    return text, good, bad


text, good, bad = table()
write("t.csv", text.encode())
packed = gzip.compress(text.encode())
options = ["--max-record-size", "100K", "--quote", '"', "--types", "a=int64,b=utf8,c=utf8"]
refuse("an error otherwise", ["convert", "t.csv", "-o", "no.stoa", *options], 1, f"t.csv: {too_large(2)}")
refuse("an error with --infer full", ["convert", "t.csv", "-o", "no.stoa", "--infer", "full", *options], 1, f"t.csv: {too_large(2)}")
outputs = set()
for jobs in "1238":
    for rows in "7", "1000", "100000":
        expect(f"left out, {jobs} jobs, units of {rows}", ["convert", "t.csv", "-o", "t.out", "--to", "csv", "--force", "--rejects",
                                                           "r.csv", "--jobs", jobs, "--row-group-rows", rows, *options], 5, "",
               lambda err: err.endswith(f"\n{len(bad)} bad records left out, {len(bad)} in r.csv\n"))
        outputs.add((cli.read("t.out"), cli.read("r.csv")))
        done = stoa("convert", "-", "-o", "p.out", "--to", "csv", "--force", "--rejects", "p.csv", "--jobs", jobs,
                    "--row-group-rows", rows, *options, stdin=packed)
        outputs.add((cli.read("p.out"), cli.read("p.csv").replace(b'"standard input"', b'"t.csv"')))
point("the same for any jobs, units and inputs", len(outputs) == 1)
point("the other rows", cli.read("t.out").decode() == "a,b,c\n" + "".join(good))
with open("r.csv", encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
for row, (line, record, offset, column, raw) in zip(rows, bad):
    point(f"what is told of record {record}", row == {
        "file": "t.csv", "member": "", "line": str(line), "record": str(record), "record_offset": str(offset),
        "byte_offset": str(offset), "column_index": str(column), "column_name": "b", "error": "record_too_large",
        "expected_type": "", "value": "", "raw_record": raw[:KEPT], "message": too_large(line)}, row)
point("no other", len(rows) == len(bad), len(rows))

# The text of such a record is lost, so the source can't be restored; the records around it are whole for --rejects-raw.
done = stoa("convert", "t.csv", "-o", "t.stoa", "--on-error", "skip", *options)
point("says that the text is not whole", done.code == 5 and
      "restorable: no, because rows or columns of it were left out" in done.err, done)
refuse("restore says why", ["restore", "t.stoa", "-o", "-"], 1,
       "t.stoa: source t.csv can't be written back: rows or columns of it were left out")
write("mixed.csv", "a,b,c\n1,x\n" + '2,"' + "long\n" * LIMIT + '",3\n4,y,5\n6,z\n')
done = stoa("convert", "mixed.csv", "-o", "mixed.stoa", "--rejects-raw", "raw.csv", "--rejects", "r.csv", "--force", *options)
point("--rejects-raw has those that are whole", cli.read("raw.csv") == b"1,x\n6,z\n", cli.read("raw.csv")[:100])
point("... and they are counted", done.err.endswith("\n3 bad records left out, 3 in r.csv, 2 in raw.csv\n"), done)
MIXED = ("convert", "mixed.csv", "-o", "mixed.stoa", "--force", "--json", "--progress", "never", *options, "--rejects-raw", "raw.csv")
for more, counts in ((("--rejects", "r.csv"), (3, 2, 0)), ((), (2, 2, 1)), (("--rejects-limit", "1"), (1, 1, 2)),
                     (("--rejects", "r.csv", "--rejects-limit", "2"), (2, 1, 1))):
    told = json.loads(stoa(*MIXED, *more).out)
    point(f"... with --json {' '.join(more)}", tuple(told[name] for name in ("rejected", "rejected_raw", "skipped")) == counts, told)
refuse("too many of them", ["convert", "t.csv", "-o", "no.stoa", "--on-error", "skip", "--max-errors", "2", *options], 1,
       f"t.csv: {too_large(bad[2][0])}; 2 bad records before it were left out, which is the limit")
for infer in "sample", "full", "none":
    done = stoa("convert", "t.csv", "-o", "t.out", "--to", "csv", "--force", "--on-error", "skip", "--infer", infer, *options[:4])
    point(f"with --infer {infer}", done.code == 5 and cli.read("t.out").count(b"\n") == len(good) + 1, done)

# A field of 300 MB, full of lines.
LINE = b"one of very many lines of a field, with , and ; in it\n"
NLINES = 300_000_000 // len(LINE)
with open("big.csv", "wb") as file:
    file.write(b'id,text,n\n1,small,2\n2,"')
    for _ in range(1000):
        file.write(LINE * (NLINES // 1000))
    file.write(b'",3\n4,last,5\n')
nbytes = len(LINE) * (NLINES // 1000) * 1000
expect("300 MB: converted", ["convert", "big.csv", "-o", "big.stoa", "--max-record-size", "512M", "--memory", "4G"], 0, "", None)
expect("300 MB: rows", ["cat", "big.stoa", "--select", "id,n"], 0, "id,n\n1,2\n2,3\n4,5\n")
done = stoa("restore", "big.stoa", "-o", "back.csv", "--memory", "4G")
point("300 MB: restored", done.code == 0 and cli.read("back.csv") == cli.read("big.csv"), done)
refuse("300 MB: too large otherwise", ["convert", "big.csv", "-o", "no.stoa"], 1,
       "big.csv: line 3: a record of more than 33554432 bytes: is a quote left open?")
done = stoa("convert", "big.csv", "-o", "no.stoa", "--max-record-size", "512M")
point("300 MB: more than the memory", done.code == 2 and done.err.count("\n") == 1 and "MiB of memory are too few" in done.err, done)
expect("300 MB: left out", ["convert", "big.csv", "-o", "-", "--to", "csv", "--on-error", "skip"], 5, "id,text,n\n1,small,2\n4,last,5\n",
       lambda err: "1 bad record left out" in err)


def little_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (160 << 20, 160 << 20))


if cli.IS_RELEASE:
    expect("300 MB: left out with little memory", ["convert", "big.csv", "-o", "-", "--to", "csv", "--on-error", "skip", "--jobs", "1"], 5,
           "id,text,n\n1,small,2\n4,last,5\n", lambda err: "1 bad record left out" in err, preexec_fn=little_memory)
else:
    cli.skip("300 MB: left out with little memory", cli.NO_RELEASE)
point("no litter", cli.litter("t.csv", "t.out", "r.csv", "p.out", "p.csv", "t.stoa", "mixed.csv", "mixed.stoa", "raw.csv", "big.csv",
                              "big.stoa", "back.csv") == [], cli.litter())
cli.end()
