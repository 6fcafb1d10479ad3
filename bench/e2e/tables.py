"""The tables that are measured: how each is made, its types, and the questions asked of it.

Types are written as in Stoa's schema files. A file that holds the same values under weaker types
(timestamps left as text, decimals as floats) is not the same result, so what comes out of a peer is
compared with them. A table is made once and kept in bench/data; where its bytes are the same
everywhere, their SHA-256 stands here and is checked when it is made.
"""

import datetime
import hashlib
import itertools
import json
import lzma
import pathlib
import random
import shutil
import subprocess
from typing import Callable, NamedTuple

import places


class Query(NamedTuple):
    """sum(column) of the rows for which all of `where` holds."""

    column: str
    where: tuple  # of (column, one of > >= <, value)


class Table(NamedTuple):
    name: str
    title: str  # for the README
    nrows: int
    types: dict  # column name -> type, in file order
    null_text: str  # what stands for a missing value
    write: Callable  # write(out): out is a binary file
    queries: dict = {}  # name -> Query
    sha256: str = ""  # of the text, "" where it is not the same everywhere
    jobs: tuple = ("convert", "sizes", "query")
    typed_only: str = ""  # why the types must be given: rows that guess them are left out
    suffix: str = "csv"  # of the text: a key of TEXTS
    quick: bool = False

    @property
    def key(self):
        """Names its files."""
        return f"{self.name}-quick" if self.quick else self.name

    @property
    def text(self):
        """What its file is."""
        return TEXTS[self.suffix]


TEXTS = {"csv": "CSV", "jsonl": "JSON lines"}


def path_of(table):
    """Path of the table as text; written under another name first, so a kill leaves no half."""
    path = places.DATA / f"{table.key}.{table.suffix}"
    if not path.exists():
        places.say(f"writing {path.name}")
        part = path.with_suffix(".part")
        try:
            with open(part, "wb") as out:
                table.write(out)
        except (OSError, subprocess.CalledProcessError) as why:
            raise places.NotRun(f"the table cannot be made: {why}") from why
        if table.sha256 and sha256_of(part) != table.sha256:
            raise places.NotRun(f"{part.name} is not the table that it was: SHA-256 differs")
        part.rename(path)
    return path


# Each by the program of that name with its defaults, but as many threads as it can use.
PACKERS = {"gz": ("gzip", "-c"), "zst": ("zstd", "-q", "-c"), "xz": ("xz", "-T2", "-c"),
           "zip": ("python3", "-c", "import sys, zipfile\n"
                   "with zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED) as out, "
                   "out.open('table.csv', 'w', force_zip64=True) as member:\n"
                   "    while block := sys.stdin.buffer.read(1 << 20):\n"
                   "        member.write(block)")}


def packed_path_of(table, codec, may_make):
    """Path of the table as compressed CSV, kept."""
    csv = path_of(table)
    path = csv.with_suffix(f".csv.{codec}")
    if not path.exists():
        if not may_make:
            raise places.NotRun("compressing takes minutes: --prepare does it")
        places.say(f"writing {path.name}")
        part = path.with_suffix(".part")
        with open(csv, "rb") as text, open(part, "wb") as out:
            subprocess.run(PACKERS[codec], stdin=text, stdout=out, check=True)
        part.rename(path)
    return path


def sha256_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


# ---- Taxi trips: made by a program, deterministic. ----

TRIP_TYPES = {
    "medallion": "utf8",
    "hack_license": "utf8",
    "vendor_id": "utf8",
    "rate_code": "int64",
    "store_and_fwd_flag": "utf8",
    "pickup_datetime": "timestamp(s)",
    "dropoff_datetime": "timestamp(s)",
    "passenger_count": "int64",
    "trip_time_in_secs": "int64",
    "trip_distance": "float64",
    "pickup_longitude": "float64",
    "pickup_latitude": "float64",
    "dropoff_longitude": "float64",
    "dropoff_latitude": "float64",
}


def at(text):
    return datetime.datetime.fromisoformat(text)


def between(column, low, high):
    return ((column, ">=", low), (column, "<", high))


TRIP_QUERIES = {
    "1% scattered": Query("trip_time_in_secs", (("trip_distance", ">", 10.6),)),
    "10% scattered": Query("trip_time_in_secs", (("trip_distance", ">", 4.6),)),
    "1% in a range": Query("trip_time_in_secs", between(
        "pickup_datetime", at("2013-01-16 00:00:00"), at("2013-01-16 08:00:00"))),
    "10% in a range": Query("trip_time_in_secs", between(
        "pickup_datetime", at("2013-01-16 00:00:00"), at("2013-01-19 02:00:00"))),
}
TRIPS_5M_SHA256 = "a484a112a46aadb7b57f6cf5e735a569835909e33af8e3117b078145f3fe8c75"


