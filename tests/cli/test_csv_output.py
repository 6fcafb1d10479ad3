#!/usr/bin/env python3
"""CSV that is written: the bytes of each option, and generated tables in every mode of quotes read back by Python's csv module."""
import csv
import gzip
import io
import json
import os
import random
import subprocess

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
SCALE = float(os.environ.get("STOA_TEST_SCALE", "1"))
SEED = int(os.environ.get("STOA_TEST_SEED", "1"))
print(f"# STOA_TEST_SEED={SEED}")
chance = random.Random(SEED)



def run_bytes(*args):
    return subprocess.run([cli.STOA, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=60).stdout


write("t.csv", 'word,n,day,yes\n"x,y",1,2024-01-31,true\n,,,\n"",-2,2024-02-01,false\n=1+2,3,2024-02-02,true\n')
point("a table to write", stoa("convert", "t.csv", "-o", "t.stoa").code == 0)

# ---- The bytes of each option, which are the same for every command that writes CSV ----
for args, wanted in (
        ([], 'word,n,day,yes\n"x,y",1,2024-01-31,true\n,,,\n"",-2,2024-02-01,false\n=1+2,3,2024-02-02,true\n'),
        (["--quoting", "minimal", "--newline", "lf"],
         'word,n,day,yes\n"x,y",1,2024-01-31,true\n,,,\n"",-2,2024-02-01,false\n=1+2,3,2024-02-02,true\n'),
        (["--quoting", "all", "--no-output-header"],
         '"x,y","1","2024-01-31","true"\n,,,\n"","-2","2024-02-01","false"\n"=1+2","3","2024-02-02","true"\n'),
        (["--quoting", "nonnumeric"], '"word","n","day","yes"\n"x,y",1,"2024-01-31",true\n,,,\n"",-2,"2024-02-01",false\n'
         '"=1+2",3,"2024-02-02",true\n'),
        (["--quoting", "none", "--output-delimiter", "|", "--null-text", "\\N"],
         "word|n|day|yes\nx,y|1|2024-01-31|true\n\\N|\\N|\\N|\\N\n|-2|2024-02-01|false\n=1+2|3|2024-02-02|true\n"),
        (["--newline", "crlf", "--bom", "--output-delimiter", "tab"],
         '\ufeffword\tn\tday\tyes\r\nx,y\t1\t2024-01-31\ttrue\r\n\t\t\t\r\n""\t-2\t2024-02-01\tfalse\r\n=1+2\t3\t2024-02-02\ttrue\r\n'),
        (["--safe-spreadsheet"],
         "word,n,day,yes\n\"x,y\",1,2024-01-31,true\n,,,\n\"\",-2,2024-02-01,false\n'=1+2,3,2024-02-02,true\n")):
    for name, command in (("cat", ["cat", "t.stoa"]), ("cat in order", ["cat", "t.stoa", "-n", "9"]),
                          ("head", ["head", "t.stoa", "-f", "csv"]), ("sample", ["sample", "t.stoa", "-n", "9", "-f", "csv"]),
                          ("convert", ["convert", "t.stoa", "-o", "-", "--to", "csv"]),
                          ("convert of CSV", ["convert", "t.csv", "-o", "-", "--to", "csv"])):
        done = stoa(*command, *args)
        point(f"{name} {' '.join(args)}", done.code == 0 and done.out == wanted, done, f"wanted: {wanted!r}")
expect("TSV has tabs", ["cat", "t.stoa", "-f", "tsv", "-n", "1"], 0, "word\tn\tday\tyes\nx,y\t1\t2024-01-31\ttrue\n", "")
expect("... unless told otherwise", ["cat", "t.stoa", "-f", "tsv", "--output-delimiter", ";", "-s", "n,yes"], 0,
       "n;yes\n1;true\n;\n-2;false\n3;true\n", "")
expect("a null alone is an empty line", ["cat", "t.stoa", "-s", "n"], 0, "n\n1\n\n-2\n3\n", "")
expect("... or its text", ["cat", "t.stoa", "-s", "n", "--null-text", "NA"], 0, "n\n1\nNA\n-2\n3\n", "")

# ---- What can't be ----
for command in (["cat", "t.stoa"], ["convert", "t.stoa", "-o", "-", "--to", "csv"]):
    refuse(f"{command[0]}: a value that needs quotes", [*command, "--quoting", "none"], 1,
           'row 1: column word: "x,y" can\'t be written without quotes: it holds the delimiter')
    refuse(f"{command[0]}: an empty text without quotes", [*command, "--quoting", "none", "--output-delimiter", ";"], 1,
           'row 3: column word: "" can\'t be written without quotes: it would be read as null (unless null gets a text of its own)')
done = stoa("convert", "t.stoa", "-o", "none.csv", "--quoting", "none")
point("nothing is left of it", done.code == 1 and not os.path.exists("none.csv"), done)
for option, value, why in (("--quoting", "some", "expected minimal, all, nonnumeric or none"),
                           ("--newline", "cr", "expected lf or crlf"),
                           ("--output-delimiter", '"', 'expected one character (no quote, no line end) or "tab"')):
    refuse(f"{option} {value}", ["cat", "t.stoa", option, value], 2, f"{option} {value}: {why}")
refuse("a text of null with a delimiter", ["cat", "t.stoa", "--null-text", "a,b"], 2,
       'null can\'t be written as "a,b": its text has no quote, delimiter or line end, and is UTF-8')

# ---- Other encodings ----
write("e.csv", "word,n\n" + "".join(f"gr\u00fc\u00df {i},{i}\n" for i in range(5000)))
stoa("convert", "e.csv", "-o", "e.stoa", "--row-group-rows", "700")
words = stoa("cat", "e.stoa").out
for name, codec in (("latin1", "latin-1"), ("cp1252", "cp1252"), ("utf-16", "utf-16"), ("UTF-32BE", "utf-32-be"), ("utf-8", "utf-8")):
    done = run_bytes("cat", "e.stoa", "--output-encoding", name, "-j", "3")
    point(f"--output-encoding {name}", done.decode(codec) == words)
refuse("a character that it does not have", ["convert", "e.stoa", "-o", "x.csv", "--output-encoding", "ascii"], 1,
       'row 1: ascii has no "\u00fc"')
done = stoa("cat", "e.stoa", "--output-encoding", "no-such")
point("a name that nobody knows", done.code == 2 and "no-such" in done.err, done)

# ---- Compressed, in pieces: whole for other programs, and read back in parallel ----
write("c.csv", "n,word\n" + "".join(f"{i},{chance.getrandbits(160):x}\n" for i in range(8000)))
stoa("convert", "c.csv", "-o", "c.stoa", "--row-group-rows", "3000")
plain = stoa("cat", "c.stoa").out.encode()


def members(data):
    """The sizes of the members of a BGZF file, each of which says where the next one begins."""
    sizes, at = [], 0
    while at < len(data):
        assert data[at:at + 4] == b"\x1f\x8b\x08\x04" and data[at + 12:at + 16] == b"BC\x02\x00"
        sizes.append(int.from_bytes(data[at + 16:at + 18], "little") + 1)
        at += sizes[-1]
    return sizes


for ending, unpack in (("gz", gzip.decompress), ("zst", lambda data: subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE).stdout)):
    outs = []
    for jobs in ("1", "2", "8"):
        stoa("convert", "c.stoa", "-o", f"c.csv.{ending}", "-f", "-j", jobs)
        outs.append(open(f"c.csv.{ending}", "rb").read())
    point(f"{ending}: what is in it", unpack(outs[0]) == plain and len(outs[0]) < len(plain) * 0.75, len(outs[0]), len(plain))
    point(f"{ending}: the same bytes for any jobs", outs[1] == outs[0] and outs[2] == outs[0])
    piped = run_bytes("convert", "c.stoa", "-o", "-", "--to", "csv", "--compress", ending)
    point(f"{ending}: --compress into a pipe", piped == outs[0])
    expect(f"{ending}: reads back", ["convert", f"c.csv.{ending}", "-o", "-", "--to", "csv"], 0, plain.decode())
    empty = run_bytes("convert", "c.stoa", "-o", "-", "--to", "csv", "--compress", ending, "--no-output-header", "-w", "n < 0")
    point(f"{ending}: of nothing", unpack(empty) == b"" and empty != b"", empty)
    lines = run_bytes("convert", "c.stoa", "-o", "-", "--to", "jsonl", "--compress", ending)
    point(f"{ending}: JSON lines", unpack(lines) == stoa("cat", "c.stoa", "-f", "jsonl").out.encode())
