#!/usr/bin/env python3
"""Avro files read as another schema: 5,000 generated pairs of schemas, resolved here and by fastavro.

A reader's schema is made beside the writer's: promoted, renamed with an alias, reordered, with fields less
and more, in unions and out of them. Where fastavro refuses the values, so must we. Left out is what it does
otherwise: of several branches that match it takes the first, where here one of the same type comes before a
promotion. So of the branches of a union at most one is a number, and one is text.
"""
import base64
import io
import json
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import peers

peers.need("fastavro")
import fastavro  # noqa: E402

STOA = os.environ["STOA"]
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
NPAIRS = int(5000 * SCALE)

print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)


def base64_of(value):
    """Defaults of bytes are text, a character a byte."""
    return base64.b64encode(value.encode("latin-1") if isinstance(value, str) else value).decode()


def text_of():
    return "".join(chance.choice("ab\u00e9\u20ac\U0001f600\n") for _ in range(chance.randrange(12)))


class Pair:
    """A writer's type, how its values are made, the reader's type, how its values are shown, and a default."""

    def __init__(self, writer, make, reader, show, default, family):
        self.writer, self.make, self.reader, self.show = writer, make, reader, show
        self.default, self.family = default, family


class Maker:
    def __init__(self):
        self.nnames = 0
        self.wrong = 0.02  # how often the two do not go together,
        self.misfit = False  # and whether they do not: fastavro sees that when a value comes

    def name(self):
        self.nnames += 1
        return f"n{self.nnames}"

    def number(self):
        kinds = ["int", "long", "float", "double"]
        writer = chance.randrange(4)
        reader = chance.randrange(writer, 4)
        if chance.random() < self.wrong:
            reader = chance.randrange(4)
            self.misfit |= reader < writer
        if writer < 2 and reader == 2:
            make = lambda: chance.randint(-2**20, 2**20)  # noqa: E731: what a float holds
        elif writer == 0:
            make = lambda: chance.choice([0, -1, 2**31 - 1, -2**31, chance.randint(-99, 99)])  # noqa: E731
        elif writer == 1:
            make = lambda: chance.choice([0, 2**63 - 1, -2**63, chance.getrandbits(40)])  # noqa: E731
        else:
            make = lambda: chance.randint(-2**20, 2**20) / 8  # noqa: E731
        return Pair(kinds[writer], make, kinds[reader], float if reader > 1 else int,
                    lambda: chance.randint(-99, 99) / (4 if reader > 1 else 1) if reader > 1 else chance.randint(-99, 99), "number")

    def text(self):
        writer, reader = chance.choice(["string", "bytes"]), chance.choice(["string", "bytes"])
        valid = writer == "string" or reader == "string"

        def make():
            if not valid:
                return chance.randbytes(chance.randrange(9))
            return text_of() if writer == "string" else text_of().encode()
        return Pair(writer, make, reader, base64_of if reader == "bytes" else str,
                    lambda: chance.choice(["", "ab", "\u00e9\u0001"]), "text")

    def boolean(self):
        return Pair("boolean", lambda: chance.random() < 0.5, "boolean", lambda v: v, lambda: True, "boolean")

    def rename(self, writer):
        """The reader's name and aliases for a named type."""
        if chance.random() < 0.6:
            return {"name": writer["name"]}
        return {"name": self.name(), "aliases": ["other", writer["name"]]}

    def enum(self):
        symbols = [f"s{i}" for i in range(chance.randint(1, 9))]
        writer = {"type": "enum", "name": self.name(), "symbols": symbols}
        known = [s for s in symbols if chance.random() < 0.9] + ["t1", "t2"]
        chance.shuffle(known)
        reader = {"type": "enum", **self.rename(writer), "symbols": known}
        if chance.random() < 0.8:
            reader["default"] = chance.choice(known)
        return Pair(writer, lambda: chance.choice(symbols), reader, str, lambda: chance.choice(known), "enum")

    def fixed(self):
        size = chance.randint(1, 20)
        writer = {"type": "fixed", "name": self.name(), "size": size}
        reader = {"type": "fixed", **self.rename(writer), "size": size}
        return Pair(writer, lambda: chance.randbytes(size), reader, base64_of, lambda: "\u00ff" * size, "fixed")

    def array(self, depth):
        items = self.any(depth + 1)
        return Pair({"type": "array", "items": items.writer}, lambda: [items.make() for _ in range(chance.randrange(4))],
                    {"type": "array", "items": items.reader}, lambda v: [items.show(x) for x in v],
                    lambda: [items.default() for _ in range(chance.randrange(3))], "array")

    def map(self, depth):
        values = self.any(depth + 1)
        return Pair({"type": "map", "values": values.writer},
                    lambda: {f"k{i}": values.make() for i in range(chance.randrange(4))},
                    {"type": "map", "values": values.reader},
                    lambda v: [{"key": key, "value": values.show(x)} for key, x in v.items()],
                    lambda: {f"d{i}": values.default() for i in range(chance.randrange(3))}, "map")

    def union(self, depth):
        """Either, both or none of the two have a union; nulls and branches that the reader lacks are refused."""
        kinds = ["number", "boolean", chance.choice(["text", "enum", "fixed"])]  # which Python tells apart
        if depth < 3:
            kinds += ["array", chance.choice(["record", "map"])]
        found = [getattr(self, kind)(*([depth + 1] if kind in ("array", "record", "map") else []))
                 for kind in chance.sample(kinds, chance.choice([1, 1, 1, 2, 3]))]
        only_writer = chance.random() < 0.1 and len(found) > 1
        readers = found[1:] if only_writer else list(found)
        writers = found[:1] if chance.random() < 0.2 and not only_writer else list(found)
        null_writer = chance.random() < 0.6 if len(writers) > 1 or chance.random() < 0.7 else False
        null_reader = null_writer or chance.random() < 0.5
        if null_writer and chance.random() < 0.1:
            null_reader = False
        chance.shuffle(writers)
        chance.shuffle(readers)
        plain_writer = len(writers) == 1 and not null_writer
        plain_reader = len(readers) == 1 and not null_reader

        def branches(pairs, null, side):
            out = [getattr(p, side) for p in pairs]
            if null:
                out.insert(chance.randrange(len(out) + 1), "null")
            return out

        def make():
            return None if null_writer and chance.random() < 0.3 else chance.choice(writers).make()

        def is_of(pair, v):
            if isinstance(v, bool):
                return pair.family == "boolean"
            if isinstance(v, (int, float)):
                return pair.family == "number"
            if isinstance(v, list):
                return pair.family == "array"
            return pair.family in (("record", "map") if isinstance(v, dict) else ("text", "enum", "fixed"))

        def show(v):
            if v is None:
                return None
            which = next(p for p in readers if is_of(p, v))
            if len(readers) == 1:
                return which.show(v)
            names = {id(p): p.reader if isinstance(p.reader, str) else p.reader.get("name", p.reader["type"]) for p in readers}
            out = {"tag": names[id(which)]}
            out.update({names[id(p)]: None for p in readers})
            out[names[id(which)]] = which.show(v)
            return out

        writer = writers[0].writer if plain_writer else branches(writers, null_writer, "writer")
        reader = readers[0].reader if plain_reader else branches(readers, null_reader, "reader")
        first = reader[0] if isinstance(reader, list) else None
        default = (lambda: None) if first == "null" else next(
            (p.default for p in readers if p.reader is first or first is None))
        return Pair(writer, make, reader, show, default, "union")

    def any(self, depth, in_union=False):
        pick = chance.randrange(12 if depth < 4 else 7)
        if pick == 7:
            return self.record(depth + 1)
        if pick == 8:
            return self.array(depth)
        if pick == 9:
            return self.map(depth)
        if pick > 9:
            return self.union(depth)
        return [self.number, self.number, self.text, self.text, self.boolean, self.enum, self.fixed][pick]()

    def record(self, depth):
        shared = [(f"f{i}", self.any(depth)) for i in range(chance.randint(0 if depth > 1 else 1, 4))]
        dropped = [(f"g{i}", self.any(depth)) for i in range(chance.choice([0, 0, 1, 2]))]
        added = [(f"h{i}", self.any(depth)) for i in range(chance.choice([0, 0, 1, 2]))]
        written = shared + dropped
        chance.shuffle(written)
        fields = []
        for name, pair in shared:
            field = {"name": name, "type": pair.reader}
            if chance.random() < 0.2:
                field = {"name": "r" + name, "aliases": ["q", name], "type": pair.reader}
            fields.append((field, pair))
        for name, pair in added:
            field = {"name": name, "type": pair.reader, "default": pair.default()}
            if chance.random() < self.wrong:
                del field["default"]
                self.misfit = True
            fields.append((field, pair))
        chance.shuffle(fields)
        writer = {"type": "record", "name": self.name(),
                  "fields": [{"name": name, "type": pair.writer} for name, pair in written]}
        names = {"name": writer["name"]} if depth == 1 else self.rename(writer)
        reader = {"type": "record", **names, "fields": [field for field, _ in fields]}
        return Pair(writer, lambda: {name: pair.make() for name, pair in written}, reader,
                    lambda v: {field["name"]: pair.show(v[field["name"]]) for field, pair in fields},
                    lambda: {field["name"]: pair.default() for field, pair in fields}, "record")


