"""Vortex: its files from Arrow tables. https://docs.vortex.dev

It reads no CSV; pyarrow does that, with types given.
"""

import datetime
import functools

import vortex

from peers import common


def convert(work, compact=False):
    options = vortex.io.VortexWriteOptions
    vortex.set_worker_threads(work.threads)
    how = options.compact() if compact else options.default()
    how.write(common.read_text(work), work.out)


LITERALS = {"int32": vortex.int_(32, nullable=True), "int64": vortex.int_(64, nullable=True),
            "float64": vortex.float_(64, nullable=True),
            "date32": vortex.date("days", nullable=True),
            "timestamp(s)": vortex.timestamp("s", nullable=True),
            "timestamp(s,UTC)": vortex.timestamp("s", tz="UTC", nullable=True)}
EPOCH = datetime.date(1970, 1, 1)


def predicate(where, types):
    terms = []
    for column, op, value in where:
        if types[column] == "date32":
            value = (value - EPOCH).days
        field = vortex.expr.column(column)
        literal = vortex.expr.literal(LITERALS[types[column]], value)
        terms.append({">": field > literal, ">=": field >= literal, "<": field < literal}[op])
    return functools.reduce(vortex.expr.and_, terms) if terms else None


class Reader:
    def __init__(self, work):
        self.work = work
        vortex.set_worker_threads(work.threads)

    def open(self):
        return vortex.open(self.work.out)

    def shape(self, file):
        return len(file.dtype.names()), len(file)

    def scan(self, file):
        yield from file.to_arrow()

    def total(self, file, column, where):
        how = predicate(where, self.work.types)
        return common.total_of(file.to_arrow([column], expr=how), column)

    def rows(self, file, numbers):
        return file.to_arrow(indices=vortex.array(numbers)).read_all()

    def close(self, file):
        pass


def describe(path):
    file = vortex.open(path)
    return len(file), common.describe(file.to_arrow().schema)
