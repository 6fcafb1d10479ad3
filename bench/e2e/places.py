"""Where the bench keeps things, and what it fetches: peers from PyPI, a table from npm."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
DATA = pathlib.Path(os.environ.get("STOA_BENCH_DATA", BENCH / "data"))
RESULTS = BENCH / "results"
VENV = DATA / "venv"
PYTHON = VENV / "bin/python"
BUILD = ROOT / os.environ.get("STOA_BUILD", "build/release")


class NotRun(Exception):
    """A row cannot be measured; the text is what the row says instead."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no message"


def run(argv, **how):
    """Runs a program for what it prints; NotRun with its last words when it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, **how)
    except FileNotFoundError as why:
        raise NotRun(f"{why.filename} is not installed") from why
    if done.returncode != 0:
        raise NotRun(f"{pathlib.Path(argv[0]).name}: {last_line(done.stderr or done.stdout)}")
    return done.stdout


_tried = {}  # package -> why it could not be installed, None when it was


def install(package):
    """Installs a package into the bench's own environment, unless it is there."""
    if package not in _tried:
        _tried[package] = _install(package)
    if _tried[package] is not None:
        raise NotRun(f"{package} cannot be installed: {_tried[package]}")


def _install(package):
    try:
        if not PYTHON.exists():
            say("making bench/data/venv")
            run([sys.executable, "-m", "venv", VENV])
        if version_of(package) is None:
            say(f"installing {package}")
            run([PYTHON, "-m", "pip", "install", "--quiet", package])
    except NotRun as why:
        return str(why)
    return None


def version_of(package):
    """Of what is installed in the bench's environment; None when it is not."""
    places = [str(path) for path in VENV.glob("lib/python*/site-packages")]
    for found in importlib.metadata.distributions(name=package, path=places):
        return found.version
    return None


def from_npm(package, member, path):
    """One file out of an npm package."""
    say(f"fetching {package}")
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        archive = run(["npm", "pack", package, "--silent"], cwd=folder).strip()
        with tarfile.open(f"{folder}/{archive}") as tar, open(f"{folder}/member", "wb") as out:
            out.write(tar.extractfile(member).read())
        os.rename(f"{folder}/member", path)
