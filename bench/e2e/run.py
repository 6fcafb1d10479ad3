#!/usr/bin/env python3
"""Runs whole jobs side by side with other systems and prints what each took.

    bench/e2e/run.py [--quick] [--runs N] [--threads N] [--tables A,B] [--only PEER] [--jobs JOB]

Standard library only. The systems compared with are installed from PyPI into bench/data/venv; one
that cannot be installed, or fails, is a row that says so and never ends the bench.
docs/benchmarks.md says what is measured and how; results go to stdout as Markdown and, of full runs,
to bench/results as JSON.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re

import measure
import micro
import places
import report
import rows
import tables


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu[1] if cpu else platform.machine(), "cpus": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "kernel": platform.release()}


def write_json(name, args, result):
    path = places.RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({
        "table": name, "date": datetime.date.today().isoformat(), "machine": machine(),
        "threads": args.threads, "runs": args.runs, **result}, indent=1) + "\n")


def names_of(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name!r} among {', '.join(known)}")
        return names
    return parse


def parse_args():
    peers = ["stoa", "avro-c", *rows.PACKAGES,
             *dict.fromkeys(name for name, _, _ in rows.COMPRESSED)]
    every = [*tables.TABLES, "micro"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true",
                        help="small tables, one run, no JSON: under two minutes")
    parser.add_argument("--runs", type=int, help="of each row; default 5, with --quick 1")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--budget", type=float, default=12, metavar="SECONDS",
                        help="a row whose runs would take longer has fewer of them; default 12")
    parser.add_argument("--tables", type=names_of(every), default=every, metavar="A,B")
    parser.add_argument("--only", type=names_of(peers), metavar="PEER,PEER")
    parser.add_argument("--jobs", type=names_of(measure.JOBS), metavar="JOB,JOB")
    parser.add_argument("--prepare", action="store_true",
                        help="make tables and files, ask and measure nothing")
    args = parser.parse_args()
    args.runs = args.runs or (1 if args.quick else 5)
    if min(args.runs, args.threads) < 1 or args.budget <= 0:
        parser.error("--runs and --threads are at least 1, --budget is above 0")
    return args


def run_table(table, args):
    results = {job: measure.JOBS[job](table, args) for job in table.jobs
               if job in (args.jobs or table.jobs)}
    for job, measured in results.items():
        print(report.markdown(job, table, measured, args), flush=True)
    return {"title": table.title, "rows": table.nrows,
            f"{table.suffix}_bytes": tables.path_of(table).stat().st_size,
            "jobs": {job: [m.as_json() for m in measured] for job, measured in results.items()}}


def main():
    args = parse_args()
    places.DATA.mkdir(exist_ok=True)
    # Children inherit it: no tool gains by threads beyond those it was told to use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:args.threads])
    if args.prepare:
        measure.prepare([tables.of(name, args.quick) for name in args.tables
                         if name in tables.TABLES], args)
        return
    for name in args.tables:
        try:
            result = micro.run(args) if name == "micro" else run_table(
                tables.of(name, args.quick), args)
        except places.NotRun as why:
            print(f"### {name}\n\nnot run: {why}\n", flush=True)
            continue
        if not (args.quick or args.only or args.jobs):
            write_json(name, args, result)


if __name__ == "__main__":
    main()
