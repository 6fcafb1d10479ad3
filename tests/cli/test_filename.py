#!/usr/bin/env python3
"""A column with the name of each row's input: files, members of archives, pipes, filters, schemas, widening, restoring."""
import json
import os
import tarfile
import zipfile

from cli import end, expect, point, read, refuse, stoa, work_in_a_folder, write

work_in_a_folder()
os.makedirs("in")
write("in/1.csv", "a,b\n1,x\n2,y\n")
write("in/2, two.csv", "b,a\nz,3\n")
with zipfile.ZipFile("z.zip", "w") as archive:
    for name in ("1.csv", "2, two.csv"):
        archive.write("in/" + name, "deep/" + name)
with tarfile.open("t.tgz", "w:gz") as archive:
    archive.add("in/1.csv", "1.csv")
ROWS = {"in/1.csv": "1,x,{}\n2,y,{}\n", "in/2, two.csv": "3,z,{}\n"}


def rows(*pairs):
    """Rows of a file under a name."""
    return "a,b,file\n" + "".join(ROWS[path].replace("{}", f'"{name}"' if "," in name else name) for path, name in pairs)


def convert(*args, **more):
    return stoa("convert", *args, "-o", "-", "--to", "csv", "--progress", "never", **more)


ALL = rows(("in/1.csv", "in/1.csv"), ("in/2, two.csv", "in/2, two.csv"), ("in/1.csv", "z.zip:deep/1.csv"),
           ("in/2, two.csv", "z.zip:deep/2, two.csv"), ("in/1.csv", "t.tgz:1.csv"), ("in/2, two.csv", "-"))
INPUTS = ["in/1.csv", "in/2, two.csv", "z.zip", "t.tgz", "-"]
PIPED = read("in/2, two.csv")
for jobs in ("1", "2", "8"):
    for group in ("1", "2", "1000"):
        done = convert(*INPUTS, "--filename", "file", "-j", jobs, "--row-group-rows", group, stdin=PIPED)
        point(f"files, archives and a pipe, {jobs} jobs, {group} rows in a group", done.out == ALL, done)
done = convert("-", "--filename", "file", stdin=read("t.tgz"))
point("an archive in a pipe", done.out == rows(("in/1.csv", "-:1.csv")), done)
write("in/\x7f odd.csv", "a,b\n1,x\n2,y\n")
done = convert("in/\x7f odd.csv", "--filename", "file")
point("a name that can't be printed", done.out == rows(("in/1.csv", "in/\x7f odd.csv")), done)

for name in ("in/x\\y.csv", "in/new\nline.csv", "in/\u00e4.csv"):
    write(name, "a,b\n1,x\n")
    done = stoa("convert", name, "-o", "-", "--to", "jsonl", "--filename", "file")
    point(f"the bytes of a path: {name!r}", json.loads(done.out)["file"] == name, done)
    stoa("convert", name, "-o", "name.stoa", "--force")
    done = stoa("info", "name.stoa", "--json")
    point(f"... and of a source: {name!r}", json.loads(done.out)["sources"][0]["name"] == name[3:], done)
    os.remove(name)
    os.remove("name.stoa")
write("a.jsonl", '{"a":1}\n')
os.rename("a.jsonl", "x\\y.jsonl")
done = stoa("convert", "x\\y.jsonl", "-o", "-", "--to", "jsonl", "--filename", "file")
point("... of JSON lines", json.loads(done.out)["file"] == "x\\y.jsonl", done)
os.remove("x\\y.jsonl")
odd = b"in/\xff\x07.csv"
with open(odd, "wb") as file:
    file.write(b"a,b\n1,x\n")
done = convert(odd, "--filename", "file")
point("what is no UTF-8 is made printable", done.out.endswith("1,x,in/\\xff\\x07.csv\n"), done)
os.remove(odd)

# ---- Only some columns and rows ----
done = convert(*INPUTS, "--filename", "file", "--where", "file >= 'z' and a > 1", "--select", "file,a", stdin=PIPED)
point("--where and --select", done.out == 'file,a\nz.zip:deep/1.csv,2\n"z.zip:deep/2, two.csv",3\n', done)
done = convert(*INPUTS, "--filename", "file", "--where", "file = '-'", "--select", "b", stdin=PIPED)
point("... for the filter alone", done.out == "b\nz\n", done)
done = convert(*INPUTS, "--filename", "file", "--select", "b,a", "--where", "a = 3", stdin=PIPED)
point("... not wanted", done.out == "b,a\nz,3\nz,3\nz,3\n", done)
done = convert("in/1.csv", "--filename", "file", "--header", "none", "--select", "file,column_2")
point("without a header", done.out == "file,column_2\nin/1.csv,b\nin/1.csv,x\nin/1.csv,y\n", done)
write("bad.csv", "a,b\n1,x\n2\n3,y\n")
done = convert("bad.csv", "--filename", "file", "--on-error", "skip")
point("bad records are left out", done.code == 5 and done.out == "a,b,file\n1,x,bad.csv\n3,y,bad.csv\n", done)

