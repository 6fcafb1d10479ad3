"""A process in which one library works; run.py starts it with the bench's own Python.

    python worker.py convert PEER       does one conversion
    python worker.py write_text PEER    writes a file as CSV
    python worker.py describe PEER      rows and types of a file
    python worker.py avro_read PEER     reads an Avro file, says its rows and a sum
    python worker.py avro_write PEER    writes the rows of an Avro file, read before, as another one
    python worker.py avro_check PEER    sums over every column of an Avro file
    python worker.py serve PEER         answers questions

The first line of stdin is JSON: the fields of Work and the options of the row. The library is
imported first, then the clock of the work alone starts. What is printed is a line of JSON.

`serve` says when it is ready, then reads questions from stdin, a line of JSON each: [what,
arguments, most repetitions, most seconds]. Every repetition opens the file anew and is timed without that, so that no cache of an
earlier one helps; the answer is that of the first repetition. It ends with its input.
"""

import datetime
import decimal
import importlib
import json
import sys
import time

from peers import common

TYPES = {"date": datetime.date.fromisoformat, "datetime": datetime.datetime.fromisoformat}


def value_of(literal):
    """Dates and times come as {"date": text}, numbers as they are."""
    if isinstance(literal, dict):
        (kind, text), = literal.items()
        return TYPES[kind](text)
    return literal


def timed(function, work, options):
    begin, cpu_begin = time.monotonic(), time.process_time()
    function(work, **options)
    return {"seconds": time.monotonic() - begin, "cpu_seconds": time.process_time() - cpu_begin}


def convert(peer, options, work):
    options.pop("packed", None)  # the name of the input tells
    return timed(peer.convert, work, options)


def write_text(peer, _, work):
    return timed(peer.write_text, work, {})


def describe(peer, _, work):
    nrows, types = peer.describe(work.out)
    return {"rows": nrows, "types": types}


def avro_read(peer, options, work):
    clock = common.Clock()
    answer = peer.avro_read(work, clock, **options)
    return {"seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds, "answer": exact(answer)}


def avro_write(peer, options, work):
    clock = common.Clock()
    peer.avro_write(work, clock, **options)
    return {"seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds}


def avro_check(peer, _, work):
    return {"answer": exact(peer.avro_check(work))}


# ---- Questions. ----


def open_file(reader, handle, _):
    return reader.shape(handle)


def scan(reader, handle, _):
    """Batches are counted and dropped, as a consumer in a stream does."""
    nrows = 0
    for batch in reader.scan(handle):
        nrows += batch.num_rows
    return nrows


def checked_scan(reader, handle, _):
    return common.checksums(reader.scan(handle), reader.work.null_text)


def total(reader, handle, arguments):
    column, where = arguments
    return reader.total(handle, column, [(c, op, value_of(v)) for c, op, v in where])


def rows(reader, handle, arguments):
    wanted = arguments.pop(0)
    arguments.append(wanted)  # the next repetition asks for other rows
    return reader.rows(handle, wanted)


def ask_first(reader, handle, arguments):
    reader.rows(handle, arguments[0])


def exact(answer):
    """The same text for equal numbers: 3, 3.00 and decimal 3."""
    if isinstance(answer, (decimal.Decimal, float)):
        return str(int(answer)) if answer == int(answer) else str(answer)
    if isinstance(answer, (tuple, list)):
        return [exact(part) for part in answer]
    if isinstance(answer, dict):
        return {key: exact(part) for key, part in answer.items()}
    return None if answer is None else str(answer)


def rows_answer(reader, result):
    return common.checksums([result], reader.work.null_text)


# name: (the clock runs while the file is opened too, what the open file is asked before the clock
# runs, the work, the answer if it is not the result)
QUESTIONS = {
    "open": (True, None, open_file, None),
    "scan": (False, None, scan, None),
    "checked scan": (False, None, checked_scan, None),
    "sum": (False, None, total, None),
    "open and sum": (True, None, total, None),
    "rows": (False, None, rows, rows_answer),
    "rows again": (False, ask_first, rows, rows_answer),
}


def ask(reader, what, arguments, most, most_seconds):
    with_open, before, work, answer_of = QUESTIONS[what]
    times, cpu_times, answer = [], [], None
    used_seconds = 0.0
    while len(times) < most and used_seconds < most_seconds:
        if not with_open:
            handle = reader.open()
        if before:
            before(reader, handle, arguments)
        begin, cpu_begin = time.monotonic(), time.process_time()
        if with_open:
            handle = reader.open()
        result = work(reader, handle, arguments)
        cpu_times.append(time.process_time() - cpu_begin)
        times.append(time.monotonic() - begin)
        used_seconds += times[-1]
        reader.close(handle)
        if len(times) == 1:
            answer = exact(answer_of(reader, result) if answer_of else result)
        del result
    return {"seconds": times, "cpu_seconds": cpu_times, "answer": answer}


def serve(peer, options, work):
    reader = peer.Reader(work, **options)
    print(json.dumps({"ready": True}), flush=True)
    while line := sys.stdin.readline():
        try:
            answer = ask(reader, *json.loads(line))
        except Exception as why:  # whatever a library throws becomes the row's text
            answer = {"failed": f"{type(why).__name__}: {why}".strip().splitlines()[0]}
        print(json.dumps(answer), flush=True)
    return None


def main():
    what, name = sys.argv[1:]
    work, options = json.loads(sys.stdin.readline())
    peer = importlib.import_module(f"peers.{name.replace('-', '_')}")
    result = {"convert": convert, "write_text": write_text, "describe": describe,
              "avro_read": avro_read, "avro_write": avro_write, "avro_check": avro_check,
              "serve": serve}[what](
        peer, options, common.Work(**work))
    if result is not None:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
