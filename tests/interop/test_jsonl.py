#!/usr/bin/env python3
"""JSON lines against DuckDB and Polars, both ways: what they read and Stoa reads of one text is the same, and each reads what the other
wrote. Tables are generated, flat and nested; the text is made by Python's json, with blanks, escapes, keys in any order and keys that are missing.

Timestamps are of microseconds, which all of them have. DuckDB takes names without their case, so no two differ by that alone.
"""
import datetime
import json
import os
import random
import subprocess
import sys

import peers

peers.need("duckdb")
import duckdb  # noqa: E402

try:
    import polars
except ImportError:
    polars = None
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import cli  # noqa: E402
from cli import point, stoa  # noqa: E402

cli.work_in_a_folder()
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)
TEXTS = ("", "a", "two words", 'a "quote"', "back\\slash", "é€", "\U0001f600", "line\nend\r\t", "\x01\x1f", "/", "x" * 70, "null", "12")
NUMBERS = (0, 1, -1, 2**53 + 1, -2**63, 2**63 - 1, 12345678)
FLOATS = (0.0, -0.5, 1.25, 73.996198, 1e300, -1e-7, 0.1, 123456789012345.6, 5e-324)
EPOCH = datetime.datetime(1970, 1, 1)

# ---- Types: a name of SCALARS, {name: type} or [type]. ----


def a_timestamp():
    return EPOCH + datetime.timedelta(microseconds=chance.randrange(-10**15, 4 * 10**15))


SCALARS = {  # how a value is drawn, Stoa's name, DuckDB's, Polars'
    "int": (lambda: chance.choice(NUMBERS + (chance.randrange(-10**6, 10**6),)), "int64", "BIGINT", "Int64"),
    "float": (lambda: chance.choice(FLOATS + (chance.randrange(-10**9, 10**9) / 10**chance.randrange(7),)), "float64", "DOUBLE", "Float64"),
    "text": (lambda: chance.choice(TEXTS), "utf8", "VARCHAR", "String"),
    "bool": (lambda: chance.random() < 0.5, "bool", "BOOLEAN", "Boolean"),
    "time": (a_timestamp, "timestamp(us)", "TIMESTAMP", "Datetime"),
}


def a_type(depth):
    kind = chance.randrange(4) if depth else 0
    if kind < 2:
        return chance.choice(list(SCALARS))
    if kind == 2:
        return [a_type(depth - 1)]
    return {f"m{i}": a_type(depth - 1) for i in range(chance.randrange(1, 4))}


def stoa_type(kind):
    if isinstance(kind, list):
        return f"list<{stoa_type(kind[0])}>"
    if isinstance(kind, dict):
        return f"struct<{','.join(f'{name}:{stoa_type(member)}' for name, member in kind.items())}>"
    return SCALARS[kind][1]


def duckdb_type(kind):
    if isinstance(kind, list):
        return f"{duckdb_type(kind[0])}[]"
    if isinstance(kind, dict):
        return f"STRUCT({', '.join(f'{name} {duckdb_type(member)}' for name, member in kind.items())})"
    return SCALARS[kind][2]


def polars_type(kind):
    if isinstance(kind, list):
        return polars.List(polars_type(kind[0]))
    if isinstance(kind, dict):
        return polars.Struct({name: polars_type(member) for name, member in kind.items()})
    return getattr(polars, SCALARS[kind][3])


# ---- Values. ----


def a_value(kind):
    if chance.random() < 0.15:
        return None
    if isinstance(kind, list):
        return [a_value(kind[0]) for _ in range(chance.randrange(4))]
    if isinstance(kind, dict):
        return {name: a_value(member) for name, member in kind.items()}
    return SCALARS[kind][0]()


