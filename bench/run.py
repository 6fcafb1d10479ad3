#!/usr/bin/env python3
"""Runs whole jobs side by side with other tools and prints what each took.

    bench/run.py [--rows N] [--runs N] [--threads N] [--stoa PATH] [--table T] [--only PEER]

Standard library only. The libraries compared with are installed from PyPI into bench/data/venv; one
that cannot be installed, or fails, is a row that says so and never ends the bench. bench/README.md
says what is measured and how; results go to stdout as Markdown and to bench/results as JSON.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import jobs
import tables

BENCH = pathlib.Path(__file__).resolve().parent
DATA = BENCH / "data"
VENV_PYTHON = DATA / "venv" / "bin" / "python"


class NotRun(Exception):
    """A row cannot be measured; the text is what the row says instead."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no message"


# ---- Inputs and peers: made once, kept in bench/data ----


def build_generator(build):
    target = f"{build}/bench/gen_trips"
    subprocess.run(["make", "--silent", target], cwd=tables.ROOT, check=True, stdout=sys.stderr)
    return str(tables.ROOT / target)


def csv_of(table):
    """Path of the table as CSV; written under another name first, so a kill leaves no half."""
    path = DATA / f"{table.name}.csv"
    if not path.exists():
        say(f"writing {path.name}")
        part = path.with_suffix(".part")
        with open(part, "wb") as out:
            table.write_csv(out)
        part.rename(path)
    return path


def install(package):
    """Installs a library into the bench's own environment, unless it is there."""
    if not VENV_PYTHON.exists():
        say("making bench/data/venv")
        made = subprocess.run([sys.executable, "-m", "venv", str(DATA / "venv")],
                              capture_output=True, text=True)
        if made.returncode != 0:
            raise NotRun(f"no virtual environment: {last_line(made.stdout + made.stderr)}")
    probe = f"import importlib.util as u, sys; sys.exit(u.find_spec({package!r}) is None)"
    if subprocess.run([str(VENV_PYTHON), "-c", probe]).returncode == 0:
        return
    say(f"installing {package}")
    pip = subprocess.run([str(VENV_PYTHON), "-m", "pip", "install", "--quiet", package],
                         capture_output=True, text=True)
    if pip.returncode != 0:
        raise NotRun(f"cannot be installed: {last_line(pip.stderr)}")


# ---- One measured process ----


class Process(NamedTuple):
    stdout: str
    seconds: float
    cpu_seconds: float
    peak_rss_nbytes: int


def run_process(argv, threads):
    """Runs a program to its end. Linux counts into a child's peak what its parent held at the
    fork, so this process stays small: it never holds a table."""
    env = dict(os.environ, POLARS_MAX_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        begin = time.monotonic()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                 env=env)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            stderr.seek(0)
            raise NotRun(f"exit {child.returncode}: {last_line(stderr.read())}")
        stdout.seek(0)
        return Process(stdout.read(), seconds, usage.ru_utime + usage.ru_stime,
                       usage.ru_maxrss * 1024)


def fsync_seconds(path):
    begin = time.monotonic()
    with open(path, "rb") as f:
        os.fsync(f.fileno())
    return time.monotonic() - begin


# ---- One row of a job: a peer with its settings ----


