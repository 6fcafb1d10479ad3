#!/usr/bin/env python3
"""Avro files that fastavro writes, of generated schemas and values, in every codec: read as what was written,
and written again, straight or by way of a Stoa file, as what fastavro reads as the same."""
import base64
import io
import json
import os
import random
import subprocess
import sys
import tempfile

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


class Maker:
    """A schema and, beside each type, how a value is made and what it is as JSON of ours."""

    def __init__(self):
        self.nnames = 0

    def name(self):
        self.nnames += 1
        return f"n{self.nnames}"

    def plain(self):
        pick = chance.randrange(9)
        if pick == 0:
            return "boolean", lambda: chance.random() < 0.5, lambda v: v
        if pick == 1:
            return "int", lambda: chance.choice([0, -1, 2**31 - 1, -2**31, chance.randint(-99, 99)]), lambda v: v
        if pick == 2:
            return "long", lambda: chance.choice([0, 2**63 - 1, -2**63, chance.getrandbits(40)]), lambda v: v
        if pick == 3:
            return "float", lambda: chance.randint(-2**20, 2**20) / 8, lambda v: v
        if pick == 4:
            return "double", lambda: chance.uniform(-1e9, 1e9), lambda v: v
        if pick == 5:
            return "bytes", lambda: chance.randbytes(chance.randrange(9)), lambda v: base64.b64encode(v).decode()
        if pick == 6:
            return "string", lambda: "".join(chance.choice("ab\u00e9\u20ac\U0001f600\n\0") for _ in range(chance.randrange(40))), lambda v: v
        if pick == 7:
            symbols = [f"s{i}" for i in range(chance.randint(1, 9))]
            return {"type": "enum", "name": self.name(), "symbols": symbols}, lambda: chance.choice(symbols), lambda v: v
        size = chance.randint(1, 20)
        return ({"type": "fixed", "name": self.name(), "size": size}, lambda: chance.randbytes(size),
                lambda v: base64.b64encode(v).decode())

    def any(self, depth, in_union=False):
        pick = chance.randrange(8) if depth < 4 else 0
        if pick == 1:
            return self.record(depth + 1)
        if pick == 2:
            schema, make, shown = self.any(depth + 1)
            return ({"type": "array", "items": schema}, lambda: [make() for _ in range(chance.randrange(4))],
                    lambda v: [shown(x) for x in v])
        if pick == 3:
            schema, make, shown = self.any(depth + 1)
            return ({"type": "map", "values": schema}, lambda: {f"k{i}": make() for i in range(chance.randrange(4))},
                    lambda v: [{"key": key, "value": shown(x)} for key, x in v.items()])
        if pick in (4, 5) and not in_union:
            return self.nullable(depth)
        if pick == 6 and not in_union:
            return self.union()
        return self.plain()

    def nullable(self, depth):
        schema, make, shown = self.any(depth, in_union=True)
        branches = ["null", schema] if chance.random() < 0.5 else [schema, "null"]
        return branches, lambda: None if chance.random() < 0.4 else make(), lambda v: None if v is None else shown(v)

    def union(self):
        """Of kinds that Python tells apart."""
        schema, make, shown = self.record(3)
        members = [("int", lambda: chance.randrange(100), lambda v: v, lambda v: isinstance(v, int)),
                   ("string", lambda: "t", lambda v: v, lambda v: isinstance(v, str)),
                   (schema, make, shown, lambda v: isinstance(v, dict))]
        chance.shuffle(members)
        with_null = chance.random() < 0.5
        names = [m[0] if isinstance(m[0], str) else m[0]["name"] for m in members]

        def make_one():
            return None if with_null and chance.random() < 0.3 else chance.choice(members)[1]()

        def show(v):
            if v is None:
                return None
            which = next(i for i, m in enumerate(members) if m[3](v))
            out = {"tag": names[which]}
            out.update({name: None for name in names})
            out[names[which]] = members[which][2](v)
            return out
        return [m[0] for m in members] + (["null"] if with_null else []), make_one, show

    def record(self, depth):
        fields = [(f"f{i}", *self.any(depth)) for i in range(chance.randint(0 if depth > 1 else 1, 4))]
        schema = {"type": "record", "name": self.name(),
                  "fields": [{"name": name, "type": kind} for name, kind, _, _ in fields]}
        return (schema, lambda: {name: make() for name, _, make, _ in fields},
                lambda v: {name: shown(v[name]) for name, _, _, shown in fields})


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
        schema, make, shown = Maker().record(1)
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