def as_json(value):
    """What json.dumps takes; members that are null are missing at times, and in any order."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec=chance.choice(("auto", "microseconds")))
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        members = [(name, as_json(member)) for name, member in value.items() if member is not None or chance.random() < 0.5]
        chance.shuffle(members)
        return dict(members)
    return value


def text_of(rows):
    separators = chance.choice(((",", ":"), (", ", ": "), ("\t, ", " : ")))
    return "".join(json.dumps(as_json(row), ensure_ascii=chance.random() < 0.5, separators=separators) + "\n" for row in rows)


def from_json(value, kind):
    if value is None:
        return None
    if isinstance(kind, list):
        return [from_json(item, kind[0]) for item in value]
    if isinstance(kind, dict):
        return {name: from_json(value[name], member) for name, member in kind.items()}
    if kind == "time":
        return datetime.datetime.fromisoformat(value)
    return float(value) if kind == "float" else value


# ---- Who reads and writes. ----


def stoa_rows(path, types):
    """The rows of a file as Stoa prints them, every member named."""
    done = subprocess.run([cli.STOA, "cat", path, "-f", "jsonl"], capture_output=True, check=True)
    return [{name: from_json(row[name], kind) for name, kind in types.items()} for row in map(json.loads, done.stdout.splitlines())]


def duckdb_source(path, types):
    columns = ", ".join(f"'{name}': '{duckdb_type(kind)}'" for name, kind in types.items())
    return f"read_json('{path}', columns = {{{columns}}}, format = 'newline_delimited')"


def duckdb_rows(path, types):
    with duckdb.connect() as db:
        return [dict(zip(types, row)) for row in db.execute(f"from {duckdb_source(path, types)}").fetchall()]


def duckdb_write(path, types, out):
    with duckdb.connect() as db:
        db.execute("set preserve_insertion_order = true")
        db.execute(f"copy (from {duckdb_source(path, types)}) to '{out}' (format json)")


def polars_frame(path, types):
    return polars.read_ndjson(path, schema={name: polars_type(kind) for name, kind in types.items()})


def polars_rows(path, types):
    return polars_frame(path, types).to_dicts()


def polars_write(path, types, out):
    polars_frame(path, types).write_ndjson(out)


PEERS = {"DuckDB": (duckdb_rows, duckdb_write)}
if polars is not None:
    PEERS["Polars"] = (polars_rows, polars_write)


def differ(got, want):
    """The first row that is another one, for whoever reads why a point failed."""
    if got == want:
        return None
    return next(((i, a, b) for i, (a, b) in enumerate(zip(got, want)) if a != b), (len(got), len(want)))


def check(name, types, rows):
    cli.write("in.jsonl", text_of(rows).encode())
    cli.write("types.json", json.dumps({"stoa_schema": 1, "fields": [
        {"name": column, "type": stoa_type(kind)} for column, kind in types.items()]}).encode())
    wrong = []

    def same(what, got):
        why = differ(got, rows)
        if why is not None:
            wrong.append(f"{what}: {types}\n{why}")

    def convert(source, out, *how):
        done = stoa("convert", source, "-f", "-o", out, *how)
        if done.code != 0:
            wrong.append(f"{source} {how}: {done.err}")
        return done.code == 0

    if convert("in.jsonl", "given.stoa", "--schema", "types.json"):
        same("Stoa, types given", stoa_rows("given.stoa", types))
        convert("given.stoa", "out.jsonl")
        convert("given.stoa", "packed.jsonl.zst")
    if convert("in.jsonl", "guessed.stoa"):  # a column that is always null, or has no member, is of no type
        same("Stoa, types inferred", [widen(row, types) for row in stoa_plain("guessed.stoa")])
    for peer, (read, write) in PEERS.items():
        same(f"{peer}: what Python wrote", read("in.jsonl", types))
        same(f"{peer}: what Stoa wrote", read("out.jsonl", types))
        if peer == "DuckDB":
            same(f"{peer}: what Stoa wrote, zst", read("packed.jsonl.zst", types))
        write("in.jsonl", types, "peer.jsonl")
        if convert("peer.jsonl", "back.stoa", "--schema", "types.json"):
            same(f"Stoa: what {peer} wrote", stoa_rows("back.stoa", types))
    point(name, not wrong, *wrong[:2])


def stoa_plain(path):
    done = subprocess.run([cli.STOA, "cat", path, "-f", "jsonl"], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def widen(value, kind):
    """A value of an inferred column as one of the type: members that no row has are null."""
    if value is None:
        return None
    if isinstance(kind, list):
        return [widen(item, kind[0]) for item in value]
    if isinstance(kind, dict):
        return {name: widen(value.get(name), member) for name, member in kind.items()}
    return from_json(value, kind)


for i in range(round(12 * SCALE)):
    flat = {f"c{k} é": chance.choice(list(SCALARS)) for k in range(chance.randrange(1, 9))}
    nested = {f"n{k}": a_type(3) for k in range(chance.randrange(1, 6))}
    for name, types in (("flat", flat), ("nested", nested)):
        check(f"{name} {i}", types, [{column: a_value(kind) for column, kind in types.items()} for _ in range(chance.choice((1, 30, 700)))])
cli.end()
