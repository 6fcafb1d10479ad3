#!/usr/bin/env python3
"""schemas/stoa-schema.schema.json as other programs read it: through the jsonschema package."""
import glob
import json
import os
import sys

import peers

peers.need("jsonschema")
from jsonschema import Draft202012Validator  # noqa: E402

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
GRAMMAR = "schemas/stoa-schema.schema.json"
GOOD_TYPES = [
    "null", "bool", "int8", "uint64", "float16", "float64", "decimal(1,0)", "decimal(76,76)", "decimal(10, 2)",
    "date32", "time(s)", "timestamp(ns)", "timestamp(us,Europe/Paris)", "timestamp(s,+02:00)", "duration(ms)",
    "interval", "utf8", "binary", "fixed_binary(16)", "uuid", "enum(a,\"b c\")", "list<int64>",
    "fixed_list<float32,3>", "struct<a:int64 not null,b:utf8>", "map<utf8,list<bool>>",
]
BAD_TYPES = [
    "", "int46", "INT64", "int64x", "decimal", "decimal(10)", "decimal(0,0)", "decimal(77,0)", "time", "time(h)",
    "timestamp()", "timestamp(s,)", "timestamp(s,a b)", "fixed_binary(0)", "fixed_binary(x)", "enum()", "list",
    "list(int64)",
]
BAD_DOCUMENTS = [
    [], {}, {"stoa_schema": 1}, {"stoa_schema": 2, "fields": []}, {"stoa_schema": 1, "fields": {}},
    {"stoa_schema": 1, "fields": [{}]}, {"stoa_schema": 1, "fields": [{"name": "a"}]},
    {"stoa_schema": 1, "fields": [], "field": []}, {"stoa_schema": 1, "fields": [], "metadata": {"k": 1}},
    {"stoa_schema": 1, "fields": [], "metadata": {"": "v"}},
]
BAD_KEYS = [{"nulable": True}, {"nullable": 1}, {"id": 0}, {"id": 1 << 32}, {"csv_format": 1}, {"metadata": []},
            {"children": [{"name": "a"}]}]


def document(type_text, more=()):
    return {"stoa_schema": 1, "fields": [{"name": "a", "type": type_text, **dict(more)}]}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


grammar = load(GRAMMAR)
Draft202012Validator.check_schema(grammar)
valid = Draft202012Validator(grammar).is_valid
points = [(f"{path} is a schema", valid(load(path)))
          for path in sorted(glob.glob("schemas/*.json")) if path != GRAMMAR]
points += [(f"\"{text}\" is a type", valid(document(text))) for text in GOOD_TYPES]
points += [(f"\"{text}\" is no type", not valid(document(text))) for text in BAD_TYPES]
points += [(f"{json.dumps(bad)} is no schema", not valid(bad)) for bad in BAD_DOCUMENTS]
points += [(f"a field with {json.dumps(bad)} is refused", not valid(document("int64", bad))) for bad in BAD_KEYS]
print(f"1..{len(points)}")
for number, (name, passed) in enumerate(points, 1):
    print(f"{'ok' if passed else 'not ok'} {number} - {name}".replace("#", "\\#"))
