#!/usr/bin/env python3
"""Arrow's C interfaces against pyarrow: what it exports is imported and written to a file; the file comes back as a
stream that it imports, equal in schema and values, and equal to what `stoa cat -f jsonl` prints."""
import base64
import ctypes as c
import datetime
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
import pyarrow as pa  # noqa: E402

BUILD = os.environ["STOA_BUILD"]
STOA = os.environ["STOA"]
if os.path.basename(BUILD) != "release":
    print("1..0 # SKIP the library of a sanitizer cannot be loaded into Python")
    sys.exit(0)

NTABLES = max(1, int(200 * float(os.environ.get("STOA_TEST_SCALE", "1"))))
SEED = int(os.environ.get("STOA_TEST_SEED", "7"), 0)
UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
WORDS = ["", "a", "high", "low", "caf\u00e9", "\U0001f600", "a \"quoted\" word, with a comma", "x" * 300]
SYMBOLS = ["high", "low", "", "caf\u00e9"]
ENUM = 'enum(high,low,"",caf\u00e9)'

# ---- The library. ----

lib = c.CDLL(os.path.join(BUILD, "libstoa.so"))


class Error(c.Structure):
    _fields_ = [("status", c.c_int), ("os_errno", c.c_int), ("offset", c.c_uint64), ("message", c.c_char * 1024)]


class Options(c.Structure):
    _fields_ = [("columns", c.POINTER(c.c_char_p)), ("ncolumns", c.c_uint32), ("filter", c.c_void_p),
                ("limit", c.c_uint64), ("jobs", c.c_uint)]


class Sink(c.Structure):
    pass


Sink._fields_ = [("write", c.c_void_p),
                 ("commit", c.CFUNCTYPE(c.c_int, c.POINTER(Sink), c.POINTER(Error)))]


class StoaError(Exception):
    pass


def call(function, *args):
    err = Error()
    if function(*args, c.byref(err)) != 0:
        raise StoaError(err.message.decode())


def block(nbytes):
    """Zeroed memory for a struct: ArrowSchema 72, ArrowArray 80, ArrowArrayStream 40, a schema or batch 32 bytes."""
    return c.create_string_buffer(nbytes)


def write(path, batches):
    """Exports every batch to C, imports it and appends it to a file."""
    sink, writer = c.POINTER(Sink)(), c.c_void_p()
    arrow, schema = block(72), block(32)
    batches[0].schema._export_to_c(c.addressof(arrow))
    try:
        call(lib.stoa_schema_import, arrow, schema)
        call(lib.stoa_sink_create_file, path.encode(), c.c_bool(True), c.byref(sink))
        call(lib.stoa_writer_open, sink, schema, None, c.byref(writer))
        for check, batch in enumerate(batches):
            array, rows = block(80), block(32)
            batch._export_to_c(c.addressof(array))
            call(lib.stoa_batch_import, array, arrow, schema, check % 3, rows)
            call(lib.stoa_writer_append, writer, rows)
            lib.stoa_batch_reset(rows)
        call(lib.stoa_writer_finish, writer)
        call(sink.contents.commit, sink)
    finally:
        lib.stoa_writer_close(writer)
        lib.stoa_sink_close(sink)
        lib.stoa_schema_reset(schema)
        pa.Schema._import_from_c(c.addressof(arrow))  # releases it


def read(path, where=None, columns=None):
    """A scan of the file as a table, by way of its stream."""
    options, stream = Options(), block(40)
    options.filter = None
    if where is not None:
        found = c.c_void_p()
        call(lib.stoa_filter_parse, where.encode(), c.byref(found))
        options.filter = found.value
    if columns is not None:
        options.columns = (c.c_char_p * len(columns))(*(name.encode() for name in columns))
        options.ncolumns = len(columns)
    call(lib.stoa_file_export, path.encode(), c.byref(options), stream)
    lib.stoa_filter_free(c.c_void_p(options.filter))
    return pa.RecordBatchReader._import_from_c(c.addressof(stream)).read_all()


# ---- Generated tables. ----

def numbers(storage, low, high, final):
    """Random integers of a storage type, taken as another type of the same bits."""
    def make(r, n, nulls):
        near = r.choice([low, 0, high])
        values = [None if nulls and r.random() < 0.3 else
                  r.randint(low, high) if r.random() < 0.5 else min(high, max(low, near + r.randint(-3, 3)))
                  for _ in range(n)]
        return pa.array(values, storage).cast(final)
    return make


def choices(final, pick):
    def make(r, n, nulls):
        return pa.array([None if nulls and r.random() < 0.3 else pick(r) for _ in range(n)], final)
    return make


def floats(final, code):
    def pick(r):
        nbytes = struct.calcsize(code)
        special = [0.0, -0.0, float("inf"), float("-inf"), 1.5, 0.1]
        drawn = struct.unpack(code, r.randbytes(nbytes))[0]
        return r.choice(special) if drawn != drawn or r.random() < 0.5 else drawn
    return choices(final, pick)


