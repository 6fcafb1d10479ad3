"""What the jobs print: a table of Markdown each, and how Stoa stands beside the best of each peer."""

import math
import statistics

import tables


def milliseconds(seconds):
    ms = 1e3 * seconds
    return f"{ms:,.0f}" if ms >= 100 else f"{ms:.1f}" if ms >= 10 else f"{ms:.2f}"


def lines_of(headings, nleft, cells):
    """A table; the first nleft columns and the last one are text."""
    align = ["---"] * nleft + ["---:"] * (len(headings) - nleft - 1) + ["---"]
    return ["| " + " | ".join(row) + " |" for row in (headings, align, *cells)]


def who(m):
    return [f"{m.row.peer} {m.version or ''}".strip(), m.row.settings]


def ratios(measured, measures):
    """Stoa's best against each peer's best, measure by measure: 0.50 is half of what it took."""
    done = [m for m in measured if not m.failed]
    ours = [m for m in done if m.row.peer == "stoa"]
    for peer in dict.fromkeys(m.row.peer for m in done if m.row.peer != "stoa"):
        theirs = [m for m in done if m.row.peer == peer]
        if ours:
            best = {name: min(map(of, theirs)) for name, of in measures.items()}
            yield peer, {name: min(map(of, ours)) / best[name]
                         for name, of in measures.items() if best[name] < math.inf}


def comparison(measured, measures):
    return [f"- stoa against the best of {peer}: "
            + ", ".join(f"{name} x {ratio:.2f}" for name, ratio in found.items())
            for peer, found in ratios(measured, measures)]


def convert(table, measured, _):
    nbytes = tables.path_of(table).stat().st_size
    headings = ("system", "settings", "s median", "s min", "CPU s", "process s", "fsync s",
                "peak MiB", "bytes", f"of {table.text}", "runs", "note")
    cells = []
    for m in measured:
        if m.failed:
            cells.append([*who(m), *["-"] * 9, m.note])
            continue
        cells.append([
            *who(m), f"{m.of('seconds'):.2f}", f"{m.of('seconds', min):.2f}",
            f"{m.of('cpu_seconds'):.2f}", f"{m.of('process_seconds'):.2f}",
            "inside" if m.row.peer == "stoa" else f"{m.of('fsync_seconds'):.3f}",
            f"{m.of('peak_rss_bytes') / 2**20:.0f}", f"{round(m.of('file_bytes')):,}",
            f"{100 * m.of('file_bytes') / nbytes:.1f} %", str(len(m.runs)), m.note])
    measures = {name: lambda m, key=key: m.of(key) for name, key in (
        ("time", "seconds"), ("CPU time", "cpu_seconds"), ("peak memory", "peak_rss_bytes"),
        ("bytes", "file_bytes"))}
    return lines_of(headings, 2, cells) + ["", *comparison(measured, measures)]


def sizes(table, measured, _):
    nbytes = tables.path_of(table).stat().st_size
    headings = ("system", "settings", "bytes", "of CSV", "s, made once", "note")
    cells = [[*who(m), *["-"] * 3, m.note] if m.failed else
             [*who(m), f"{m.of('file_bytes'):,.0f}", f"{100 * m.of('file_bytes') / nbytes:.1f} %",
              f"{m.of('seconds'):.1f}", m.note] for m in measured]
    return lines_of(headings, 2, cells) + [
        "", *comparison(measured, {"bytes": lambda m: m.of("file_bytes")})]


def time_of(m, question):
    if question not in m.questions:
        return "-"
    times = m.questions[question]["seconds"]
    return f"{milliseconds(statistics.median(times))} / {milliseconds(min(times))}"


def median_of(m, question):
    """Infinite where it was not asked, so that it is never the best."""
    asked = m.questions.get(question)
    return statistics.median(asked["seconds"]) if asked else math.inf


def query(_, measured, __):
    """Each cell: median / least, in milliseconds."""
    names = list(next((m.questions for m in measured if m.questions), {}))
    cpu_names = ["scan"] if "scan" in names else []
    headings = ("system", "settings", "MB", *names, *(f"{name} CPU" for name in cpu_names), "runs",
                "note")
    cells = []
    for m in measured:
        if m.failed:
            cells.append([*who(m), *["-"] * (len(headings) - 3), m.note])
            continue
        cells.append([
            *who(m), f"{m.file_nbytes / 1e6:.1f}", *(time_of(m, name) for name in names),
            *(milliseconds(statistics.median(m.questions[name]["cpu_seconds"]))
              for name in cpu_names),
            str(len(m.questions["open"]["seconds"])), m.note])
    measures = {name: lambda m, name=name: median_of(m, name) for name in names}
    return ["Milliseconds, median / least.", "", *lines_of(headings, 2, cells), "",
            *comparison(measured, measures)]


def cpu_median_of(m, question):
    asked = m.questions.get(question)
    return statistics.median(asked["cpu_seconds"]) if asked else math.inf


def avro(_, measured, __):
    """Each cell: CPU time / wall time, medians in milliseconds, and MB of what was written."""
    names = list(dict.fromkeys(name for m in measured for name in m.questions))

    def cell(m, name):
        if name not in m.questions:
            return "-"
        said = m.questions[name]
        size = f", {said['file_bytes'] / 1e6:.1f} MB" if "file_bytes" in said else ""
        return (f"{milliseconds(statistics.median(said['cpu_seconds']))} / "
                f"{milliseconds(statistics.median(said['seconds']))}{size}")

    cells = [[*who(m), *["-"] * (len(names) + 1), m.note] if m.failed else
             [*who(m), *(cell(m, name) for name in names),
              str(len(m.questions[names[0]]["seconds"])), m.note] for m in measured]
    measures = {name: lambda m, name=name: cpu_median_of(m, name) for name in names}
    return ["Milliseconds of CPU / wall time, medians.", "",
            *lines_of(("system", "settings", *names, "runs", "note"), 2, cells), "",
            *comparison(measured, measures)]


def micro(found):
    """Rooflines are of the same run of the same program."""
    headings = ("group", "what", "GB/s", "M values/s", "of roofline", "cached GB/s",
                "plain, cached GB/s", "memory read / copy GB/s")

    def cell(row, key, form):
        return form.format(row[key]) if key in row else "-"

    return lines_of(headings, 2, [[
        row["group"], row["name"], cell(row, "gb_per_s", "{:.2f}"),
        f"{row['values_per_s'] / 1e6:,.0f}", cell(row, "of_roofline", "{:.1%}"),
        cell(row, "cached_gb_per_s", "{:.1f}"), cell(row, "plain_gb_per_s", "{:.1f}"),
        f"{row['memory_read_gb_per_s']:.1f} / {row['memory_copy_gb_per_s']:.1f}"] for row in found])


REPORTS = {"convert": convert, "packed": convert, "text": convert, "sizes": sizes, "query": query,
           "wide": query, "avro-read": avro, "avro-write": avro, "avro-columns": avro,
           "jsonl-convert": convert, "jsonl-write": convert}


def markdown(job, table, measured, args):
    lines = [f"### {table.title}: {job}", "",
             f"{table.nrows:,} rows, {len(table.types):,} columns, "
             f"{tables.path_of(table).stat().st_size:,} bytes of {table.text}, "
             f"{args.threads} threads, up to {args.runs} interleaved runs", ""]
    return "\n".join(lines + REPORTS[job](table, measured, args) + [""])
