#!/usr/bin/env python3
"""Dialects and encodings: found out by convert, schema and sniff, and said again by the command that sniff prints."""
import json
import shlex

import cli
from cli import expect, point, refuse, stoa, write

cli.work_in_a_folder()
ROWS = "id,name,day,amount\n1,x;y,2024-01-02,1.5\n2,z,2024-01-03,2.75\n3,w,2024-01-04,3.1\n"
ODD = ("Report of May\n\nid;name;day;amount;\n1;\"x;y\";2024-01-02;1,50;\n2;z;2024-01-03;2,75;\n# c\n"
       "3;w;2024-01-04;3,10;\n")
TYPES = "id=int64,name=utf8,day=date32,amount=float64"

# ---- sniff says what it found, and how to say it ----
write("odd.csv", ODD)
done = expect("sniff prints the dialect, the columns and the command", ["sniff", "odd.csv"], 0,
              "odd.csv: 7 records in the first 106 bytes of text, which are all\n"
              "  delimiter            ;\n"
              "  quote                \"\n"
              "  escape               \"\n"
              "  comment              #\n"
              "  skip-lines           2\n"
              "  header               1\n"
              "  trailing-delimiter   yes\n"
              "  trim                 none\n"
              "  decimal              ,\n"
              "  encoding             UTF-8\n"
              "column  type\nid      int64\nname    utf8\nday     date32\namount  float64\n"
              "stoa convert odd.csv -o OUT.stoa --delimiter ';' --quote '\"' --escape '\"' --comment '#' "
              "--skip-lines 2 --header 1 --trailing-delimiter yes --trim none --decimal , --encoding UTF-8 "
              f"--types {TYPES}\n".replace(TYPES, f"'{TYPES}'"), "")
words = shlex.split(done.out.splitlines()[-1])
expect("convert finds the same", ["convert", "odd.csv", "-o", "found.stoa"], 0)
expect("the command that sniff prints is taken", [w.replace("OUT", "said") for w in words[1:]], 0)
point("... and makes the same file", cli.read("found.stoa") == cli.read("said.stoa"))
expect("the rows are those of the plain file", ["cat", "found.stoa"], 0, ROWS, "")
expect("schema finds the same", ["schema", "odd.csv"], 0, lambda out: "amount  float64  yes" in out, "")
expect("sniff reads pipes", ["sniff", "-"], 0, lambda out: out.startswith("-: 7 records"), "", stdin=ODD.encode())

found = json.loads(stoa("sniff", "odd.csv", "--json").out)
point("sniff --json", found["delimiter"] == ";" and found["comment"] == "#" and found["skip_lines"] == 2
      and found["header"] == 1 and found["trailing_delimiter"] is True and found["decimal"] == ","
      and found["columns"][3] == {"name": "amount", "type": "float64"} and found["whole"] is True
      and found["not_utf8_line"] is None and found["command"][:3] == ["stoa", "convert", "odd.csv"]
      and found["command"][-1] == TYPES, found)

# ---- Names and types of all kinds come back through a shell ----
write("it's.csv", "\"a=b\",it's\n1,2\n3,4\n")
words = shlex.split(stoa("sniff", "it's.csv").out.splitlines()[-1])
expect("odd names are quoted", [w.replace("OUT", "names") for w in words[1:]], 0)
expect("... and are the columns", ["cat", "names.stoa"], 0, "a=b,it's\n1,2\n3,4\n", "")

# ---- Options win over what is found ----
write("semi.csv", "a;b\n1;2\n")
expect("a delimiter is found", ["convert", "semi.csv", "-o", "-", "--to", "csv"], 0, "a,b\n1,2\n")
expect("a given one is taken", ["convert", "semi.csv", "-d", ",", "-o", "-", "--to", "csv"], 0, "a;b\n1;2\n")
expect("no header is found", ["convert", "-", "-o", "-", "--to", "csv"], 0, "column_1,column_2\n1,2\n3,4\n",
       stdin=b"1,2\n3,4\n")
expect("a given header is taken", ["convert", "-", "--header", "1", "-o", "-", "--to", "csv"], 0, "1,2\n3,4\n",
       stdin=b"1,2\n3,4\n")
expect("a header of two records", ["convert", "-", "--header", "2", "-o", "-", "--to", "csv"], 0, "t s,p hPa\n1,2\n",
       stdin=b"t,p\ns,hPa\n1,2\n")