def exact(precision, scale):
    def pick(r):
        digits = r.randint(-10 ** r.randint(1, precision) + 1, 10 ** r.randint(1, precision) - 1)
        return decimal.Decimal(digits).scaleb(-scale, decimal.Context(prec=40))
    return choices(pa.decimal128(precision, scale), pick)


def coded(index, values):
    def make(r, n, nulls):
        words = r.sample(values, r.randint(1, len(values)))
        codes = [None if nulls and r.random() < 0.3 else r.randrange(len(words)) for _ in range(n)]
        return pa.DictionaryArray.from_arrays(pa.array(codes, index), pa.array(words, pa.string()))
    return make


def identifiers(r, n, nulls):
    values = [None if nulls and r.random() < 0.3 else r.randbytes(16) for _ in range(n)]
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(values, pa.binary(16)))


def nothing(_, n, __):
    return pa.nulls(n)


DAY = 86400
TYPES = [nothing, choices(pa.bool_(), lambda r: r.random() < 0.5), floats(pa.float32(), "f"), floats(pa.float64(), "d"),
         identifiers, exact(38, 38), exact(38, 0), exact(9, 2), exact(1, 0)]
TYPES += [numbers(kind, -(1 << bits - 1), (1 << bits - 1) - 1, kind)
          for kind, bits in ((pa.int8(), 8), (pa.int16(), 16), (pa.int32(), 32), (pa.int64(), 64))]
TYPES += [numbers(kind, 0, (1 << bits) - 1, kind)
          for kind, bits in ((pa.uint8(), 8), (pa.uint16(), 16), (pa.uint32(), 32), (pa.uint64(), 64))]
TYPES += [numbers(pa.int32(), -719162, 2932896, pa.date32())]  # the years 1 to 9999
TYPES += [numbers(pa.int32() if unit in ("s", "ms") else pa.int64(), 0, DAY * 10 ** 9 // per - 1,
                  pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)) for unit, per in UNITS.items()]
