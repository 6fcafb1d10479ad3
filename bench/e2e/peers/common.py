"""What several peers share: Arrow types by name, CSV read by pyarrow, predicates, checksums, the
clock, Avro files by libraries of C."""

import ctypes
import functools
import re
import time
from typing import NamedTuple

import pyarrow
import pyarrow.compute as compute
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet


class Work(NamedTuple):
    """What a library is asked to do."""

    types: dict  # column name -> type, in file order
    null_text: str
    csv: str
    out: str  # the file that is written, or read
    threads: int


class Clock:
    """The time inside of its `with` blocks."""

    def __init__(self):
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self):
        self.begin, self.cpu_begin = time.monotonic(), time.process_time()

    def __exit__(self, *_):
        self.seconds += time.monotonic() - self.begin
        self.cpu_seconds += time.process_time() - self.cpu_begin


ARROW_TYPES = {"utf8": pyarrow.string(), "int32": pyarrow.int32(), "int64": pyarrow.int64(),
               "float64": pyarrow.float64(), "date32": pyarrow.date32(),
               "decimal(15,2)": pyarrow.decimal128(15, 2), "timestamp(s)": pyarrow.timestamp("s"),
               "timestamp(s,UTC)": pyarrow.timestamp("s", "UTC")}


def mapped(kind, names, struct, list_of):
    """A type in a library's words: of `names`, struct([(name, type), ..]) or list_of(type)."""
    if kind.startswith("list<"):
        return list_of(mapped(kind[5:-1], names, struct, list_of))
    if not kind.startswith("struct<"):
        return names[kind]
    members, depth, begin = [], 1, len("struct<")
    for i, letter in enumerate(kind[begin:], begin):
        depth += (letter in "<(") - (letter in ">)")
        if depth == 0 or (depth == 1 and letter == ","):
            name, member = kind[begin:i].split(":", 1)
            members.append((name, mapped(member, names, struct, list_of)))
            begin = i + 1
    return struct(members)


def is_jsonl(path):
    return path.endswith(".jsonl")


def set_threads(threads):
    pyarrow.set_cpu_count(threads)
    pyarrow.set_io_thread_count(threads)


def csv_options(work, typed=True):
    types = {name: ARROW_TYPES[kind] for name, kind in work.types.items()} if typed else None
    return pyarrow.csv.ConvertOptions(column_types=types, null_values=[work.null_text],
                                      strings_can_be_null=True)


def read_text(work, typed=True):
    """The whole CSV, or JSON lines, as a table: the fastest way there is in pyarrow."""
    set_threads(work.threads)
    if is_jsonl(work.csv):
        schema = pyarrow.schema((name, mapped(kind, ARROW_TYPES, pyarrow.struct, pyarrow.list_))
                                for name, kind in work.types.items()) if typed else None
        return pyarrow.json.read_json(
            work.csv, parse_options=pyarrow.json.ParseOptions(explicit_schema=schema))
    return pyarrow.csv.read_csv(work.csv, convert_options=csv_options(work, typed))


def expression(where, types):
    """The predicate as pyarrow has it; literals get the column's type."""
    terms = []
    for column, op, value in where:
        literal = pyarrow.scalar(value, ARROW_TYPES[types[column]])
        field = compute.field(column)
        terms.append({">": field > literal, ">=": field >= literal, "<": field < literal}[op])
    return functools.reduce(lambda a, b: a & b, terms) if terms else None


def total_of(batches, column):
    """Rows and sum of one column over Arrow batches."""
    nrows, sums = 0, []
    for batch in batches:
        nrows += batch.num_rows
        sums.append(compute.sum(batch.column(column)).as_py())
    sums = [value for value in sums if value is not None]
    return nrows, sum(sums) if sums else None


# ---- Types, in Stoa's words. ----

NAMES = {"string": "utf8", "large_string": "utf8", "string_view": "utf8", "double": "float64",
         "date32[day]": "date32"}


def type_name(kind):
    if pyarrow.types.is_struct(kind):
        return f"struct<{','.join(f'{member.name}:{type_name(member.type)}' for member in kind)}>"
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    name = re.sub(r"^timestamp\[(.*)\]$", lambda m: f"timestamp({m[1].replace(', tz=', ',')})",
                  str(kind))
    name = re.sub(r"^decimal\d+\((\d+), (\d+)\)$", r"decimal(\1,\2)", name)
    return NAMES.get(name, name)


