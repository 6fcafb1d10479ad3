#!/usr/bin/env python3
"""avro-c, by its programs avrocat and avromod, reads what is written here and writes what is read here, of generated
schemas and values. What it can't copy itself, such as arrays of records without fields, is left out, and counted. STOA_TEST_SCALE=42 makes
them 5,000."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import avro_values
import peers

if shutil.which("avrocat") is None:
    print("1..0 # SKIP no avrocat: the package avro-bin has it (.ci/deps interop)")
    sys.exit(0)
peers.need("fastavro")
import fastavro  # noqa: E402

STOA = os.environ["STOA"]
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
NFILES = int(120 * SCALE)
CODECS = ("null", "deflate", "snappy")

print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)


class Failed(Exception):
    """A program could not do its work."""


def run(*command):
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def avro_c(*command):
    """avro-c's programs tell of some errors without an exit status."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise Failed(f"{command[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def rows_of(path):
    text = run(STOA, "convert", path, "-o", "-", "--to", "jsonl").decode()
    return [json.loads(line) for line in text.split("\n") if line]


def compare(folder, rows, schema, shown, codec):
    """What is wrong with a table on its way to avro-c and back, or None; Failed when avro-c can't copy the original."""
    original, ours, theirs = (os.path.join(folder, name) for name in ("x.avro", "y.avro", "z.avro"))
    with open(original, "wb") as out:
        fastavro.writer(out, fastavro.parse_schema(schema), rows)
    expected = avro_c("avrocat", original)
    avro_c("avromod", f"--codec={codec}", original, theirs)
    if avro_c("avrocat", theirs) != expected:
        raise Failed(f"avromod loses rows of {schema}")
    try:
        if rows_of(theirs) != [shown(row) for row in rows]:
            return f"{codec}: what avro-c wrote is read as {rows_of(theirs)}"[:500]
        run(STOA, "convert", original, "-o", ours, "--codec", codec, "--force")
        if avro_c("avrocat", ours) != expected:
            return f"{codec}: what was written is read by avro-c as something else"
    except Failed as why:
        return f"{codec}: {why}"
    return None


wrong, refused = [], []
with tempfile.TemporaryDirectory(prefix="stoa-test-") as folder:
    for i in range(NFILES):
        schema, make, shown = avro_values.Maker(chance).record(1)
        rows = [make() for _ in range(chance.randrange(60))]
        try:
            bad = compare(folder, rows, schema, shown, CODECS[i % len(CODECS)])
        except Failed as why:
            refused.append(str(why))
            continue
        if bad is not None:
            wrong.append((i, json.dumps(schema)[:300], bad))

print("1..2")
for line in wrong[:3]:
    for part in line:
        print("#", part)
print(f"{'not ok' if wrong else 'ok'} 1 - {NFILES - len(refused)} files of generated schemas to avro-c and from it")
for line in refused[:3]:
    print("#", line[:300])
too_few = len(refused) > NFILES // 4
print(f"{'not ok' if too_few else 'ok'} 2 - avro-c can't copy few of the originals ({len(refused)})")
sys.exit(1 if wrong or too_few else 0)