class Measured:
    def __init__(self, job, index, table, args):
        self.row = jobs.JOBS[job][index]
        self.job, self.index, self.table, self.args = job, index, table, args
        self.csv = csv_of(table)
        self.out = DATA / "out" / f"{table.name}-{job}-{index}{self.row.suffix}"
        self.version = None
        self.runs = []  # one dict a run
        self.note = ""
        self.failed = False

    def prepare(self):
        if self.row.work is not None:
            install(self.row.peer)
        elif not (tables.ROOT / self.args.stoa).is_file():
            raise NotRun(f"no such file: {self.args.stoa}")
        else:
            self.version = last_line(self.stoa("--version").stdout).split()[-1]

    def stoa(self, *argv):
        return run_process([str(tables.ROOT / self.args.stoa), *argv], self.args.threads)

    def run(self):
        self.out.unlink(missing_ok=True)
        threads = self.args.threads
        if self.row.work is not None:
            p = run_process([str(VENV_PYTHON), str(BENCH / "jobs.py"), self.job, str(self.index),
                             self.table.shape, str(self.csv), str(self.out), str(threads)], threads)
            inside = json.loads(p.stdout)
            self.version = inside["version"]
        else:
            words = {"csv": self.csv, "out": self.out, "threads": threads}
            p = self.stoa(*(word.format(**words) for word in self.row.argv))
            inside = {"seconds": p.seconds, "cpu_seconds": p.cpu_seconds}
        self.runs.append({
            "seconds": inside["seconds"],
            "cpu_seconds": inside["cpu_seconds"],
            "process_seconds": p.seconds,
            "process_cpu_seconds": p.cpu_seconds,
            "peak_rss_bytes": p.peak_rss_nbytes,
            "fsync_seconds": fsync_seconds(self.out),
            "file_bytes": self.out.stat().st_size,
        })

    def check(self):
        """Compares rows and types of the last output with what the table has."""
        nrows, types = read_stoa(self) if self.row.work is None else read_parquet(self)
        if nrows != self.table.nrows:
            raise NotRun(f"wrong result: {nrows} rows of {self.table.nrows}")
        wanted = tables.SHAPES[self.table.shape].types
        other = [f"{name} {types.get(name, 'missing')}" for name, kind in wanted.items()
                 if without_unit(types.get(name, "")) != without_unit(kind)]
        if other:
            self.note = "other types: " + ", ".join(other)

    def attempt(self, step):
        """Does a step of this row; a failure becomes the row's text and ends it."""
        if self.failed:
            return
        try:
            step(self)
        except (NotRun, OSError) as why:
            self.failed = True
            self.note = f"{'failed' if self.runs else 'not run'}: {why}"

    def of(self, key, middle=statistics.median):
        return middle(run[key] for run in self.runs)

    def as_json(self):
        return {"peer": self.row.peer, "version": self.version, "settings": self.row.settings,
                "note": self.note, "runs": [] if self.failed else self.runs}


def without_unit(kind):
    """Parquet has no timestamps in whole seconds, so the unit is no part of the comparison."""
    return re.sub(r"^timestamp\((s|ms|us|ns)", "timestamp(", kind)


def read_stoa(measured):
    info = json.loads(measured.stoa("info", str(measured.out), "--json").stdout)
    return info["rows"], {column["name"]: column["type"] for column in info["columns"]}


PARQUET_READER = """
import json, sys, pyarrow.parquet as parquet
names = {"string": "utf8", "large_string": "utf8", "string_view": "utf8", "double": "float64"}
f = parquet.ParquetFile(sys.argv[1])
types = {}
for field in f.schema_arrow:
    kind = str(field.type)
    if kind.startswith("timestamp["):
        kind = "timestamp(" + kind[10:-1].replace(", tz=", ",") + ")"
    types[field.name] = names.get(kind, kind)
print(json.dumps([f.metadata.num_rows, types]))
"""


def read_parquet(measured):
    install("pyarrow")
    argv = [str(VENV_PYTHON), "-c", PARQUET_READER, str(measured.out)]
    return json.loads(run_process(argv, measured.args.threads).stdout)


# ---- A job over one table, and its report ----


def run_job(job, table, args):
    rows = [Measured(job, i, table, args) for i, row in enumerate(jobs.JOBS[job])
            if row.peer in (args.only or (row.peer,))]
    for m in rows:
        m.attempt(Measured.prepare)
    subprocess.run(["cat", str(csv_of(table))], stdout=subprocess.DEVNULL, check=True)  # warm cache
    for i in range(args.runs):  # interleaved: a slow minute of the machine meets every peer
        say(f"{job} {table.name}: run {i + 1} of {args.runs}")
        for m in rows:
            m.attempt(Measured.run)
    for m in rows:
        m.attempt(Measured.check)
        m.out.unlink(missing_ok=True)
    return rows


