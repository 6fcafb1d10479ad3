#!/usr/bin/env python3
"""Avro files as outputs of the command: codecs, blocks, markers, what is kept, what is refused."""
import json
import os
import signal
import subprocess
import time

from cli import STOA, end, point, stoa, work_in_a_folder

MARKER = b"0123456789abcdef"


def number(x):
    x = x << 1 ^ x >> 63
    out = bytearray()
    while x >= 0x80:
        out.append(x & 0x7F | 0x80)
        x >>= 7
    return bytes(out) + bytes([x])


def text(s):
    return number(len(s)) + s


def take_number(data, at):
    x = shift = 0
    while True:
        x |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return x >> 1 ^ -(x & 1), at


def parse(path):
    """The metadata, the marker, and of each block its rows and stored bytes."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:4] == b"Obj\x01", path
    n, at = take_number(data, 4)
    metadata = {}
    for _ in range(n):
        pair = []
        for _ in range(2):
            size, at = take_number(data, at)
            pair.append(data[at:at + size])
            at += size
        metadata[pair[0].decode()] = pair[1]
    assert data[at] == 0
    marker, at, blocks = data[at + 1:at + 17], at + 17, []
    while at < len(data):
        nrows, at = take_number(data, at)
        size, at = take_number(data, at)
        assert data[at + size:at + size + 16] == marker, path
        blocks.append((nrows, size))
        at += size + 16
    return metadata, marker, blocks


def content(path):
    with open(path, "rb") as f:
        return f.read()


def rows_of(path, *more):
    done = stoa("convert", path, "-o", "-", "--to", "jsonl", *more)
    return [json.loads(line) for line in done.out.split("\n") if line] if done.code == 0 else str(done)


work_in_a_folder()
N = 200000
with open("t.csv", "w") as f:
    f.write("id,a b,when,x\n" + "".join(f"{i},town {i % 50},2024-01-02 03:04:{i % 60:02},{i / 8}\n" for i in range(N)))
expected = [{"id": i, "a b": f"town {i % 50}", "x": i / 8} for i in range(N)]


def values(rows):
    return [{k: r[k] for k in ("id", "a b", "x")} for r in rows] if isinstance(rows, list) else rows


for jobs in ("1", "2", "3", "8"):
    stoa("convert", "t.csv", "-o", f"t{jobs}.avro", "--jobs", jobs)
point("the same bytes for any number of jobs", len({content(f"t{jobs}.avro") for jobs in "1238"}) == 1)
metadata, marker, blocks = parse("t1.avro")
schema = json.loads(metadata["avro.schema"])
point("deflate, when nothing else is asked for", metadata["avro.codec"] == b"deflate" and sorted(metadata) == ["avro.codec", "avro.schema"], metadata)
point("a schema of the columns", schema["name"] == "t" and [f["name"] for f in schema["fields"]] == ["id", "a_b", "when", "x"] and
      schema["fields"][1] == {"name": "a_b", "type": ["null", "string"], "default": None, "stoa_name": "a b"}, schema)
point("every row, in blocks of about one size", sum(n for n, _ in blocks) == N and max(n for n, _ in blocks[:-1]) < 3 * min(n for n, _ in blocks[:-1]), blocks)
point("the rows come back, under their names", values(rows_of("t1.avro")) == expected)
point("schema --format avsc is what is written", json.loads(stoa("schema", "t.csv", "--format", "avsc").out) == schema)

for codec in ("null", "deflate", "snappy", "zstandard", "bzip2", "xz"):
    for jobs in ("1", "3"):
        done = stoa("convert", "t.csv", "-o", f"{codec}{jobs}.avro", "--codec", codec, "--jobs", jobs, "--where", "id < 30000")
    got = parse(f"{codec}1.avro")[0] if done.code == 0 else done
    point(f"{codec}: read as what was written, the same for one job and three",
          done.code == 0 and got["avro.codec"].decode() == codec and values(rows_of(f"{codec}1.avro")) == expected[:30000] and
          content(f"{codec}1.avro") == content(f"{codec}3.avro"), done)

sizes = []
for level in ("1", "19"):
    stoa("convert", "t.csv", "-o", f"level{level}.avro", "--codec", "zstandard", "--codec-level", level)
    sizes.append(os.path.getsize(f"level{level}.avro"))
point("a level", sizes[1] < sizes[0], sizes)
stoa("convert", "t.csv", "-o", "small.avro", "--codec", "null", "--block-size", "4K")
point("a block size", 1000 < min(size for _, size in parse("small.avro")[2][:-1]) <= max(size for _, size in parse("small.avro")[2]) < 8192)
for i in "12":
    stoa("convert", "t.csv", "-o", f"random{i}.avro", "--codec", "null", "--random-sync")
point("--random-sync: other markers, the same rows", parse("random1.avro")[1] != parse("random2.avro")[1] and
      parse("random1.avro")[2] == parse("random2.avro")[2])

done = stoa("convert", "t.csv", "-o", "few.avro", "--select", "x,id", "--where", "id < 5")
point("columns in another order, and a filter", rows_of("few.avro") == [{"x": i / 8, "id": i} for i in range(5)], done)
done = stoa("convert", "t.csv", "-o", "none.avro", "--where", "id < 0")
point("no rows: a header alone", done.code == 0 and parse("none.avro")[2] == [] and rows_of("none.avro") == [], done)
stoa("convert", "t.csv", "-o", "t.stoa")
stoa("convert", "t.stoa", "-o", "t.stoa.avro")
point("from a Stoa file", values(rows_of("t.stoa.avro")) == expected)
point("thin slices of many row groups share blocks",
      stoa("convert", "t.csv", "-o", "thin.stoa", "--row-group-rows", "1000").code == 0 and
      stoa("convert", "thin.stoa", "-o", "thin.avro", "--where", "\"a b\" = 'town 7'").code == 0 and
      len(parse("thin.avro")[2]) == 1 and parse("thin.avro")[2][0][0] == N // 50, parse("thin.avro")[2][:5])
done = subprocess.run([STOA, "convert", "t.csv", "-o", "-", "--to", "avro"], capture_output=True)
point("a pipe", done.returncode == 0 and done.stdout == content("t1.avro"), done.stderr)
done = stoa("convert", "few.avro", "few.avro", "-o", "two.avro")
point("many inputs", len(rows_of("two.avro")) == 10, done)
done = stoa("convert", "t.csv", "-o", "r.avro", "--json")
report = json.loads(done.out) if done.code == 0 else {}
point("a report", report.get("to") == "avro" and report.get("rows") == N and report.get("output_bytes") == os.path.getsize("r.avro"), done)

with open("n.jsonl", "w") as f:
    f.write('{"s":{"a":1,"b":[1,null]},"t":["x","y"]}\n{"s":null,"t":[]}\n{"s":{"a":null,"b":null},"t":null}\n')
stoa("convert", "n.jsonl", "-o", "n.avro", "--codec", "null")
point("nested columns", rows_of("n.avro") == rows_of("n.jsonl") and len(rows_of("n.avro")) == 3, rows_of("n.avro"))

# ---- What another program wrote ----
SCHEMA = {"type": "record", "name": "trip", "namespace": "city", "doc": "d", "fields": [
    {"name": "id", "type": "long", "x": [1]}, {"name": "city", "type": ["string", "null"], "aliases": ["town"]},
    {"name": "u", "type": ["null", "int", "string", {"type": "array", "items": "int"}]},
    {"name": "node", "type": {"type": "record", "name": "node", "fields": [
        {"name": "v", "type": "double"}, {"name": "b", "type": "bytes"}, {"name": "next", "type": ["node", "null"]}]}}]}


def row(i):
    city = number(1) if i % 7 == 0 else number(0) + text(b"town %d" % (i % 50))
    union = [number(0), number(1) + number(-i), number(2) + text(b"u"), number(3) + number(1) + number(i) + number(0)][i % 4]
    end_of_list = number(1)
    leaf = b"\0\0\0\0\0\0\xf8\x3f" + text(bytes([255, 0, i % 256])) + end_of_list
    return number(i) + city + union + (b"\0\0\0\0\0\0\xf0\x7f" + text(b"\"\\") + number(0) + leaf if i % 3 == 0 else leaf)


WRITER_SCHEMA = json.dumps(SCHEMA, indent=3).encode()
pairs = [(b"avro.schema", WRITER_SCHEMA), (b"avro.codec", b"null"), (b"who", b"me"), (b"raw", b"\xff\x00")]
HEADER = b"Obj\x01" + number(len(pairs)) + b"".join(text(k) + text(v) for k, v in pairs) + number(0) + MARKER
DATA = b"".join(map(row, range(1000)))
with open("w.avro", "wb") as f:
    f.write(HEADER + number(1000) + number(len(DATA)) + DATA + MARKER)


done = stoa("convert", "w.avro", "-o", "w.stoa")
for source in ("w.stoa", "w.avro"):
    done = stoa("convert", source, "-o", "again.avro", "--force")
    good = done.code == 0
    got, _, blocks = parse("again.avro") if good else ({}, b"", [])
    point(f"{source} -> Avro: the writer's schema, the codec and the metadata as they were", got == {k.decode(): v for k, v in pairs}, done, got)
    point(f"{source} -> Avro: every byte of the rows", good and DATA in content("again.avro") and len(blocks) == 1, blocks)
done = stoa("convert", "w.stoa", "-o", "part.avro", "--select", "u,node", "--codec", "snappy")
got = parse("part.avro")[0] if done.code == 0 else {}
point("some of the columns: a record of their fields", done.code == 0 and json.loads(got["avro.schema"].replace(b"city.node", b"node")) == {**SCHEMA, "fields": SCHEMA["fields"][2:]} and
      got["avro.codec"] == b"snappy" and got["who"] == b"me" and
      rows_of("part.avro") == rows_of("w.avro", "--select", "u,node"), done, got)
point("schema --format avsc is the writer's schema", stoa("schema", "w.stoa", "--format", "avsc").out.encode() == WRITER_SCHEMA + b"\n")

# ---- What can't be written ----
for name, args, code, message in (
        ("a codec that there is not", ["t.csv", "-o", "x.avro", "--codec", "gzip"], 2,
         'there is no codec "gzip": it is null, deflate, snappy, zstandard, bzip2 or xz'),
        ("a level that there is not", ["t.csv", "-o", "x.avro", "--codec", "xz", "--codec-level", "11"], 2, "the levels of the codec xz are 0 to 9"),
        ("a codec for another format", ["t.csv", "-o", "x.csv", "--codec", "null"], 2, "x.csv: a codec is for Avro files"),
        ("a level for another format", ["t.csv", "-o", "x.csv", "--codec-level", "3"], 2, "x.csv: the level of a codec is for Avro files"),
        ("blocks for another format", ["t.csv", "-o", "x.stoa", "--block-size", "64K"], 2, "x.stoa: a size of blocks is for Avro files"),
        ("a marker for another format", ["t.csv", "-o", "x.csv", "--random-sync"], 2, "x.csv: a random marker is for Avro files"),
        ("a file that is compressed as a whole", ["t.csv", "-o", "x.avro.gz"], 2, "x.avro.gz: an Avro file is compressed inside, not as a whole"),
        ("an output that exists", ["t.csv", "-o", "t1.avro"], 2, "t1.avro: exists already (--force replaces it)")):
    done = stoa("convert", *args)
    point(f"refused: {name}", done.code == code and done.err == f"stoa: {message}\n", done)

with open("far.avsc", "w") as f:
    json.dump({"type": "record", "name": "r", "fields": [{"name": "a", "type": "string", "stoa_type": "interval"}]}, f)
with open("far.csv", "w") as f:
    f.write("a\nP1M2D\nPT0.5S\n-P1D\n")
done = stoa("convert", "far.csv", "--schema", "far.avsc", "-o", "far.avro")
point("a value that Avro does not hold is named by its row, and leaves no output",
      done.code == 1 and done.err == "stoa: row 3: field a: Avro's duration can't be negative\n" and not os.path.exists("far.avro"), done)

process = subprocess.Popen([STOA, "convert", *["t.csv"] * 40, "-o", "killed.avro", "--codec", "xz"], stderr=subprocess.PIPE)
time.sleep(0.5)
process.send_signal(signal.SIGINT)
process.communicate()
point("an interrupted run leaves nothing", process.returncode == 130 and not [n for n in os.listdir(".") if "killed" in n], process.returncode, os.listdir("."))

if os.path.exists("/dev/full"):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([STOA, "convert", "t.csv", "-o", "-", "--to", "avro"], stdout=full, stderr=subprocess.PIPE)
    point("a full disk is an error", done.returncode == 3 and b"No space left" in done.stderr, done.stderr)

end()
