#!/usr/bin/env python3
"""Texts whose quoting is hard: the same file and rows for 1, 2 and 8 jobs, known counts, bounded memory.

18 MB of text in all; with STOA_TEST_SCALE=333 each text has 1 GB."""
import hashlib
import os
import subprocess
import time

from cli import IS_RELEASE, NO_RELEASE, STOA, end, point, skip, work_in_a_folder

work_in_a_folder()
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
NBYTES = max(1 << 16, int(3e6 * SCALE))
MIB = 1 << 20
LIMIT = 272 * MIB  # --memory, and the program
STEP = 1 << 20


def lengths():
    """Records of 61 to 67 bytes in turn, so that each quote in them comes to stand on both sides of a border of 64 bytes."""
    piece = b""
    for i in range(64):
        for n in range(61, 68):
            quoted = b'"' + b"x,\n"[i % 3:i % 3 + 1] * (n - 6 - i % 40) + b'"'
            piece += (b"y" * (i % 40) + b"," + quoted + b"\n") if i % 2 else (quoted + b"," + b"y" * (i % 40) + b"\n")
    return piece, 64 * 7


MIXED, NMIXED = lengths()
LONG = b'"' + b"a,b\n" * 65536 + b'",\n'
TEXTS = [  # name, a piece of whole records that is repeated, records in it
    ("nothing but quotes", b'"' * 1000 + b"\n", 1),
    ("quotes around every byte", b'"a","b"\n"","c"\n', 2),
    ("stray quotes everywhere", b'a"b"c"",d"\n"x"y"z",""""q"\n5"",6"\n', 3),
    ("parity that changes at every border", MIXED, NMIXED),
    ("line ends and delimiters in quotes for long", LONG, 1),
    ("a quote in every other line", b'"\n",x\n1,"2"\r\n', 2),
]


def write_text(piece, nbytes):
    """Returns how often the piece stands in the file."""
    pieces = max(1, STEP // len(piece))
    n = 0
    with open("t.csv", "wb") as file:
        while n * len(piece) < nbytes:
            file.write(piece * pieces)
            n += pieces
    return n


def convert(*args):
    """Exit code, output bytes' hash or None, peak memory, processor seconds, stderr."""
    process = subprocess.Popen([STOA, "convert", "t.csv", "-o", "t.stoa", "--force", "--progress", "never", "--delimiter", ",", "--quote", '"',
                                "--escape", '"', "--header", "none", "--comment", "none", "--trim", "none", "--infer", "none",
                                "--ragged", "pad,truncate", *args], stderr=subprocess.PIPE)
    err = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    digest = None
    if os.path.exists("t.stoa"):
        with open("t.stoa", "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.remove("t.stoa")
    return os.waitstatus_to_exitcode(status), digest, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime, err


for name, piece, nrecords in TEXTS:
    n = write_text(piece, NBYTES)
    seen, peak, spent, began = set(), 0, [], time.monotonic()
    for jobs in ("1", "2", "8"):
        code, digest, memory, seconds, err = convert("--jobs", jobs, "--memory", "256M")
        rows = err.split(" row")[0].rsplit(" ", 1)[-1].replace(",", "")
        seen.add((code, digest, rows))
        peak = max(peak, memory)
        spent.append(f"{seconds:.1f}")
    point(f"{name}: {os.path.getsize('t.csv') / 1e6:.0f} MB, the same for 1, 2 and 8 jobs",
          seen == {(0, digest, str(n * nrecords))}, seen, n * nrecords, err)
    print(f"# {' '.join(spent)} s of processors, {time.monotonic() - began:.1f} s in all, {peak / MIB:.0f} MiB at the peak")
    if IS_RELEASE:
        point(f"{name}: at most {LIMIT // MIB} MiB", peak <= LIMIT, f"{peak / MIB:.0f} MiB")
    else:
        skip(f"{name}: memory", NO_RELEASE)

# ---- A quote that is never closed: nothing ends the record ----
for name, piece in (("with line ends", b"x,y\n"), ("without a line end", b"x" * 4096)):
    with open("t.csv", "wb") as file:
        file.write(b'1,2\n3,"')
        for _ in range(NBYTES // len(piece)):
            file.write(piece)
    seen, peak = set(), 0
    for jobs in ("1", "2", "8"):
        code, digest, memory, seconds, err = convert("--jobs", jobs, "--max-record-size", "1M")
        seen.add((code, digest, err))
        peak = max(peak, memory)
    point(f"an open quote {name}: refused in one line, early", seen == {
        (1, None, "stoa: t.csv: line 2: a record of more than 1048576 bytes: is a quote left open?\n")} and peak < 128 * MIB, seen,
        f"{peak / MIB:.0f} MiB")
end()