TYPES += [numbers(pa.int64(), max(-62135596800 * 10 ** 9 // per, -(1 << 63)),
                  min(253402300799 * 10 ** 9 // per, (1 << 63) - 1), pa.timestamp(unit, zone))
          for unit, per in UNITS.items() for zone in (None, "UTC", "Europe/Paris")]
TYPES += [choices(kind, lambda r: r.choice(WORDS)) for kind in (pa.string(), pa.large_string())]
TYPES += [choices(kind, lambda r: r.randbytes(r.randrange(20))) for kind in (pa.binary(), pa.large_binary())]
TYPES += [choices(pa.binary(n), lambda r, n=n: r.randbytes(n)) for n in (1, 7, 16)]
TYPES += [coded(kind, WORDS) for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(),
                                          pa.int64(), pa.uint64())]
ENUM_TYPE = coded(pa.int16(), SYMBOLS)


def gen_batches(r, makers):
    """1 to 3 batches of one schema; many of their columns are slices of longer ones."""
    fields, batches = [], []
    nullable = [make is nothing or r.random() < 0.6 for make in makers]
    for _ in range(r.randint(1, 3)):
        n, columns = r.randrange(60), []
        for make, nulls in zip(makers, nullable):
            before, behind = r.randrange(20), r.randrange(20)
            columns.append(make(r, before + n + behind, nulls)[before:before + n])
        if not fields:
            for i, (make, nulls, column) in enumerate(zip(makers, nullable, columns)):
                metadata = {"stoa:type": ENUM} if make is ENUM_TYPE else r.choice([None, {"unit": "caf\u00e9", "k": ""}])
                fields.append(pa.field(f"column {i}", column.type, nulls, metadata))
        schema = pa.schema(fields, {"origin": "pyarrow"})
        batch = pa.RecordBatch.from_arrays(columns, schema=schema)
        begin = r.randrange(n + 1) if r.random() < 0.5 else 0
        batches.append(batch.slice(begin))
    return batches


def stored_field(field):
    """The field as it comes back: small offsets, text instead of a dictionary unless it is an enum."""
    kind = field.type
    if pa.types.is_dictionary(kind):
        is_enum = field.metadata and b"stoa:type" in field.metadata
        kind = pa.dictionary(pa.int32(), pa.string()) if is_enum else pa.string()
    elif pa.types.is_large_string(kind):
        kind = pa.string()
    elif pa.types.is_large_binary(kind):
        kind = pa.binary()
    return field.with_type(kind)


# ---- Equality. ----

def plain(column):
    """A column with values that Python compares exactly: bits of floats, texts of dictionaries, integers of times."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(pa.string()).to_pylist()
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return column.combine_chunks().view(pa.int32() if kind.bit_width == 32 else pa.int64()).to_pylist()
    if pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        return column.cast(pa.int32() if kind.bit_width == 32 else pa.int64()).to_pylist()
    return column.to_pylist()


def require(good, what):
    if not good:
        raise AssertionError(what)


def compare(batches, table):
    expected = pa.Table.from_batches(batches)
    fields = [stored_field(field) for field in expected.schema]
    require(table.schema.equals(pa.schema(fields, expected.schema.metadata), check_metadata=True),
            f"schema {table.schema} of {expected.schema}")
    table.validate(full=True)
    for name in expected.column_names:
        require(plain(expected[name]) == plain(table[name]), f"{name}: {expected[name].type}")


ISO = re.compile(r"(?:(\d+-\d\d-\d\d)T)?(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z?$")


def nanoseconds(text):
    day, hours, minutes, seconds, fraction = ISO.match(text).groups()
    days = (datetime.date.fromisoformat(day) - datetime.date(1970, 1, 1)).days if day else 0
    whole = ((days * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 10 ** 9 + int((fraction or "").ljust(9, "0"))


def from_json(kind, value):
    """What plain() gives, of a value as JSON lines have it."""
    if value is None:
        return None
    if pa.types.is_float32(kind):
        return struct.unpack("<i", struct.pack("<f", float(value)))[0]
    if pa.types.is_float64(kind):
        return struct.unpack("<q", struct.pack("<d", float(value)))[0]
    if pa.types.is_decimal(kind):
        return decimal.Decimal(value)
    if pa.types.is_date(kind):
        return datetime.date.fromisoformat(value)
    if pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        return nanoseconds(value) // UNITS[kind.unit]
    if kind == pa.uuid():
        return uuid.UUID(value)
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return base64.b64decode(value, validate=True)
    return value


def compare_json(path, table):
    lines = subprocess.run([STOA, "cat", "-f", "jsonl", path], check=True, capture_output=True).stdout
    rows = [json.loads(line, parse_float=decimal.Decimal) for line in lines.splitlines()]
    require(len(rows) == table.num_rows, f"{len(rows)} lines, {table.num_rows} rows")
    for field in table.schema:
        printed = [from_json(field.type, row[field.name]) for row in rows]
        require(printed == plain(table[field.name]), f"{field}: JSON lines differ")


# ---- Points. ----

def round_trips(folder):
    path = os.path.join(folder, "table.stoa")
    for i in range(NTABLES):
        r = random.Random(SEED * 1_000_003 + i)
        batches = gen_batches(r, [r.choice(TYPES + [ENUM_TYPE]) for _ in range(r.randint(1, 8))])
        try:
            write(path, batches)
            table = read(path)
            compare(batches, table)
            compare_json(path, table)
        except Exception as error:
            raise AssertionError(f"table {i} of STOA_TEST_SEED={SEED}: {batches[0].schema}: {error}") from error


def every_type(folder):
    path = os.path.join(folder, "table.stoa")
    for i, make in enumerate(TYPES + [ENUM_TYPE]):
        batches = gen_batches(random.Random(i), [make])
        write(path, batches)
        compare(batches, read(path))


def chosen_rows(folder):
    path = os.path.join(folder, "table.stoa")
    batch = pa.record_batch({"key": [f"k{i % 50}" for i in range(20000)], "row": list(range(20000))})
    write(path, [batch])
    table = read(path, "row >= 9000 and key = 'k7'", ["row", "key"])
    require(table.column_names == ["row", "key"], "columns")
    require(table["row"].to_pylist() == list(range(9007, 20000, 50)), "rows")
    require(set(table["key"].to_pylist()) == {"k7"}, "keys")


def arrays_outlive_the_file(folder):
    path = os.path.join(folder, "gone.stoa")
    write(path, [pa.record_batch({"row": list(range(1000)), "text": ["t"] * 1000})])
    column = read(path)["text"]
    os.remove(path)
    require(column.to_pylist() == ["t"] * 1000, "values")


def refusals(folder):
    union = pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    for name, column in (("dense union", union),
                         ("sparse union", pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]))):
        try:
            write(os.path.join(folder, "refused.stoa"), [pa.record_batch({"x": column})])
        except StoaError as error:
            require(str(error).startswith(f"column 1 (x): Arrow's type {name} ("), str(error))
        else:
            raise AssertionError(f"{name} is taken")


def missing_file(folder):
    try:
        read(os.path.join(folder, "none.stoa"))
    except StoaError as error:
        require(re.search("none.stoa: .*No such file", str(error)), str(error))
    else:
        raise AssertionError("there is a stream")


POINTS = [(f"{NTABLES} generated tables are the same after pyarrow, import, file, stream and pyarrow", round_trips),
          ("a column of every type is the same", every_type),
          ("a stream gives the rows and columns that were chosen", chosen_rows),
          ("arrays outlive stream and file", arrays_outlive_the_file),
          ("types that are not taken are refused by name", refusals),
          ("a file that is not there is named", missing_file)]
print(f"# pyarrow {pa.__version__}, STOA_TEST_SEED={SEED}")
print(f"1..{len(POINTS)}")
for number, (title, point) in enumerate(POINTS, 1):
    with tempfile.TemporaryDirectory() as scratch:
        try:
            point(scratch)
            print(f"ok {number} - {title}")
        except (AssertionError, StoaError, pa.ArrowException, subprocess.CalledProcessError) as problem:
            print("".join(f"# {line}\n" for line in str(problem).splitlines()), end="")
            print(f"not ok {number} - {title}")
