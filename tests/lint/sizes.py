"""
Nothing grows beyond what can be read: .c files 600 lines (a word from 400 on), headers 150, functions 60,
lines 110. A longer file is listed in sizes.txt as `path lines`, and may shrink but never grow.
"""

import sources

FILE_WARN, FILE_MAX, HEADER_MAX, FUNCTION_MAX, LINE_MAX = 400, 600, 150, 60, 110
SCRIPT_LINE_MAX = 120


def functions(text):
    """(line, name, length) of every body that opens and closes in the first column."""
    lines = sources.code_only(text).split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            yield start, lines[max(start - 2, 0)].strip(), number - start - 1
            start = None


def check_c(path, text, listed):
    lines = text.count("\n")
    if path.endswith(".h"):
        if lines > HEADER_MAX:
            yield f"{path}: {lines} lines, a header may have {HEADER_MAX}"
    elif lines > listed.get(path, FILE_MAX) and not path.startswith("tests/"):
        yield f"{path}: {lines} lines, may have {listed.get(path, FILE_MAX)}"
    elif lines > FILE_WARN:
        print(f"{path}: warning: {lines} lines, more than {FILE_WARN}")
    for start, name, length in functions(text):
        if length > FUNCTION_MAX:
            yield f"{path}:{start}: {length} lines in one function, may have {FUNCTION_MAX}: {name}"


complaints = []
listed = {path: int(lines) for path, lines in (entry.split() for entry in sources.read_list("sizes.txt"))}
paths = sources.files(sources.PRODUCT + sources.TESTS)
scripts = sources.files(["tests"], (".py", ".sh"))
for path in paths + scripts:
    text = sources.read(path)
    if path.endswith((".c", ".h")):
        complaints += check_c(path, text, listed)
    line_max = LINE_MAX if path.endswith((".c", ".h")) else SCRIPT_LINE_MAX
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > line_max:
            complaints.append(f"{path}:{number}: {len(line)} columns, may have {line_max}")
for path, lines in listed.items():
    if path not in paths:
        complaints.append(f"tests/lint/sizes.txt: {path} does not exist")
    elif sources.read(path).count("\n") < lines:
        complaints.append(f"tests/lint/sizes.txt: {path} has shrunk; lower its number to keep it so")
sources.finish(complaints, len(paths) + len(scripts))
