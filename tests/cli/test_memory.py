#!/usr/bin/env python3
"""Peak memory of conversions: at most --memory and 16 MiB of program, for tables of all shapes and for every compression and archive.

The text comes through a pipe, so most inputs need no window of a decompressor. It is made of blocks
of random rows that are sent again and again, numbered where it matters that values stay new. What is
compressed is one block that is compressed once and sent as member after member.
"""
import bz2
import gzip
import lzma
import os
import random
import shutil
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli import IS_RELEASE, NO_RELEASE, STOA, end, point, skip, work_in_a_folder  # noqa: E402

MIB = 1 << 20
PROGRAM = 16 * MIB
BLOCK = 4 * MIB


def block(rows):
    """About BLOCK bytes of rows, which a generator gives."""
    lines, size = [], 0
    for row in rows:
        lines.append(row)
        size += len(row) + 1
        if size >= BLOCK:
            break
    return ("\n".join(lines) + "\n").encode()


def forever(make):
    while True:
        yield make()


def word(n, alphabet="abcdefghijklmnopqrstuvwxyz0123456789"):
    return "".join(random.choices(alphabet, k=n))


def narrow():
    return f"{random.randrange(1000)},{random.randrange(7)},{random.randrange(10**6)}"


def digits():
    return ",".join(random.choices("0123456789", k=200))


def wide():
    cells = []
    for i in range(200):
        kind = i % 4
        cells.append(str(random.randrange(10**5)) if kind == 0 else
                     f"{random.random() * 1e4:.2f}" if kind == 1 else
                     random.choice(("alpha", "beta")) if kind == 2 else word(16))
    return ",".join(cells)


def text():
    return f"{random.randrange(1000)},{word(random.randrange(500, 2000), 'etaoin shrdlu bcf')}"


def blobs():
    return f"{random.randrange(1000)},{word(random.randrange(20000, 30000))}"


def keys():
    return f"{word(20)},{word(16)},{word(33)},{word(16)}"


def hundreds():
    return ",".join(str(random.randrange(1000)) for _ in range(10000))


def short():
    return ",".join(str(random.randrange(100)) for _ in range(14))


# Files that are all footer: of many columns, and of so many row groups that it goes to a temporary file.
GROUPS = {"10,000 columns in 50 row groups": 20, "14 columns in 60,000 row groups": 4}
SHAPES = [  # name, columns, a row, MB of text, --memory in MiB: 0 is the default of 256
    ("10,000 columns in 50 row groups", 10000, hundreds, 39, 0),
    ("14 columns in 60,000 row groups", 14, short, 10, 0),
    ("narrow rows", 3, narrow, 200, 0),
    ("narrow rows in little memory", 3, narrow, 200, 64),
    ("200 columns of digits", 200, digits, 200, 0),
    ("200 columns of all kinds", 200, wide, 200, 0),
    ("texts of 1 KB", 2, text, 200, 0),
    ("texts of 1 KB in little memory", 2, text, 200, 128),
    ("texts of 25 KB", 2, blobs, 200, 0),
    ("texts of 25 KB in little memory", 2, blobs, 100, 128),
    ("keys that are all different", 4, keys, 200, 0),
]


