"""Polars: lazy frames over CSV and Parquet. Its threads are set in the environment, by run.py.

https://docs.pola.rs/user-guide/lazy/using/: scan_csv, sink_parquet; order not maintained.
"""

import polars

from peers import common

TYPES = {"utf8": polars.String, "int32": polars.Int32, "int64": polars.Int64,
         "float64": polars.Float64, "date32": polars.Date, "decimal(15,2)": polars.Decimal(15, 2),
         "timestamp(s)": polars.Datetime("us"), "timestamp(s,UTC)": polars.Datetime("us", "UTC")}
OPERATORS = {">": "gt", ">=": "ge", "<": "lt"}


def struct(members):
    return polars.Struct(dict(members))


def convert(work, typed=False, any_order=False, **parquet_options):
    how = {}
    if typed:
        how["schema"] = {name: common.mapped(kind, TYPES, struct, polars.List)
                         for name, kind in work.types.items()}
    if common.is_jsonl(work.csv):
        frame = polars.scan_ndjson(work.csv, **how)
    else:
        # Dates are parsed: else timestamps stay text, which is another result.
        frame = polars.scan_csv(work.csv, null_values=work.null_text or None,
                                try_parse_dates=not typed, **how)
    frame.sink_parquet(work.out, maintain_order=not any_order, **parquet_options)


def write_text(work):
    frame = polars.scan_parquet(work.csv)
    (frame.sink_ndjson if common.is_jsonl(work.out) else frame.sink_csv)(work.out)


AVRO_CODECS = {"null": "uncompressed", "deflate": "deflate"}


def avro_read(work, clock, columns=None):
    with clock:
        frame = polars.read_avro(work.csv, columns=columns)
        return frame.height, frame[common.summed_of(work, columns)].cast(polars.Int64).sum()


def avro_write(work, clock, codec):
    frame = polars.read_avro(work.csv)
    with clock:
        frame.write_avro(work.out, compression=AVRO_CODECS[codec], name="trip")


def avro_check(work):
    """Sums over every column of an Avro file, whoever wrote it."""
    return common.checksums(polars.read_avro(work.csv).to_arrow().to_batches(), work.null_text)


class Reader:
    def __init__(self, work):
        self.work = work

    def open(self):
        return polars.scan_parquet(self.work.out)

    def shape(self, frame):
        return len(frame.collect_schema()), frame.select(polars.len()).collect().item()

    def scan(self, frame):
        yield from frame.collect().to_arrow(compat_level=polars.CompatLevel.newest()).to_batches()

    def total(self, frame, column, where):
        for name, op, value in where:
            literal = polars.lit(value, TYPES[self.work.types[name]])
            frame = frame.filter(getattr(polars.col(name), OPERATORS[op])(literal))
        found = frame.select(polars.len().alias("n"), polars.col(column).sum().alias("s")).collect()
        return found["n"][0], found["s"][0] if found["n"][0] else None  # SQL's sum of nothing

    def rows(self, frame, numbers):
        if len(numbers) == 1:
            return frame.slice(numbers[0], 1).collect().to_arrow()
        return frame.select(polars.all().gather(numbers)).collect().to_arrow()

    def close(self, frame):
        pass


describe = common.describe_parquet
