#!/usr/bin/env python3
"""Avro files as inputs of the command. They are made here, block by block."""
import gzip
import json
import os
import zlib

from cli import end, point, stoa, work_in_a_folder

MARKER = b"0123456789abcdef"
SCHEMA = {"type": "record", "name": "trip", "fields": [
    {"name": "id", "type": "long"}, {"name": "city", "type": ["string", "null"]},
    {"name": "tags", "type": {"type": "array", "items": "string"}}]}


def number(x):
    x = x << 1 ^ x >> 63
    out = bytearray()
    while x >= 0x80:
        out.append(x & 0x7F | 0x80)
        x >>= 7
    return bytes(out) + bytes([x])


def text(s):
    return number(len(s)) + s


def row(i):
    city = number(1) if i % 7 == 0 else number(0) + text(b"town %d" % (i % 50))
    tags = b"".join(number(1) + text(b"t%d" % k) for k in range(i % 3))
    return number(i) + city + tags + number(0)


def header(codec, metadata=(), schema=SCHEMA):
    pairs = [(b"avro.schema", json.dumps(schema).encode()), (b"avro.codec", codec), *metadata]
    return b"Obj\x01" + number(len(pairs)) + b"".join(text(k) + text(v) for k, v in pairs) + number(0) + MARKER


def block(rows, codec):
    data = b"".join(map(row, rows))
    if codec == b"deflate":
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        data = packer.compress(data) + packer.flush()
    return number(len(rows)) + number(len(data)) + data + MARKER


def make(path, nrows, codec=b"deflate", block_nrows=500, metadata=()):
    with open(path, "wb") as out:
        out.write(header(codec, metadata))
        for i in range(0, nrows, block_nrows):
            out.write(block(range(i, min(i + block_nrows, nrows)), codec))


def shown(i):
    return {"id": i, "city": None if i % 7 == 0 else f"town {i % 50}", "tags": [f"t{k}" for k in range(i % 3)]}


def rows_of(done):
    return [json.loads(line) for line in done.out.split("\n") if line] if done.code == 0 else str(done)


work_in_a_folder()
N = 300000
make("x.avro", N, metadata=[(b"who", b"me"), (b"raw", b"\xff\x00")])
make("one.avro", N, codec=b"null", block_nrows=N)
make("few.avro", 1000, codec=b"null", block_nrows=300)
expected = [shown(i) for i in range(1000)]

done = stoa("schema", "x.avro")
point("schema: the columns of a file", done.code == 0 and "list<utf8 not null>" in done.out and "int64" in done.out, done)

for name in ("x", "one"):
    for jobs in ("1", "2"):
        stoa("convert", f"{name}.avro", "-o", f"{name}{jobs}.stoa", "--jobs", jobs)
    with open(f"{name}1.stoa", "rb") as a, open(f"{name}2.stoa", "rb") as b:
        point(f"{name}: the same bytes for one job and two", a.read() == b.read())
    count = stoa("count", f"{name}1.stoa", "--where", "city is null")
    point(f"{name}: every row", count.out == f"{(N + 6) // 7}\n" and stoa("count", f"{name}1.stoa").out == f"{N}\n", count)
    point(f"{name}: what was written is whole", stoa("verify", f"{name}1.stoa").code == 0)

kept = json.loads(stoa("schema", "x1.stoa", "--json").out)["metadata"]
point("the writer's schema, the codec and the metadata of the file are kept",
      kept == {"avro.schema": json.dumps(SCHEMA), "avro.codec": "deflate", "avro.text:who": "me", "avro.base64:raw": "/wA="}, kept)

done = stoa("convert", "few.avro", "-o", "-", "--to", "jsonl")
point("rows as JSON lines", rows_of(done) == expected, done)

done = stoa("convert", "few.avro", "-o", "-", "--to", "jsonl", "--select", "city,id", "--where", "id >= 990")
point("columns in another order, and a filter", rows_of(done) == [{"city": r["city"], "id": r["id"]} for r in expected[990:]], done)

with open("few.avro", "rb") as f:
    few = f.read()
done = stoa("convert", "-", "--from", "avro", "-o", "-", "--to", "jsonl", stdin=few)
point("a pipe", rows_of(done) == expected, done)

with gzip.open("few.avro.gz", "wb") as f:
    f.write(few)
done = stoa("convert", "few.avro.gz", "few.avro", "-o", "-", "--to", "jsonl")
point("a file that is compressed as a whole, beside another", rows_of(done) == expected + expected, done)

with open("no-ending", "wb") as f:
    f.write(few)
