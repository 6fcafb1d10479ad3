#!/usr/bin/env python3
"""Every format that is read into every format that is written: CSV, TSV, JSON lines, Avro and Stoa, with --where, --select, many inputs and
compressed ones. The inputs are made, and the outputs read, by Python's csv and json, fastavro and Polars."""
import csv
import gzip
import io
import json
import lzma
import os
import random
import subprocess
import sys

import peers

peers.need("fastavro")
import fastavro  # noqa: E402

try:
    import polars
except ImportError:
    polars = None
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import cli  # noqa: E402
from cli import point, stoa  # noqa: E402

cli.work_in_a_folder()
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)
NAMES = ("id", "word", "x", "flag")
TEXTS = ("a", "b,c", 'd"e', "tab\there", "é€", "line\nend", "x" * 40)
ROWS = [{"id": i, "word": chance.choice(TEXTS), "x": chance.choice([None, i / 8 - 30]), "flag": chance.choice([True, False, None])}
        for i in range(400)]
AVRO = fastavro.parse_schema({"type": "record", "name": "row", "fields": [
    {"name": "id", "type": "long"}, {"name": "word", "type": "string"}, {"name": "x", "type": ["null", "double"]},
    {"name": "flag", "type": ["null", "boolean"]}]})


# ---- Writing and reading by others. ----
def as_text(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)


def make_csv(rows, delimiter=","):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([NAMES] + [[as_text(row[name]) for name in NAMES] for row in rows])
    return text.getvalue().encode()


def make_avro(rows):
    file = io.BytesIO()
    fastavro.writer(file, AVRO, rows, codec="deflate", sync_interval=2000)
    return file.getvalue()


def read_csv(data, delimiter=","):
    lines = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True))
    kinds = {"id": int, "word": str, "x": float, "flag": {"true": True, "false": False}.get}
    return [{name: kinds[name](text) if text else None for name, text in zip(lines[0], line)} for line in lines[1:]]


def read_jsonl(data):
    return [json.loads(line) for line in data.decode().splitlines()] if b"\n" in data else []


def read_stoa(data):
    cli.write("read.stoa", data)
    return read_jsonl(subprocess.run([cli.STOA, "cat", "read.stoa", "-f", "jsonl"], capture_output=True, check=True).stdout)


MAKE = {"csv": make_csv, "tsv": lambda rows: make_csv(rows, "\t"), "avro": make_avro,
        "jsonl": lambda rows: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()}
READ = {"csv": read_csv, "tsv": lambda data: read_csv(data, "\t"), "jsonl": read_jsonl, "stoa": read_stoa,
        "avro": lambda data: list(fastavro.reader(io.BytesIO(data)))}
for form, make in MAKE.items():
    cli.write(f"all.{form}", make(ROWS))
    cli.write(f"1.{form}", make(ROWS[:150]))
    cli.write(f"2.{form}", make(ROWS[150:]))
    if form != "avro":
        cli.write(f"all.{form}.gz", gzip.compress(make(ROWS)))
        cli.write(f"all.{form}.xz", lzma.compress(make(ROWS)))
for name in ("all", "1", "2"):
    point(f"{name}.stoa", stoa("convert", f"{name}.jsonl", "-o", f"{name}.stoa").code == 0)

# ---- Pairs. ----
WAYS = ((["all.{}"], [], ROWS, NAMES), (["1.{}", "2.{}"], [], ROWS, NAMES),
        (["all.{}"], ["--where", "id >= 100 and flag = true"], [row for row in ROWS if row["id"] >= 100 and row["flag"]], NAMES),
        (["1.{}", "2.{}"], ["--select", "x,id", "--where", "word = 'b,c'", "-j", "2"], [row for row in ROWS if row["word"] == "b,c"], ("x", "id")),
        (["all.{}"], ["--where", "id < 0"], [], NAMES), (["all.{}.gz"], ["--select", "id,word"], ROWS, ("id", "word")), (["all.{}.xz"], [], ROWS, NAMES))
for source in (*MAKE, "stoa"):
    for target, read in READ.items():
        wrong = []
        for inputs, words, rows, names in WAYS:
            paths = [path.format(source) for path in inputs]
            if not os.path.exists(paths[0]):
                continue
            done = stoa("convert", *paths, *words, "-o", f"out.{target}", "--force")
            want = [{name: row[name] for name in names} for row in rows]
            got = read(cli.read(f"out.{target}")) if done.code == 0 else None
            if got != want or any(list(row) != list(names) for row in got):
                wrong.append(f"{paths} {words}\n{done}\n{str(got)[:500]}\n{str(want)[:500]}")
        point(f"{source} to {target}", not wrong, *wrong[:2])

# ---- JSON lines read by another program. ----
if polars is None:
    cli.skip("Polars reads the JSON lines that are written", "Polars is not installed")
else:
    got = polars.read_ndjson(io.BytesIO(cli.read("all.jsonl"))).to_dicts()
    stoa("convert", "all.stoa", "-o", "back.jsonl")
    back = polars.read_ndjson(io.BytesIO(cli.read("back.jsonl"))).to_dicts()
    point("Polars reads the JSON lines that are written", got == back == ROWS, str(got)[:500], str(back)[:500])
cli.end()
