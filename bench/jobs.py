"""The jobs that are measured, and how each tool does them: the table JOBS at the end.

A library does its work in a process of its own, started as

    python jobs.py JOB INDEX SHAPE CSV OUT THREADS

where INDEX counts the rows of JOBS[JOB] and SHAPE is a key of tables.SHAPES. It imports first, then
takes the time of the work alone, and prints {"version", "seconds", "cpu_seconds"} as JSON. A
program is started as it is.

Every tool gets the settings that its documentation names as the fastest, and its defaults.
"""

import importlib
import json
import sys
import time
from typing import Callable, NamedTuple

import tables

MODULES = {
    "duckdb": ("duckdb",),
    "pyarrow": ("pyarrow", "pyarrow.csv", "pyarrow.parquet"),
    "polars": ("polars",),
}


class Work(NamedTuple):
    """What a library is asked to do."""

    shape: tables.Shape
    csv: str
    out: str
    threads: int


class Row(NamedTuple):
    peer: str
    settings: str
    suffix: str  # of the output
    argv: tuple = ()  # a program: its arguments, {csv} {out} {threads} filled in
    work: Callable = None  # a library: work(Work, **options)
    options: dict = {}


# ---- DuckDB ----

DUCKDB_TYPES = {"utf8": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE",
                "timestamp(s)": "TIMESTAMP", "timestamp(s,UTC)": "TIMESTAMPTZ"}


def sql_text(text):
    return "'" + text.replace("'", "''") + "'"


def duckdb_convert(w, typed=False, any_order=False, copy_options=""):
    import duckdb

    options = [sql_text(w.csv), f"nullstr = {sql_text(w.shape.null_text)}"]
    if typed:
        columns = ", ".join(f"{sql_text(name)}: {sql_text(DUCKDB_TYPES[kind])}"
                            for name, kind in w.shape.types.items())
        options += [f"columns = {{{columns}}}", "auto_detect = false", "header = true",
                    "delim = ','", "quote = '\"'", "escape = '\"'", "new_line = '\\n'"]
    db = duckdb.connect()
    db.execute(f"set threads = {w.threads}")
    if any_order:
        db.execute("set preserve_insertion_order = false")
    db.execute(f"copy (from read_csv({', '.join(options)})) to {sql_text(w.out)} "
               f"(format parquet, compression zstd{copy_options})")
    db.close()


# ---- pyarrow ----


def pyarrow_convert(w, typed=False):
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    types = {"utf8": pyarrow.string(), "int64": pyarrow.int64(), "float64": pyarrow.float64(),
             "timestamp(s)": pyarrow.timestamp("s"),
             "timestamp(s,UTC)": pyarrow.timestamp("s", "UTC")}
    pyarrow.set_cpu_count(w.threads)
    columns = {name: types[kind] for name, kind in w.shape.types.items()} if typed else None
    options = pyarrow.csv.ConvertOptions(column_types=columns, null_values=[w.shape.null_text])
    table = pyarrow.csv.read_csv(w.csv, convert_options=options)
    pyarrow.parquet.write_table(table, w.out, compression="zstd")


# ---- Polars; POLARS_MAX_THREADS is set by run.py, as it must stand before the import ----


def polars_convert(w, typed=False, any_order=False):
    import polars

    types = {"utf8": polars.String, "int64": polars.Int64, "float64": polars.Float64,
             "timestamp(s)": polars.Datetime("us"),
             "timestamp(s,UTC)": polars.Datetime("us", "UTC")}
    how = {"null_values": w.shape.null_text or None}
    if typed:
        how["schema"] = {name: types[kind] for name, kind in w.shape.types.items()}
    else:
        how["try_parse_dates"] = True  # else timestamps stay text, which is another result
    frame = polars.scan_csv(w.csv, **how)
    frame.sink_parquet(w.out, compression="zstd", maintain_order=not any_order)


# ---- The jobs ----

JOBS = {
    "convert": (
        Row("stoa", "types inferred, fsync", ".stoa",
            argv=("convert", "{csv}", "-o", "{out}", "--jobs", "{threads}")),
        Row("duckdb", "defaults, zstd 3", ".parquet", work=duckdb_convert),
        Row("duckdb", "any order, zstd 3", ".parquet",
            work=duckdb_convert, options={"any_order": True}),
        Row("duckdb", "types given, zstd 3", ".parquet",
            work=duckdb_convert, options={"typed": True}),
        Row("duckdb", "types given, any order, zstd 3", ".parquet",
            work=duckdb_convert, options={"typed": True, "any_order": True}),
        Row("duckdb", "types given, 1 Mi rows a group, zstd 3", ".parquet",
            work=duckdb_convert,
            options={"typed": True, "copy_options": ", row_group_size 1048576"}),
        Row("pyarrow", "defaults, zstd 1", ".parquet", work=pyarrow_convert),
        Row("pyarrow", "types given, zstd 1", ".parquet",
            work=pyarrow_convert, options={"typed": True}),
        Row("polars", "dates parsed, zstd 3", ".parquet", work=polars_convert),
        Row("polars", "types given, any order, zstd 3", ".parquet",
            work=polars_convert, options={"typed": True, "any_order": True}),
    ),
}


def main():
    job, index, shape, csv, out, threads = sys.argv[1:]
    row = JOBS[job][int(index)]
    for name in MODULES[row.peer]:
        importlib.import_module(name)
    work = Work(tables.SHAPES[shape], csv, out, int(threads))

    begin, cpu_begin = time.monotonic(), time.process_time()
    row.work(work, **row.options)
    seconds, cpu_seconds = time.monotonic() - begin, time.process_time() - cpu_begin

    print(json.dumps({"version": sys.modules[row.peer].__version__,
                      "seconds": seconds, "cpu_seconds": cpu_seconds}))


if __name__ == "__main__":
    main()
