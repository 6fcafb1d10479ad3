#!/usr/bin/env python3
"""tests/run itself: what it counts as a failure."""
import os
import subprocess
import tempfile

CASES = [  # name, script, last line, a line that must be shown
    ("points are counted", "echo 1..3; echo ok 1 - a; echo ok 2 - b; echo 'ok 3 - c # SKIP why'",
     "2 passed, 0 failed, 1 skipped", None),
    ("a skip as cmocka prints it", "echo 1..1; echo 'not ok 1 # SKIP a'",
     "0 passed, 0 failed, 1 skipped", None),
    ("two groups have two plans", "echo 1..1; echo ok 1 - a; echo 1..1; echo ok 1 - b",
     "2 passed, 0 failed, 0 skipped", None),
    ("a whole script skipped", "echo '1..0 # SKIP no such library'",
     "0 passed, 0 failed, 1 skipped", None),
    ("a failed point", "echo 1..2; echo not ok 1 - a; echo ok 2 - b; exit 1",
     "1 passed, 1 failed, 0 skipped", "-> a"),
    ("no program", None, "0 passed, 1 failed, 0 skipped", "no test is chosen"),
    ("no output at all", "true", "0 passed, 1 failed, 0 skipped", "-> ran no test"),
    ("an empty plan", "echo 1..0", "0 passed, 1 failed, 0 skipped", "-> ran no test"),
    ("no plan", "echo ok 1 - a", "1 passed, 1 failed, 0 skipped", "-> printed no plan (1..N)"),
    ("fewer points than planned", "echo 1..3; echo ok 1 - a; exit 0",
     "1 passed, 1 failed, 0 skipped", "-> planned 3 tests, ran 1"),
    ("a crash after the last point", "echo 1..1; echo ok 1 - a; kill -SEGV $$",
     "1 passed, 1 failed, 0 skipped", "-> killed by SIGSEGV"),
    ("a bad exit status after the last point", "echo 1..1; echo ok 1 - a; exit 23",
     "1 passed, 1 failed, 0 skipped", "-> exit status 23"),
    ("a test that hangs, with a child that hangs", "echo 1..1; echo ok 1 - a; sleep 60 & sleep 60",
     "1 passed, 1 failed, 0 skipped", "-> took longer than 1.0 s"),
]


def run(folder, script):
    if script is None:
        return run_programs([])
    path = os.path.join(folder, "program")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    return run_programs([path])


def run_programs(programs):
    runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run")
    done = subprocess.run([runner, *programs], capture_output=True, text=True,
                          env=dict(os.environ, TEST_TIMEOUT="1.0", RUN=""))
    return done.returncode, [line.strip() for line in done.stdout.splitlines()]


print(f"1..{len(CASES)}")
for number, (name, script, last, shown) in enumerate(CASES, 1):
    with tempfile.TemporaryDirectory() as folder:
        status, lines = run(folder, script)
    good = lines[-1] == last and (shown is None or shown in lines)
    good = good and status == (0 if ", 0 failed" in last else 1)
    if not good:
        print(*(f"# {line}" for line in lines), sep="\n")
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
