"""The functions of libstoa.so that tables of pyarrow pass through, by ctypes.

Structs of Arrow are known by their address alone, those of Stoa by their size; both sides fill them in.
"""
import ctypes
import os

SCHEMA_NBYTES, ARRAY_NBYTES, STREAM_NBYTES = 72, 80, 40  # of Arrow's ABI, on 64 bits
FULL, BASIC, NONE = range(3)

library = ctypes.CDLL(os.path.join(os.environ["STOA_BUILD"], "libstoa.so"))


class Failed(Exception):
    """The message of a struct stoa_error."""


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("os_errno", ctypes.c_int), ("offset", ctypes.c_uint64),
                ("message", ctypes.c_char * 1024)]


def block(nbytes):
    """A zeroed struct and its address."""
    memory = ctypes.create_string_buffer(nbytes)
    memory.address = ctypes.addressof(memory)
    return memory


def call(name, *arguments):
    """A function that returns a status and ends with an error."""
    error = Error()
    words = [ctypes.c_void_p(a.address) if hasattr(a, "address") else a for a in arguments]
    if getattr(library, name)(*words, ctypes.byref(error)) != 0:
        raise Failed(error.message.decode())


def free(name, memory):
    getattr(library, name)(ctypes.c_void_p(memory.address))


class Schema:
    """A struct stoa_schema that was imported."""

    def __init__(self, arrow):
        self.memory = block(64)
        call("stoa_schema_import", arrow, self.memory)

    def __enter__(self):
        return self.memory

    def __exit__(self, *_):
        free("stoa_schema_reset", self.memory)


def through_memory(batch, check):
    """A record batch of pyarrow as a batch of Stoa, and that as a record batch."""
    import pyarrow
    schema, array = block(SCHEMA_NBYTES), block(ARRAY_NBYTES)
    schema_back, array_back, stoa_batch = block(SCHEMA_NBYTES), block(ARRAY_NBYTES), block(64)
    batch._export_to_c(array.address, schema.address)
    try:
        with Schema(schema) as stoa_schema:
            call("stoa_batch_import", array, schema, stoa_schema, check, stoa_batch)
            call("stoa_schema_export", stoa_schema, schema_back)
            call("stoa_batch_export", stoa_batch, array_back)
            return pyarrow.RecordBatch._import_from_c(array_back.address, schema_back.address)
    finally:
        for arrow in (schema, array):
            release(arrow)


def write_file(path, reader):
    """All batches of a RecordBatchReader as a file."""
    stream = block(STREAM_NBYTES)
    reader._export_to_c(stream.address)
    call("stoa_file_import", ctypes.c_char_p(os.fsencode(path)), None, stream)


def read_file(path):
    """A RecordBatchReader over a file."""
    import pyarrow
    stream = block(STREAM_NBYTES)
    call("stoa_file_export", ctypes.c_char_p(os.fsencode(path)), None, stream)
    return pyarrow.RecordBatchReader._import_from_c(stream.address)


def release(arrow):
    """What is left of an ArrowSchema or ArrowArray: release() is the member before the last."""
    function = ctypes.c_void_p.from_buffer(arrow, len(arrow) - 16)
    if function.value:
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function.value)(arrow.address)
