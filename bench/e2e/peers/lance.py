"""Lance: datasets (folders) from Arrow tables. https://lance.org

It reads no CSV; pyarrow does that, with types given. Its threads are set in the environment, by
run.py.
"""

import lance

from peers import common


def convert(work):
    lance.write_dataset(common.read_text(work), work.out)


class Reader:
    def __init__(self, work):
        self.work = work
        common.set_threads(work.threads)

    def open(self):
        return lance.dataset(self.work.out)

    def shape(self, dataset):
        return len(dataset.schema), dataset.count_rows()

    def scan(self, dataset):
        yield from dataset.scanner(scan_in_order=False).to_batches()

    def total(self, dataset, column, where):
        how = common.expression(where, self.work.types)
        scanner = dataset.scanner(columns=[column], filter=how, scan_in_order=False)
        return common.total_of(scanner.to_batches(), column)

    def rows(self, dataset, numbers):
        return dataset.take(numbers)

    def close(self, dataset):
        pass


def describe(path):
    dataset = lance.dataset(path)
    return dataset.count_rows(), common.describe(dataset.schema)
