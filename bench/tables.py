"""The tables that are measured: how each is made, and the type every tool should give each column.

Types are written as in Stoa's schema files. A file that holds the same values under weaker types
(timestamps left as text, say) is not the same result, so run.py compares what came out with this.
"""

import lzma
import pathlib
import subprocess
from typing import Callable, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Shape(NamedTuple):
    types: dict  # column name -> type, in file order
    null_text: str  # what stands for a missing number or time


class Table(NamedTuple):
    name: str
    shape: str  # key of SHAPES
    nrows: int
    write_csv: Callable  # write_csv(out): out is a binary file


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

SHAPES = {"trips": Shape(TRIP_TYPES, ""), "flights": Shape(FLIGHT_TYPES, "NA")}


def short_count(n):
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if n % unit == 0:
            return f"{n // unit}{letter}"
    return str(n)


def trips(nrows, generator):
    """New York taxi trips of one month, from the program built of gen_trips.c."""

    def write_csv(out):
        subprocess.run([generator, str(nrows)], stdout=out, check=True)

    return Table(f"trips-{short_count(nrows)}", "trips", nrows, write_csv)


def flights():
    """The public nycflights13 table: its twelve archives, one after the other, one header."""

    def write_csv(out):
        for i, path in enumerate(sorted((ROOT / "fixtures").glob("flights-2013-*.csv.xz"))):
            with lzma.open(path) as month:
                header = month.readline()
                if i == 0:
                    out.write(header)
                while block := month.read(1 << 20):
                    out.write(block)

    return Table("flights", "flights", 336_776, write_csv)
