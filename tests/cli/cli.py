"""What the tests of the command share: a folder to work in, runs of $STOA, points of TAP."""
import atexit
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(ROOT, "fixtures")
STOA = os.path.abspath(os.environ["STOA"])
IS_RELEASE = os.environ.get("STOA_BUILD", "").endswith("release")  # sanitizers are slow
# Why memory is not measured where it is none.
NO_RELEASE = ("STOA_BUILD is not set, which says what was built" if "STOA_BUILD" not in os.environ else
              f"the build is {os.path.basename(os.environ['STOA_BUILD'])}, which takes memory of its own")

sys.path.insert(0, os.path.join(ROOT, "spec", "decoder"))
from xxh3 import xxh3_64  # noqa: E402

points = failures = 0


def point(name, good, *notes):
    """One point; the notes are shown when it failed."""
    global points, failures
    points += 1
    if not good:
        failures += 1
        for note in notes:
            for line in str(note).splitlines() or [""]:
                print("# " + line)
    print(f"{'ok' if good else 'not ok'} {points} - {name}", flush=True)


def skip(name, why):
    global points
    points += 1
    print(f"ok {points} - {name} # SKIP {why}")


def end():
    print(f"1..{points}")
    sys.exit(1 if failures else 0)


def work_in_a_folder():
    folder = tempfile.mkdtemp(prefix="stoa-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chdir(folder)
    return folder


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit code {self.code}\nstdout: {self.out[:2000]!r}\nstderr: {self.err[:2000]!r}"


def stoa(*args, stdin=b"", **more):
    """Runs the command; `more` goes to subprocess.run()."""
    options = dict(input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    options.update(more)
    done = subprocess.run([STOA, *args], **options)
    return Done(done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode())


def expect(name, args, code=0, out=None, err=None, **more):
    """A run and all that it says; `out` and `err` may be None (anything), a text, or a function."""
    done = stoa(*args, **more)

    def fits(got, want):
        return want is None or (want(got) if callable(want) else got == want)

    point(name, done.code == code and fits(done.out, out) and fits(done.err, err),
          "stoa " + " ".join(args), done, f"wanted: {code}, {out!r}, {err!r}")
    return done


def refuse(name, args, code, message, **more):
    """A run that fails with this one line and says nothing else."""
    expect(name, args, code, "", f"stoa: {message}\n", **more)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def litter(*wanted):
    """What is in the folder beside the files that belong there."""
    return sorted(set(os.listdir(".")) - set(wanted))


def sealed(block, at):
    """`block` with the hash of the bytes before `at` put there."""
    return block[:at] + struct.pack("<Q", xxh3_64(block[:at])) + block[at + 8:]


def ended_by(process):
    """The exit code as a shell shows it."""
    code = process.returncode
    return 128 - code if code < 0 else code


def stop(process, number=signal.SIGINT):
    process.send_signal(number)
    process.wait(timeout=60)
    return ended_by(process)