# ---- Schemas ----
done = stoa("schema", "in/1.csv", "--filename", "file", "--json")
schema = json.loads(done.out)
point("the schema knows it", schema["fields"][2] == {"name": "file", "type": "utf8", "nullable": False} and
      schema["evidence"][2] == {"name": "file", "decided_by": "the options"}, done)
write("s.json", done.out)
done = convert("in/1.csv", "--filename", "file", "--schema", "s.json")
point("... and gives it back", done.out == rows(("in/1.csv", "in/1.csv")), done)
schema["fields"].insert(0, schema["fields"].pop())
write("first.json", json.dumps(schema))
done = convert("in/1.csv", "--filename", "file", "--schema", "first.json")
point("... as another column", done.out == "file,a,b\nin/1.csv,1,x\nin/1.csv,2,y\n", done)
del schema["fields"][0]
write("none.json", json.dumps(schema))
done = convert("in/1.csv", "--filename", "file", "--schema", "none.json")
point("a schema without it", done.out == rows(("in/1.csv", "in/1.csv")), done)
done = convert("in/2, two.csv", "--filename", "file", "--infer", "full")
point("full inference", done.out == 'b,a,file\nz,3,"in/2, two.csv"\n', done)
schema["fields"].append({"name": "file", "type": "int64", "nullable": True})
write("number.json", json.dumps(schema))

TAKEN = 'a column is called "b" already: the names of the inputs need another name'
refuse("a name that is taken", ["convert", "in/1.csv", "--filename", "b", "-o", "o.stoa"], 2, f"in/1.csv: line 1, column 2: {TAKEN}")
refuse("... in a later input", ["convert", "t.tgz", "in/2, two.csv", "--filename", "b", "--schema", "none.json", "-o", "o.stoa"], 2,
       f"t.tgz:1.csv: line 1, column 2: {TAKEN}")
for command in (["convert", "in/1.csv", "-o", "o.stoa"], ["schema", "in/1.csv"]):
    refuse(f"no name, {command[0]}", [*command, "--filename", ""], 2, "the column of the names of inputs needs a name")
refuse("another type", ["convert", "in/1.csv", "--filename", "file", "--schema", "number.json", "-o", "o.stoa"], 2,
       'column "file": the names of the inputs are utf8, not int64')
refuse("types are those of the text", ["schema", "in/1.csv", "--filename", "file", "--types", "file=utf8"], 2,
       'there is no column "file"')

# ---- Stoa files ----
done = stoa("convert", "in/1.csv", "in/2, two.csv", "z.zip", "t.tgz", "--filename", "file", "-o", "o.stoa", "--verify", "--progress", "never")
point("restorable", done.code == 0 and "restorable: yes, verified" in done.err, done)
expect("the file has it", ["cat", "o.stoa", "--select", "file"], out="file\n" + "".join(
    line.split(",", 2)[2] + "\n" for line in ALL.splitlines()[1:-1]))
os.makedirs("back")
done = stoa("restore", "o.stoa", "-o", "back", "--progress", "never")
point("... and the text does not", read("back/1.csv") == read("in/1.csv") and read("back/2, two.csv") == PIPED, done,
      os.listdir("back"))
write("w.csv", "a,b\n" + "1,x\n" * 100000 + "late,y\n")
done = stoa("convert", "w.csv", "--filename", "file", "-o", "w.stoa", "--verify", "--progress", "never", "--infer", "sample")
point("a column widens beside it", done.code == 0 and "restorable: yes, verified" in done.err, done)
expect("... and every row has its name", ["count", "w.stoa", "--where", "file = 'w.csv'"], out="100001\n")
refuse("Stoa files have rows of their own", ["convert", "o.stoa", "-o", "x.csv", "--filename", "file"], 2,
       "names of inputs can be added to text, not to the rows of a Stoa file")
refuse("... and schemas", ["schema", "o.stoa", "--filename", "file"], 2, "--filename file: a Stoa file has a schema of its own")
point("nothing is left", not os.path.exists("x.csv"))

end()