def run(args, pieces=()):
    """Runs the command, whose input is the pieces and whose output nobody wants; exit code, bytes of memory at the peak, stderr."""
    process = subprocess.Popen([STOA, *args], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for piece in pieces:
            process.stdin.write(piece)
        process.stdin.close()
    except BrokenPipeError:
        pass
    err = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024, err


def convert_from(path, args=(), pieces=()):
    return run(["convert", path, "-o", "out.stoa", "--force", "--jobs", "2", *args], pieces)


def header(ncolumns):
    return (",".join(f"c{i}" for i in range(ncolumns)) + "\n").encode()


def convert(ncolumns, rows, nbytes, memory, group_rows=0):
    args = ["--memory", f"{memory}M"] if memory else []
    if group_rows:
        args += ["--row-group-rows", str(group_rows)]
    return convert_from("-", args, [header(ncolumns)] + [rows] * (nbytes // BLOCK))


def check_blooms():
    """Filters of 40 columns in row groups that fit, and in some that would fit without them."""
    rows = block(forever(lambda: ",".join(str(random.randrange(10**6)) for _ in range(40))))
    for memory, group_rows, rate, fits in ((64, 40000, "0.01", True), (128, 100000, "0.01", True), (128, 65536, "0.00001", True),
                                           (64, 60000, "0.00001", False)):
        args = ["--bloom", ",".join(f"c{i}" for i in range(40)), "--bloom-rate", rate, "--row-group-rows", str(group_rows)]
        code, peak, err = convert_from("-", ["--memory", f"{memory}M", *args], [header(40)] + [rows] * 25)
        limit = memory * MIB + PROGRAM
        done = code == 0 or not fits and code == 2 and f"{memory} MiB of memory are too few: one row group needs" in err
        point(f"Bloom filters, row groups of {group_rows:,} rows, a rate of {rate}: at most {limit // MIB} MiB{'' if fits else ', or refused'}",
              done and peak <= limit, f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)


def by_program(*command):
    return lambda data: subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


COMPRESSIONS = [  # name, what compresses a member, the program that it needs
    ("gz", lambda data: gzip.compress(data, 1), None),
    ("bz2", lambda data: bz2.compress(data, 1), None),
    ("xz", lambda data: lzma.compress(data, preset=1), None),
    ("zst", by_program("zstd", "-qc"), "zstd"),
    ("lz4", by_program("lz4", "-qc"), "lz4"),
]
NMEMBERS = 24  # of BLOCK


def tar_member(data):
    info = tarfile.TarInfo("m.csv")
    info.size = len(data)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


def check_compressions():
    """100 MB of text in each of them."""
    rows = block(forever(wide))
    limit = 256 * MIB + PROGRAM
    for name, compress, program in COMPRESSIONS:
        if program and not shutil.which(program):
            skip(f"{name}: memory", f"there is no {program}")
            continue
        code, peak, err = convert_from("-", [], [compress(header(200))] + [compress(rows)] * NMEMBERS)
        point(f"{NMEMBERS} members of {name}: at most {limit // MIB} MiB", code == 0 and peak <= limit,
              f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)
    member = gzip.compress(tar_member(header(200) + rows), 1)
    code, peak, err = convert_from("-", [], [member] * NMEMBERS + [gzip.compress(bytes(1024))])
    point(f"{NMEMBERS} files of tar.gz: at most {limit // MIB} MiB", code == 0 and peak <= limit,
          f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)
    with zipfile.ZipFile("m.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for i in range(NMEMBERS // 4):  # compressed each by itself
            archive.writestr(f"{i}.csv", header(200) + rows)
    code, peak, err = convert_from("m.zip")
    point(f"{NMEMBERS // 4} files of zip: at most {limit // MIB} MiB", code == 0 and peak <= limit,
          f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)


def lists():
    return '{"v":[' + ",".join(random.choices("0123456789", k=50)) + "]}"


def empty_structs():
    whole = '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}'
    return '{"v":[' + ",".join(random.choices(("{}", whole), (9, 1), k=50)) + "]}"


def no_lists():
    return '{"t":"' + word(1000) + '","v":[]}'


def lists_alone():
    return '{"t":"","v":[' + ",".join(random.choices("0123456789", k=50)) + "]}"


LINES = [  # name, what rows are made of, each of them for so many MB, --memory in MiB
    ("lists of digits", (lists,), 100, 128),
    ("lists of structs without their fields", (empty_structs,), 60, 128),
    ("lists of digits behind texts", (lists_alone, no_lists, lists_alone), 60, 128),
]


def check_json_lines():
    """What lists hold takes more memory than its text."""
    for name, makers, megabytes, memory in LINES:
        pieces = []
        for make in makers:
            pieces += [block(forever(make))] * (megabytes * 10**6 // BLOCK)
        code, peak, err = convert_from("-", ["--from", "jsonl", "--memory", f"{memory}M"], pieces)
        limit = memory * MIB + PROGRAM
        point(f"JSON lines, {name}: at most {limit // MIB} MiB", code == 0 and peak <= limit,
              f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)


def check_helpers():
    """Threads that share the columns of one row group have compressors of their own, if there is room."""
    words = [word(random.randrange(3, 9)) for _ in range(5000)]
    rows = [",".join([" ".join(random.choices(words, k=4)) for _ in range(12)] +
                     [repr(random.random() * 1000) for _ in range(12)]) for _ in range(20000)]
    pieces, outputs, limit = [header(24), ("\n".join(rows) + "\n").encode()], [], 100 * MIB + PROGRAM
    for jobs in (1, 8):
        code, peak, err = run(["convert", "-", "-o", "out.stoa", "--force", "--level", "small",
                               "--jobs", str(jobs), "--memory", "100M"], pieces)
        point(f"columns of a row group shared among {jobs} threads: at most {limit // MIB} MiB",
              code == 0 and peak <= limit, f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)
        with open("out.stoa", "rb") as file:
            outputs.append(file.read())
    point("the file is the same for any number of threads", outputs[0] == outputs[1])


SORTED = [  # shape, what to sort by, MB of text, --memory in MiB
    ("narrow rows in little memory", "c2,c1", 350, 64),
    ("texts of 1 KB in little memory", "c1", 300, 128),
    ("200 columns of all kinds", "c3:desc", 600, 224),
    ("keys that are all different", "c0,c2", 500, 160),
]


def check_stored():
    """What was made with no limit named is read with none: nobody could make the row groups smaller."""
    words = [word(6) for _ in range(200)]
    rows = block(forever(lambda: ",".join(random.choices(words, k=150))))
    code, peak, err = convert(150, rows, 60 * 10**6, 0)
    os.rename("out.stoa", "words.stoa")
    limit = 256 * MIB + PROGRAM
    for output in ("out.stoa", "out.csv"):
        code, peak, err = run(["convert", "words.stoa", "-o", output, "--force", "--jobs", "2"])
        point(f"150 columns of words, stored, to {output}: at most {limit // MIB} MiB", code == 0 and peak <= limit,
              f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)


def check_sorting():
    """Tables several times as large as the memory, sorted."""
    for name, order, megabytes, memory in SORTED:
        shape = next(shape for shape in SHAPES if shape[0] == name)
        args = ["--memory", f"{memory}M", "--sort-by", order]
        rows = block(forever(shape[2]))
        code, peak, err = convert_from("-", args, [header(shape[1])] + [rows] * (megabytes * 10**6 // BLOCK))
        limit = memory * MIB + PROGRAM
        point(f"sorted, {name}: at most {limit // MIB} MiB", code == 0 and peak <= limit,
              f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)


def main():
    work_in_a_folder()
    random.seed(1)
    if not IS_RELEASE:
        skip("memory of conversions", NO_RELEASE)
        end()
    for name, ncolumns, make, megabytes, memory in SHAPES:
        rows = block(forever(make))
        code, peak, err = convert(ncolumns, rows, megabytes * 10**6, memory, GROUPS.get(name, 0))
        limit = (memory or 256) * MIB + PROGRAM
        point(f"{name}: at most {limit // MIB} MiB", code == 0 and peak <= limit,
              f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)
    for name in ("texts of 1 KB", "200 columns of all kinds", "keys that are all different"):
        shape = next(shape for shape in SHAPES if shape[0] == name)
        code, peak, err = convert(shape[1], block(forever(shape[2])), 200 * 10**6, 0)
        for memory in (0, 160):
            code, peak, err = run(["restore", "out.stoa", "-o", "-", "--jobs", "2",
                                   *(["--memory", f"{memory}M"] if memory else [])])
            limit = (memory or 256) * MIB + PROGRAM
            point(f"restore, {name}: at most {limit // MIB} MiB", code == 0 and peak <= limit,
                  f"exit code {code}, {peak / MIB:.0f} MiB at the peak", err)
    check_compressions()
    check_json_lines()
    check_stored()
    check_helpers()
    check_sorting()
    check_blooms()
    code, peak, err = convert(200, block(forever(wide)), 50 * 10**6, 64)
    point("too little memory is refused early, with what would do",
          code == 2 and peak < 100 * MIB and "64 MiB of memory are too few: one row group needs"
          in err, f"exit code {code}, {peak / MIB:.0f} MiB", err)
    end()


main()
