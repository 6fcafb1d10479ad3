"""Stoa: the library inside this process, through ctypes and Arrow's C stream interface.

stoa_rows.c has the few functions that are called; the paths of both libraries are in the
environment: STOA_LIBRARY, STOA_ROWS. Avro files are the affair of avro_stoa.c: AVRO_STOA.
"""

import ctypes
import decimal
import os

import pyarrow

from peers import common

MESSAGE_NBYTES, SUM_NBYTES = 1024, 144
PVOID = ctypes.c_void_p
# Room for Arrow's structs, whose fields only pyarrow and the library look at.
ARROW_STREAM, ARROW_SCHEMA, ARROW_ARRAY = (ctypes.c_uint64 * n for n in (5, 9, 10))

ctypes.CDLL(os.environ["STOA_LIBRARY"], mode=ctypes.RTLD_GLOBAL)
library = ctypes.CDLL(os.environ["STOA_ROWS"])
library.bench_open.argtypes = [ctypes.c_char_p, PVOID, ctypes.c_char_p]
library.bench_close.argtypes = [PVOID]
library.bench_close.restype = None
library.bench_shape.argtypes = [PVOID, PVOID, PVOID, ctypes.c_char_p]
library.bench_stream.argtypes = [PVOID, ctypes.c_uint, PVOID, ctypes.c_char_p]
library.bench_sum.argtypes = [PVOID, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, PVOID,
                              ctypes.c_char_p, ctypes.c_char_p]
library.bench_rows.argtypes = [PVOID, PVOID, ctypes.c_size_t, ctypes.c_uint, PVOID, PVOID,
                               ctypes.c_char_p]


def call(function, *arguments):
    message = ctypes.create_string_buffer(MESSAGE_NBYTES)
    if function(*arguments, message) != 0:
        raise RuntimeError(message.value.decode())


def where_text(where):
    return " and ".join(f'"{column}" {op} {literal(value)}' for column, op, value in where)


def literal(value):
    return str(value) if isinstance(value, (int, float)) else f"'{value}'"


class Reader:
    def __init__(self, work):
        self.work = work
        common.set_threads(work.threads)

    def open(self):
        file = PVOID()
        call(library.bench_open, self.work.out.encode(), ctypes.byref(file))
        return file

    def shape(self, file):
        ncolumns, nrows = ctypes.c_uint64(), ctypes.c_uint64()
        call(library.bench_shape, file, ctypes.byref(ncolumns), ctypes.byref(nrows))
        return ncolumns.value, nrows.value

    def scan(self, file):
        stream = ARROW_STREAM()
        call(library.bench_stream, file, self.work.threads, stream)
        yield from pyarrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))

    def total(self, file, column, where):
        nrows, text = ctypes.c_uint64(), ctypes.create_string_buffer(SUM_NBYTES)
        call(library.bench_sum, file, column.encode(), where_text(where).encode() or None,
             self.work.threads, ctypes.byref(nrows), text)
        return nrows.value, decimal.Decimal(text.value.decode()) if text.value else None

    def rows(self, file, numbers):
        wanted = (ctypes.c_uint64 * len(numbers))(*numbers)
        schema, array = ARROW_SCHEMA(), ARROW_ARRAY()
        call(library.bench_rows, file, wanted, len(numbers), self.work.threads, schema, array)
        return pyarrow.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))

    def close(self, file):
        library.bench_close(file)


def avro_read(work, clock, columns=None):
    return common.avro_read(os.environ["AVRO_STOA"], work, clock, columns)


def avro_write(work, clock, codec):
    common.avro_write(os.environ["AVRO_STOA"], work, clock, codec)
