"""The jobs: conversions, sizes, questions. Each gives rows with their figures, run by run."""

import datetime
import json
import random
import re
import statistics
import subprocess
import time

import files
import places
import process
import rows
import tables


class Measured:
    """One row: a system with its settings, what it took, or why it did not run."""

    def __init__(self, row):
        self.row = row
        self.version = None
        self.runs = []  # of CONVERT and SIZES: one dict a run
        self.questions = {}  # of QUERY: name -> {"seconds": [], "cpu_seconds": [], "answer"}
        self.file_nbytes = None
        self.note = ""
        self.failed = False
        self.used_seconds = 0.0

    def attempt(self, step, *arguments):
        """Does a step of this row; a failure becomes the row's text and ends it."""
        if self.failed:
            return
        begin = time.monotonic()
        try:
            step(self, *arguments)
        except (places.NotRun, OSError, subprocess.SubprocessError) as why:
            self.failed = True
            self.note = f"{'failed' if self.runs else 'not run'}: {why}"
        self.last_seconds = time.monotonic() - begin

    def has_time_for(self, nth, budget):
        """Whether an nth run fits the row's seconds; the first always does."""
        return nth == 0 or self.used_seconds + self.last_seconds <= budget

    def of(self, key, middle=statistics.median):
        return middle(run[key] for run in self.runs)

    def as_json(self):
        out = {"peer": self.row.peer, "version": self.version, "settings": self.row.settings,
               "note": self.note}
        if self.failed:
            return out | {"runs": []}
        if self.questions:
            return out | {"file_bytes": self.file_nbytes, "questions": self.questions}
        return out | {"runs": self.runs}


def chosen(all_rows, args):
    return [Measured(row) for row in all_rows if row.peer in (args.only or (row.peer,))]


def in_turns(measured, args, step, what):
    """Runs of all rows, interleaved: a slow minute of the machine meets every row."""
    for nth in range(args.runs):
        places.say(f"{what}: run {nth + 1} of {args.runs}")
        first = nth * len(measured) // args.runs  # nor is it always the same row that starts
        for m in measured[first:] + measured[:first]:
            if not m.failed and m.has_time_for(nth, args.budget):
                m.attempt(step)
                m.used_seconds += m.last_seconds


# ---- Conversions. ----


def read_through(path):
    """Into the cache."""
    with open(path, "rb") as f:
        while f.read(1 << 20):
            pass


def timed(table, args, all_rows, what, prepare, run, check, ending=""):
    """Rows that make a file each time, which `check` looks at in the end."""
    measured = chosen(all_rows, args)
    folder = places.DATA / "out"
    folder.mkdir(exist_ok=True)

    def out_of(m):
        return folder / f"{table.key}.{m.row.file}{ending}"

    for m in measured:
        m.attempt(prepare)
    in_turns(measured, args, lambda m: m.runs.append(run(m, out_of(m))), f"{table.key}: {what}")
    for m in measured:
        m.attempt(lambda m: check(m, out_of(m)))
        files.remove(out_of(m))
    return measured


def convert(table, args, all_rows=rows.CONVERT, what="convert"):
    def prepare(m):
        m.version = files.prepare(m.row, table)
        read_through(files.input_of(m.row, table, args.prepare))

    def run(m, out):
        return files.convert(m.row, table, out, args.threads)

    def check(m, out):
        m.note = files.check(m.row, table, out, args.threads)

    return timed(table, args, all_rows, what, prepare, run, check)


def packed(table, args):
    return convert(table, args, rows.PACKED, "packed")


# ---- Text. ----


def text(table, args, all_rows=rows.TEXT, what="text"):
    """From a file to text; stoa restores what it converted by guessing, which keeps the text."""
    def prepare(m):
        path, m.version, _ = files.kept(rows.maker_of(m.row.file), table, args.threads)
        read_through(path)

    def run(m, out):
        path, _, _ = files.kept(rows.maker_of(m.row.file), table, args.threads)
        return files.write_text(m.row, table, path, out, args.threads)

    def check(m, out):
        files.check_text(m.row, table, out)

    return timed(table, args, all_rows, what, prepare, run, check, f".{table.suffix}")


def jsonl_convert(table, args):
    return convert(table, args, rows.JSONL_CONVERT, "from JSON lines")


def jsonl_write(table, args):
    return text(table, args, rows.JSONL_WRITE, "to JSON lines")


# ---- Sizes. ----


def sizes(table, args):
    """Every file once, whatever it took."""
    return made_files(table, args) + compressed(table, args)


def made_files(table, args):
    measured = chosen(rows.CONVERT + rows.SIZES, args)

    def make(m):
        _, m.version, figures = files.kept(m.row, table, args.threads)
        m.note = figures["note"]
        m.runs.append(figures)

    for m in measured:
        m.attempt(make)
    return measured


