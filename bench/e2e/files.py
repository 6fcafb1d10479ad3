"""The files that rows make of a table: written, checked for rows and types, kept where they are asked
questions later."""

import hashlib
import json
import os
import re
import shutil
import time

import places
import process
import rows
import tables


def nbytes_of(path):
    """A dataset of Lance is a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def fsync_seconds(path):
    begin = time.monotonic()
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with open(file, "rb") as f:
                os.fsync(f.fileno())
    return time.monotonic() - begin


def prepare(row, table):
    """The version of the system that does the row; NotRun when it cannot."""
    max_ncells = row.max_ncells // (10 if table.quick else 1)
    if row.max_ncells and table.nrows * len(table.types) > max_ncells:
        raise places.NotRun("it would take minutes")
    if row.guesses_types and table.typed_only:
        raise places.NotRun(f"another result: {table.typed_only}")
    if row.peer == "stoa":
        return places.last_line(places.run([process.STOA, "--version"])).split()[-1]
    if row.peer == "avro-c":
        if not process.AVRO_C.exists():
            raise places.NotRun("avro-c was not found when the bench was built: .ci/deps bench")
        places.install("pyarrow")  # what common.py needs
        return places.run(["pkg-config", "--modversion", "avro-c"]).strip()
    places.install("pyarrow")  # common to all
    places.install(rows.PACKAGES[row.peer])
    return places.version_of(rows.PACKAGES[row.peer])


def schema_file(table):
    """The types of a table as `stoa convert --schema` reads them."""
    path = places.DATA / f"{table.key}.schema.json"
    path.write_text(json.dumps({"stoa_schema": 1, "fields": [
        {"name": name, "type": kind} for name, kind in table.types.items()]}))
    return path


def input_of(row, table, may_make=True):
    """The text that the row reads, compressed where it says so."""
    codec = row.options.get("packed")
    return tables.packed_path_of(table, codec, may_make) if codec else tables.path_of(table)


def stoa_argv(row, table, out, threads):
    options = ["--schema", str(schema_file(table))] if "typed" in row.options else []
    return [process.STOA, "convert", str(input_of(row, table)), "-o", str(out), "--jobs",
            str(threads), *options, *row.options.get("arguments", [])]


def convert(row, table, out, threads):
    """One conversion, measured; the figures of a run."""
    return measure("convert", row, table, input_of(row, table), out, threads,
                   stoa_argv(row, table, out, threads))


def write_text(row, table, path, out, threads):
    """A file written as text, measured."""
    how = ["restore"] if "restore" in row.options else ["convert", "--to", table.suffix]
    return measure("write_text", row, table, path, out, threads,
                   [process.STOA, *how, str(path), "-o", str(out), "--jobs", str(threads)])


def measure(what, row, table, path, out, threads, argv):
    remove(out)
    if row.peer == "stoa":
        done = process.run(argv, threads)
        inside = {"seconds": done.seconds, "cpu_seconds": done.cpu_seconds}
    else:
        inside, done = process.work(what, row, table, path, out, threads)
    return {
        "seconds": inside["seconds"],
        "cpu_seconds": inside["cpu_seconds"],
        "process_seconds": done.seconds,
        "process_cpu_seconds": done.cpu_seconds,
        "peak_rss_bytes": done.peak_rss_nbytes,
        "fsync_seconds": fsync_seconds(out),
        "file_bytes": nbytes_of(out),
    }


# ---- What came out. ----


def without_unit(kind):
    """Parquet has no timestamps in whole seconds, so the unit is no part of the comparison."""
    return re.sub(r"^timestamp\((s|ms|us|ns)", "timestamp(", kind)


def check(row, table, out, threads):
    """Compares rows and types with what the table has; the columns that have other types, as
    text."""
    if row.peer == "stoa":
        info = json.loads(places.run([process.STOA, "info", str(out), "--json"]))
        nrows = info["rows"]
        types = {column["name"]: column["type"] for column in info["columns"]}
    elif out.suffix == ".duckdb":
        return ""  # its questions have answers
    else:
        said, _ = process.work("describe", row, table, "", out, threads)
        nrows, types = said["rows"], said["types"]
    if nrows != table.nrows:
        raise places.NotRun(f"wrong result: {nrows} rows of {table.nrows}")
    other = [f"{name} {types.get(name, 'missing')}" for name, kind in table.types.items()
             if without_unit(types.get(name, "")) != without_unit(kind)]
    return "other types: " + ", ".join(other[:4] + ["..."] * (len(other) > 4)) if other else ""


def check_text(row, table, out):
    """What was restored is the table; of what was written anew, systems differ in how they write
    numbers: its lines are counted."""
    text = tables.path_of(table)
    if "restore" in row.options:
        if tables.sha256_of(out) != tables.sha256_of(text):
            raise places.NotRun("wrong result: the text differs")
        return
    with open(out, "rb") as f:
        nlines = sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b""))
    wanted = table.nrows + (table.suffix == "csv")  # which has a header
    if nlines != wanted:
        raise places.NotRun(f"wrong result: {nlines} lines of {wanted}")


# ---- Files that are made once and kept. ----


def stamp_of(row, table, version):
    """What a kept file depends on; of stoa, which changes daily, the program itself."""
    made = {"version": version, "options": row.options, "csv": tables.path_of(table).stat().st_size}
    if row.peer == "stoa":
        with open(process.STOA, "rb") as f:
            made["program"] = hashlib.file_digest(f, "sha256").hexdigest()
    return made


def kept(row, table, threads):
    """Path and figures of the row's file of that table, which is made unless it is there."""
    version = prepare(row, table)
    folder = places.DATA / "files" / table.key
    folder.mkdir(parents=True, exist_ok=True)
    path, note = folder / row.file, folder / f"{row.file}.json"
    stamp = stamp_of(row, table, version)
    if path.exists() and note.exists():
        old = json.loads(note.read_text())
        if old["stamp"] == stamp:
            return path, version, old["run"]
    places.say(f"{table.key}: making {row.file}")
    note.unlink(missing_ok=True)
    figures = convert(row, table, path, threads)
    figures["note"] = check(row, table, path, threads)
    note.write_text(json.dumps({"stamp": stamp, "run": figures}))
    return path, version, figures
