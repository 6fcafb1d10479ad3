#!/usr/bin/env python3
"""The Python decoder of spec/decoder over whole files: it reads what the C library wrote, both ways,
and refuses what is damaged.

The files are those of fixtures/golden, and one that the command converts here.
"""
import hashlib
import lzma
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "fixtures/golden").glob("v*/*.stoa"))
DECODER = ROOT / "spec/decoder/stoa_decode.py"
STOA = os.environ.get("STOA", str(ROOT / "build/release/stoa"))
NROWS = 9000
HASHES = "56e03ea09038bae4c939f3f4ea97a3773c2c236c6fed0b4cdd3069b3c92c72f5"

sys.path.insert(0, str(DECODER.parent))
import xxh3  # noqa: E402
from chunks import ALL_NULL, DERIVED, Chunk, bases_of  # noqa: E402
from pages import I64, Damage  # noqa: E402
from stoa_decode import REFUSED, File, Walk  # noqa: E402


def decode(*arguments):
    return subprocess.run([sys.executable, DECODER, *arguments], capture_output=True, check=False)


def rows_of(path):
    return lzma.decompress(path.with_suffix(".jsonl.xz").read_bytes())


def same_rows(path, *options):
    done = decode(*options, path)
    if done.returncode != 0 or done.stderr:
        return done.stderr.decode() or f"exit status {done.returncode}"
    if done.stdout != rows_of(path):
        return "other rows"
    return None


def same_text(path):
    """Side tables and sources, of which most files have none."""
    done, text = decode("--text", path), path.with_suffix(".text.jsonl.xz")
    if done.returncode != 0 or done.stderr:
        return done.stderr.decode() or f"exit status {done.returncode}"
    expected = lzma.decompress(text.read_bytes()) if text.exists() else b""
    return None if done.stdout == expected else "other source text"


def hashes():
    """XXH3-64 for lengths on both sides of every border, against what libxxhash gives."""
    data = bytes(i * 131 + (i >> 3) & 255 for i in range(3000))
    lengths = [*range(300), 511, 512, 513, 1023, 1024, 1025, 1088, 2048, 2999, 3000]
    words = b"".join(xxh3.xxh3_64(data[:n]).to_bytes(8, "little") for n in lengths)
    found = hashlib.sha256(words).hexdigest()
    return None if found == HASHES else f"sha256 {found}"


def accepted_by(data):
    """The ways that take the bytes, rows and all."""
    taken = set()
    for way in (File, Walk):
        try:
            for _ in way(data).rows():
                pass
            taken.add(way)
        except REFUSED:
            pass
    return taken


def damage_is_refused():
    """Each way leaves out what the other reads, so a flipped bit must be refused by one of them; a cut
    file has no trailer."""
    smallest = min(GOLDEN, key=lambda golden: golden.stat().st_size)
    for path in [smallest] + [golden for golden in GOLDEN if golden.stem == "source_text"]:
        problem = damage_of(path)
        if problem:
            return problem
    return None


def damage_of(path):
    intact = path.read_bytes()
    draw = random.Random(2)
    for bit in draw.sample(range(len(intact) * 8), 200):
        data = bytearray(intact)
        data[bit // 8] ^= 1 << bit % 8
        if len(accepted_by(bytes(data))) == 2:
            return f"{path.name}: bit {bit} is not noticed"
    for cut in draw.sample(range(len(intact)), 40):
        if File in accepted_by(intact[:cut]):
            return f"{path.name}: cut at {cut} is not noticed"
    return None


def converted_file():
    """A file of the command: its rows as the command prints them."""
    with tempfile.TemporaryDirectory() as folder:
        csv, stoa = os.path.join(folder, "t.csv"), os.path.join(folder, "t.stoa")
        with open(csv, "w", encoding="utf-8") as out:
            out.write("day,name,price,n,flag\n")
            for i in range(NROWS):
                name = "caf\u00e9" if i % 3 else "bar"
                n = "" if i % 7 == 0 else i * i
                flag = "true" if i % 5 else "false"
                out.write(f"2013-01-{i % 28 + 1:02},{name} {i % 50},{i / 8:.3f},{n},{flag}\n")
        subprocess.run([STOA, "convert", csv, "-o", stoa], check=True, capture_output=True)
        printed = subprocess.run([STOA, "cat", "-f", "jsonl", stoa], check=True,
                                 capture_output=True).stdout
        if printed.count(b"\n") != NROWS:
            return "the command does not print all rows"
        for options in ([], ["--walk"]):
            done = decode(*options, stoa)
            if done.stdout != printed:
                return done.stderr.decode() or "other rows"
    return None


class Column:
    """What has to be known of a column that others are derived from."""

    parent, type = None, "int64"


def tiny_pages_of_derived_columns_are_refused():
    def chunk(page_shift, flags):
        return Chunk("chunk", b"", 0, 0, page_shift, I64, flags, 0, None)

    def refused(what):
        try:
            what()
            return False
        except Damage:
            return True

    def bases(page_shift, flags):
        base = Column()
        return bases_of(chunk(10, DERIVED), 0xffff0000, [(base, chunk(page_shift, flags), 0)], {base: []})

    if not refused(lambda: chunk(9, DERIVED)) or refused(lambda: chunk(10, DERIVED)):
        return "a derived chunk"
    if not refused(lambda: bases(9, 0)) or refused(lambda: bases(10, 0)) or refused(lambda: bases(0, ALL_NULL)):
        return "the chunk of a base"
    return None


def main():
    tests = [("XXH3-64 in plain Python is that of libxxhash", hashes)]
    for path in GOLDEN:
        tests.append((f"{path.name} through its trailer", lambda path=path: same_rows(path)))
        tests.append((f"{path.name} from object to object",
                      lambda path=path: same_rows(path, "--walk")))
        tests.append((f"the source text of {path.name}", lambda path=path: same_text(path)))
    tests.append(("damage is refused", damage_is_refused))
    tests.append(("tiny pages of derived columns are refused", tiny_pages_of_derived_columns_are_refused))
    tests.append(("a converted file has the rows that the command prints", converted_file))
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        problem = test()
        failed += problem is not None
        if problem:
            print(f"# {problem}")
        print(f"{'not ok' if problem else 'ok'} {number} - {name}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
