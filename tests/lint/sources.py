"""
What the lints share: the tree's C files, their text without comments and strings, and the way to
complain.
"""

import os
import re
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PRODUCT = ["core", "schemas", "connectors", "bridge", "cli"]
TESTS = ["tests/unit", "tests/component", "tests/fuzz", "tests/bench"]

_TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def files(folders, endings=(".c", ".h")):
    """Paths from the repository's root, sorted."""
    found = []
    for folder in folders:
        for parent, children, names in os.walk(os.path.join(ROOT, folder)):
            children[:] = [c for c in children if c not in ("build", "__pycache__")]
            found += [os.path.relpath(os.path.join(parent, n), ROOT) for n in names if n.endswith(endings)]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def code_only(text):
    """The text with comments and literals blanked; line numbers stay."""

    def blank(match):
        token = match.group(0)
        return re.sub(r"[^\n]", " ", token) if token[0] == "/" else token[0] + token[-1]

    return _TOKEN.sub(blank, text)


def read_list(name):
    """A list file beside the lints: `#` comments, one entry a line."""
    path = os.path.join(os.path.dirname(__file__), name)
    with open(path, encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return [line for line in lines if line]


def finish(complaints, checked):
    """Prints what is wrong and ends the lint with 0 or 1."""
    for complaint in complaints:
        print(complaint)
    print(f"{len(complaints)} complaints in {checked} files")
    sys.exit(1 if complaints else 0)
