#!/usr/bin/env python3
"""Puts the results of the last full bench into README.md (one table) and docs/benchmarks.md (all),
between their bench markers.

A column is a system, a line a measure; in each cell stands the best of the system's settings, so
the cells of a column may come from several: bench/results has them all. `--check` changes nothing
and fails when a document shows something else than the results.
"""

import json
import pathlib
import statistics
import sys

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
BEGIN, END = "<!-- bench -->\n", "<!-- /bench -->\n"
DOCUMENTS = {"README.md": ("trips",),
             "docs/benchmarks.md": ("trips", "lineitem", "flights-3m", "flights", "flights-x10",
                                    "wide", "avro", "avro-ints", "jsonl", "events")}
COMPRESSORS = ("xz", "zstd")
PACKED = ("gz", "zst", "xz", "zip")
AVRO = ("avro-read", "avro-write", "avro-columns")
ASKED = ("query", "wide", *AVRO)
TEXTS = {"csv": "CSV", "jsonl": "JSON lines"}


def rows_of(result, *jobs):
    return [row for job in jobs for row in result["jobs"].get(job, ())]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


# ---- Measures: each is name, best(result, system) or None. ----


def best_of(*jobs, key, unit, settings=""):
    """The least median of a figure over the rows of jobs, those whose settings have that word."""
    def best(result, system):
        found = [statistics.median(run[key] for run in row["runs"])
                 for row in rows_of(result, *jobs) if row["peer"] == system and row.get("runs")
                 and settings in row["settings"]]
        return number(min(found) / unit) if found else None
    return best


def best_answer(question, key="seconds"):
    def best(result, system):
        found = [statistics.median(row["questions"][question][key])
                 for row in rows_of(result, *ASKED)
                 if row["peer"] == system and question in row.get("questions", {})]
        return number(1e3 * min(found)) if found else None
    return best


def written(question):
    def best(result, system):
        found = [row["questions"][question]["file_bytes"] for row in rows_of(result, *AVRO)
                 if row["peer"] == system and question in row.get("questions", {})]
        return number(min(found) / 1e6) if found else None
    return best


def measures(result):
    for job, suffix in (("convert", "csv"), ("jsonl-convert", "jsonl")):
        yield f"{TEXTS[suffix]} to file, s", best_of(job, key="seconds", unit=1)
        yield "its CPU time, s", best_of(job, key="cpu_seconds", unit=1)
        yield "its peak memory, MiB", best_of(job, key="peak_rss_bytes", unit=2**20)
    yield "smallest file, MB", best_of("convert", "jsonl-convert", "sizes", key="file_bytes",
                                       unit=1e6)
    for codec in PACKED:
        yield f"from .csv.{codec}, s", best_of("packed", key="seconds", unit=1,
                                               settings=f"from {codec}")
    yield "file to CSV, s", best_of("text", key="seconds", unit=1)
    yield "file to JSON lines, s", best_of("jsonl-write", key="seconds", unit=1)
    yield "CSV as it was, s", best_of("text", key="seconds", unit=1, settings="restore")
    asked = {name: said for row in rows_of(result, *ASKED)
             for name, said in row.get("questions", {}).items()}
    for name, said in asked.items():
        yield f"{name}, ms", best_answer(name)
        if name == "scan" or rows_of(result, *AVRO):
            yield "its CPU time, ms", best_answer(name, "cpu_seconds")
        if "file_bytes" in said:
            yield "its file, MB", written(name)


# ---- Tables. ----


def systems_of(result):
    """Those that ran; first Stoa."""
    rows = rows_of(result, "convert", "jsonl-convert", "sizes", *ASKED)
    return {row["peer"]: row["version"] for row in rows
            if row["peer"] not in COMPRESSORS and (row.get("runs") or row.get("questions"))}


def table(result):
    systems = systems_of(result)
    lines = [["", *(f"{name} {version}" for name, version in systems.items())],
             ["---", *["---:"] * len(systems)]]
    for name, best in measures(result):
        cells = [best(result, system) for system in systems]
        if any(cells):
            lines.append([name, *(cell or "-" for cell in cells)])
    return ["| " + " | ".join(line) + " |" for line in lines]


def compressed(result):
    """What general compressors make of the CSV."""
    return ", ".join(f"{row['settings']} {number(row['runs'][0]['file_bytes'] / 1e6)} MB"
                     for row in rows_of(result, "sizes") if row["peer"] in COMPRESSORS
                     and row["runs"])


def section(result):
    nbytes, name = next((result[f"{suffix}_bytes"], name) for suffix, name in TEXTS.items()
                        if f"{suffix}_bytes" in result)
    text = (f"**{result['title']}**: {result['rows']:,} rows, {nbytes / 1e6:,.0f} MB "
            f"of {name}{', ' if compressed(result) else ''}{compressed(result)}; "
            f"{result['threads']} threads on {result['machine']['cpu']}, {result['date']}, medians "
            f"of {result['runs']} interleaved runs.")
    return [text, "", *table(result), ""]


def block(names):
    lines = []
    for name in names:
        path = BENCH / "results" / f"{name}.json"
        if path.exists():
            lines += section(json.loads(path.read_text(encoding="utf-8")))
    return "\n".join(lines[:-1]) + "\n" if lines else ""


def main():
    check = sys.argv[1:] == ["--check"]
    for name, names in DOCUMENTS.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        head, rest = text.split(BEGIN)
        wanted = head + BEGIN + block(names) + END + rest.split(END)[1]
        if check and (wanted != text or not block(names)):
            sys.exit(f"{name} does not show bench/results: run bench/readme.py")
        if not check:
            path.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
