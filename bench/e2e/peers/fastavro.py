"""fastavro: Avro container files, records as dicts; one thread. https://fastavro.readthedocs.io

It reads no CSV; pyarrow does that, with types given. Avro has no columns: a question reads it all.
"""

import itertools
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


BLOCK_NBYTES = 65536


def schema_of(types, required=False):
    """Unless `required`, values may be missing."""
    fields = [{"name": name, "type": TYPES[kind] if required else ["null", TYPES[kind]]}
              for name, kind in types.items()]
    return fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})


def convert(work, codec="deflate", required=False):
    table = common.read_text(work)
    records = (record for batch in table.to_batches(65536) for record in batch.to_pylist())
    with open(work.out, "wb") as out:
        fastavro.writer(out, schema_of(work.types, required), records, codec=codec,
                        sync_interval=BLOCK_NBYTES)


def avro_read(work, clock, columns=None):
    types = {name: work.types[name] for name in columns or work.types}
    nrows, total, summed = 0, 0, common.summed_of(work, columns)
    with clock, open(work.csv, "rb") as f:
        for record in fastavro.reader(f, schema_of(types, True) if columns else None):
            nrows += 1
            total += record[summed]
    return nrows, total


def avro_write(work, clock, codec):
    """The clock stops while a block of records is made: all of them at once are gigabytes."""
    with open(work.csv, "rb") as f, open(work.out, "wb") as out:
        reader = fastavro.reader(f)
        with clock:
            writer = fastavro.write.Writer(out, reader.writer_schema, codec=codec,
                                           sync_interval=BLOCK_NBYTES, compression_level=6)
        while records := list(itertools.islice(reader, 65536)):
            with clock:
                for record in records:
                    writer.write(record)
        with clock:
            writer.flush()


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
                 for name, avro in TYPES.items() if avro in (field["type"], field["type"][1])}
        return sum(block.num_records for block in reader), types
