#!/usr/bin/env python3
"""Compressed inputs and archives, made by Python and by the usual programs: the same file out of each, for any number of jobs."""
import bz2
import gzip
import io
import json
import lzma
import os
import random
import resource
import shutil
import subprocess
import tarfile
import zipfile

import cli
from cli import expect, point, read, refuse, skip, stoa, write

cli.work_in_a_folder()
chance = random.Random(int(os.environ.get("STOA_TEST_SEED", "1")))

HEADER = "id,name,amount\n"


def rows(n):
    return "".join(f"{chance.randrange(10**6)},name {chance.randrange(1000)},{chance.randrange(10**5) / 100}\n" for _ in range(n))


PARTS = [HEADER + rows(n) for n in (20000, 1, 3000, 9000)]
WHOLE = (HEADER + "".join(part[len(HEADER):] for part in PARTS)).encode()


def run(*args):
    if shutil.which(args[0]) is None:
        return False
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return True


def same(name, *inputs, jobs=(1, 2, 3, 8), wanted=None):
    """Each number of jobs gives the bytes of `wanted`, the file of the plain text unless it is given."""
    for j in jobs:
        done = stoa("convert", *inputs, "-o", "out.stoa", "-f", "--jobs", str(j), "--row-group-rows", "4000", "--no-source-text")
        good = done.code == 0 and read("out.stoa") == (wanted or WANTED)
        if not good:
            break
    point(f"{name}: the same file for {len(jobs)} numbers of jobs", good, done)


# ---- One text ----
write("whole.csv", WHOLE)
point("the plain text", stoa("convert", "whole.csv", "-o", "out.stoa", "--row-group-rows", "4000", "--no-source-text").code == 0)
WANTED = read("out.stoa")
write("a.csv.gz", gzip.compress(WHOLE))
same("gzip", "a.csv.gz")
cuts = sorted(chance.randrange(len(WHOLE)) for _ in range(5))
pieces = [WHOLE[a:b] for a, b in zip([0, *cuts], [*cuts, len(WHOLE)])]
for name, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)):
    write("several." + name, b"".join(pack(piece) for piece in [b"", *pieces, b""]))
    same(f"several members of {name}, two of them empty", "several." + name)
write("blocks.bz2", bz2.compress(WHOLE, 1))
same("bzip2 of 100 KB blocks", "blocks.bz2")
for name, *program in (("xz -T", "xz", "-kqf", "-T2", "--block-size=100KiB", "-S", ".t.xz"), ("xz -9e", "xz", "-kqf", "-9e", "-S", ".e.xz"),
                       ("zstd", "zstd", "-qf", "-o", "whole.csv.zst"), ("pzstd", "pzstd", "-qf", "-p", "2", "-o", "whole.csv.pzst"),
                       ("lz4", "lz4", "-qzkf", "-m"), ("bgzip", "bgzip", "-kf"), ("lbzip2", "lbzip2", "-kf", "-1")):
    if not run(*program, "whole.csv"):
        skip(name, "the program is not installed")
        continue
    made = [f for f in os.listdir(".") if f.startswith("whole.csv.")]
    same(name, *made)
    os.remove(made[0])

# ---- Archives ----
os.makedirs("d/sub/.hidden")
for i, part in enumerate(PARTS):
    write(f"d/sub/{i}.csv", part)
write("d/sub/2.csv.gz", gzip.compress(PARTS[2].encode()))
write("d/empty.csv", "")
write("d/sub/.hidden/x.csv", "not,a,table of this kind\n")
os.symlink("sub/1.csv", "d/link.csv")
point("the parts as plain files", stoa("convert", *[f"d/sub/{i}.csv" for i in range(4)], "-o", "out.stoa", "-f", "--row-group-rows", "4000", "--no-source-text").code == 0)
WANTED = read("out.stoa")  # row groups end with inputs
MEMBERS = ["d/sub/0.csv", "d/sub/1.csv", "d/sub/2.csv.gz", "d/sub/3.csv"]
OTHERS = ["d/empty.csv", "d/sub/.hidden/x.csv", "d/link.csv"]

for kind in ("w", "w:gz", "w:bz2", "w:xz"):
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open("t.tar", kind, format=form) as tar:
            tar.add("d", recursive=False)
            for member in [*MEMBERS[:2], *OTHERS, *MEMBERS[2:]]:
                tar.add(member)
        same(f"tar {kind} in format {form}", "t.tar", jobs=(1, 3))
os.rename("t.tar", "t.any")
same("tar.xz under another name", "t.any")
done = stoa("convert", "-", "-o", "out.stoa", "-f", "--row-group-rows", "4000", "--no-source-text", stdin=read("t.any"))
point("tar.xz from a pipe", done.code == 0 and read("out.stoa") == WANTED, done)
for name, method in (("stored", zipfile.ZIP_STORED), ("deflate", zipfile.ZIP_DEFLATED), ("bzip2", zipfile.ZIP_BZIP2)):
    with zipfile.ZipFile("z.zip", "w", method) as archive:
        archive.write("d")
        for member in [*MEMBERS, *OTHERS[:2]]:
            archive.write(member)
        archive.comment = b"a comment with PK\5\6 in it"
    same(f"zip, {name}", "z.zip")
stream = io.BytesIO()
stream.seekable = lambda: False
with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
    for member in MEMBERS:
        with archive.open(member, "w", force_zip64=True) as file:
            file.write(read(member))
write("streamed.zip", stream.getvalue())
same("zip that was written to a pipe, with zip64", "streamed.zip")
if run("zip", "-qry", "program.zip", *MEMBERS, *OTHERS):
    same("zip of the zip program", "program.zip")
else:
    skip("zip of the zip program", "it is not installed")
