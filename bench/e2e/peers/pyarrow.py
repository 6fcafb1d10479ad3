"""pyarrow: Arrow's own CSV and Parquet.

https://arrow.apache.org/docs/python/csv.html and parquet.html: types given; whole tables in threads.
"""

import pyarrow
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

from peers import common


def convert(work, typed=False, **parquet_options):
    table = common.read_text(work, typed)
    pyarrow.parquet.write_table(table, work.out, **parquet_options)


def write_text(work):
    common.set_threads(work.threads)
    pyarrow.csv.write_csv(pyarrow.parquet.read_table(work.csv), work.out)


class Reader:
    """`dataset`: batch by batch through pyarrow.dataset; else the whole file as one table."""

    def __init__(self, work, dataset=False):
        self.work, self.dataset = work, dataset
        common.set_threads(work.threads)

    def open(self):
        if self.dataset:
            return pyarrow.dataset.dataset(self.work.out, format="parquet")
        return pyarrow.parquet.ParquetFile(self.work.out, pre_buffer=True)

    def shape(self, file):
        if self.dataset:
            return len(file.schema), file.count_rows()
        return len(file.schema_arrow), file.metadata.num_rows

    def scan(self, file):
        if self.dataset:
            yield from file.to_batches()
        else:
            yield from file.read(use_threads=True).to_batches()

    def total(self, file, column, where):
        """Filters are the affair of datasets; pyarrow.parquet.read_table() makes one too."""
        if self.dataset:
            how = common.expression(where, self.work.types)
            return common.total_of([file.to_table(columns=[column], filter=how)], column)
        if where:
            how = common.expression(where, self.work.types)
            table = pyarrow.parquet.read_table(self.work.out, columns=[column], filters=how)
        else:
            table = file.read(columns=[column])
        return common.total_of([table], column)

    def rows(self, file, numbers):
        if self.dataset:
            return file.take(numbers)
        return self.rows_of_groups(file, numbers)

    @staticmethod
    def rows_of_groups(file, numbers):
        """Only the row groups that hold a wanted row."""
        tables, first, at = [], 0, 0
        for group in range(file.metadata.num_row_groups):
            end = first + file.metadata.row_group(group).num_rows
            mine = []
            while at < len(numbers) and numbers[at] < end:
                mine.append(numbers[at] - first)
                at += 1
            if mine:
                tables.append(file.read_row_group(group, use_threads=True).take(mine))
            first = end
        return pyarrow.concat_tables(tables)

    def close(self, file):
        pass


describe = common.describe_parquet