def expected_of(data, pair):
    """The rows as fastavro resolves them, or None where it does not."""
    try:
        rows = list(fastavro.reader(io.BytesIO(data), reader_schema=pair.reader))
    except (fastavro._read_common.SchemaResolutionError, UnicodeDecodeError):
        return None
    return [pair.show(row) for row in rows]


def rows_of(path, schema):
    done = subprocess.run([STOA, "convert", path, "--schema", schema, "-o", "-", "--to", "jsonl", "--jobs", "1"],
                          capture_output=True)
    if done.returncode != 0:
        return done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def check(case):
    """What is wrong with a pair; None: nothing."""
    path, schema, pair, data = case
    with open(path, "wb") as out:
        out.write(data)
    with open(schema, "w") as out:
        json.dump(pair.reader, out)
    got, expected = rows_of(path, schema), expected_of(data, pair)
    os.unlink(path)
    os.unlink(schema)
    refused = isinstance(got, str)
    if refused and (expected is None or pair.misfit) and any(
            why in got for why in (" of the file", "the file has no such field", "the text is not UTF-8")):
        return "refused", None
    if refused or got != expected:
        return "wrong", [json.dumps(pair.writer), json.dumps(pair.reader), str(got)[:600], str(expected)[:600]]
    return "read", None


def make_case(folder, i):
    maker = Maker()
    pair = maker.record(1)
    pair.misfit = maker.misfit
    rows = [pair.make() for _ in range(chance.randrange(1, 12))]
    data = io.BytesIO()
    fastavro.writer(data, fastavro.parse_schema(json.loads(json.dumps(pair.writer))), rows)
    return os.path.join(folder, f"{i}.avro"), os.path.join(folder, f"{i}.avsc"), pair, data.getvalue()


with tempfile.TemporaryDirectory(prefix="stoa-test-") as folder:
    cases = (make_case(folder, i) for i in range(NPAIRS))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(check, cases))

wrong = [detail for what, detail in results if what == "wrong"]
nread, nrefused = (sum(what == word for what, _ in results) for word in ("read", "refused"))
some = nread > NPAIRS / 2 and nrefused > 0
print("1..1")
for detail in wrong[:3]:
    for part in detail:
        print("#", part)
print(f"{'not ok' if wrong or not some else 'ok'} 1 - {NPAIRS} pairs of schemas, {nread} read, {nrefused} refused by both")
sys.exit(1 if wrong or not some else 0)
