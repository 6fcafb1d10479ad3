"""The rows of the bench: which systems do a job, with which settings.

A system is a module of peers/ with convert(Work, **options), describe(path) and a class Reader, and
a package of PyPI; `stoa` converts as a program. Those that are compared by Avro files have
avro_read() and avro_write(); avro-c has nothing else and comes from Debian. Files made by the rows
of CONVERT and SIZES are what the rows of QUERY read.

Settings are those that each documentation names as the fastest, and the defaults.
"""

from typing import NamedTuple

PACKAGES = {"duckdb": "duckdb", "pyarrow": "pyarrow", "polars": "polars", "vortex": "vortex-data",
            "lance": "pylance", "fastavro": "fastavro"}


class Row(NamedTuple):
    peer: str
    settings: str
    file: str  # of a QUERY row: the file that it reads; else the one that it makes
    options: dict = {}
    max_ncells: int = 0  # larger tables are left out, 0: none
    questions: tuple = ()  # of a QUERY row: those that it is asked, (): all

    @property
    def guesses_types(self):
        return self.file.startswith("guess")


TYPED = {"typed": True}
FAST = {"typed": True, "any_order": True}
MI_ROWS = ", row_group_size 1048576"
AVRO_MAX_NCELLS = 10_000_000  # seconds each time

# CSV to a file, timed.
CONVERT = (
    Row("stoa", "types inferred", "guess.stoa"),
    Row("stoa", "types given", "typed.stoa", TYPED),
    Row("stoa", "types given, level fast", "fast.stoa",
        TYPED | {"arguments": ["--level", "fast"]}),
    Row("duckdb", "defaults: snappy", "guess-snappy.duckdb.parquet"),
    Row("duckdb", "types given, any order, snappy", "snappy.duckdb.parquet", FAST),
    Row("duckdb", "types given, any order, not compressed", "none.duckdb.parquet",
        FAST | {"copy_options": ", compression uncompressed"}),
    Row("duckdb", "types given, any order, zstd 3", "zstd.duckdb.parquet",
        FAST | {"copy_options": ", compression zstd"}),
    Row("pyarrow", "defaults: snappy", "guess-snappy.pyarrow.parquet"),
    Row("pyarrow", "types given, snappy", "snappy.pyarrow.parquet", TYPED),
    Row("pyarrow", "types given, zstd 1", "zstd.pyarrow.parquet", TYPED | {"compression": "zstd"}),
    Row("polars", "dates parsed, else defaults: zstd 3", "guess-zstd.polars.parquet"),
    Row("polars", "types given, any order, zstd 3", "zstd.polars.parquet", FAST),
    Row("polars", "types given, any order, snappy", "snappy.polars.parquet",
        FAST | {"compression": "snappy"}),
    Row("polars", "types given, any order, lz4", "lz4.polars.parquet",
        FAST | {"compression": "lz4"}),
    Row("polars", "types given, any order, not compressed", "none.polars.parquet",
        FAST | {"compression": "uncompressed"}),
    Row("vortex", "types given, read by pyarrow", "vortex"),
    Row("lance", "types given, read by pyarrow", "lance"),
    Row("fastavro", "types given, read by pyarrow, deflate", "avro", {}, AVRO_MAX_NCELLS),
)

# More levels and settings, made once: their sizes, and how long that one time took.
SIZES = (
    Row("duckdb", "types given, zstd 3", "ordered.duckdb.parquet",
        TYPED | {"copy_options": ", compression zstd"}),
    Row("duckdb", "types given, zstd 9", "zstd9.duckdb.parquet",
        TYPED | {"copy_options": ", compression zstd, compression_level 9"}),
    Row("duckdb", "types given, 1 Mi rows a group, zstd 3", "zstd-1mi.duckdb.parquet",
        TYPED | {"copy_options": ", compression zstd" + MI_ROWS}),
    Row("duckdb", "types given, 1 Mi rows a group, zstd 9", "zstd9-1mi.duckdb.parquet",
        TYPED | {"copy_options": ", compression zstd, compression_level 9" + MI_ROWS}),
    Row("duckdb", "types given, own database", "table.duckdb", TYPED),
    Row("pyarrow", "types given, zstd 9", "zstd9.pyarrow.parquet",
        TYPED | {"compression": "zstd", "compression_level": 9}),
    Row("polars", "types given, zstd 3", "ordered.polars.parquet", TYPED),
    Row("polars", "types given, zstd 9", "zstd9.polars.parquet",
        TYPED | {"compression": "zstd", "compression_level": 9}),
    Row("vortex", "types given, compact", "compact.vortex", {"compact": True}),
)

# The CSV itself, compressed by programs: arguments, output to stdout.
COMPRESSED = (
    ("xz", "xz -6", ("xz", "-6", "-T2", "-c")),
    ("zstd", "zstd -3", ("zstd", "-3", "-q", "-c")),
    ("zstd", "zstd -9", ("zstd", "-9", "-T2", "-q", "-c")),
)

