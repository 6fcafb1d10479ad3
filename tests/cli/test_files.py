#!/usr/bin/env python3
"""What is no Stoa file, or no longer one: each its own line and exit code."""
import os
import shutil
import struct
import subprocess
import sys

import cli
from cli import expect, point, refuse, stoa

folder = cli.work_in_a_folder()
cli.write("t.csv", "id,name\n" + "".join(f"{i},name {i % 7}\n" for i in range(3000)))
made = stoa("convert", "t.csv", "-o", "t.stoa")
point("the file to damage is made", made.code == 0, made)
WHOLE = cli.read("t.stoa")
OPENERS = (["info"], ["head"], ["cat"], ["count"], ["explain", "-w", "id > 3"], ["schema"],
           ["convert", "-o", "out.csv"], ["verify"])


def refused(name, path, code, message, openers=OPENERS):
    """The same line from every command that opens the file, and nothing left behind."""
    wrong = []
    for words in openers:
        done = stoa(words[0], path, *words[1:])
        first = done.err.split("\n")[0]
        if done.code != code or first != f"stoa: {path}: {message}" or done.out != "":
            wrong.append(f"{words[0]}: {done}")
        if os.path.exists("out.csv"):
            wrong.append(f"{words[0]}: left an output")
            os.remove("out.csv")
    point(name, not wrong, *wrong)


# ---- Not a Stoa file ----
FILES = tuple(o for o in OPENERS if o[0] not in ("schema", "convert"))
PURE = tuple(o for o in FILES if o[0] not in ("head", "cat", "count"))  # which read other inputs too
CSV_HINT = "not a Stoa file (`stoa convert` makes one of CSV)"
refused("text is not a Stoa file, and a hint says what makes one", "t.csv", 4, CSV_HINT,
        [o for o in PURE if o[0] != "verify"])
refused("verify says it of text too", "t.csv", 4, "not a Stoa file", [["verify"]])
cli.write("magic.stoa", b"\x89PNG\r\n\x1a\n" + bytes(120))
refused("another magic number", "magic.stoa", 4, "not a Stoa file")
cli.write("empty.stoa", b"")
refused("an empty file", "empty.stoa", 4, "not a Stoa file: it is empty")
os.mkdir("dir.stoa")
refused("a folder", "dir.stoa", 2, "is a folder, not a file", FILES)
refuse("a folder without files as an input", ["convert", "dir.stoa", "-o", "out.csv"], 2,
       "dir.stoa: no file is in this folder")
os.mkfifo("fifo.stoa")
refused("a FIFO is not waited for", "fifo.stoa", 2, "is a FIFO, not a file")
refused("a device", "/dev/null", 2, "is a device, not a file", PURE)
refused("no file of that name", "none.stoa", 3, "can't be opened: No such file or directory", FILES)
refuse("... as an input", ["convert", "none.stoa", "-o", "out.csv"], 3,
       "none.stoa: can't be opened: No such file or directory")
refuse("a pattern that matches nothing", ["convert", "none*.csv", "-o", "out.stoa"], 2,
       "none*.csv: no file matches this pattern")
refuse("standard input is no Stoa file", ["info", "-"], 2,
       "a Stoa file is read from its end: standard input can't be one", stdin=WHOLE)
for command in ("head", "cat", "count"):
    refuse(f"... nor is it for {command}", [command, "-"], 2,
           "standard input: is a Stoa file, which is read from its end: not through a pipe", stdin=WHOLE)
refuse("... also as an input", ["convert", "-", "-o", "out.csv"], 2,
       "standard input: is a Stoa file, which is read from its end: not through a pipe", stdin=WHOLE)

# ---- An output that is an input ----
TABLE = cli.read("t.csv")
os.link("t.csv", "hard.csv")
os.symlink("t.csv", "soft.csv")
for output in ("t.csv", "./t.csv", f"{os.getcwd()}/t.csv", "hard.csv", "soft.csv"):
    for force in ([], ["--force"]):
        refuse(f"-o {output} {' '.join(force)}", ["convert", "t.stoa", "t.csv", "--from", "csv", "-o", output, *force], 2,
               f"{output}: is an input: the output needs another file")
point("... which stays", cli.read("t.csv") == TABLE)
os.mkdir("line\nbreak")
refuse("a name is made printable", ["info", "line\nbreak"], 2, "line\\x0abreak: is a folder, not a file")