sizes = members(open("c.csv.gz", "rb").read())
point("gz: blocks of BGZF, the last one empty", len(sizes) > 3 and sizes[-1] == 28, sizes)
for args, why in ((["-o", "c.csv.xz"], "c.csv.xz: of compressed output gz and zst are written"),
                  (["-o", "d.csv.gz", "--compress", "zst"], "d.csv.gz: the name says another compression"),
                  (["-o", "d.stoa", "--compress", "gz"], "d.stoa: a Stoa file is compressed inside, not as a whole"),
                  (["-o", "d.csv", "--compress", "xz"], "--compress xz: expected gz, zst or none")):
    refuse(" ".join(args), ["convert", "c.stoa", *args], 2, why)

# ---- Generated tables ----
PIECES = ["", "a", ",", '"', "\n", "\r\n", "\r", ";", "\t", " ", "'", "#", "=", "\\", "\u00e4", "\U0001f600", "NA", "7", "word"]
SCHEMA = {"stoa_schema": 1, "fields": [{"name": n, "type": t, "nullable": True}
                                       for n, t in (("a", "utf8"), ('b "c"', "utf8"), ("n", "int64"), ("x", "float64"), ("d", "date32"))]}


def text():
    return "".join(chance.choice(PIECES) for _ in range(chance.randrange(5)))


