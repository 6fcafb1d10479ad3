#!/usr/bin/env python3
"""CSV against Python's csv module: the same records of generated texts, the same refusals, and what is written is read back by it.

Where the two differ on purpose: Python can't tell an unquoted empty field, which is null, from a quoted one, and has no ragged
records; it skips blank lines in any table, so that tables here have two columns and more. Otherwise it is in its strict mode.
"""
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile

STOA = os.environ["STOA"]
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
FIELDS = ["", "a", "12", "word", "two words", '5" pipe', " x ", "\u00e4\U0001f600", "-0.5", "NA", "\ufeffx", "a\0b"]
QUOTED = ["", "a", ",", '""', "\n", "\r\n", "\r", 'b""c', " "]
NOISE = ['",\n\rab', '"",,\n\ra', "abcdef,,\n\"", "ab\r\n,\""]
ENDS = ["\n", "\r\n", "\r"]

print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)
folder = tempfile.TemporaryDirectory(prefix="stoa-test-")
os.chdir(folder.name)


def field():
    if chance.randrange(4):
        return chance.choice(FIELDS)
    return '"' + "".join(chance.choice(QUOTED) for _ in range(chance.randrange(5))) + '"'


def regular(ncolumns):
    """A file of quoted and plain fields without a fault."""
    end = chance.choice(ENDS)
    lines = []
    for _ in range(chance.randrange(300)):
        lines.append(",".join(field() for _ in range(ncolumns)) + (end if chance.randrange(20) else chance.choice(ENDS)))
        if not chance.randrange(10):
            lines.append(end)
    return "".join(lines)


def noise(ncolumns):
    """Short text of hardly more than what is special; every other one has records of this width."""
    wanted = chance.randrange(2)
    for _ in range(500):
        alphabet = chance.choice(NOISE)
        text = "".join(chance.choice(alphabet) for _ in range(chance.randrange(30)))
        if not wanted or by_python(text, ncolumns):
            break
    return text


def by_python(text, ncolumns):
    """The rows, or None for a text that is refused."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True) if row]
    except csv.Error:
        return None
    return rows if all(len(row) == ncolumns for row in rows) else None


def run(*args):
    return subprocess.run([STOA, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def by_stoa(text, ncolumns):
    with open("t.csv", "w", encoding="utf-8", newline="") as file:
        file.write(text)
    with open("schema.json", "w", encoding="utf-8") as file:
        names = [{"name": f"c{i}", "type": "utf8", "nullable": True} for i in range(ncolumns)]
        json.dump({"stoa_schema": 1, "fields": names}, file)
    done = run("convert", "t.csv", "-o", "t.stoa", "--force", "--header", "none", "-d", ",", "--quote", '"', "--skip-lines", "none",
               "--comment", "none", "--trim", "none", "--trailing-delimiter", "no", "--escape", '"', "--schema", "schema.json",
               "--row-group-rows", str(chance.randrange(1, 50)), "--progress", "never")
    if done.returncode != 0:
        return None, done
    lines = run("cat", "t.stoa", "-f", "jsonl").stdout.decode().split("\n")[:-1]
    return [["" if value is None else value for value in json.loads(line).values()] for line in lines], done


def written():
    """What the command writes as CSV, read by Python."""
    return list(csv.reader(io.StringIO(run("cat", "t.stoa", "-f", "csv").stdout.decode(), newline=""), strict=True))[1:]


def compare(text, ncolumns):
    """What is wrong, or None."""
    expected = by_python(text, ncolumns)
    got, done = by_stoa(text, ncolumns)
    if got != expected:
        return f"text {text!r}\npython {expected!r}\nstoa {got!r}\n{done.stderr.decode()}"
    if got is not None and written() != got:
        return f"text {text!r}\nrows {got!r}\nwritten {written()!r}"
    return None


def check(number, name, count, make):
    wrong = None
    for _ in range(max(1, int(count * SCALE))):
        ncolumns = chance.randrange(2, 5)
        wrong = wrong or compare(make(ncolumns), ncolumns)
    for line in (wrong or "").splitlines()[:20]:
        print("# " + line)
    print(f"{'not ok' if wrong else 'ok'} {number} - {name}", flush=True)
    return wrong is None


print("1..2")
results = [
    check(1, "regular files have the records that Python reads", 60, regular),
    check(2, "texts of quotes, commas and line ends are read or refused as by Python", 300, noise),
]
sys.exit(0 if all(results) else 1)