def describe(schema):
    return {field.name: type_name(field.type) for field in schema}


def describe_parquet(path):
    file = pyarrow.parquet.ParquetFile(path)
    return file.metadata.num_rows, describe(file.schema_arrow)


# ---- Checksums: equal for equal values, whatever the order of the rows and the width of types. ----


def checksum(array, null_text):
    """(nulls, a sum over the values), exact, of an array. A text may be null or what stands for a
    null in the CSV: there is no telling them apart, and tools differ."""
    kind = array.type
    if kind in TEXTS:
        return 0, sum_of_bytes(array.cast(pyarrow.large_string()).fill_null(null_text))
    values = array.drop_null()
    if pyarrow.types.is_decimal(kind):
        return array.null_count, compute.sum(values).as_py() or 0
    if pyarrow.types.is_timestamp(kind):
        values = values.cast(pyarrow.timestamp("us", kind.tz)).view(pyarrow.int64())
    elif pyarrow.types.is_date32(kind):
        values = values.view(pyarrow.int32())
    elif pyarrow.types.is_floating(kind):  # as bits; -0.0 counts as 0.0
        values = compute.add(values.cast(pyarrow.float64()), 0.0).view(pyarrow.int64())
    values = values.cast(pyarrow.int64())
    low = compute.sum(compute.bit_wise_and(values, 0xffffffff)).as_py() or 0
    high = compute.sum(compute.shift_right(values, 32)).as_py() or 0
    return array.null_count, (high << 32) + low


TEXTS = (pyarrow.string(), pyarrow.large_string(), pyarrow.string_view())


def sum_of_bytes(texts):
    """Of the bytes of all texts and, weighted, of their lengths."""
    _, offsets, data = texts.buffers()
    if len(texts) == 0:
        return 0
    ends = pyarrow.Array.from_buffers(pyarrow.int64(), texts.offset + len(texts) + 1,
                                      [None, offsets])
    begin, end = ends[texts.offset].as_py(), ends[texts.offset + len(texts)].as_py()
    if begin == end:
        return 0
    each = pyarrow.Array.from_buffers(pyarrow.uint8(), end - begin, [None, data], offset=begin)
    return compute.sum(each).as_py() + ((end - begin) << 40)


def checksums(batches, null_text):
    """Rows, and by column [nulls, sum] as text, of batches or tables."""
    nrows, sums = 0, {}
    for batch in batches:
        nrows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns):
            for chunk in getattr(column, "chunks", [column]):
                if isinstance(chunk.type, pyarrow.DictionaryType):
                    chunk = chunk.dictionary_decode()
                nulls, total = checksum(chunk, null_text)
                old = sums.get(name, (0, 0))
                sums[name] = (old[0] + nulls, old[1] + total)
    return nrows, {name: [nulls, str(total)] for name, (nulls, total) in sums.items()}


# ---- Avro files by a library of C: avro_work.h. ----

AVRO_MESSAGE_NBYTES = 1024


class AvroRead(ctypes.Structure):
    _fields_ = [("nrows", ctypes.c_uint64), ("sum", ctypes.c_int64)]


def summed_of(work, columns):
    """The column that proves that a file was read: the last one of ints that is wanted."""
    return [name for name in columns or work.types if work.types[name] == "int32"][-1]


def call_avro(function, *arguments):
    message = ctypes.create_string_buffer(AVRO_MESSAGE_NBYTES)
    if function(*arguments, message) != 0:
        raise RuntimeError(message.value.decode())


def avro_read(library, work, clock, columns):
    library, out = ctypes.CDLL(library), AvroRead()
    column = columns[0].encode() if columns else None
    with clock:
        call_avro(library.bench_avro_read, work.csv.encode(), column,
                  summed_of(work, columns).encode(), work.threads, ctypes.byref(out))
    return out.nrows, out.sum


def avro_write(library, work, clock, codec):
    library, rows = ctypes.CDLL(library), ctypes.c_void_p()
    call_avro(library.bench_avro_load, work.csv.encode(), ctypes.byref(rows))
    with clock:
        call_avro(library.bench_avro_write, rows, work.out.encode(), codec.encode())
    library.bench_avro_free(rows)
