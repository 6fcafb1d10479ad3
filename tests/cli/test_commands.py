#!/usr/bin/env python3
"""Every command on good input: what it prints, in each format, and as JSON."""
import json
import lzma
import os
import pty
import re
import signal
import subprocess
import time

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()

# ---- One row of each type, and nulls ----
SCHEMA = """{"stoa_schema": 1,
 "fields": [
  {"name": "i", "type": "int64", "nullable": false},
  {"name": "u8", "type": "uint8", "nullable": true},
  {"name": "f", "type": "float64", "nullable": true},
  {"name": "d", "type": "decimal(20,3)", "nullable": true},
  {"name": "b", "type": "bool", "nullable": true},
  {"name": "day", "type": "date32", "nullable": true},
  {"name": "at", "type": "timestamp(ms)", "nullable": true, "csv_format": "%Y-%m-%dT%H:%M:%S"},
  {"name": "utc", "type": "timestamp(us,UTC)", "nullable": true},
  {"name": "clock", "type": "time(s)", "nullable": true},
  {"name": "text", "type": "utf8", "nullable": true},
  {"name": "bin", "type": "binary", "nullable": true},
  {"name": "kind", "type": "enum(red,green)", "nullable": true},
  {"name": "id", "type": "uuid", "nullable": true, "metadata": {"unit": "none"}}]}
"""
CSV = """i,u8,f,d,b,day,at,utc,clock,text,bin,kind,id
1,255,1.5,12345678901234567.125,true,2024-02-29,2013-01-01T10:00:00.250,2013-01-01 10:00:00.000001Z,\
23:59:59,"a ""b"", c",AAEC,red,00112233-4455-6677-8899-aabbccddeeff
-2,,NaN,-0.001,false,1969-12-31,1969-12-31T23:59:59.999,1969-12-31 23:59:59Z,00:00:00,"",,green,
3,0,-Infinity,,,,,,,,,,
"""
JSONL = """{"i":1,"u8":255,"f":1.5,"d":12345678901234567.125,"b":true,"day":"2024-02-29",\
"at":"2013-01-01T10:00:00.250","utc":"2013-01-01T10:00:00.000001Z","clock":"23:59:59",\
"text":"a \\"b\\", c","bin":"AAEC","kind":"red","id":"00112233-4455-6677-8899-aabbccddeeff"}
{"i":-2,"u8":null,"f":"NaN","d":-0.001,"b":false,"day":"1969-12-31","at":"1969-12-31T23:59:59.999",\
"utc":"1969-12-31T23:59:59Z","clock":"00:00:00","text":"","bin":null,"kind":"green","id":null}
{"i":3,"u8":0,"f":"-Infinity","d":null,"b":null,"day":null,"at":null,"utc":null,"clock":null,\
"text":null,"bin":null,"kind":null,"id":null}
"""
TSV = re.sub(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', "\t", CSV)
write("all.csv", CSV)
write("all.json", SCHEMA)
expect("convert says what it did", ["convert", "all.csv", "--schema", "all.json", "-o", "all.stoa"], 0, "",
       lambda err: re.fullmatch(r"all\.stoa: 3 rows, 13 columns from 1 input, 334 bytes -> [\d.]+ kB "
                                r"\([\d.]+%\), [\d.]+ s, restorable: yes\n", err))
for args, out in ((["-f", "csv"], CSV), (["--format=tsv"], TSV), (["-f", "jsonl"], JSONL), (["--json"], JSONL),
                  ([], CSV), (["-n", "1"], "".join(CSV.splitlines(True)[:2])),
                  (["-s", "u8,i"], "u8,i\n255,1\n,-2\n0,3\n"),
                  (["-w", "u8 is null", "-s", "i"], "i\n-2\n"), (["-w", "i > 99", "-s", "i"], "i\n"),
                  (["-j", "1"], CSV), (["-j", "7"], CSV)):
    expect("cat " + " ".join(args), ["cat", "all.stoa", *args], 0, out, "")
for to, out in (("csv", CSV), ("tsv", TSV), ("jsonl", JSONL)):
    expect(f"convert --to {to} is the same", ["convert", "all.stoa", "-o", "-", "--to", to], 0, out)
    expect(f"convert to a file named .{to}", ["convert", "all.stoa", "-o", "out." + to], 0, "")
    point("... holds it", cli.read("out." + to).decode() == out)
    os.remove("out." + to)
expect("CSV to CSV through a schema", ["convert", "all.csv", "-o", "-", "--to", "csv", "--schema", "all.json"], 0, CSV)
expect("the schema document comes back", ["schema", "all.stoa", "-f", "json"], 0, SCHEMA, "")
expect("head is a table", ["head", "all.stoa", "-s", "i,f,text,day", "-n", "2"], 0,
       " i    f  text      day\n 1  1.5  a \"b\", c  2024-02-29\n-2  NaN            1969-12-31\n", "")
expect("head --json", ["head", "all.stoa", "--json", "-n", "1"], 0, JSONL.splitlines(True)[0], "")
expect("schema is a table", ["schema", "all.stoa"], 0,
       lambda out: out.splitlines()[:3] == ["column  type               nullable",
                                            "i       int64              no",
                                            "u8      uint8              yes"], "")
write("bad.json", SCHEMA.replace("uint8", "uint9"))
refuse("a schema file that is wrong is named", ["convert", "all.csv", "--schema", "bad.json", "-o", "x.stoa"],
       2, 'bad.json: column 2 (u8): type "uint9": there is no type uint9; did you mean uint8?')
refuse("a schema file that is missing", ["convert", "all.csv", "--schema", "no.json", "-o", "x.stoa"], 3,
       "no.json: can't be opened: No such file or directory")
refuse("a value that does not fit the schema", ["convert", "all.csv", "--schema", "all.json", "-o", "x.stoa",
                                              "--header", "none"], 1,
       'all.csv: line 1, column 1 (i): "i" is not int64')

write("null.csv", CSV.replace("-2,", "NA,"))
refuse("a null where the schema forbids it", ["convert", "null.csv", "--schema", "all.json", "-o", "x.stoa"], 1,
       'null.csv: line 3, column 1 (i): no value, and the schema says that it is not nullable')

# ---- Text that a terminal must not see ----
write("odd.csv", b'"a\tb",y\n"\x1b[31mred",1\n"two\nlines",2\n"\xc3\xa9 \xe2\x86\x92 \xe6\x97\xa5",3\n'
      + b'"' + b"z" * 100 + b'",4\n')
expect("odd text is converted", ["convert", "odd.csv", "-o", "odd.stoa"], 0)
expect("a table shows it escaped and cut", ["head", "odd.stoa"], 0,
       lambda out: [line.rsplit(None, 1)[0].rstrip() for line in out.splitlines()[1:]] ==
       ["\\x1b[31mred", "two\\x0alines", "é → 日", "z" * 64 + "..."], "")
expect("... names too", ["schema", "odd.stoa"], 0, lambda out: out.splitlines()[1].startswith("a\\x09b  utf8"), "")
expect("CSV has it as it is", ["cat", "odd.stoa", "-n", "1"], 0, 'a\tb,y\n\x1b[31mred,1\n', "")

# ---- Several files ----
write("1.csv", "k,v\n1,a\n2,b\n")
write("2.csv", "k,v\n3,c\n4,d\n")
write("3.csv", "k,w\n5,e\n")
for n in "123":
    stoa("convert", n + ".csv", "-o", n + ".stoa")
expect("cat of two files", ["cat", "1.stoa", "2.stoa"], 0, "k,v\n1,a\n2,b\n3,c\n4,d\n", "")
expect("a limit goes over files", ["cat", "1.stoa", "2.stoa", "-n", "3"], 0, "k,v\n1,a\n2,b\n3,c\n", "")
expect("one header of a table", ["cat", "1.stoa", "2.stoa", "-f", "table"], 0, "k  v\n1  a\n2  b\n3  c\n4  d\n", "")
expect("other columns are refused", ["cat", "1.stoa", "3.stoa"], 2, "",
       "stoa: 3.stoa: another schema than 1.stoa has\n")
expect("... behind the first rows too", ["cat", "1.stoa", "3.stoa", "-n", "9"], 2, "k,v\n1,a\n2,b\n",
       "stoa: 3.stoa: another schema than 1.stoa has (compare them with stoa schema)\n")
refuse("schema of files that differ", ["schema", "1.stoa", "2.stoa", "3.stoa"], 2,
       "3.stoa: another schema than 1.stoa has")
expect("schema of files that agree", ["schema", "1.stoa", "2.stoa"], 0,
       "column  type   nullable\nk       int64  yes\nv       utf8   yes\n", "")
expect("count adds up", ["count", "1.stoa", "2.stoa", "-w", "k >= 2"], 0, "3\n", "")
expect("count of nothing is 0 and no failure", ["count", "1.stoa", "-w", "k > 9", "--json"], 0,
       '{\n  "rows": 0\n}\n', "")
expect("many inputs are one table", ["convert", "1.csv", "2.csv", "-o", "12.stoa"], 0, "",
       lambda err: err.startswith("12.stoa: 4 rows, 2 columns from 2 inputs, "))
expect("Stoa files too", ["convert", "1.stoa", "2.stoa", "-o", "-", "--to", "csv", "-w", "k <> 2"], 0,
       "k,v\n1,a\n3,c\n4,d\n")
refuse("... with equal schemas", ["convert", "1.stoa", "3.stoa", "-o", "-", "--to", "csv"], 2,
       "3.stoa: another schema than 1.stoa has")
os.mkdir("parts")
for n in "21":
    os.rename(n + ".csv", "parts/" + n + ".csv")
expect("a folder stands for its files by name", ["convert", "parts", "-o", "-", "--to", "csv"], 0,
       "k,v\n1,a\n2,b\n3,c\n4,d\n")
expect("so does a pattern", ["convert", "parts/*.csv", "-o", "-", "--to", "csv"], 0, "k,v\n1,a\n2,b\n3,c\n4,d\n")

# ---- Pipes ----
expect("from a pipe", ["convert", "-", "-o", "piped.stoa"], 0, "", None, stdin=b"k,v\n1,a\n2,b\n")
expect("from a file, without its name and hash", ["convert", "parts/1.csv", "-o", "bare.stoa", "--no-source-text"], 0, "",
       None)
expect("... and from a pipe", ["convert", "-", "-o", "piped.stoa", "--no-source-text", "--force"], 0, "", None,
       stdin=b"k,v\n1,a\n2,b\n")
point("... the bytes are the same", cli.read("piped.stoa") == cli.read("bare.stoa"))
expect("from a compressed pipe", ["convert", "-", "-o", "-", "--to", "csv"], 0, "k,v\n1,a\n", None,
       stdin=lzma.compress(b"k,v\n1,a\n"))
done = subprocess.run([cli.STOA, "convert", "parts", "-o", "-", "--to", "stoa"], capture_output=True)
point("a Stoa file through a pipe", done.returncode == 0 and done.stdout == cli.read("12.stoa"), done.stderr)
done = subprocess.run(f"'{cli.STOA}' cat all.stoa all.stoa all.stoa | head -1; echo ${{PIPESTATUS[0]}}", shell=True,
                      executable="/bin/bash", capture_output=True, text=True)
point("cat | head -1 is quiet", done.stderr == "" and done.stdout.startswith("i,u8,f"), done)
write("many.csv", "n\n" + "".join(f"{i}\n" for i in range(300000)))
stoa("convert", "many.csv", "-o", "many.stoa")
for words in ("cat many.stoa", "convert many.stoa -o - --to csv", "convert many.csv -o - --to jsonl"):
    done = subprocess.run(f"'{cli.STOA}' {words} | head -1; echo ${{PIPESTATUS[0]}}", shell=True,
                          executable="/bin/bash", capture_output=True, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
    point(f"{words} | head -1 is quiet, though SIGPIPE was ignored",
          done.stderr == "" and done.stdout.endswith("\n141\n"), done)

# ---- Where, select, row groups ----
expect("convert --where --select", ["convert", "many.csv", "-o", "few.stoa", "--where", "n between 5 and 7"], 0, "",
       lambda err: err.startswith("few.stoa: 3 rows, 1 column from 1 input, "))
expect("... with a column that is only looked at",
       ["convert", "parts/1.csv", "-o", "-", "--to", "csv", "-s", "v", "-w", "k = 2"], 0, "v\nb\n")
expect("no row at all is a file", ["convert", "many.csv", "-o", "none.stoa", "-w", "n < 0"], 0, "",
       lambda err: err.startswith("none.stoa: 0 rows, 1 column from 1 input, "))
expect("... of no rows", ["count", "none.stoa"], 0, "0\n", "")
expect("... that can be verified", ["verify", "--deep", "none.stoa"], 0, None, "")
expect("row groups of a given size", ["convert", "many.csv", "-o", "groups.stoa", "--row-group-rows", "100000"], 0)
expect("... are 3", ["info", "groups.stoa"], 0,
       lambda out: out.startswith("groups.stoa: 300,000 rows in 3 row groups, 1 column, "), "")
for level in ("fast", "balanced", "small"):
    expect(f"convert --level {level}", ["convert", "parts/1.csv", "-o", f"{level}.stoa", "--level", level], 0)
    expect("... holds the same rows", ["cat", f"{level}.stoa"], 0, "k,v\n1,a\n2,b\n", "")
expect("there are three levels", ["convert", "parts/1.csv", "-o", "x.stoa", "--level", "9"], 2, "",
       lambda err: "--level" in err and "expected fast, balanced or small" in err)
made = set()
for jobs, memory in ((1, "64M"), (2, "256M"), (3, "1G"), (8, "200M")):
    stoa("convert", "many.csv", "-o", "same.stoa", "--force", "-j", str(jobs), "-m", memory)
    made.add(cli.read("same.stoa"))
point("the same bytes for any jobs and memory", len(made) == 1, len(made))
write("semi.csv", "a;b\n1;2\n")
expect("--delimiter", ["convert", "semi.csv", "-d", ";", "-o", "-", "--to", "csv"], 0, "a,b\n1,2\n")
expect("--delimiter tab", ["convert", "-", "-d", "tab", "-o", "-", "--to", "csv"], 0, "a,b\n1,2\n", None,
       stdin=b"a\tb\n1\t2\n")
expect("--from tsv", ["convert", "-", "--from", "tsv", "-o", "-", "--to", "csv"], 0, "a,b\n1,2\n", None,
       stdin=b"a\tb\n1\t2\n")
expect("--header none", ["convert", "-", "--header", "none", "-o", "-", "--to", "csv"], 0, "column_1,column_2\n1,2\n", None,
       stdin=b"1,2\n")
refuse("--max-record-size", ["convert", "-", "--max-record-size", "10", "-o", "-", "--to", "csv"], 1,
       "standard input: line 2: a record of more than 10 bytes: is a quote left open?", stdin=b"a\n" + b"x" * 50 + b"\n")

# ---- Outputs that exist ----
before = cli.read("few.stoa")
refuse("an output that exists stays", ["convert", "many.csv", "-o", "few.stoa"], 2,
       "few.stoa: exists already (--force replaces it)")
expect("a failed run with --force leaves it", ["convert", "all.csv", "--schema", "all.json", "-o", "few.stoa",
                                               "--force", "--header", "none"], 1)
point("... as it was", cli.read("few.stoa") == before)
expect("--force replaces it", ["convert", "parts", "-o", "few.stoa", "--force"], 0)
point("... with the new one", cli.read("few.stoa") == cli.read("12.stoa"))
refuse("a file is not converted onto itself", ["convert", "few.stoa", "-o", "few.stoa", "-f", "-w", "k=1"], 2,
       "few.stoa: is an input: the output needs another file")
expect("--dry-run says what it would do", ["convert", "parts", "-o", "dry.stoa", "--dry-run"], 0, "",
       "dry.stoa: would be written as stoa with 2 columns from 2 csv inputs\n")
expect("... in JSON", ["convert", "parts", "-o", "dry.stoa", "--dry-run", "--json"], 0,
       lambda out: json.loads(out)["dry_run"] is True and json.loads(out)["columns"] == 2, "")
refuse("... finds what is wrong", ["convert", "parts", "-o", "dry.stoa", "--dry-run", "-w", "x = 1"], 2,
       'x = 1: there is no column "x"')
point("... and writes nothing", not os.path.exists("dry.stoa"))

# ---- JSON ----
def keys(value):
    return set(value)


report = json.loads(stoa("convert", "parts", "-o", "j.stoa", "--json").out)
point("convert --json", keys(report) == {"output", "dry_run", "from", "to", "inputs", "rows", "rejected",
                                         "rejected_raw", "skipped", "lost_places", "lost_blocks", "lost_bytes",
                                         "lost_rows", "lost_uncounted", "widened", "columns", "input_bytes",
                                         "output_bytes", "seconds", "restorable", "verified"}
      and (report["rows"], report["inputs"], report["from"], report["to"]) == (4, 2, "csv", "stoa")
      and report["output_bytes"] == os.path.getsize("j.stoa") and report["input_bytes"] == 24, report)
info = json.loads(stoa("info", "groups.stoa", "--json").out)
column = info["columns"][0]
point("info --json", keys(info) == {"file", "identity", "rows", "bytes", "row_groups", "sorted_by", "columns", "bytes_by_kind",
                                    "sources", "metadata"}
      and (info["rows"], info["row_groups"], info["file"]) == (300000, 3, "groups.stoa")
      and keys(column) == {"name", "type", "nullable", "bytes", "dictionary_bytes", "nulls", "encodings",
                           "derived_from", "nodes", "metadata"}
      and (column["name"], column["type"], column["nulls"]) == ("n", "int64", 0) and column["encodings"], info)
point("info --json accounts for every byte",
      sum(info["bytes_by_kind"].values()) == info["bytes"] == os.path.getsize("groups.stoa"), info)
write("legs.csv", "begin,length,end\n" + "".join(f"{i * i % 9973},{i % 113 * 7},{i * i % 9973 + i % 113 * 7}\n"
                                                for i in range(5000)))
stoa("convert", "legs.csv", "-o", "legs.stoa")
legs = json.loads(stoa("info", "legs.stoa", "--json").out)["columns"]
derived = [column["derived_from"] for column in legs]
point("info --json names what a column is derived from", sum(names != [] for names in derived) == 1 and all(
    set(names) in (set(), {"begin", "length", "end"} - {column["name"]}) for names, column in zip(derived, legs)), legs)
expect("... and info in words", ["info", "legs.stoa"], 0,
       lambda out: re.search(r"linear\(const\); from \w+, \w+\n", out), "")
expect("info accounts for every byte", ["info", "groups.stoa"], 0,
       lambda out: re.search(r"\nEvery byte: .*: (\d+) in all\n$", out)[1] == str(os.path.getsize("groups.stoa"))
       and sum(map(int, re.findall(r" (\d+)[,:]", out.split("Every byte:")[1]))) == os.path.getsize("groups.stoa"), "")
point("metadata of columns is in info --json",
      json.loads(stoa("info", "all.stoa", "--json").out)["columns"][-1]["metadata"] == {"unit": "none"})
explain = json.loads(stoa("explain", "groups.stoa", "-w", "n >= 299000 and n <> 7", "--json").out)
point("explain --json", keys(explain) == {"row_groups", "zones", "pages", "bytes", "rows_considered", "rows_selected", "terms"}
      and all(explain[k]["total"] == explain[k]["skipped"] + explain[k]["read"]
              for k in ("row_groups", "zones", "pages", "bytes"))
      and explain["row_groups"] == {"total": 3, "skipped": 2, "read": 1}
      and explain["zones"] == {"total": 39, "skipped": 38, "read": 1} and explain["rows_selected"] == 1000
      and [t["term"] for t in explain["terms"]] == ["n >= 299000", "n <> 7"]
      and all(keys(t) == {"term", "zones_never", "zones_maybe", "zones_always", "zones_known"} for t in explain["terms"]), explain)
point("explain counts the values, and info every byte",
      explain["bytes"]["total"] == info["bytes_by_kind"]["chunks"]
      and sum(info["bytes_by_kind"].values()) == info["bytes"] == os.path.getsize("groups.stoa"), explain, info)
expect("explain in words", ["explain", "groups.stoa", "-w", "n >= 299000"], 0,
       lambda out: out.splitlines()[:3] == ["            total  skipped  read", "row groups      3        2     1",
                                            "zones          39       38     1"]
       and out.endswith("Terms:\n  n >= 299000\n    excludes 38 of 39 zones\n"), "")
verify = json.loads(stoa("verify", "groups.stoa", "--deep", "--json").out)
point("verify --json", keys(verify) == {"file", "whole", "objects", "pages", "bytes", "findings"}
      and verify["whole"] is True and verify["bytes"] == info["bytes"] and verify["findings"] == [], verify)
expect("verify in words", ["verify", "groups.stoa"], 0,
       lambda out: re.fullmatch(r"groups\.stoa: whole: \d+ pages, [\d.]+ kB, every byte accounted for\n", out), "")
schema = json.loads(stoa("schema", "many.csv", "--json").out)
point("schema --json of CSV has evidence", keys(schema) == {"stoa_schema", "fields", "evidence"}
      and schema["fields"] == [{"name": "n", "type": "int64", "nullable": True}]
      and schema["evidence"][0]["name"] == "n", schema)
write("many.json", json.dumps(schema))
expect("... and is taken by --schema", ["convert", "many.csv", "--schema", "many.json", "-o", "many2.stoa"], 0)
point("... with the same bytes", cli.read("many.stoa") == cli.read("many2.stoa"))
done = stoa("convert", "many.csv", "-o", "p.stoa", "--progress", "json")
lines = [json.loads(line) for line in done.err.splitlines()]
point("--progress json: lines of JSON, the last one the report",
      lines[-1]["done"] is True and lines[-1]["rows"] == 300000
      and all(keys(line) == {"done_bytes", "total_bytes", "rows", "seconds"} for line in lines[:-1]), done)


def fed_slowly(*args, **more):
    """stderr of a conversion whose input comes in pieces, so that there is progress to show."""
    process = subprocess.Popen([cli.STOA, "convert", "-", "-o", "slow.stoa", "--force", *args], stdin=subprocess.PIPE, **more)
    process.stdin.write(b"n\n")
    for _ in range(6):
        process.stdin.write(b"12345678\n" * 140000)
        process.stdin.flush()
        time.sleep(0.12)
    process.stdin.close()
    return process


process = fed_slowly("--progress", "json", stderr=subprocess.PIPE)
lines = [json.loads(line) for line in process.stderr.read().splitlines()]
point("--progress json tells rows and bytes on the way", process.wait() == 0 and len(lines) >= 3
      and all(keys(line) == {"done_bytes", "total_bytes", "rows", "seconds"} and line["total_bytes"] == 0
              for line in lines[:-1])
      and all(a["done_bytes"] <= b["done_bytes"] and a["seconds"] <= b["seconds"]
              for a, b in zip(lines[:-2], lines[1:-1])), lines)
ours, theirs = pty.openpty()
process = fed_slowly(stderr=theirs)
os.close(theirs)
process.wait()
shown = b""
while True:
    try:
        shown += os.read(ours, 65536)
    except OSError:  # the other end is closed and all is read
        break
point("a terminal is shown progress without being asked",
      re.search(rb"\r\x1b\[K[\d.]+ [kM]?B? ?(bytes )?read, [\d,]+ rows, \d+ s", shown)
      and re.search(rb"\r\x1b\[Kslow\.stoa: 840,000 rows", shown), shown)
expect("--progress never", ["convert", "many.csv", "-o", "q.stoa", "--progress", "never"], 0, "",
       lambda err: err.count("\n") == 1 and "\r" not in err)
expect("--progress always clears its line", ["convert", "many.csv", "-o", "r.stoa", "--progress", "always"], 0, "",
       lambda err: re.search(r"\r\x1b\[Kr\.stoa: 300,000 rows", err))

# ---- The limit of a table ----
refuse("a table has a limit", ["cat", "many.stoa", "-f", "table"], 2,
       "more than 10000 rows for a table: ask for fewer, or for --format csv")
expect("... of 10,000 rows", ["cat", "many.stoa", "-f", "table", "-n", "10000"], 0,
       lambda out: out.count("\n") == 10001, "")
cli.end()
