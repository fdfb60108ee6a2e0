"""
docs/guarantees.md: every test that it names exists, every promise names one, and every file of tests/system is named.
All documents: the files that they name by their paths exist, and prose has at most 120 columns.
"""

import os
import re

import sources

GUARANTEES = "docs/guarantees.md"
LINE_MAX = 120
MADE = {"tests/bench/results"}  # by running something


def documents():
    return ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", *sources.files(["docs"], (".md",))]


def long_lines(path):
    """Tables, code and what has no blank to break at may be longer."""
    is_code = False
    for number, line in enumerate(sources.read(path).split("\n"), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        may_be_long = is_code or line.startswith(("|", "<")) or " " not in line.strip(" -*")
        if len(line) > LINE_MAX and not may_be_long:
            print(f"{path}:{number}: warning: {len(line)} columns, may have {LINE_MAX}")


def lost_paths(path):
    """Files of the tree that are not there; `core/base/fault` stands for its .c and .h."""
    for number, line in enumerate(sources.read(path).split("\n"), 1):
        for name in re.findall(r"`((?:core|schemas|connectors|bridge|cli|tests|deploy|docs)/[\w./-]*)`", line):
            place = os.path.join(sources.ROOT, name)
            if name not in MADE and not any(os.path.exists(place + end) for end in ("", ".c", ".h", ".py")):
                yield f"{path}:{number}: `{name}` does not exist"


def blocks(text):
    """(line number, text) of each table row and each paragraph."""
    number, begin, lines = 0, 0, []
    for line in [*text.split("\n"), ""]:
        number += 1
        if line.startswith("|"):
            yield number, line
        elif line.strip():
            begin = begin if lines else number
            lines.append(line)
        elif lines:
            yield begin, " ".join(lines)
            lines = []


def names_of(text):
    return re.findall(r"`((?:tests/[\w/]+|test_\w+)(?:\.\w+)?(?:::\w+)?)`", text)


def is_there(name):
    path, _, function = name.partition("::")
    path = path if path.startswith("tests/") else f"tests/system/{path}"
    if not os.path.exists(os.path.join(sources.ROOT, path)):
        return False
    return not function or re.search(rf"\b{function}\(", sources.read(path)) is not None


complaints = []
for path in documents():
    long_lines(path)
    complaints += lost_paths(path)
text = sources.read(GUARANTEES)
named = set()
every = list(blocks(text))
for (number, block), (_, following) in zip(every, [*every[1:], (0, "")]):
    names = names_of(block)
    named.update(name.partition("::")[0] for name in names)
    complaints += [f"{GUARANTEES}:{number}: `{name}` does not exist" for name in names if not is_there(name)]
    is_head = block.startswith(("| promise", "| whatever", "|---", "|-"))
    is_promise = (block.startswith("|") and not is_head) or re.match(r"\*\*[A-Z]", block)
    is_promise = is_promise and not following.startswith("| whatever")  # its rows have the tests
    if is_promise and not names:
        complaints.append(f"{GUARANTEES}:{number}: a promise without a test: {block[:60]}")
for path in sources.files(["tests/system"], (".py",)):
    name = os.path.basename(path)
    if name.startswith("test_") and name not in named:
        complaints.append(f"{path}: {GUARANTEES} names it nowhere")
sources.finish(complaints, len(documents()))