# From a compressed CSV, as one stream where the row does not say else; peers as in CONVERT.
PACKED = tuple(
    Row(peer, f"{settings}, from {codec}", f"from-{codec}.{file}", options | {"packed": codec})
    for codec in ("gz", "zst", "xz", "zip")
    for peer, settings, file, options, codecs in (
        ("stoa", "types inferred", "guess.stoa", {}, ("gz", "zst", "xz", "zip")),
        ("duckdb", "types given, any order, zstd 3", "zstd.duckdb.parquet",
         FAST | {"copy_options": ", compression zstd"}, ("gz", "zst")),
        ("pyarrow", "types given, zstd 1", "zstd.pyarrow.parquet", TYPED | {"compression": "zstd"},
         ("gz", "zst")),
        ("polars", "types given, any order, zstd 3", "zstd.polars.parquet", FAST, ("gz", "zst")),
    ) if codec in codecs)

# From JSON lines, and back.
JSONL_CONVERT = tuple(
    row._replace(settings=row.settings.replace("dates parsed, else defaults", "defaults"))
    for row in CONVERT if row.peer in ("stoa", "duckdb", "pyarrow", "polars"))
JSONL_WRITE = (
    Row("stoa", "convert", "typed.stoa"),
    Row("duckdb", "Parquet, zstd 3", "zstd.duckdb.parquet"),
    Row("polars", "Parquet, zstd 3", "zstd.polars.parquet"),
)

# A file written as CSV; of stoa also byte for byte as it was.
TEXT = (
    Row("stoa", "convert", "typed.stoa"),
    Row("stoa", "restore, hash checked", "guess.stoa", {"restore": True}),
    Row("duckdb", "Parquet, zstd 3", "ordered.duckdb.parquet"),
    Row("pyarrow", "Parquet, zstd 1", "zstd.pyarrow.parquet"),
    Row("polars", "Parquet, zstd 3", "ordered.polars.parquet"),
)

# Questions to a file in the order of the CSV, inside a process that has imported the library.
QUERY = (
    Row("stoa", "default", "typed.stoa"),
    Row("stoa", "level fast", "fast.stoa"),
    Row("duckdb", "Parquet, zstd 3, any order", "ordered.duckdb.parquet", {"any_order": True}),
    Row("duckdb", "own database", "table.duckdb"),
    Row("pyarrow", "Parquet, zstd 1, whole table", "zstd.pyarrow.parquet"),
    Row("pyarrow", "Parquet, snappy, whole table", "snappy.pyarrow.parquet"),
    Row("pyarrow", "Parquet, zstd 1, dataset", "zstd.pyarrow.parquet", {"dataset": True}),
    Row("polars", "Parquet, zstd 3", "ordered.polars.parquet"),
    Row("vortex", "default", "vortex"),
    Row("vortex", "compact", "compact.vortex"),
    Row("lance", "default", "lance"),
    # A record format without an index: every other question takes as long as a scan.
    Row("fastavro", "deflate", "avro", {}, AVRO_MAX_NCELLS, ("open", "scan")),
)

# The wide table: its files have row groups of few rows where that can be said.
WIDE_FILES = (
    Row("stoa", "", "wide.stoa", TYPED | {"arguments": ["--row-group-rows", "250"]}),
    Row("pyarrow", "", "wide.pyarrow.parquet",
        TYPED | {"compression": "zstd", "row_group_size": 250}),
    Row("duckdb", "", "wide.duckdb", TYPED),
    Row("vortex", "", "wide.vortex"),
    Row("lance", "", "wide.lance"),
)
WIDE = (
    Row("stoa", "groups of 250 rows", "wide.stoa"),
    Row("duckdb", "Parquet of pyarrow, groups of 250 rows", "wide.pyarrow.parquet"),
    Row("duckdb", "own database", "wide.duckdb"),
    Row("pyarrow", "Parquet, groups of 250 rows, ParquetFile", "wide.pyarrow.parquet"),
    Row("pyarrow", "Parquet, groups of 250 rows, dataset", "wide.pyarrow.parquet",
        {"dataset": True}),
    Row("polars", "Parquet of pyarrow, groups of 250 rows", "wide.pyarrow.parquet"),
    Row("vortex", "default", "wide.vortex"),
    Row("lance", "default", "wide.lance"),
)

# Avro files in a codec each, of fields that are never missing: what all others read.
AVRO_FILES = tuple(Row("fastavro", f"{codec}, blocks of 64 KiB", f"{codec}.avro",
                       {"codec": codec, "required": True})
                   for codec in ("null", "snappy", "deflate"))
AVRO = (
    Row("stoa", "batches of columns", ""),
    Row("avro-c", "value by value", ""),
    Row("fastavro", "records", ""),
    Row("polars", "one frame", ""),
)
AVRO_WRITE = (
    Row("stoa", "blocks of 128 KiB", ""),
    Row("avro-c", "blocks of 64 KiB, zlib 9", ""),
    Row("fastavro", "blocks of 64 KiB, zlib 6", ""),
    Row("polars", "one block", ""),
)


def maker_of(file):
    """The row that makes a file."""
    return next(row for row in CONVERT + SIZES + WIDE_FILES if row.file == file)
