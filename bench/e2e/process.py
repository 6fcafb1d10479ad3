"""Processes that are measured: programs from start to end, and workers that answer questions."""

import json
import os
import select
import subprocess
import tempfile
import time
from typing import NamedTuple

import places

STOA = str(places.BUILD / "stoa")
AVRO_C = places.BUILD / "bench/e2e/avro_c.so"
QUESTION_SECONDS = 300  # a library that takes longer is ended


class Process(NamedTuple):
    stdout: str
    seconds: float
    cpu_seconds: float
    peak_rss_nbytes: int


def environment(threads):
    """What tells libraries their threads, where a call cannot."""
    n = str(threads)
    return dict(os.environ, POLARS_MAX_THREADS=n, LANCE_CPU_THREADS=n, LANCE_IO_THREADS=n,
                OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1",
                STOA_LIBRARY=str(places.BUILD / "libstoa.so"),
                STOA_ROWS=str(places.BUILD / "bench/e2e/stoa_rows.so"),
                AVRO_STOA=str(places.BUILD / "bench/e2e/avro_stoa.so"),
                AVRO_C=str(AVRO_C))


def run(argv, threads, stdin="", cwd=None):
    """Runs a program to its end. Linux counts into a child's peak what its parent held at the
    fork, so this process stays small: it never holds a table."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, \
            tempfile.TemporaryFile("w+") as given:
        given.write(stdin)
        given.seek(0)
        begin = time.monotonic()
        child = subprocess.Popen(argv, stdin=given, stdout=out, stderr=err, cwd=cwd,
                                 env=environment(threads))
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            err.seek(0)
            raise places.NotRun(f"exit {child.returncode}: {places.last_line(err.read())}")
        out.seek(0)
        return Process(out.read(), seconds, usage.ru_utime + usage.ru_stime,
                       usage.ru_maxrss * 1024)


def worker_argv(what, peer):
    return [str(places.PYTHON), str(places.BENCH / "e2e/worker.py"), what, peer]


def request(row, table, csv, out, threads):
    """The first line that a worker reads."""
    work = {"types": table.types, "null_text": table.null_text, "csv": str(csv), "out": str(out),
            "threads": threads}
    return json.dumps([work, row.options]) + "\n"


def work(what, row, table, csv, out, threads):
    """One piece of work in a process of its own: what it says, and the process."""
    done = run(worker_argv(what, row.peer), threads, request(row, table, csv, out, threads))
    return json.loads(places.last_line(done.stdout)), done


class Server:
    """A worker that stays and answers questions."""

    def __init__(self, row, table, path, threads):
        self.stderr = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(
            worker_argv("serve", row.peer), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.stderr, text=True, env=environment(threads))
        self.send(request(row, table, "", path, threads))
        try:
            self.answer()  # it is ready: nobody is measured while others start
        except places.NotRun:
            self.close()
            raise

    def send(self, line):
        try:
            self.child.stdin.write(line)
            self.child.stdin.flush()
        except BrokenPipeError:
            pass  # its end is told when the answer is awaited

    def ask(self, *question):
        self.send(json.dumps(question) + "\n")
        return self.answer()

    def answer(self):
        ready, _, _ = select.select([self.child.stdout], [], [], QUESTION_SECONDS)
        line = self.child.stdout.readline() if ready else ""
        if not line:
            self.stderr.seek(0)
            raise places.NotRun(f"ended: {places.last_line(self.stderr.read())}" if ready else
                                f"no answer in {QUESTION_SECONDS} s")
        answer = json.loads(line)
        if "failed" in answer:
            raise places.NotRun(answer["failed"])
        return answer

    def close(self):
        try:
            self.child.stdin.close()
            self.child.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()
        self.stderr.close()
