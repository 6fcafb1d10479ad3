#!/usr/bin/env python3
"""Tables of pyarrow as text: `stoa cat` prints every value of every type, nested ones as JSON.

500 random schemas (STOA_TEST_SCALE multiplies them, STOA_TEST_SEED draws others). What the JSON says is taken apart
by Python alone and compared with pyarrow's values.
"""
import base64
import decimal
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import uuid

import peers

peers.need("pyarrow")
if os.path.basename(os.environ["STOA_BUILD"]) != "release":
    print("1..0 # SKIP the library of a sanitizer cannot be loaded into Python")
    sys.exit(0)

import pyarrow as pa  # noqa: E402

import arrow_tables  # noqa: E402
import libstoa  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import cli  # noqa: E402

SEED = int(os.environ.get("STOA_TEST_SEED", "20261122"))
NSCHEMAS = max(1, int(500 * float(os.environ.get("STOA_TEST_SCALE", "1"))))
FLOATS = {16: "<e", 32: "<f", 64: "<d"}
PER_SECOND = {"s": 1, "ms": 10 ** 3, "us": 10 ** 6, "ns": 10 ** 9}
SPAN = re.compile(r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d+)?)S)?)?")


def span_of(text):
    """Months, days and nanoseconds of an ISO 8601 span."""
    years, months, days, hours, minutes, seconds = SPAN.fullmatch(text).groups("0")
    whole = 3600 * int(hours) + 60 * int(minutes) + decimal.Decimal(seconds)
    return 12 * int(years) + int(months), int(days), int(whole.scaleb(9))


def float_is(bits, nbits, json_value):
    """Whether a number or word reads back as these bits; every NaN is one."""
    form = FLOATS[nbits]
    value = struct.unpack(form, (bits % (1 << nbits)).to_bytes(nbits // 8, "little"))[0]
    if value != value:
        return json_value == "NaN"
    return struct.pack(form, float(json_value)) == struct.pack(form, value) and (
        isinstance(json_value, decimal.Decimal) or abs(value) == float("inf"))


def leaf_is(type_, value, found):
    if pa.types.is_floating(type_):
        return float_is(value, type_.bit_width, found)
    if pa.types.is_integer(type_) or pa.types.is_boolean(type_):
        return type(found) is type(value) and found == value
    if pa.types.is_decimal(type_):
        return isinstance(found, (int, decimal.Decimal)) and decimal.Decimal(found) == value
    if pa.types.is_duration(type_):
        return span_of(found) == (0, 0, value * (10 ** 9 // PER_SECOND[type_.unit]))
    if pa.types.is_interval(type_):
        return span_of(found) == tuple(value)
    if isinstance(type_, pa.BaseExtensionType):
        return found == str(uuid.UUID(bytes=value))
    if isinstance(value, bytes):
        return base64.b64decode(found, validate=True) == value
    if isinstance(value, str):
        return found == value
    return isinstance(found, str)  # dates and times: tests/interop/test_arrow.py reads them


def value_is(type_, value, found):
    """Whether a value of arrow_tables.values_of() is what the JSON says."""
    if value is None or found is None:
        return value is None and found is None
    if pa.types.is_struct(type_):
        fields = [type_.field(i) for i in range(type_.num_fields)]
        return [field.name for field in fields] == list(found) and all(
            value_is(field.type, part, found[field.name]) for field, part in zip(fields, value))
    if pa.types.is_map(type_):
        return len(value) == len(found) and all(
            list(entry) == ["key", "value"] and value_is(type_.key_type, key, entry["key"])
            and value_is(type_.item_type, item, entry["value"]) for (key, item), entry in zip(value, found))
    if pa.types.is_nested(type_):
        return len(value) == len(found) and all(value_is(type_.value_type, *pair) for pair in zip(value, found))
    return leaf_is(type_, value, found)


def stoa(*words):
    return subprocess.run([os.environ["STOA"], *words], capture_output=True, check=False)


def check_json(r, path):
    """What is wrong with the JSON lines of a random table, or None."""
    schema = arrow_tables.random_schema(r)
    batch = arrow_tables.random_batch(r, schema, r.choice([1, 7, 40]))
    libstoa.write_file(path, pa.RecordBatchReader.from_batches(schema, [batch]))
    done = stoa("cat", "-f", "jsonl", path)
    rows = [json.loads(line, parse_float=decimal.Decimal) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(rows) != batch.num_rows:
        return f"{len(rows)} of {batch.num_rows} rows, {done.stderr.decode()}"
    for i, field in enumerate(arrow_tables.stored_schema(schema)):
        for row, value in zip(rows, arrow_tables.values_of(batch.column(i))):
            if not value_is(field.type, value, row[field.name]):
                return f"{field}: {value} became {row[field.name]}"
    return None


def check_forms(path):
    """Nested cells of a table are JSON; CSV has no form for them and says what has."""
    table = pa.table({"id": [1], "tags": [[{"a": 1}, None]]})
    libstoa.write_file(path, table.to_reader())
    shown = stoa("cat", "-f", "table", path)
    if shown.returncode != 0 or shown.stdout.split()[-2:] != [b"1", b'[{"a":1},null]']:
        return False, str(shown)
    for words in (("cat", "-f", "csv", path), ("cat", "-f", "tsv", path), ("convert", path, "-o", path + ".csv")):
        done = stoa(*words)
        told = b"stoa: column tags: CSV can't hold list<struct<a:int64>> but as JSON text (--nested json); JSON lines (jsonl) can\n"
        if done.returncode != 2 or done.stdout or done.stderr != told or os.path.exists(path + ".csv"):
            return False, str(done)
    return True, ""


print(f"# STOA_TEST_SEED={SEED}, pyarrow {pa.__version__}, {NSCHEMAS} schemas")
with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
    path, wrong, i = os.path.join(folder, "table.stoa"), None, 0
    random_ = random.Random(SEED)
    while wrong is None and i < NSCHEMAS:
        if os.path.exists(path):
            os.unlink(path)
        wrong, i = check_json(random_, path), i + 1
    cli.point("JSON lines say what pyarrow's values are", wrong is None, f"schema {i - 1}: {wrong}")
    os.unlink(path)
    cli.point("tables show nested cells as JSON, CSV refuses them", *check_forms(path))
cli.end()
