#!/usr/bin/env python3
"""Nested columns in CSV: structs as columns a.b, lists and maps as JSON text, beside Python's csv and json modules."""
import csv
import io
import json
import os
import random

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)

# ---- The bytes. ----
write("t.jsonl", '{"id":1,"at":{"x":1.5,"y":{"day":"2024-02-29","tags":["a","b\\"c"]}},"n":[1,null,3]}\n'
      '{"id":2,"at":null,"n":null}\n'
      '{"id":3,"at":{"x":null,"y":{"day":null,"tags":[]}},"n":[]}\n'
      '{"id":4,"at":{"x":-2,"y":null},"n":[4]}\n')
HEAD = "id,at.x,at.y.day,at.y.tags,n\n"
BODY = ('1,1.5,2024-02-29,"[""a"",""b\\""c""]","[1,null,3]"\n2,,,,\n3,,,[],[]\n4,-2.0,,,[4]\n')
point("a table to write", stoa("convert", "t.jsonl", "-o", "t.stoa").code == 0)
for name, command in (("cat", ["cat", "t.stoa"]), ("cat in order", ["cat", "t.stoa", "-n", "9"]), ("head", ["head", "t.stoa", "-f", "csv"]),
                      ("sample", ["sample", "t.stoa", "-n", "9", "-f", "csv"]),
                      ("convert", ["convert", "t.stoa", "-o", "-", "--to", "csv"]),
                      ("convert of JSON lines", ["convert", "t.jsonl", "-o", "-", "--to", "csv"])):
    expect(name, [*command, "--nested", "json"], 0, HEAD + BODY, None if "convert" in name else "")
    refuse(f"{name} without the option", command, 2,
           "column at.y.tags: CSV can't hold list<utf8> but as JSON text (--nested json); JSON lines (jsonl) can")
expect("structs need no option", ["cat", "t.stoa", "-s", "id,at", "-n", "1", "--nested", "json"], 0,
       'id,at.x,at.y.day,at.y.tags\n1,1.5,2024-02-29,"[""a"",""b\\""c""]"\n', "")
expect("TSV", ["cat", "t.stoa", "-f", "tsv", "--nested", "json", "-n", "1"], 0,
       (HEAD + BODY.splitlines()[0]).replace(",", "\t").replace("[1\tnull\t3]", "[1,null,3]").replace('a""\t""b', 'a"",""b')
       .replace('"[1,null,3]"', "[1,null,3]") + "\n", "")
expect("nulls have their text, empty lists do not", ["cat", "t.stoa", "-s", "n", "--nested", "json", "--null-text", "[]"], 0,
       'n\n"[1,null,3]"\n[]\n"[]"\n[4]\n', "")
refuse("without quotes", ["cat", "t.stoa", "-s", "n", "--nested", "json", "--quoting", "none", "--null-text", "NA"], 1,
       'row 1: column n: "[1,null,3]" can\'t be written without quotes: it holds the delimiter')
refuse("an unknown way", ["cat", "t.stoa", "--nested", "flat"], 2, "--nested flat: expected refuse or json")
write("s.jsonl", '{"a":{"b":1},"a.b":2}\n')
refuse("names that collide", ["convert", "s.jsonl", "-o", "s.csv"], 2,
       "in CSV two columns would be called a.b: a struct's field and another column (select one of them)")
point("... leave nothing behind", not os.path.exists("s.csv"))
expect("one of them", ["convert", "s.jsonl", "-o", "-", "--to", "csv", "-s", "a"], 0, "a.b\n1\n")
expect("the other one", ["convert", "s.jsonl", "-o", "-", "--to", "csv", "-s", "a.b"], 0, "a.b\n2\n")
write("h.jsonl", '{"a":{"b":"#x","c":"y"}}\n')
expect("what begins a record is quoted in a struct too", ["convert", "h.jsonl", "-o", "-", "--to", "csv"], 0, 'a.b,a.c\n"#x",y\n')


# ---- Generated tables. ----
def make_shape(depth):
    """A type: a dict is a struct, a list a list of its only member."""
    if depth == 0 or chance.random() < 0.4:
        return chance.choice(["int", "text", "bool"])
    if chance.random() < 0.5:
        return [make_shape(depth - 1)]
    return {f"{name} {depth}": make_shape(depth - 1) for name in chance.sample("abc,", chance.randrange(1, 4))}


def make_value(shape):
    if chance.random() < 0.2:
        return None
    if isinstance(shape, dict):
        return {name: make_value(inner) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [make_value(shape[0]) for _ in range(chance.choice([0, 1, 2, 5]))]
    if shape == "text":
        return "".join(chance.choice('ab ,"\n\\é#=') for _ in range(chance.randrange(0, 6)))
    return chance.randrange(-10**12, 10**12) if shape == "int" else chance.random() < 0.5


def filled(shape):
    """A value in which nothing is null or empty, by which the schema is known."""
    if isinstance(shape, dict):
        return {name: filled(inner) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [filled(shape[0])]
    return {"text": "x", "int": 1, "bool": True}[shape]


def columns_of(name, shape):
    if isinstance(shape, dict):
        return [column for inner, below in shape.items() for column in columns_of(f"{name}.{inner}", below)]
    return [name]


def cells_of(value, shape):
    if isinstance(shape, dict):
        return [cell for name, below in shape.items() for cell in cells_of(None if value is None else value[name], below)]
    return [value]


def cell_is(text, value):
    if value is None:
        return text == "NULL"
    if isinstance(value, list):
        return json.loads(text) == value
    return text == {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else text == str(value)


wrong = []
for i in range(max(4, int(40 * SCALE))):
    shapes = {f"c{k}": make_shape(3) for k in range(chance.randrange(1, 4))}
    rows = [{name: filled(shape) for name, shape in shapes.items()}]
    rows += [{name: make_value(shape) for name, shape in shapes.items()} for _ in range(chance.choice([1, 20, 600]))]
    write("g.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    done = stoa("convert", "g.jsonl", "-o", "-", "--to", "csv", "--nested", "json", "--null-text", "NULL", "-j", str(chance.randrange(1, 4)))
    back = list(csv.reader(io.StringIO(done.out, newline=""), strict=True))
    names = [column for name, shape in shapes.items() for column in columns_of(name, shape)]
    wanted = [[cell for name, shape in shapes.items() for cell in cells_of(row[name], shape)] for row in rows]
    good = done.code == 0 and back[:1] == [names] and len(back) == len(rows) + 1 and all(
        len(line) == len(row) and all(cell_is(text, value) for text, value in zip(line, row)) for line, row in zip(back[1:], wanted))
    if not good:
        wrong.append(f"table {i}: {shapes}\n{done}")
point("Python reads nested tables as they were made", not wrong, *wrong[:2])
cli.end()
