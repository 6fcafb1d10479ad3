#!/usr/bin/env python3
"""The Python decoder over spec/vectors: every page there gives its values, or is refused."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "spec/decoder"))
import pages  # noqa: E402

PHYS = "none i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 i128 fixed bytes f16 i256".split()
FIXED_WIDTH = 5


def vectors(path):
    """Each block of `key: text` lines as a dictionary."""
    block = {}
    for line in path.read_text().split("\n") + [""]:
        if line.startswith("#"):
            continue
        if line:
            key, text = line.split(": ", 1)
            if key == "base":
                block.setdefault(key, []).append([int(word) for word in text.split()])
            else:
                block[key] = text
        elif block:
            yield block
            block = {}


def value(word, phys):
    """A word as decode_raw() gives it: None, the bits of a number, or bytes."""
    if word == "null":
        return None
    if phys in (pages.FIXED, pages.BYTES):
        return bytes.fromhex(word[1:])
    width = pages.WIDTH.get(phys, 8)
    return int(word, 0) % (1 << 8 * width)


def decode(vector):
    phys = PHYS.index(vector["phys"])
    words = [vector.get(key, "").split() for key in ("values", "dictionary")]
    values, dictionary = ([value(word, phys) for word in some] for some in words)
    count = int(vector.get("nvalues", len(values)))
    found = pages.decode_raw(bytes.fromhex(vector["page"]), phys, FIXED_WIDTH, count,
                             dictionary if "dictionary" in vector else None, vector.get("base"))
    return found, values


def gives_its_values(vector):
    found, values = decode(vector)
    return None if found == values else f"{found[:20]} instead of {values[:20]}"


def is_refused(vector):
    try:
        decode(vector)
    except pages.Damage:
        return None
    return f"is taken, must be refused ({vector['error']})"


number = 0
for name, check in ("pages.txt", gives_its_values), ("refused.txt", is_refused):
    for vector in vectors(ROOT / "spec/vectors" / name):
        number += 1
        try:
            wrong = check(vector)
        except Exception as error:  # a crash of the decoder is a failure of this vector alone
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            print(f"# {vector['name']}: {wrong}")
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}: {vector['name']}")
print(f"1..{number}")
