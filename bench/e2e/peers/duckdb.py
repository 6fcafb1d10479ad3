"""DuckDB: SQL over Parquet files and over its own database.

https://duckdb.org/docs/stable/guides/performance/overview: types given, order not preserved.
"""

import duckdb

from peers import common

TYPES = {"utf8": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE",
         "date32": "DATE", "decimal(15,2)": "DECIMAL(15,2)", "timestamp(s)": "TIMESTAMP",
         "timestamp(s,UTC)": "TIMESTAMPTZ"}


def text(value):
    return "'" + str(value).replace("'", "''") + "'"


def name(column):
    return '"' + column.replace('"', '""') + '"'


def connect(threads, any_order=False, path=":memory:"):
    db = duckdb.connect(path)
    db.execute(f"set threads = {threads}")
    db.execute("set timezone = 'UTC'")
    if any_order:
        db.execute("set preserve_insertion_order = false")
    return db


def type_of(kind):
    return common.mapped(
        kind, TYPES, lambda members: f"STRUCT({', '.join(f'{name(n)} {t}' for n, t in members)})",
        lambda item: f"{item}[]")


def rows_of(work, typed):
    """The text as a table function."""
    columns = ", ".join(f"{text(column)}: {text(type_of(kind))}"
                        for column, kind in work.types.items())
    options = [text(work.csv), *([f"columns = {{{columns}}}"] if typed else [])]
    if common.is_jsonl(work.csv):
        return f"read_json({', '.join(options)}, format = 'newline_delimited')"
    options.append(f"nullstr = {text(work.null_text)}")
    if typed:
        options += ["auto_detect = false", "header = true", "delim = ','", "quote = '\"'",
                    "escape = '\"'", "new_line = '\\n'"]
    return f"read_csv({', '.join(options)})"


def convert(work, typed=False, any_order=False, copy_options=""):
    rows = rows_of(work, typed)
    if work.out.endswith(".duckdb"):
        db = connect(work.threads, any_order, work.out)
        db.execute(f"create table t as from {rows}")
        db.execute("checkpoint")
    else:
        db = connect(work.threads, any_order)
        db.execute(f"copy (from {rows}) to {text(work.out)} (format parquet{copy_options})")
    db.close()


def write_text(work):
    db = connect(work.threads)
    kind = "json" if common.is_jsonl(work.out) else "csv"
    db.execute(f"copy (from read_parquet({text(work.csv)})) to {text(work.out)} (format {kind})")
    db.close()


class Reader:
    """`scan` says how rows become Arrow: as one table, or batch by batch."""

    def __init__(self, work, any_order=False):
        self.work, self.any_order = work, any_order
        self.own = work.out.endswith(".duckdb")
        self.source = "t" if self.own else f"read_parquet({text(work.out)})"

    def open(self):
        """Its own database is opened; a Parquet file is named in each query."""
        if self.own:
            db = duckdb.connect(self.work.out, read_only=True)
            db.execute(f"set threads = {self.work.threads}")
            db.execute("set timezone = 'UTC'")
        else:
            db = connect(self.work.threads, self.any_order)
        return db

    def shape(self, db):
        columns = db.execute(f"describe from {self.source}").fetchall()
        nrows = db.execute(f"select count(*) from {self.source}").fetchone()[0]
        return len(columns), nrows

    def scan(self, db):
        yield from db.execute(f"from {self.source}").to_arrow_table().to_batches()

    def total(self, db, column, where):
        terms = " and ".join(f"{name(c)} {op} {self.literal(value)}" for c, op, value in where)
        nrows, total = db.execute(f"select count(*), sum({name(column)}) from {self.source}"
                                  + (f" where {terms}" if terms else "")).fetchone()
        return nrows, total

    @staticmethod
    def literal(value):
        return str(value) if isinstance(value, (int, float)) else text(value)

    def rows(self, db, numbers):
        wanted = ", ".join(map(str, numbers))
        if self.own:
            return db.execute(f"from t where rowid in ({wanted})").to_arrow_table()
        return db.execute(f"select * exclude (file_row_number) from read_parquet("
                          f"{text(self.work.out)}, file_row_number = true) "
                          f"where file_row_number in ({wanted})").to_arrow_table()

    def close(self, db):
        db.close()


describe = common.describe_parquet