def trips(scale):
    nrows = round(5_000_000 * scale)

    def write(out):
        subprocess.run([places.BUILD / "bench/gen_trips", str(nrows)], stdout=out, check=True)

    return Table("trips", "Taxi trips", nrows, TRIP_TYPES, "", write, TRIP_QUERIES,
                 TRIPS_5M_SHA256 if nrows == 5_000_000 else "",
                 ("convert", "packed", "text", "sizes", "query"))


# ---- Flights out of New York: the archives of fixtures/, once and ten times over. ----

FLIGHT_TYPES = {
    "year": "int64",
    "month": "int64",
    "day": "int64",
    "dep_time": "int64",
    "sched_dep_time": "int64",
    "dep_delay": "int64",
    "arr_time": "int64",
    "sched_arr_time": "int64",
    "arr_delay": "int64",
    "carrier": "utf8",
    "flight": "int64",
    "tailnum": "utf8",
    "origin": "utf8",
    "dest": "utf8",
    "air_time": "int64",
    "distance": "int64",
    "hour": "int64",
    "minute": "int64",
    "time_hour": "timestamp(s,UTC)",
}
FLIGHT_QUERIES = {
    "1% scattered": Query("distance", (("dep_delay", ">", 191),)),
    "10% scattered": Query("distance", (("dep_delay", ">", 49),)),
    "1% in a range": Query("distance", between(
        "time_hour", at("2013-01-05 00:00:00+00:00"), at("2013-01-08 16:00:00+00:00"))),
    "10% in a range": Query("distance", between(
        "time_hour", at("2013-01-05 00:00:00+00:00"), at("2013-02-12 00:00:00+00:00"))),
}
FLIGHT_NROWS = {12: 336_776, 1: 27_004}  # of so many months


def flight_table(name, title, scale, ntimes, **more):
    """The year, or one month where that is too much."""
    nmonths = 12 if scale == 1 else 1
    archives = sorted((places.ROOT / "fixtures").glob("flights-2013-*.csv.xz"))[:nmonths]
    return Table(name, title, FLIGHT_NROWS[nmonths] * ntimes, FLIGHT_TYPES, "NA",
                 lambda out: write_flights(out, archives, ntimes), **more)


def write_flights(out, archives, ntimes):
    for time in range(ntimes):
        for i, path in enumerate(archives):
            with lzma.open(path) as month:
                header = month.readline()
                if time == 0 and i == 0:
                    out.write(header)
                shutil.copyfileobj(month, out, 1 << 20)


def flights(scale):
    return flight_table("flights", "Flights", scale, 1, queries=FLIGHT_QUERIES)


def flights_x10(scale):
    return flight_table("flights-x10", "Flights, ten times over", scale, 10, jobs=("convert",))


# ---- Three million flights of 2001, from the npm package vega-datasets. ----

FLIGHT_3M_TYPES = {
    "date": "timestamp(s)",
    "delay": "int64",
    "distance": "int64",
    "origin": "utf8",
    "destination": "utf8",
}
FLIGHT_3M_QUERIES = {
    "1% scattered": Query("distance", (("delay", ">", 139),)),
    "10% scattered": Query("distance", (("delay", ">", 35),)),
    "1% in a range": Query("distance", between(
        "date", at("2001-01-05 00:00:00"), at("2001-01-07 00:00:00"))),
    "10% in a range": Query("distance", between(
        "date", at("2001-01-05 00:00:00"), at("2001-01-23 00:00:00"))),
}
VEGA_DATASETS = "vega-datasets@3.2.1"
FLIGHTS_3M_SHA256 = "dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0"
PARQUET_TO_CSV = """
import sys, pyarrow, pyarrow.csv, pyarrow.parquet
table = pyarrow.parquet.read_table(sys.argv[1]).slice(0, int(sys.argv[2]))
table = table.set_column(0, "date", table["date"].cast(pyarrow.timestamp("s")))
options = pyarrow.csv.WriteOptions(quoting_style="needed")
pyarrow.csv.write_csv(table, sys.stdout.buffer, options)
"""


def flights_3m(scale):
    nrows = round(3_000_000 * scale)

    def write(out):
        places.install("pyarrow")
        parquet = places.DATA / "flights-3m.parquet"
        if not parquet.exists():
            places.from_npm(VEGA_DATASETS, "package/data/flights-3m.parquet", parquet)
        if sha256_of(parquet) != FLIGHTS_3M_SHA256:
            raise places.NotRun(f"{parquet.name} is not that of {VEGA_DATASETS}: SHA-256 differs")
        subprocess.run([places.PYTHON, "-c", PARQUET_TO_CSV, parquet, str(nrows)], stdout=out,
                       check=True)

    return Table("flights-3m", "Flights of 2001", nrows, FLIGHT_3M_TYPES, "", write,
                 FLIGHT_3M_QUERIES)


