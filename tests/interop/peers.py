"""Packages from PyPI that a test compares with: of this Python, or of build/venv (.ci/deps interop)."""
import importlib.util
import os
import sys

VENV = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "venv")


def need(package):
    """Goes on in a Python that has the package; without one the test is skipped."""
    if importlib.util.find_spec(package) is not None:
        return
    python = os.path.join(VENV, "bin", "python")
    if os.path.exists(python) and os.path.realpath(sys.prefix) != os.path.realpath(VENV):
        os.execv(python, [python, *sys.argv])
    print(f"1..0 # SKIP no Python package {package}: .ci/deps interop installs it")
    sys.exit(0)
