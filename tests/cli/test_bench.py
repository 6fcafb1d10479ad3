#!/usr/bin/env python3
"""The bench runs where nothing can be fetched, and what it compares it compares."""
import os
import subprocess
import sys

import cli

sys.path.insert(0, os.path.join(cli.ROOT, "bench/e2e"))
sys.dont_write_bytecode = True

import measure
import places
import rows
import tables

folder = cli.work_in_a_folder()

# ---- The table of rows. ----

made = [row.file for row in rows.CONVERT + rows.SIZES + rows.WIDE_FILES]
asked = [row.file for row in rows.QUERY + rows.WIDE]
cli.point("each row makes a file of its own", len(set(made)) == len(made), made)
cli.point("each file that is asked questions is made", set(asked) <= set(made), set(asked) - set(made))
cli.point("each system is a module and a package", all(
    os.path.exists(os.path.join(cli.ROOT, f"bench/e2e/peers/{peer}.py")) for peer in ("stoa", "avro_c", *rows.PACKAGES)))
cli.point("each system that is compared by Avro files writes what it reads",
          {row.peer for row in rows.AVRO} == {row.peer for row in rows.AVRO_WRITE} <= {"stoa", "avro-c", *rows.PACKAGES})
for name in tables.TABLES:
    for quick in (False, True):
        table = tables.of(name, quick)
        used = {column for query in table.queries.values()
                for column in (query.column, *(term[0] for term in query.where))}
        cli.point(f"{table.key}: questions are about its columns", used <= set(table.types), used)
        cli.point(f"{table.key}: its jobs are there", set(table.jobs) <= set(measure.JOBS), table.jobs)


# ---- Answers. ----

def measured(**answers):
    found = []
    for peer, answer in answers.items():
        m = measure.Measured(rows.Row(peer, "", ""))
        m.questions = {"sum": {"seconds": [1], "cpu_seconds": [1], "answer": answer}}
        found.append(m)
    return found


same = measured(stoa=["3", "7"], duckdb=["3", "7"])
measure.compare_answers(same, {"sum": None})
cli.point("equal answers pass", not any(m.failed for m in same))
for wrong in ("stoa", "polars"):
    answers = {"stoa": ["3", "7"], "duckdb": ["3", "7"], "polars": ["3", "7"], wrong: ["3", "8"]}
    some = measured(**answers)
    measure.compare_answers(some, {"sum": None})
    cli.point(f"{wrong}: a wrong answer fails its row alone", [m.row.peer for m in some if m.failed] == [wrong])
columns = [["3", {"a": ["0", "7"], "b": ["1", "5"]}], ["3", {"a": ["0", "7"], "b": ["1", "6"]}]]
some = measured(stoa=columns[0], duckdb=columns[0], polars=columns[1])
measure.compare_answers(some, {"sum": None})
cli.point("a scan that differs names the column", some[2].note == "wrong answer to sum: b ['1', '6'], most say ['1', '5']",
          some[2].note)

# ---- Budgets. ----

m = measure.Measured(rows.CONVERT[0])
m.used_seconds, m.last_seconds = 12.0, 6.0
cli.point("a row stops before its seconds are over", m.has_time_for(0, 1) and m.has_time_for(2, 18.5) and
          not m.has_time_for(2, 17.5))

# ---- A run without a network. ----

def results():
    return {path.name: path.stat().st_mtime_ns for path in places.RESULTS.iterdir()}


before = results()
environment = dict(os.environ, STOA_BENCH_DATA=os.path.join(folder, "data"), PIP_NO_INDEX="1",
                   PIP_DISABLE_PIP_VERSION_CHECK="1")
done = subprocess.run([sys.executable, os.path.join(cli.ROOT, "bench/e2e/run.py"), "--quick", "--only", "stoa,duckdb",
                       "--tables", "flights", "--jobs", "convert", "--threads", "1"], env=environment, capture_output=True,
                      text=True)
lines = done.stdout.splitlines()
ours = [line for line in lines if line.startswith("| stoa ")]
theirs = [line for line in lines if line.startswith("| duckdb ")]
cli.point("a peer that cannot be installed is a row that says so", done.returncode == 0 and theirs and all(
    "not run: pyarrow cannot be installed: " in line for line in theirs), done.stdout, done.stderr)
cli.point("the other rows are measured", ours and all(
    "not run" not in line and "failed" not in line and "other types" not in line for line in ours), ours)
cli.point("a part of a run writes no results", results() == before)
cli.end()
