#!/usr/bin/env python3
"""Disks that are full or fail: exit 3 with the reason, the old file as it was, nothing left behind."""
import os
import resource
import shutil
import subprocess
import tempfile

import cli
from cli import expect, point, refuse, stoa, write

folder = cli.work_in_a_folder()
write("t.csv", "n,text\n" + "".join(f"{i * 2654435761 % 1000003},{i * 40503 % 65521:x}\n" for i in range(100000)))
made = stoa("convert", "t.csv", "-o", "t.stoa")
point("a file to fill disks with", made.code == 0, made)
size = os.path.getsize("t.stoa")

# ---- Standard output that takes nothing ----
for args, message in ((["cat", "t.stoa"], "standard output: can't be written: No space left on device"),
                      (["cat", "t.stoa", "-f", "jsonl"], "standard output: can't be written: No space left on device"),
                      (["head", "t.stoa"], "standard output: No space left on device"),
                      (["schema", "t.csv"], "standard output: No space left on device"),
                      (["info", "t.stoa", "--json"], "standard output: No space left on device"),
                      (["count", "t.stoa"], "standard output: No space left on device"),
                      (["explain", "t.stoa", "-w", "n=1"], "standard output: No space left on device"),
                      (["verify", "t.stoa"], "standard output: No space left on device"),
                      (["--help"], "standard output: No space left on device"),
                      (["convert", "t.csv", "-o", "-", "--to", "csv"],
                       "standard output: can't be written: No space left on device")):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([cli.STOA, *args], stdout=full, stderr=subprocess.PIPE, text=True)
    point(f"stdout is full: {' '.join(args)}", (done.returncode, done.stderr) == (3, f"stoa: {message}\n"), done)
done = subprocess.run([cli.STOA, "count", "t.stoa"], stderr=subprocess.PIPE, text=True,
                      preexec_fn=lambda: os.close(1))
point("stdout is closed", (done.returncode, done.stderr) == (3, "stoa: standard output: Bad file descriptor\n"), done)

# ---- A limit on the size of files ----
wrong = []
for limit in [0, 1, 63, 64, 4096, *range(0, size, size // 12), size - 1]:
    for output in ("new.stoa", "t.stoa"):
        before = cli.read("t.stoa")
        done = stoa("convert", "t.csv", "-o", output, "--force",
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        if (done.code, done.err) != (3, f"stoa: {output}: can't be written: File too large\n"):
            wrong.append(f"limit {limit}: {done}")
        if cli.read("t.stoa") != before or cli.litter("t.csv", "t.stoa"):
            wrong.append(f"limit {limit}: {cli.litter()}")
point("files may not become large enough", not wrong, *wrong)


# ---- A disk that is full ----
def mounted(nbytes, command):
    """`command` in a file system of that size, of its own; None where that is not allowed."""
    script = 'mount -t tmpfs -o size="$0" tmpfs disk && cd disk && cp ../old . && shift 0 && "$@"; ' \
             'code=$?; ls -A; cmp old ../old; exit $code'
    return subprocess.run(["unshare", "-m", "sh", "-c", script, str(nbytes), *command], capture_output=True, text=True)


os.mkdir("disk")
write("old", b"old" * 1000)
can_mount = shutil.which("unshare") and mounted(1 << 20, ["true"]).returncode == 0
if not can_mount:
    cli.skip("a full disk", "may not mount")
else:
    wrong = []
    for nbytes in range(8192, size, max(4096, size // 16)):
        for output in ("new.stoa", "old"):
            done = mounted(nbytes, [cli.STOA, "convert", "../t.csv", "-o", output, "--force", "--to", "stoa"])
            if (done.returncode, done.stderr) != (3, f"stoa: {output}: can't be written: No space left on device\n") \
                    or done.stdout != "old\n":
                wrong.append(f"{nbytes} bytes: {done}")
    point("a full disk", not wrong, *wrong)

# ---- Reads that fail ----
if shutil.which("strace") and subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode == 0 \
        and cli.IS_RELEASE:
    wrong, failed = [], 0
    for args in (["cat", "t.stoa"], ["count", "t.stoa", "-w", "n=3"], ["info", "t.stoa"], ["verify", "--deep", "t.stoa"],
                 ["convert", "t.stoa", "-o", "new.csv"], ["explain", "t.stoa", "-w", "text > 'a'"]):
        for n in range(1, 40, 3):
            done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-P", os.path.abspath("t.stoa"), "-e",
                                   f"inject=pread64:error=EIO:when={n}", cli.STOA, *args],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode == 0:
                break
            failed += 1
            if (done.returncode, done.stderr) != (3, "stoa: t.stoa: can't be read: Input/output error\n"):
                wrong.append(f"{args} at read {n}: {done.returncode} {done.stderr!r}")
            if os.path.exists("new.csv"):
                wrong.append(f"{args} at read {n}: left an output")
        if os.path.exists("new.csv"):
            os.remove("new.csv")
    point("reads that fail name the file once", not wrong and failed > 10, failed, *wrong)
else:
    cli.skip("reads that fail name the file once", "no strace, or not the release build")
cli.end()
