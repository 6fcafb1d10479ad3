#!/usr/bin/env python3
"""Puts the results of the last full run into README.md, between its bench markers.

Of each peer the fastest row stands there and, where it is another one, the row with the smallest
file. `--print` only prints what would stand there.
"""
import json
import pathlib
import statistics
import sys

BENCH = pathlib.Path(__file__).resolve().parent
README = BENCH.parent / "README.md"
BEGIN, END = "<!-- bench -->\n", "<!-- /bench -->\n"
WHAT = {"trips": "Taxi trips", "flights": "Flights"}


def median(row, key):
    return statistics.median(run[key] for run in row["runs"])


def chosen(rows):
    """Stoa's rows, then of each peer its fastest and its smallest."""
    rows = [row for row in rows if row["runs"]]
    out = [row for row in rows if row["peer"] == "stoa"]
    for peer in dict.fromkeys(row["peer"] for row in rows if row["peer"] != "stoa"):
        mine = [row for row in rows if row["peer"] == peer]
        fastest = min(mine, key=lambda row: median(row, "seconds"))
        smallest = min(mine, key=lambda row: median(row, "file_bytes"))
        out.append(fastest)
        if median(smallest, "file_bytes") < median(fastest, "file_bytes"):
            out.append(smallest)
    return out


def table(result):
    cells = [["", "s", "CPU s", "peak MiB", "MB", "of CSV"]]
    for row in chosen(result["jobs"]["convert"]):
        nbytes = median(row, "file_bytes")
        cells.append([f"{row['peer']} {row['version']}, {row['settings']}", f"{median(row, 'seconds'):.2f}",
                      f"{median(row, 'cpu_seconds'):.2f}", f"{median(row, 'peak_rss_bytes') / 2 ** 20:.0f}",
                      f"{nbytes / 1e6:.1f}", f"{100 * nbytes / result['csv_bytes']:.1f} %"])
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    lines.insert(1, "| --- |" + " ---: |" * (len(cells[0]) - 1))
    return lines


def block():
    lines = []
    for path in sorted((BENCH / "results").glob("*.json"), reverse=True):  # the large table first
        result = json.loads(path.read_text(encoding="utf-8"))
        machine = result["machine"]
        runs = max(len(row["runs"]) for row in result["jobs"]["convert"])
        what = WHAT.get(result["table"].split("-")[0], result["table"])
        lines += [f"{what}: {result['rows']:,} rows, {result['csv_bytes'] / 1e6:.0f} MB of CSV; {result['threads']} threads on "
                  f"{machine['cpu']}, {result['date']}; medians of {runs} interleaved runs.", ""]
        lines += [*table(result), ""]
    return "\n".join(lines[:-1]) + "\n" if lines else ""


def main():
    text = block()
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(text)
        return
    readme = README.read_text(encoding="utf-8")
    head, rest = readme.split(BEGIN)
    README.write_text(head + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
