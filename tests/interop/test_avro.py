#!/usr/bin/env python3
"""Avro files that fastavro writes, of generated schemas and values, in every codec: read as what was written,
and written again, straight or by way of a Stoa file, as what fastavro reads as the same. STOA_TEST_SCALE=42 makes them 5,000."""
import io
import json
import os
import random
import subprocess
import sys
import tempfile

import avro_values
import peers

peers.need("fastavro")
import fastavro  # noqa: E402

STOA = os.environ["STOA"]
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
NFILES = int(120 * SCALE)

print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)


def codecs():
    """Those that fastavro can write here: some need another package."""
    found = []
    for codec in ("null", "deflate", "snappy", "zstandard", "bzip2", "xz"):
        try:
            fastavro.writer(io.BytesIO(), "int", [1], codec=codec)
            found.append(codec)
        except ValueError:
            pass
    return found


def rows_of(path):
    done = subprocess.run([STOA, "convert", path, "-o", "-", "--to", "jsonl"], capture_output=True)
    if done.returncode != 0:
        return done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def everything_of(path):
    """Rows, the schema's text and the metadata of a file, as fastavro reads them."""
    with open(path, "rb") as file:
        reader = fastavro.reader(file, return_record_name=True)
        return [list(reader), {k: v for k, v in reader.metadata.items() if k != "avro.codec"}, reader.codec]


def written_again(path, codec):
    """What becomes of a file on two ways; what is wrong, or None."""
    before = everything_of(path)
    other = chance.choice(usable)
    folder, steps = os.path.dirname(path), [(path, "y.stoa", []), ("y.stoa", "y.avro", []), (path, "z.avro", ["--codec", other])]
    for source, target, more in steps:
        done = subprocess.run([STOA, "convert", os.path.join(folder, source), "-o", os.path.join(folder, target), "--force", *more],
                              capture_output=True)
        if done.returncode != 0:
            return done.stderr.decode()
    for name, expected in (("y.avro", codec), ("z.avro", other)):
        got = everything_of(os.path.join(folder, name))
        if repr(got[0]) != repr(before[0]) or got[1:] != [before[1], expected]:
            return f"{name}: {got}"[:600]
    return None


wrong, again = [], []
usable = codecs()
with tempfile.TemporaryDirectory(prefix="stoa-test-") as folder:
    path = os.path.join(folder, "x.avro")
    for i in range(NFILES):
        schema, make, shown = avro_values.Maker(chance).record(1)
        rows = [make() for _ in range(chance.randrange(60))]
        codec = chance.choice(usable)
        with open(path, "wb") as out:
            fastavro.writer(out, fastavro.parse_schema(schema), rows, codec=codec, metadata={"made by": "fastavro"},
                            sync_interval=chance.choice([1, 100, 16000]))
        got, expected = rows_of(path), [shown(row) for row in rows]
        if got != expected:
            wrong.append((i, codec, json.dumps(schema)[:300], str(got)[:300], str(expected)[:300]))
        bad = written_again(path, codec)
        if bad is not None:
            again.append((i, codec, json.dumps(schema)[:300], bad))

print("1..2")
for line in wrong[:3]:
    for part in line:
        print("#", part)
print(f"{'not ok' if wrong else 'ok'} 1 - {NFILES} files of generated schemas, of {', '.join(usable)}")
for line in again[:3]:
    for part in line:
        print("#", part)
print(f"{'not ok' if again else 'ok'} 2 - written again with the same schema, metadata and values")
sys.exit(1 if wrong or again else 0)