def compressed(table, args):
    measured = []
    for program, settings, argv in rows.COMPRESSED:
        if program in (args.only or (program,)):
            m = Measured(rows.Row(program, settings + " of the CSV", ""))
            m.attempt(compress, table, argv, args.prepare)
            measured.append(m)
    return measured


def compress(m, table, argv, may_make):
    """The size of the compressed CSV, kept."""
    m.version = re.search(r"\d+(\.\d+)+", places.run([argv[0], "--version"]))[0]
    csv = tables.path_of(table)
    note = places.DATA / "files" / table.key / f"{'_'.join(argv)}.json"
    stamp = {"version": m.version, "csv": csv.stat().st_size}
    old = json.loads(note.read_text()) if note.exists() else {}
    if old.get("stamp") != stamp:
        if not may_make:
            raise places.NotRun("it takes minutes: --prepare makes it")
        places.say(f"{table.key}: {' '.join(argv)}")
        begin = time.monotonic()
        with open(csv, "rb") as text, \
                subprocess.Popen(argv, stdin=text, stdout=subprocess.PIPE) as child:
            nbytes = sum(len(block) for block in iter(lambda: child.stdout.read(1 << 20), b""))
        if child.returncode != 0:
            raise places.NotRun(f"exit {child.returncode}")
        old = {"stamp": stamp, "run": {"seconds": time.monotonic() - begin, "file_bytes": nbytes}}
        note.write_text(json.dumps(old))
    m.runs.append(old["run"])


# ---- Questions. ----

NREPEATS = 20
FEW_SECONDS = 0.15


def literal(value):
    if isinstance(value, datetime.datetime):
        return {"datetime": str(value)}
    return {"date": str(value)} if isinstance(value, datetime.date) else value


def sum_question(query):
    return [query.column, [(c, op, literal(v)) for c, op, v in query.where]]


def query_questions(table):
    """name -> (what, arguments, most repetitions of a run, most seconds)."""
    draw = random.Random(2013)
    few = [sorted(draw.sample(range(table.nrows), 1)) for _ in range(NREPEATS)]
    many = [sorted(draw.sample(range(table.nrows), 1000)) for _ in range(NREPEATS)]
    out = {"open": ("open", None, NREPEATS, FEW_SECONDS), "scan": ("scan", None, 1, 1)}
    for name, query in table.queries.items():
        out[f"sum {name}"] = ("sum", sum_question(query), NREPEATS, FEW_SECONDS)
    return out | {"1 row": ("rows", few, NREPEATS, FEW_SECONDS),
                  "1 row again": ("rows again", few, NREPEATS, FEW_SECONDS),
                  "1,000 rows": ("rows", many, NREPEATS, FEW_SECONDS)}


def wide_questions(table):
    (name, query), = table.queries.items()
    return {"open": ("open", None, NREPEATS, FEW_SECONDS),
            f"open and sum {name}": ("open and sum", sum_question(query), NREPEATS, FEW_SECONDS)}


def ask_all(table, args, all_rows, questions, what):
    measured = chosen(all_rows, args)
    servers = {}

    def start(m):
        m.version = files.prepare(m.row, table)
        path, _, _ = files.kept(rows.maker_of(m.row.file), table, args.threads)
        m.file_nbytes = files.nbytes_of(path)
        servers[m] = process.Server(m.row, table, path, args.threads)

    def ask(m):
        for name, question in questions.items():
            if m.row.questions and name not in m.row.questions:
                continue
            said = servers[m].ask(*question)
            into = m.questions.setdefault(name, {"seconds": [], "cpu_seconds": [],
                                                 "answer": said["answer"]})
            for key in ("seconds", "cpu_seconds"):
                into[key].append(statistics.median(said[key]))

    def check(m):
        said = servers[m].ask("checked scan", None, 1, 1)
        m.questions["scan"]["answer"] = said["answer"]

    for m in measured:
        m.attempt(start)
    in_turns(measured, args, ask, what)
    if "scan" in questions:
        for m in measured:
            m.attempt(check)
    for server in servers.values():
        server.close()
    compare_answers(measured, questions)
    return measured


def compare_answers(measured, questions):
    """A row that disagrees with what most say has failed."""
    for name in questions:
        asked = [m for m in measured if not m.failed and name in m.questions]
        said = [json.dumps(m.questions[name]["answer"], sort_keys=True) for m in asked]
        for m in asked:
            mine, most = m.questions[name]["answer"], json.loads(statistics.mode(said))
            if mine != most:
                m.failed = True
                m.note = f"wrong answer to {name}: {difference(mine, most)}"