# ---- TPC-H lineitem, from the PyPI package tpchgen-cli. ----

LINEITEM_TYPES = {
    "l_orderkey": "int64",
    "l_partkey": "int64",
    "l_suppkey": "int64",
    "l_linenumber": "int32",
    "l_quantity": "decimal(15,2)",
    "l_extendedprice": "decimal(15,2)",
    "l_discount": "decimal(15,2)",
    "l_tax": "decimal(15,2)",
    "l_returnflag": "utf8",
    "l_linestatus": "utf8",
    "l_shipdate": "date32",
    "l_commitdate": "date32",
    "l_receiptdate": "date32",
    "l_shipinstruct": "utf8",
    "l_shipmode": "utf8",
    "l_comment": "utf8",
}
LINEITEM_SF1_SHA256 = "2af025e7152f22008b8e4e6466bdbf14428a0786e825031ae00caa0d9b13613c"


def lineitem(scale):
    first = round(3_000_000 * scale)
    day = datetime.date.fromisoformat
    queries = {
        "1% scattered": Query("l_quantity", between(
            "l_shipdate", day("1995-03-01"), day("1995-03-26"))),
        "10% scattered": Query("l_quantity", between(
            "l_shipdate", day("1995-03-01"), day("1995-11-07"))),
        "1% in a range": Query("l_quantity", between(
            "l_orderkey", first, first + round(60_000 * scale))),
        "10% in a range": Query("l_quantity", between(
            "l_orderkey", first, first + round(600_000 * scale))),
    }

    def write(out):
        places.install("tpchgen-cli")
        program = places.VENV / "bin/tpchgen-cli"
        subprocess.run([program, "csv", "--scale-factor", str(scale), "--tables", "lineitem",
                        "--stdout", "--quiet", "--num-threads", "1"], stdout=out, check=True)

    return Table("lineitem", "TPC-H lineitem", LINEITEM_NROWS[scale], LINEITEM_TYPES, "",
                 write, queries, LINEITEM_SF1_SHA256 if scale == 1 else "",
                 typed_only="decimals would come out as floats")
LINEITEM_NROWS = {1: 6_001_215, 0.05: 299_814}  # a scale factor says only about how many


# ---- A wide table: the same few columns over and over, in row groups of a few rows. ----

WIDE_NROWS = 1_000
WIDE_KINDS = ("int64", "float64", "utf8", "int64", "timestamp(s)")
WIDE_EPOCH = datetime.datetime(2013, 1, 1)


def wide_cell(kind, row, column):
    number = (row * 2_654_435_761 + column * 40_503) % 1_000_003  # looks like chance, is none
    if kind == "int64":
        return str(number % 5_000)
    if kind == "float64":
        return f"{number % 100_000 / 100:.2f}"
    if kind == "utf8":
        return ("red", "green", "blue", "white")[number % 4]
    return str(WIDE_EPOCH + datetime.timedelta(seconds=row * 60 + column))


def wide(scale):
    ncolumns = 10_000 if scale == 1 else 1_000
    types = {f"c{i}": WIDE_KINDS[i % len(WIDE_KINDS)] for i in range(ncolumns)}

    def write(out):
        out.write((",".join(types) + "\n").encode())
        for row in range(WIDE_NROWS):
            cells = (wide_cell(kind, row, i) for i, kind in enumerate(types.values()))
            out.write((",".join(cells) + "\n").encode())

    return Table("wide", "Wide", WIDE_NROWS, types, "", write,
                 {"one column": Query(f"c{ncolumns // 2 + 3}", ())}, jobs=("wide",))


# ---- For Avro: eight columns of the trips, and three hundred of ints. ----

AVRO_TYPES = {
    "medallion": "utf8",
    "vendor_id": "utf8",
    "rate_code": "int32",
    "pickup_datetime": "utf8",
    "passenger_count": "int32",
    "trip_time_in_secs": "int32",
    "trip_distance": "float64",
    "pickup_longitude": "float64",
}


def avro(scale):
    nrows = round(2_000_000 * scale)
    of_trips = trips(scale)
    fields = [list(TRIP_TYPES).index(name) for name in AVRO_TYPES]

    def write(out):
        with open(path_of(of_trips._replace(quick=scale != 1)), "rb") as whole:
            for line in itertools.islice(whole, nrows + 1):
                cells = line.rstrip(b"\n").split(b",")
                out.write(b",".join([cells[i] for i in fields]) + b"\n")

    return Table("avro", "Avro", nrows, AVRO_TYPES, "", write, jobs=("avro-read", "avro-write"))


