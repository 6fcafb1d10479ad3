#!/usr/bin/env python3
"""The commands of the README print what it shows; only sizes and times may be others."""
import os
import re
import subprocess
import textwrap

import cli

readme = cli.read(os.path.join(cli.ROOT, "README.md")).decode()
folder = cli.work_in_a_folder()
os.symlink(cli.FIXTURES, "fixtures")
os.symlink(cli.STOA, "stoa")
ENVIRONMENT = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")


def masked(text):
    """Sizes follow the encodings, times the machine; the rows of pages and bytes are sizes."""
    text = re.sub(r"[\d.,]+ (bytes|kB|MB|s)\b", r"# \1", text)
    text = re.sub(r"\d+\.\d%", "#%", text)
    text = re.sub(r"^(pages|bytes|row groups|zones|) +.*(total|\d).*$",
                  lambda m: " ".join(m[0].split()) if m[1] not in ("pages", "bytes") else m[1] + " #",
                  text, flags=re.MULTILINE)
    return text


for block in re.findall(r"^```console\n(.*?)^```", readme, re.MULTILINE | re.DOTALL):
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        done = subprocess.run(command, shell=True, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        cli.point(command, done.returncode == 0 and masked(done.stdout) == masked(shown),
                  done.stdout, "the README shows:", shown)
block = re.search(r"^```c\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)[1]
example = cli.read(os.path.join(cli.ROOT, "docs/examples/scan_filter.c")).decode()
cli.point("the C of the README is a part of its example", textwrap.indent(block, "    ") in example, block)
bench = subprocess.run([os.path.join(cli.ROOT, "bench/readme.py"), "--check"], capture_output=True, text=True)
cli.point("the documents show the results of the last bench", bench.returncode == 0, bench.stderr)
links = re.findall(r"\]\(([^)#]+)\)", readme)
missing = [link for link in links if not os.path.exists(os.path.join(cli.ROOT, link))]
cli.point("what the README links to is there", links and not missing, missing)
table = readme.split("## Commands")[1].split("\n\n")[1]
listed = re.findall(r"^\| `stoa (\w+) ", table, re.MULTILINE)
known = re.findall(r"^  (\w+) +[A-Z]", cli.stoa("--help").out, re.MULTILINE)
cli.point("the README lists every command", listed == known, listed, known)
cli.end()