with zipfile.ZipFile("many.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for i in range(2000):
        archive.writestr(f"{i:04}.csv", f"n\n{i}\n")
write("many.csv", "n\n" + "".join(f"{i}\n" for i in range(2000)))
stoa("convert", "many.csv", "-o", "many.stoa", "--row-group-rows", "4000", "--no-source-text")
done = stoa("convert", "many.zip", "-o", "out.stoa", "-f")
point("a zip of 2,000 members", done.code == 0 and stoa("cat", "out.stoa").out == stoa("cat", "many.stoa").out, done)

# ---- Other commands ----
expect("schema of an archive", ["schema", "z.zip"], 0, lambda out: out.split()[3:] == "id int64 yes name utf8 yes amount float64 yes".split())

# ---- What is wrong ----
os.makedirs("w")
write("w/good.csv", "a,b\n1,2\n")
write("w/bad.csv", "a,b\n1,2,3\n")
with zipfile.ZipFile("w.zip", "w") as archive:
    archive.write("w/good.csv")
    archive.write("w/bad.csv")
with tarfile.open("w.tar.gz", "w:gz") as tar:
    tar.add("w/good.csv")
    tar.add("w/bad.csv")
for archive in ("w.zip", "w.tar.gz"):
    refuse(f"{archive}: the message names the member", ["convert", archive, "-o", "no.stoa"], 1,
           f"{archive}:w/bad.csv: line 2: 3 fields where there are 2 columns")
refuse("a zip in a pipe", ["convert", "-", "-o", "no.stoa"], 4,
       "standard input: is a zip archive, which is read from its end: from a file, not from a pipe or another archive",
       stdin=read("w.zip"))
with tarfile.open("nested.tar", "w") as tar:
    tar.add("w.tar.gz")
refuse("an archive in an archive", ["convert", "nested.tar", "-o", "no.stoa"], 4,
       "nested.tar:w.tar.gz: is a tar archive in an archive, which is not read: unpack it first")
with zipfile.ZipFile("evil.zip", "w") as archive:
    archive.writestr("../../evil.csv", "a\n1\n")
refuse("a name that leads out", ["convert", "evil.zip", "-o", "no.stoa"], 1,
       'evil.zip: the name "../../evil.csv" of a member leads out of its folder')
with zipfile.ZipFile("nothing.zip", "w") as archive:
    archive.writestr(".hidden", "a\n1\n")
refuse("an archive without a file", ["convert", "nothing.zip", "-o", "no.stoa"], 2, "nothing.zip: there is no file to read in this archive")
short = 0
for archive in ("z.zip", "t.any", "several.gz", "several.xz", "several.bz2", "streamed.zip"):
    content = read(archive)
    for _ in range(12):
        write("cut", content[:chance.randrange(200, len(content) - 1)])
        done = stoa("convert", "cut", "-o", "no.stoa", "--jobs", str(chance.randrange(1, 4)))
        if done.code == 0:
            short += 1
            print(f"# {archive}: {done}")
            os.remove("no.stoa")
point("archives that are cut anywhere are errors", short == 0)

# ---- Types from members ----
def schema_of(*inputs, **more):
    done = stoa("schema", *inputs, "--json", **more)
    fields = json.loads(done.out)["fields"] if done.code == 0 else done
    return [(field["name"], field["type"]) for field in fields] if done.code == 0 else done


MANY = [("1.csv", "a,b\n1,x\n"), ("2.csv", "b,a\ny,2\n"), ("3.csv", "a,b,c\n1.5,z,7\n")]


def pack(path, texts, middle=""):
    parts = [*texts[:-1], ("m.csv", middle), texts[-1]] if middle else texts
    if path.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in parts:
                archive.writestr(name, text)
        return
    with tarfile.open(path, "w:gz") as archive:
        for name, text in parts:
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))


LARGE = "a,b\n" + "12345,word\n" * 20000  # more than a sample of a member
ALL, FEW = [("a", "float64"), ("b", "utf8"), ("c", "int64")], [("a", "int64"), ("b", "utf8")]
for path in ("types.zip", "types.tgz"):
    pack(path, MANY)
    point(f"{path}: types and columns of all members", schema_of(path) == ALL, schema_of(path))
    done = stoa("convert", path, "-o", "-", "--to", "csv")
    point(f"{path}: ... and their rows", done.out == "a,b,c\n1.0,x,\n2.0,y,\n1.5,z,7\n", done)
    pack(path, MANY, LARGE)
    point(f"{path}: behind a large member", schema_of(path) == (ALL if path.endswith("zip") else FEW), schema_of(path))
    pack(path, [*MANY, ("4.csv", "a\nx\"")])
    point(f"{path}: a member names the value that decided", ' of ' + path + ':4.csv' in stoa("schema", path, "--json").out,
          stoa("schema", path, "--json"))
    pack(path, [*MANY, ("4.csv", "a,d\n1,2\n\"")])
    refuse(f"{path}: what is wrong with a member is said when it is read", ["convert", path, "-o", "no.stoa", "--strict"], 1,
           f"{path}:4.csv: line 3, column 1: the quote is never closed")
pack("types.tgz", MANY)
point("an archive in a pipe shows its first member", schema_of("-", stdin=read("types.tgz")) == FEW)

# ---- Many archives: one after the other ----
for i in range(60):
    with zipfile.ZipFile(f"lot{i:02}.zip", "w") as archive:
        archive.writestr("t.csv", f"a,b\n{i},x\n")
done = stoa("convert", "lot*.zip", "-o", "sixty.stoa", "--jobs", "1",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
point("60 archives with 40 descriptors", done.code == 0 and stoa("count", "sixty.stoa").out == "60\n", done)
point("nothing is left behind", not [f for f in os.listdir(".") if "no.stoa" in f])
cli.end()