done = stoa("convert", "no-ending", "-o", "-", "--to", "jsonl")
point("known by its content", rows_of(done) == expected, done)

BEGINS = [i + len(MARKER) for i in range(len(few)) if few.startswith(MARKER, i)]

with open("cut.avro", "wb") as f:
    f.write(few[:-20])
done = stoa("convert", "cut.avro", "-o", "cut.stoa")
point("a file that is cut is an error, and leaves no output",
      done.code == 1 and done.err == f"stoa: cut.avro: the file ends at byte {len(few) - 20}, within block 3, which begins at byte {BEGINS[3]} with row 901\n"
      and not os.path.exists("cut.stoa"), done)

bad = few.replace(text(b"town 25"), text(b"town \xff5"), 1)
with open("bad.avro", "wb") as f:
    f.write(bad)
done = stoa("convert", "bad.avro", "-o", "bad.stoa")
point("a bad value is named by file, block, row and field",
      done.code == 1 and "bad.avro: block 0, at byte" in done.err and ": row 26, at byte" in done.err
      and done.err.endswith("of the data: field city: the text is not UTF-8\n"), done)
done = stoa("convert", "-", "-o", "bad.stoa", stdin=bad)
point("a pipe is named as it is for text", done.code == 1 and done.err.startswith("stoa: standard input: block 0, at byte"), done)

with open("empty.avro", "wb") as f:
    f.write(header(b"deflate") + block([], b"deflate") + number(0) + number(0) + MARKER + block([1], b"deflate"))
done = stoa("convert", "empty.avro", "-o", "-", "--to", "jsonl")
point("blocks without rows end nothing",
      rows_of(done) == [shown(1)] and "note: empty.avro: 1 block without rows passed over\n" in done.err, done)

with open("denied.avro", "wb") as f:
    f.write(header(b"null") + number(0) + number(3) + b"xyz" + MARKER + block([1], b"null"))
done = stoa("convert", "denied.avro", "-o", "-", "--to", "jsonl")
point("data of a block that says it has no rows is an error",
      done.code == 1 and done.err.endswith("block 0, at byte %d: bytes follow the last of its 0 rows\n" % (len(header(b"null")) + 2)), done)

# ---- Large rows ----

SIZES = (5, 10 << 20, 66 << 20, 3, 33 << 20, 70 << 20, 2)
large = b"".join(text(b"x" * n) for n in SIZES)
for codec in (b"null", b"deflate"):
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    stored = large if codec == b"null" else packer.compress(large) + packer.flush()
    with open("large.avro", "wb") as f:
        f.write(header(codec, schema="string") + number(len(SIZES)) + number(len(stored)) + stored + MARKER)
    for jobs in ("1", "2"):
        done = stoa("convert", "large.avro", "-o", "large.stoa", "--force", "--max-record-size", "80M", "--memory", "1G", "--jobs", jobs)
        point(f"large rows of {codec}, {jobs} jobs", done.code == 0, done)
        done = stoa("convert", "large.stoa", "-o", "-", "--to", "csv")
        point("... come back", done.out == "value\n" + "".join("x" * n + "\n" for n in SIZES), (done.code, len(done.out), done.err))
    for more, most in (([], 32 << 20), (["--max-record-size", "1M"], 1 << 20), (["--max-record-size", "66M"], 66 << 20)):
        done = stoa("convert", "large.avro", "-o", "no.stoa", *more)
        first = next(i for i, n in enumerate(SIZES) if len(text(b"x" * n)) > most)
        point(f"a row of {codec} of more than {most} bytes is refused",
              done.code == 1 and f": row {first + 1}, at byte " in done.err and done.err.endswith(
                  f" of the data: a row of more than {most} bytes (--max-record-size: 512M at the most)\n"), done)
del large, stored

# ---- Damaged files ----