expect("single quotes", ["convert", "-", "-o", "-", "--to", "csv"], 0, "a,b\n\"x, y\",1\n\"z, w\",2\n",
       stdin=b"a,b\n'x, y',1\n'z, w',2\n")
expect("backslashes", ["convert", "-", "-o", "-", "--to", "csv"], 0, "a,b\n\"x \"\"y\"\", z\",1\nw,2\n",
       stdin=b'a,b\n"x \\"y\\", z",1\n"w",2\n')
expect("blanks behind commas", ["convert", "-", "-o", "-", "--to", "csv"], 0, "a,b\n1,\"x, y\"\n2,z\n",
       stdin=b'a, b\n1, "x, y"\n2, z\n')
write("names.json", '{"stoa_schema": 1, "fields": [{"name": "red", "type": "utf8"}, {"name": "fig", "type": "utf8"}]}')
expect("a header that a schema names is one", ["convert", "-", "--schema", "names.json", "-o", "-", "--to", "csv"], 0,
       "red,fig\nblue,plum\nred,fig\n", stdin=b"red,fig\nblue,plum\nred,fig\n")

# ---- Encodings ----
for encoding, text in (("UTF-16LE", "\ufeffa;b\n\u00e9;1\n"), ("UTF-16BE", "a;b\n\u0434;1\n"), ("UTF-32LE", "a;b\nx;1\n"),
                       ("UTF-8", "\ufeffa;b\n\u4e2d;1\n")):
    write("enc.csv", text.encode(encoding))
    expect(f"{encoding} is found", ["convert", "enc.csv", "-o", "-", "--to", "csv"], 0,
           text.lstrip("\ufeff").replace(";", ","))
    point("... and said", json.loads(stoa("sniff", "enc.csv", "--json").out)["encoding"] == encoding)
for encoding, text in (("latin1", "a,b\n\u00e9,1\n"), ("cp1252", "a,b\n\u20ac,1\n"), ("shift_jis", "a,b\n\u65e5\u672c,1\n"),
                       ("gb18030", "a,b\n\u4e2d\u6587,1\n")):
    write("enc.csv", text.encode(encoding))
    expect(f"{encoding} by its name", ["convert", "enc.csv", "--encoding", encoding, "-o", "-", "--to", "csv"], 0, text)
write("enc.csv", b"a,b\nx,1\n\xe9,2\n")
expect("what is no UTF-8 is said", ["sniff", "enc.csv"], 0, lambda out: "  line 3 is no UTF-8: --encoding" in out)
refuse("... and an error of convert", ["convert", "enc.csv", "-o", "x.stoa"], 1,
       'enc.csv: line 3, column 1 (a): "\\xe9" is not UTF-8')
refuse("what is no text in an encoding", ["convert", "enc.csv", "--encoding", "ascii", "-o", "x.stoa"], 1,
       "enc.csv: line 3: byte 0xe9 at 8 is no ascii: is it another encoding?")
refuse("an unknown encoding", ["convert", "enc.csv", "--encoding", "klingon", "-o", "x.stoa"], 2,
       'the encoding "klingon" is not known here (`iconv -l` lists those that are)')

# ---- What is refused ----
for args, message in (
        (["--quote", "ab"], "--quote ab: expected one character or none"),
        (["--escape", ""], "--escape : expected one character"),
        (["--trim", "left"], "--trim left: expected auto, none, start or both"),
        (["--trailing-delimiter", "1"], "--trailing-delimiter 1: expected auto, yes or no"),
        (["--ragged", "fill"], "--ragged fill: expected error, pad, truncate or pad,truncate"),
        (["--skip-lines", "x"], "--skip-lines x: expected a number from 1 to 2147483647"),
        (["-d", ";", "--quote", ";"], '";" can\'t be both delimiter and quote'),
        (["--decimal", "x"], 'the decimal mark "x" can\'t be used: it is a point or a comma')):
    refuse("refused: " + " ".join(args), ["convert", "semi.csv", "-o", "x.stoa", *args], 2, message)
refuse("a Stoa file is not sniffed", ["sniff", "found.stoa"], 2,
       "sniff: a Stoa file says itself what it is (try: stoa info)")
cli.end()
