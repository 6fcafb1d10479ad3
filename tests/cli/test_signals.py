#!/usr/bin/env python3
"""Interrupted and terminated conversions: soon, with the right exit code, without a trace."""
import os
import random
import signal
import subprocess
import time

import cli
from cli import point, stoa, write

cli.work_in_a_folder()
LATE = 0.25 if cli.IS_RELEASE else 5
seed = int(os.environ.get("STOA_TEST_SEED", random.randrange(1 << 32)))
chance = random.Random(seed)
print(f"# STOA_TEST_SEED={seed}")
write("t.csv", "n,text,x\n" + "".join(f"{i},value {i * 7919 % 10007},{i / 7}\n" for i in range(300000)))
begin = time.monotonic()
point("a conversion to be interrupted", stoa("convert", "t.csv", "-o", "old.stoa").code == 0)
whole_run = time.monotonic() - begin
old = cli.read("old.stoa")


def start(*args, **more):
    return subprocess.Popen([cli.STOA, "convert", *args], stderr=subprocess.PIPE, **more)


# ---- At any time: the old file or the new one, and nothing else ----
wrong, slowest, ended = [], 0, 0
for i in range(30):
    number, code = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129))[i % 3]
    replacing = i % 2 == 0
    process = start("t.csv", "-o", "old.stoa" if replacing else "new.stoa", "--force", "-j", str(1 + i % 4))
    time.sleep(chance.uniform(0.02, 1.1) * whole_run)
    asked = time.monotonic()
    got = cli.stop(process, number)
    slowest = max(slowest, time.monotonic() - asked)
    said = process.stderr.read().decode()
    left = cli.litter("t.csv", "old.stoa")
    if got == 0 and left == ([] if replacing else ["new.stoa"]):
        left, said = [], "stoa: interrupted\n"  # it was done before
        if not replacing:
            os.remove("new.stoa")
    elif got == code:
        ended += 1
        said = said or "stoa: interrupted\n"  # the signal came before the program took it
    else:
        wrong.append(f"run {i}: exit code {got}")
    if left or said != "stoa: interrupted\n" or cli.read("old.stoa") != old:
        wrong.append(f"run {i}: exit code {got}, left {left}, said {said!r}")
point("a signal at any time leaves the old file or the new one", not wrong, *wrong)
point("some runs were interrupted", ended >= 5, f"{ended} of 30")
# A process has to be scheduled to end: the slowest of 30 is given the time of a busy machine.
point("they end soon", slowest < 4 * LATE, slowest)

# ---- While it waits ----
for name, args, more in (
        ("for its input", ["-", "-o", "new.stoa"], dict(stdin=subprocess.PIPE)),
        ("for the rest of its input", ["-", "-o", "new.stoa", "--schema", "t.json"], dict(stdin=subprocess.PIPE)),
        ("for who reads its output", ["t.csv", "-o", "-", "--to", "csv"], dict(stdout=subprocess.PIPE))):
    write("t.json", stoa("schema", "old.stoa", "--json").out)
    seen = []
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = start(*args, **more)
        if process.stdin:
            process.stdin.write(b"n,text,x\n1,a,2\n")
            process.stdin.flush()
        time.sleep(0.3 + whole_run)
        asked = time.monotonic()
        got = cli.stop(process, number)
        late = time.monotonic() - asked
        said = process.stderr.read()
        if got != code or late > 2 * LATE or said != b"stoa: interrupted\n":
            seen.append(f"{number}: exit code {got} after {late:.3f} s, said {said!r}")
    point(f"a signal while it waits {name}", not seen and cli.litter("t.csv", "old.stoa", "t.json") == [],
          *seen, cli.litter())

# ---- What the caller ignores stays ignored ----
process = start("t.csv", "-o", "new.stoa",
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
time.sleep(whole_run / 3)
point("a signal that the caller ignores", cli.stop(process) == 0 and os.path.exists("new.stoa"))

# ---- Scans have nothing to clear up ----
process = subprocess.Popen([cli.STOA, "cat", "old.stoa"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
time.sleep(0.1)
point("an interrupted cat", cli.stop(process) == 130 and process.stderr.read() == b"")
cli.end()