kept = [r for i, r in enumerate(expected) if i // 300 != 0]
SIZE = BEGINS[1] - BEGINS[0]
with gzip.open("bad.avro.gz", "wb") as f:
    f.write(bad)
for name, args, stdin in (("a file", ["bad.avro"], None), ("a compressed file", ["bad.avro.gz"], None), ("a pipe", ["-", "--from", "avro"], bad)):
    done = stoa("convert", *args, "-o", "-", "--to", "jsonl", "--on-error", "skip-block", stdin=stdin)
    point(f"skip-block: {name}: the rows of whole blocks, and 5", done.code == 5 and [json.loads(x) for x in done.out.split("\n") if x] == kept, done)
    point(f"skip-block: {name}: what is lost is told",
          ": block 0, at byte " in done.err and f": row 26, at byte " in done.err
          and f"field city: the text is not UTF-8; left out: 1 block, {SIZE} bytes from byte {BEGINS[0]}, 300 rows\n" in done.err
          , done)
for jobs in ("1", "3"):
    done = stoa("convert", "bad.avro", "cut.avro", "few.avro", "-o", "kept.stoa", "--on-error", "skip-block", "--json", "--force", "--jobs", jobs)
    report = json.loads(done.out)
    lost = {k: v for k, v in report.items() if k.startswith("lost_")}
    point(f"skip-block: what is lost is counted, {jobs} jobs",
          done.code == 5 and report["rows"] == 700 + 900 + 1000
          and lost == {"lost_places": 2, "lost_blocks": 2, "lost_bytes": SIZE + len(few) - 20 - BEGINS[3], "lost_rows": 400, "lost_uncounted": 0},
          done)
done = stoa("convert", "bad.avro", "cut.avro", "-o", "kept.avro", "--on-error", "skip-block")
point("skip-block: a summary for people", done.code == 5 and "\n2 bad blocks left out, " in done.err and ", 400 rows\n" in done.err, done)
done = stoa("convert", "few.avro", "-o", "whole.stoa", "--on-error", "skip-block")
point("skip-block: nothing is lost of what is whole", done.code == 0 and "\n0 bad blocks left out\n" in done.err, done)
done = stoa("convert", "bad.avro", "cut.avro", "-o", "no.stoa", "--on-error", "skip-block", "--max-errors", "1")
point("skip-block: too much damage", done.code == 1 and "; blocks may be left out at 1 place, not at one more\n" in done.err
      and not os.path.exists("no.stoa"), done)
with open("t.csv", "w") as f:
    f.write("a\n1\n")
for args, why in ((["t.csv", "--on-error", "skip-block"], "only Avro files have blocks that can be left out (--on-error skip-block)"),
                  (["few.avro", "--on-error", "skip"], "no single row is left out of an Avro file, but the block that it is in: --on-error skip-block"),
                  (["few.avro", "--on-error", "skip-block", "--max-error-ratio", "0.1"],
                   "--max-error-ratio is of records of text: --max-errors counts the places where an Avro file is damaged"),
                  (["few.avro", "--max-errors", "3"],
                   "--max-errors counts the places where an Avro file is damaged, of which the first ends the run: --on-error skip-block")):
    done = stoa("convert", *args, "-o", "no.stoa")
    point(f"skip-block: refused: {why[:30]}", done.code == 2 and done.err == f"stoa: {why}\n", done)

with open("markers.avro", "wb") as f:
    f.write(header(b"null") + MARKER * 500_000)
done = stoa("convert", "markers.avro", "-o", "-", "--to", "jsonl", "--on-error", "skip-block")
point("skip-block: 8 MB of markers are places one behind the other, read once", done.code == 5 and done.out == "", done)

# ---- Large blocks of deflate, which are read as they come ----

BYTES = {"type": "record", "name": "one", "fields": [{"name": "b", "type": "bytes"}]}
packer = zlib.compressobj(0, zlib.DEFLATED, -15)
bare = packer.compress(text(bytes(4_400_000))) + packer.flush()
tails = []
for off in (-4, -3, -2, -1, 0, 1):
    short = (off - len(bare)) % 65536  # of what the row has more, so that the data end so near to 64 KiB
    packer = zlib.compressobj(0, zlib.DEFLATED, -15)
    data = packer.compress(text(bytes(4_400_000 + short))) + packer.flush()
    tails += [(off, tail, data + bytes(tail)) for tail in (0, 1, 2, 3, 4)]
for off, tail, data in tails:
    with open("tail.avro", "wb") as f:
        f.write(header(b"deflate", schema=BYTES) + number(1) + number(len(data)) + data + MARKER)
    done = stoa("count", "tail.avro")
    point(f"deflate: {tail} bytes behind its end, {off} from 64 KiB, are passed over", done.code == 0 and done.out == "1\n", done)

# ---- Splits ----

SIZES = [0, 1, BEGINS[1] - 16, BEGINS[1] - 15, len(few) - 5, len(few)]
parts = [stoa("convert", "few.avro", "-o", "-", "--to", "jsonl", "--split", f"{a}:{b}") for a, b in zip(SIZES, SIZES[1:])]
point("splits: each row once", [r for part in parts for r in rows_of(part)] == expected, parts)
point("splits: a block is of the split in which the marker before it begins", len(rows_of(parts[2])) == 300 and not rows_of(parts[0]), parts)
reports = [stoa("convert", "few.avro", "-o", "split.jsonl", "--force", "--json", "--jobs", jobs, "--split", f"{a}:{b}")
           for jobs in ("1", "3") for a, b in zip(SIZES, SIZES[1:])]
read = [json.loads(r.out)["input_bytes"] for r in reports]
point("splits: the bytes read are those of its blocks, and with the first the header",
      read == [0, BEGINS[1], BEGINS[2] - BEGINS[1], len(few) - BEGINS[2], 0] * 2, read, *reports)
for args, why in ((["few.avro.gz", "--split", "0:10"], "a split is of one file that is Avro as it stands, not compressed as a whole, and no pipe"),
                  (["few.avro.gz", "--split", "0:10", "--on-error", "skip-block"],
                   "a split is of one file that is Avro as it stands, not compressed as a whole, and no pipe"),
                  (["few.avro", "few.avro", "--split", "0:10"],
                   "a split is of one file that is Avro as it stands, not compressed as a whole, and no pipe"),
                  (["t.csv", "--split", "0:10"], "only an Avro file has splits (--split)"),
                  *((["few.avro", "--split", bad], f"--split {bad}: expected two offsets of bytes, the first below the second")
                    for bad in ("5", "5:", ":5", "5:5", "6:5", "1:2x", "0:99999999999999999999"))):
    done = stoa("convert", *args, "-o", "no.stoa")
    point(f"splits: refused: {' '.join(args)}", done.code == 2 and done.err.startswith(f"stoa: {why}"), done)

# 1,100 blocks of 1.4 KB, each of 64 rows of 8 KB: more than 512 MiB of text in 1.5 MB of file.
packer = zlib.compressobj(9, zlib.DEFLATED, -15)
same = packer.compress(text(b"<html>" + b"the same text again and again " * 270) * 64) + packer.flush()
with open("same.avro", "wb") as f:
    f.write(header(b"deflate", schema="string") + (number(64) + number(len(same)) + same + MARKER) * 1100)
for jobs in ("1", "2"):
    done = stoa("convert", "same.avro", "-o", f"same{jobs}.stoa", "--jobs", jobs)
    point(f"many blocks that become large are read, {jobs} jobs",
          done.code == 0 and stoa("count", f"same{jobs}.stoa").out == f"{64 * 1100}\n", done)

with open("hollow.avro", "wb") as f:
    f.write(header(b"null") + (number(0) + number(0) + MARKER) * 2 + block([1], b"null"))
done = stoa("convert", "hollow.avro", "-o", "-", "--to", "jsonl")
point("blocks without rows or data",
      rows_of(done) == [shown(1)] and "note: hollow.avro: 2 blocks without rows passed over\n" in done.err, done)

with open("none.avro", "wb") as f:
    f.write(header(b"null", schema={"type": "record", "name": "r", "fields": []}) + (number(60000) + number(0) + MARKER) * 40)
done = stoa("convert", "none.avro", "-o", "none.stoa", "--jobs", "4")
point("records without fields are rows, by any thread",
      done.code == 0 and stoa("count", "none.stoa").out == f"{60000 * 40}\n", done)

with open("other.avro", "wb") as f:
    f.write(header(b"null", schema="long"))
done = stoa("convert", "few.avro", "other.avro", "-o", "x.stoa")
point("inputs must be readable as the first one", done.code == 1 and done.err.startswith(
    "stoa: other.avro: with the schema of few.avro: ") and " of the file can't be read as record " in done.err, done)

for name, writer, data in (("first", {"a": "int", "b": "string"}, number(1) + number(1) + b"x"),
                           ("second", {"b": "bytes", "z": "null", "a": "int"}, number(1) + b"y" + number(2))):
    schema = {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in writer.items()]}
    with open(name + ".avro", "wb") as f:
        f.write(header(b"null", schema=schema) + number(1) + number(len(data)) + data + MARKER)
with open("reader.avsc", "w") as f:
    json.dump({"type": "record", "name": "r", "fields": [
        {"name": "c", "type": ["null", "double"], "aliases": ["a"]}, {"name": "d", "type": "int", "default": 7}]}, f)
done = stoa("convert", "first.avro", "second.avro", "-o", "-", "--to", "jsonl")
point("several schemas are read as the first one", rows_of(done) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], done)
done = stoa("convert", "first.avro", "second.avro", "--schema", "reader.avsc", "-o", "-", "--to", "jsonl")
point("or as one that is given", rows_of(done) == [{"c": 1.0, "d": 7}, {"c": 2.0, "d": 7}], done)

end()
