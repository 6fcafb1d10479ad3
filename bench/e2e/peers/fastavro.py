"""fastavro: Avro container files, records as dicts; one thread. https://fastavro.readthedocs.io

It reads no CSV; pyarrow does that, with types given. Avro has no columns: a question reads it all.
"""

import operator

import fastavro
import pyarrow

from peers import common

TYPES = {"utf8": "string", "int32": "int", "int64": "long", "float64": "double",
         "date32": {"type": "int", "logicalType": "date"},
         "decimal(15,2)": {"type": "bytes", "logicalType": "decimal", "precision": 15, "scale": 2},
         "timestamp(s)": {"type": "long", "logicalType": "local-timestamp-micros"},
         "timestamp(s,UTC)": {"type": "long", "logicalType": "timestamp-micros"}}
OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt}


def schema_of(types):
    fields = [{"name": name, "type": ["null", TYPES[kind]]} for name, kind in types.items()]
    return fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})


def convert(work, codec="deflate"):
    table = common.read_csv(work)
    records = (record for batch in table.to_batches(65536) for record in batch.to_pylist())
    with open(work.out, "wb") as out:
        fastavro.writer(out, schema_of(work.types), records, codec=codec)


class Reader:
    def __init__(self, work):
        self.work = work

    def open(self):
        return None

    def records(self):
        with open(self.work.out, "rb") as f:
            yield from fastavro.reader(f)

    def shape(self, _):
        with open(self.work.out, "rb") as f:
            nrows = sum(block.num_records for block in fastavro.block_reader(f))
        return len(self.work.types), nrows

    def scan(self, _):
        schema = pyarrow.schema((name, common.ARROW_TYPES[kind])
                                for name, kind in self.work.types.items())
        part = []
        for record in self.records():
            part.append(record)
            if len(part) == 65536:
                yield pyarrow.RecordBatch.from_pylist(part, schema)
                part = []
        yield pyarrow.RecordBatch.from_pylist(part, schema)

    def total(self, _, column, where):
        terms = [(name, OPERATORS[op], value) for name, op, value in where]
        nrows = total = 0
        for record in self.records():
            if all(record[name] is not None and op(record[name], value)
                   for name, op, value in terms):
                nrows += 1
                total += record[column] or 0
        return nrows, total

    def rows(self, _, numbers):
        wanted, found = set(numbers), []
        for i, record in enumerate(self.records()):
            if i in wanted:
                found.append(record)
        return pyarrow.Table.from_pylist(found)

    def close(self, _):
        pass


def describe(path):
    with open(path, "rb") as f:
        reader = fastavro.block_reader(f)
        fields = reader.writer_schema["fields"]
        types = {field["name"]: name for field in fields
                 for name, avro in TYPES.items() if field["type"][1] == avro}
        return sum(block.num_records for block in reader), types
