"""What the checks of `make lint` share: the files of the tree, C without comments, TAP."""
import os
import re
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

TOKEN = re.compile(r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
                   re.DOTALL | re.VERBOSE)


def files(*patterns):
    """Paths that git tracks or would track, by pathspec."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        check=True, capture_output=True, text=True).stdout
    return sorted({path for path in listed.split("\0") if path and os.path.isfile(path)})


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def code_lines(text):
    """(number, line) of C text; comments are blanked, literals keep their quotes only."""
    def blank(match):
        token = match[0]
        if token[0] in "\"'":
            return token[0] * 2
        return re.sub(r"[^\n]", " ", token)
    lines = TOKEN.sub(blank, text).split("\n")
    return list(enumerate(lines, 1))


class Report:
    """One TAP point for each rule; its findings go before it as comments."""

    def __init__(self):
        self.rules = {}

    def rule(self, name):
        self.rules.setdefault(name, [])
        return self.rules[name]

    def end(self):
        print(f"1..{len(self.rules)}")
        for number, (name, findings) in enumerate(self.rules.items(), 1):
            for finding in findings:
                print(f"# {finding}")
            print(f"{'not ok' if findings else 'ok'} {number} - {name}")
        sys.exit(any(self.rules.values()))