# ---- Parts of one ----
for size in (64, 800, len(WHOLE) // 2, len(WHOLE) - 64, len(WHOLE) - 1):
    cli.write("cut.stoa", WHOLE[:size])
    refused(f"cut to {size} of {len(WHOLE)} bytes", "cut.stoa", 4,
            "cut short or not finished: it starts like a Stoa file and has no end")
cli.write("two.stoa", WHOLE + WHOLE)
refused("two files in one", "two.stoa", 4,
        f"two Stoa files in one: the second starts at byte {len(WHOLE)}")
cli.write("tail.stoa", WHOLE[64:])
refused("without its beginning", "tail.stoa", 4,
        f"{len(WHOLE) - 64} bytes, its end says {len(WHOLE)}: bytes are missing before the end")


# ---- Newer versions and features: the trailer is changed and hashed anew ----
def with_trailer(change, *, at, size):
    trailer = bytearray(WHOLE[-64:])
    trailer[at:at + size] = change
    return WHOLE[:-64] + cli.sealed(bytes(trailer), 48)


for bit, words in ((0, "needs feature 0 (encryption), which this version cannot read"),
                   (1, "needs feature 1 (derived columns), which this version cannot read"),
                   (31, "needs feature 31, which this version does not know")):
    cli.write("newer.stoa", with_trailer(struct.pack("<I", 1 << bit), at=28, size=4))
    refused(f"a file that needs feature {bit}", "newer.stoa", 4, f"trailer: {words}")
cli.write("newer.stoa", with_trailer(struct.pack("<H", 0x0200), at=32, size=2))
refused("a file of version 2", "newer.stoa", 4,
        "trailer: format version 2.0, this program reads 1.x")
cli.write("newer.stoa", with_trailer(struct.pack("<H", 0x0107), at=32, size=2))
expect("a later minor version is read", ["count", "newer.stoa"], 0, "3000\n", "")

# ---- Damage ----
spans = stoa("info", "t.stoa", "--json")
point("info reads the whole file", spans.code == 0, spans)


def flipped(offset):
    damaged = bytearray(WHOLE)
    damaged[offset] ^= 1
    return bytes(damaged)


def chunk_offsets():
    """Column -> where its chunk is, from the directory of the only row group."""
    at = 0
    while WHOLE[at + 8] != 5:  # RGRP
        at += 64 + struct.unpack_from("<Q", WHOLE, at + 16)[0]
    return [at + struct.unpack_from("<Q", WHOLE, at + 64 + 40 * c)[0] for c in range(2)], at


(id_chunk, name_chunk), group = chunk_offsets()
id_length = struct.unpack_from("<I", WHOLE, group + 64 + 8)[0]
cli.write("bad.stoa", flipped(id_chunk + id_length - 1))
expect("verify names object, column and page of a damaged page", ["verify", "bad.stoa"], 4, "",
       lambda err: err.startswith("stoa: bad.stoa: row group 0: column id: page 0")
       and err.endswith("hash differs\n") and err.count("\n") == 1)
expect("... in JSON too", ["verify", "bad.stoa", "--json"], 4,
       lambda out: '"whole": false' in out and "row group 0: column id: page 0" in out, "")
expect("reading the damaged column is an error", ["cat", "bad.stoa"], 4, None,
       lambda err: err.startswith("stoa: bad.stoa: row group 0: column id: page 0"))
expect("the other column is whole", ["cat", "bad.stoa", "-s", "name", "-n", "1"], 0,
       "name\nname 0\n", "")
expect("a conversion of it leaves nothing", ["convert", "bad.stoa", "-o", "out.csv"], 4, "",
       lambda err: err.startswith("stoa: bad.stoa: row group 0: column id: page 0"))
point("... nothing", not os.path.exists("out.csv"))
cli.write("bad.stoa", flipped(len(WHOLE) - 20))
refused("a damaged trailer", "bad.stoa", 4, "trailer: hash differs")
unnoticed = [at for at in range(0, len(WHOLE), 13)
             if cli.write("bad.stoa", flipped(at)) or stoa("verify", "bad.stoa").code != 4] \
    if cli.IS_RELEASE else []
point("verify finds a flipped bit wherever it is", not unnoticed, unnoticed)

# ---- What may not be read or written ----
if os.getuid() == 0 and shutil.which("setpriv"):
    os.chmod(folder, 0o777)
    os.chmod("t.stoa", 0o600)
    os.mkdir("closed", 0o755)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", cli.STOA]
    can_run = subprocess.run([*nobody, "--version"], capture_output=True).returncode == 0
else:
    nobody, can_run = [cli.STOA], os.getuid() != 0
    os.chmod("t.stoa", 0)
    os.mkdir("closed", 0o555)
for name, args, message in (
        ("a file that may not be read", ["info", "t.stoa"],
         "t.stoa: can't be opened: Permission denied"),
        ("an input that may not be read", ["convert", "t.stoa", "-o", "out.csv"],
         "t.stoa: can't be opened: Permission denied"),
        ("a folder that may not be written", ["convert", "t.csv", "-o", "closed/out.stoa"],
         "closed/out.stoa: can't be created: Permission denied")):
    if not can_run:
        cli.skip(name, "there is no other user to be")
        continue
    done = subprocess.run(nobody + args, capture_output=True, text=True)
    point(name, done.returncode == 3 and done.stderr == f"stoa: {message}\n", done)

cli.end()
