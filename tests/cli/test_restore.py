#!/usr/bin/env python3
"""CSV inputs come back byte for byte: into folders, files and pipes, from archives, after a merge; refusals."""
import json
import os
import re
import subprocess

import cli
from cli import expect, point, refuse, stoa

cli.work_in_a_folder()
A = b'id;price\r\n1;0.50\r\n2;"1.5"\r\n\r\n3;NA\n4;1e3'
B = b"\xef\xbb\xbfid;price\n7;0\n"
cli.write("a.csv", A)
cli.write("b.csv", B)
expect("convert --verify", ["convert", "a.csv", "b.csv", "-o", "ab.stoa", "--verify"], 0, "",
       lambda err: err.endswith("restorable: yes, verified\n"))
expect("into a folder", ["restore", "ab.stoa", "-o", "out/"], 0, "")
point("... both files", cli.read("out/a.csv") == A and cli.read("out/b.csv") == B)
refuse("... not over files that are there", ["restore", "ab.stoa", "-o", "out/"], 2,
       "out/a.csv: exists and must not be replaced (--force replaces it)")
report = json.loads(stoa("restore", "ab.stoa", "-o", "out", "--force", "--json").out)
point("--json", (report["sources"], report["rows"], report["bytes"]) == (2, 5, len(A) + len(B)), report)
done = subprocess.run([cli.STOA, "restore", "ab.stoa", "-o", "-", "--source", "a.csv"], stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, check=False)
point("one source into a pipe", done.returncode == 0 and done.stdout == A, done)
refuse("two sources for one pipe", ["restore", "ab.stoa", "-o", "-"], 2,
       "standard output: holds one source, and there are 2: name a folder, or one source")
refuse("no such source", ["restore", "ab.stoa", "--source", "c.csv"], 2,
       'ab.stoa: none of its 2 sources is called "c.csv"')

subprocess.run(["tar", "cf", "both.tar", "a.csv", "b.csv"], check=True)
expect("an archive", ["convert", "both.tar", "-o", "tar.stoa", "--verify"], 0, "")
expect("... into a folder", ["restore", "tar.stoa", "-o", "members"], 0, "")
point("... its members", sorted(os.listdir("members")) == ["both.tar_a.csv", "both.tar_b.csv"]
      and cli.read("members/both.tar_a.csv") == A, os.listdir("members"))
subprocess.run(["gzip", "-k", "b.csv"], check=True)
expect("what was compressed", ["convert", "b.csv.gz", "-o", "gz.stoa"], 0, "")
expect("... comes out decompressed", ["restore", "gz.stoa", "-o", "plain/"], 0, "")
point("... under its name without the ending", cli.read("plain/b.csv") == B)
expect("after a merge", ["merge", "ab.stoa", "ab.stoa", "-o", "merged.stoa"], 0, "")
expect("... all sources", ["restore", "merged.stoa", "-o", "merged"], 0, "")
point("... namesakes get numbers", sorted(os.listdir("merged")) == ["a-2.csv", "a.csv", "b-2.csv", "b.csv"]
      and cli.read("merged/a-2.csv") == A, os.listdir("merged"))

for name, why, args in (("rows left out", "rows are left out", ["--where", "id > 1"]),
                        ("columns chosen", "columns are chosen", ["--select", "id"]),
                        ("--no-source-text", "source text was not wanted", ["--no-source-text"])):
    expect(name, ["convert", "a.csv", "-o", "part.stoa", "--force", *args], 0, "",
           lambda err, why=why: err.endswith(f"restorable: no, because {why}\n"))
    refuse("... can't be restored", ["restore", "part.stoa"], 1,
           "part.stoa: keeps no source text: it was not made of CSV, or without it")
    refuse("... nor verified", ["convert", "a.csv", "-o", "part.stoa", "--force", "--verify", *args], 2,
           f"nothing to verify: no CSV can be restored, because {why}")

# ---- What is written is not what arrives: the file does not appear ----
fault = os.path.join(os.environ["STOA_BUILD"], "tests", "support", "fault_posix.so")
if not cli.IS_RELEASE:
    cli.skip("a bit that flips", "a sanitizer wants to be the first library")
else:
    cli.write("old.stoa", b"old")
    done = stoa("convert", "a.csv", "-o", "old.stoa", "--force", "--verify",
                env={**os.environ, "LD_PRELOAD": fault, "STOA_FAULT_AT": "1", "STOA_FAULT_CALLS": "write",
                     "STOA_FAULT_MODE": "flip"})
    point("a bit that flips on its way to the disk is found by --verify",
          done.code == 4 and done.err.startswith("stoa: old.stoa: ") and done.err.count("\n") == 1, done)
    point("... the old file stays", cli.read("old.stoa") == b"old")
os.mkfifo("pipe.stoa")
holder = os.open("pipe.stoa", os.O_RDWR)
refuse("a pipe can't be verified", ["convert", "a.csv", "-o", "pipe.stoa", "--verify"], 2,
       "pipe.stoa can't be verified: only a file can be read back")
os.close(holder)

# ---- Memory ----
with open("long.csv", "w") as out:
    out.write("n,text\n")
    out.writelines(f"{i},{i * 2654435761 % 1000003:x}{'x' * 100}\n" for i in range(120000))
expect("a file of one row group of 14 MB", ["convert", "long.csv", "-o", "long.stoa"], 0, "")
expect("restore --memory", ["restore", "long.stoa", "-o", "long2.csv", "--memory", "128M"], 0, "")
point("... the same bytes", cli.read("long.csv") == cli.read("long2.csv"))
done = stoa("restore", "long.stoa", "-o", "long3.csv", "--memory", "32M")
point("too little memory is refused with what would do", done.code == 2 and re.fullmatch(
    r"stoa: long.stoa: 32 MiB of memory are too few: one row group needs about \d+ MiB to be written as text\n", done.err), done)
point("... and there is no file", not os.path.exists("long3.csv"))
cli.end()