def row():
    return [None if not chance.randrange(6) else make()
            for make in (text, text, lambda: chance.randrange(-10**18, 10**18), chance.random,
                         lambda: f"20{chance.randrange(10, 99)}-0{chance.randrange(1, 9)}-1{chance.randrange(9)}")]


def put(rows):
    """The rows as a file that has every value in quotes."""
    lines = [",".join("" if value is None else '"' + str(value).replace('"', '""') + '"' for value in row) + "\n" for row in rows]
    write("g.csv", 'a,"b ""c""",n,x,d\n' + "".join(lines))
    write("g.json", json.dumps(SCHEMA))
    return stoa("convert", "g.csv", "-o", "g.stoa", "--schema", "g.json", "--force", "--row-group-rows", str(chance.randrange(1, 60)))


def shown(value, null):
    return null if value is None else str(value)


MODES = [(quoting, delimiter, newline, null) for quoting in ("minimal", "all", "nonnumeric") for delimiter in ",;\t|"
         for newline in ("lf", "crlf") for null in ("", "NULL")]
wrong = []
for _ in range(max(1, int(12 * SCALE))):
    rows = [row() for _ in range(chance.randrange(1, 200))]
    made = put(rows)
    if made.code != 0:
        wrong.append(made)
        break
    for quoting, delimiter, newline, null in chance.sample(MODES, 6):
        done = stoa("cat", "g.stoa", "--quoting", quoting, "--output-delimiter", delimiter, "--newline", newline, "--null-text", null,
                    "-j", str(chance.randrange(1, 5)))
        back = list(csv.reader(io.StringIO(done.out, newline=""), delimiter=delimiter, strict=True))
        if back != [["a", 'b "c"', "n", "x", "d"]] + [[shown(value, null) for value in row] for row in rows]:
            wrong.append(f"{quoting} {delimiter!r} {newline} {null!r}\n{rows!r}\n{back!r}")
point("Python reads what was written, in every mode", not wrong, *wrong[:2])

wrong = []
for _ in range(max(1, int(40 * SCALE))):
    rows = [[text(), text(), 1, 0.5, "2024-01-01"] for _ in range(chance.randrange(1, 4))]
    put(rows)
    done = stoa("cat", "g.stoa", "--quoting", "none", "--null-text", "\\N", "--no-output-header")
    possible = not any(set(value) & set(",\r\n") for row in rows for value in row[:2])
    if possible != (done.code == 0) or possible and list(
            csv.reader(io.StringIO(done.out, newline=""), quoting=csv.QUOTE_NONE)) != [[str(value) for value in row] for row in rows]:
        wrong.append(f"{rows!r}\n{done}")
point("without quotes a table is written whole or refused", not wrong, *wrong[:2])
cli.end()