HEADINGS = ("peer", "settings", "s median", "s min", "CPU s", "process s", "fsync s", "peak MiB",
            "bytes", "of CSV", "note")


def markdown(job, table, rows, args):
    csv_nbytes = csv_of(table).stat().st_size
    lines = [f"### {job}: {table.name}",
             "",
             f"{table.nrows:,} rows, {csv_nbytes:,} bytes of CSV, {args.threads} threads, "
             f"median of {args.runs} interleaved runs",
             "",
             "| " + " | ".join(HEADINGS) + " |",
             "| --- | --- |" + " ---: |" * 8 + " --- |"]
    for m in rows:
        cells = [f"{m.row.peer} {m.version or ''}".strip(), m.row.settings]
        if m.failed:
            cells += ["-"] * 8
        else:
            is_library = m.row.work is not None
            cells += [f"{m.of('seconds'):.2f}", f"{m.of('seconds', min):.2f}",
                      f"{m.of('cpu_seconds'):.2f}", f"{m.of('process_seconds'):.2f}",
                      f"{m.of('fsync_seconds'):.3f}" if is_library else "inside",
                      f"{m.of('peak_rss_bytes') / 2**20:.0f}",
                      f"{round(m.of('file_bytes')):,}",
                      f"{100 * m.of('file_bytes') / csv_nbytes:.1f} %"]
        lines.append("| " + " | ".join(cells + [m.note]) + " |")
    return "\n".join(lines + ["", *comparison(rows), ""])


def comparison(rows):
    """Stoa against the best row of each peer, measure by measure."""
    done = [m for m in rows if not m.failed]
    ours = [m for m in done if m.row.peer == "stoa"]
    for peer in dict.fromkeys(m.row.peer for m in done if m.row.peer != "stoa"):
        theirs = [m for m in done if m.row.peer == peer]
        for stoa in ours:
            parts = []
            for key, name in (("seconds", "time"), ("cpu_seconds", "CPU time"),
                              ("peak_rss_bytes", "peak memory"), ("file_bytes", "bytes")):
                ratio = stoa.of(key) / min(m.of(key) for m in theirs)
                parts.append(f"{name} x {ratio:.2f}")
            yield f"- stoa ({stoa.row.settings}) against the best of {peer}: {', '.join(parts)}"


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu[1] if cpu else platform.machine(), "cpus": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "kernel": platform.release()}


def write_json(table, results, args):
    path = BENCH / "results" / f"{table.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({
        "table": table.name, "rows": table.nrows, "csv_bytes": csv_of(table).stat().st_size,
        "date": datetime.date.today().isoformat(), "machine": machine(), "threads": args.threads,
        "jobs": {job: [m.as_json() for m in rows] for job, rows in results.items()},
    }, indent=1) + "\n")


def parse_args():
    build = os.environ.get("STOA_BUILD", "build/release")
    stoa = pathlib.Path(os.environ.get("STOA", f"{build}/stoa"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the trip table")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stoa", type=pathlib.Path, default=stoa,
                        help=f"relative to the source tree; default {stoa}")
    parser.add_argument("--table", choices=tables.SHAPES, action="append", help="default: all")
    parser.add_argument("--only", action="append", metavar="PEER",
                        choices=sorted({row.peer for rows in jobs.JOBS.values() for row in rows}))
    args = parser.parse_args()
    if min(args.rows, args.runs, args.threads) < 1:
        parser.error("--rows, --runs and --threads are at least 1")
    args.build = build
    return args


def main():
    args = parse_args()
    (DATA / "out").mkdir(parents=True, exist_ok=True)
    # Children inherit it: no tool gains by threads beyond those it was told to use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:args.threads])
    for shape in args.table or tables.SHAPES:
        table = tables.flights() if shape == "flights" else tables.trips(
            args.rows, build_generator(args.build))
        results = {job: run_job(job, table, args) for job in jobs.JOBS}
        for job, rows in results.items():
            print(markdown(job, table, rows, args), flush=True)
        if not args.only:
            write_json(table, results, args)


if __name__ == "__main__":
    main()