INTS_NCOLUMNS, INTS_PERIOD = 300, 1000  # rows come again


def avro_ints(scale):
    nrows = round(100_000 * scale)
    types = {f"c{i}": "int32" for i in range(INTS_NCOLUMNS)}

    def write(out):
        out.write((",".join(types) + "\n").encode())
        lines = [",".join(wide_cell("int64", row, i) for i in range(INTS_NCOLUMNS))
                 for row in range(INTS_PERIOD)]
        for _ in range(nrows // INTS_PERIOD):
            out.write(("\n".join(lines) + "\n").encode())

    return Table("avro-ints", "Avro, 300 columns", nrows, types, "", write,
                 {"1 of 300 columns": Query("c150", ())}, jobs=("avro-columns",))


# ---- JSON lines: trips, and events with objects and lists in them. ----

JSONL_JOBS = ("jsonl-convert", "jsonl-write")


def jsonl(scale):
    nrows = round(2_000_000 * scale)
    of_trips = trips(scale)
    keys = [json.dumps(name) for name in TRIP_TYPES]
    texts = [kind not in ("int64", "float64") for kind in TRIP_TYPES.values()]

    def member(key, is_text, cell):
        if not cell:
            return f"{key}:null"
        return f'{key}:"{cell}"' if is_text else f"{key}:{cell}"

    def write(out):
        with open(path_of(of_trips._replace(quick=scale != 1)), encoding="utf-8") as whole:
            for line in itertools.islice(whole, 1, nrows + 1):
                cells = line.rstrip("\n").split(",")
                out.write(f"{{{','.join(map(member, keys, texts, cells))}}}\n".encode())

    return Table("jsonl", "JSON lines", nrows, TRIP_TYPES, "", write, jobs=JSONL_JOBS,
                 suffix="jsonl")


EVENT_TYPES = {
    "id": "int64",
    "time": "timestamp(s)",
    "kind": "utf8",
    "path": "utf8",
    "seconds": "float64",
    "user": "struct<id:int64,name:utf8,place:struct<country:utf8,city:utf8>>",
    "tags": "list<utf8>",
    "items": "list<struct<sku:utf8,price:float64,count:int64>>",
}
EVENT_EPOCH = datetime.datetime(2024, 3, 1)
EVENT_KINDS = ("view", "search", "add to cart", "order", "log \"in\"")
EVENT_PLACES = (("DE", "Köln"), ("DE", "Berlin"), ("FR", "Paris"), ("NZ", "Ōtaki"),
                ("US", "Austin"))
EVENT_TAGS = ("new", "mobile", "beta", "returned", "gift")


def events(scale):
    nrows = round(500_000 * scale)

    def event(row, draw):
        number = int(draw.random() * 2**40)
        country, city = EVENT_PLACES[number % 5]
        made = {
            "id": 10_000_000 + row,
            "time": (EVENT_EPOCH + datetime.timedelta(seconds=row // 3)).isoformat(),
            "kind": EVENT_KINDS[number % 31 % 5],
            "path": f"/shop/{number % 4_001}/page?ref={number % 97:x}",
            "seconds": number % 100_003 / 1000,
            "user": {"id": number % 60_013, "name": f"user {number % 60_013}",
                     "place": {"country": country, "city": city}},
            "tags": list(EVENT_TAGS[number % 3:number % 7]),
            "items": [{"sku": f"{number * (i + 3) % 9_001:05d}", "price": number % 991 / 4 + 0.5,
                       "count": 1 + (number >> i) % 4} for i in range(number % 4)],
        }
        if number % 11 == 0:
            made["path"] = None
        if number % 13 == 0:
            del made["seconds"]
        return made

    def write(out):
        draw = random.Random(2024)
        for row in range(nrows):
            out.write(json.dumps(event(row, draw), ensure_ascii=False).encode() + b"\n")

    return Table("events", "Events, nested JSON lines", nrows, EVENT_TYPES, "", write,
                 jobs=JSONL_JOBS, suffix="jsonl")


TABLES = {"trips": trips, "flights": flights, "flights-x10": flights_x10, "flights-3m": flights_3m,
          "lineitem": lineitem, "wide": wide, "avro": avro, "avro-ints": avro_ints, "jsonl": jsonl,
          "events": events}
QUICK_SCALE = 0.05


def of(name, quick):
    return TABLES[name](QUICK_SCALE if quick else 1)._replace(quick=quick)
