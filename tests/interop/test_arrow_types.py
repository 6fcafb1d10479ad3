#!/usr/bin/env python3
"""Tables of pyarrow into Stoa and back: every type comes back equal.

5,000 random schemas (STOA_TEST_SCALE multiplies them, STOA_TEST_SEED draws others), each with a few rows.
"""
import os
import random
import sys
import tempfile

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
NSCHEMAS = max(1, int(5000 * float(os.environ.get("STOA_TEST_SCALE", "1"))))


def check_memory(r):
    """One batch through the structs of the C data interface, at the three levels of checks."""
    for i in range(NSCHEMAS):
        schema = arrow_tables.random_schema(r)
        batch = arrow_tables.random_batch(r, schema, r.choice([0, 1, 7, 20, 40]))
        wrong = arrow_tables.difference(batch, libstoa.through_memory(batch, i % 3))
        if wrong:
            return f"schema {i}: {wrong}"
    return None


def check_files(r, folder):
    """Several batches through the C stream interface into a file, and out of it."""
    path = os.path.join(folder, "table.stoa")
    for i in range(NSCHEMAS):
        schema = arrow_tables.random_schema(r)
        batches = [arrow_tables.random_batch(r, schema, r.choice([0, 1, 7, 20, 40])) for _ in range(r.randint(0, 3))]
        libstoa.write_file(path, pa.RecordBatchReader.from_batches(schema, batches))
        wrong = arrow_tables.difference_of_tables(schema, batches, libstoa.read_file(path).read_all())
        os.unlink(path)
        if wrong:
            return f"schema {i}: {wrong}"
    return None


def check_exception(folder):
    """What Python raises in the middle of a stream is what the library says."""
    def batches():
        yield pa.record_batch({"a": [1]})
        raise ValueError("no more rows today")

    path = os.path.join(folder, "table.stoa")
    try:
        libstoa.write_file(path, pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), batches()))
    except libstoa.Failed as failed:
        return None if "no more rows today" in str(failed) and not os.path.exists(path) else str(failed)
    return "nothing failed"


print(f"# STOA_TEST_SEED={SEED}, pyarrow {pa.__version__}, {NSCHEMAS} schemas")
wrong = check_memory(random.Random(SEED))
cli.point("every type comes back equal through the C data interface", wrong is None, wrong)
with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
    wrong = check_files(random.Random(SEED + 1), folder)
    cli.point("every type comes back equal through C streams and a file", wrong is None, wrong)
    wrong = check_exception(folder)
    cli.point("an exception of a stream is told, and leaves no file", wrong is None, wrong)
cli.end()