def difference(mine, most):
    """Where two answers differ; those of whole tables are by column."""
    if mine[1:] and isinstance(mine[1], dict):
        for column, value in most[1].items():
            if mine[1].get(column) != value:
                return f"{column} {mine[1].get(column)}, most say {value}"
    return f"{mine}, most say {most}"


def query(table, args):
    return ask_all(table, args, rows.QUERY, query_questions(table), f"{table.key}: questions")


def prepare(every, args):
    """Makes the tables and the files that are kept; last what takes longest."""
    def make(table, jobs):
        try:
            tables.path_of(table)
            for job, step in jobs.items():
                if job in table.jobs:
                    step(table, args)
        except places.NotRun as why:
            places.say(f"{table.key}: {why}")

    for table in every:
        make(table, {"sizes": made_files, "wide": wide_files, "packed": packed_inputs})
    for table in every:
        make(table, {"sizes": compressed})


def packed_inputs(table, args):
    for row in rows.PACKED:
        files.input_of(row, table, args.prepare)


def wide_files(table, args):
    for row in rows.WIDE_FILES:
        Measured(row).attempt(lambda m: files.kept(m.row, table, args.threads))


def wide(table, args):
    return ask_all(table, args, rows.WIDE, wide_questions(table), f"{table.key}: questions")


# ---- Avro: CPU time on one thread, and Stoa's on two. ----


def avro_file(codec, table, args):
    """Path of the file in a codec that all systems read."""
    places.install("cramjam")  # fastavro's snappy
    row = next(row for row in rows.AVRO_FILES if row.options["codec"] == codec)
    path, _, _ = files.kept(row, table, args.threads)
    read_through(path)
    return path


def avro_timed(table, args, all_rows, steps, what):
    """steps: name -> step(row), which gives seconds, cpu_seconds, answer and maybe file_bytes, or
    nothing where the row does not do that."""
    measured = chosen(all_rows, args)

    def prepare(m):
        m.version = files.prepare(m.row, table)

    def run(m):
        for name, step in steps.items():
            said = step(m.row)
            if said is None:
                continue
            into = m.questions.setdefault(name, {"seconds": [], "cpu_seconds": [],
                                                 "answer": said["answer"]})
            for key in ("seconds", "cpu_seconds"):
                into[key].append(said[key])
            if "file_bytes" in said:
                into["file_bytes"] = said["file_bytes"]

    for m in measured:
        m.attempt(prepare)
    in_turns(measured, args, run, f"{table.key}: {what}")
    compare_answers(measured, steps)
    return measured


def reading(table, path, columns=None, threads=1, only=None):
    """Reads a file, or some of its columns; `only`: the systems that can."""
    def step(row):
        if only and row.peer not in only:
            return None
        said, _ = process.work("avro_read", row._replace(options={"columns": columns}), table,
                               path, "", threads)
        return said
    return step


def writing(table, path, codec, threads):
    """Writes the rows of a file; what came out is summed up by Polars."""
    def step(row):
        out = places.DATA / "out" / f"{table.key}.{row.peer}.avro"
        out.parent.mkdir(exist_ok=True)
        files.remove(out)
        said, _ = process.work("avro_write", row._replace(options={"codec": codec}), table, path,
                               out, 1)
        checked, _ = process.work("avro_check", rows.Row("polars", "", ""), table, out, "", threads)
        said |= checked | {"file_bytes": files.nbytes_of(out)}
        files.remove(out)
        return said
    return step


def avro_read(table, args):
    steps = {}
    for row in rows.AVRO_FILES:
        codec = row.options["codec"]
        path = avro_file(codec, table, args)
        steps[f"read {codec}"] = reading(table, path)
        if args.threads > 1:
            steps[f"read {codec}, 2 threads"] = reading(table, path, threads=2, only=("stoa",))
    return avro_timed(table, args, rows.AVRO, steps, "read")


def avro_write(table, args):
    path = avro_file("null", table, args)
    steps = {f"write {codec}": writing(table, path, codec, args.threads)
             for codec in ("null", "deflate")}
    return avro_timed(table, args, rows.AVRO_WRITE, steps, "write")


def avro_columns(table, args):
    (name, query), = table.queries.items()
    path = avro_file("null", table, args)
    steps = {"read all columns": reading(table, path),
             f"read {name}": reading(table, path, [query.column],
                                     only=("stoa", "fastavro", "polars"))}
    return avro_timed(table, args, rows.AVRO, steps, "columns")


JOBS = {"convert": convert, "packed": packed, "text": text, "sizes": sizes, "query": query,
        "wide": wide, "avro-read": avro_read, "avro-write": avro_write,
        "avro-columns": avro_columns, "jsonl-convert": jsonl_convert, "jsonl-write": jsonl_write}
