"""
docs/config.md is what the program says of its options, and the tables of docs/debezium.md are what it says of
Debezium's. Usage: docs.py MILLRACE [--mend]; 77 (skipped) without the program.
"""

import difflib
import os
import subprocess
import sys

import sources

BEGIN, END = "<!-- made by: millrace config debezium -->\n", "<!-- end -->\n"


def printed(program, what):
    done = subprocess.run([program, "config", what], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr)
        sys.exit(1)
    return done.stdout


def expected(program):
    """{path: its text}."""
    before, found, rest = sources.read("docs/debezium.md").partition(BEGIN)
    _, ends, after = rest.partition(END)
    if not (found and ends):
        print(f"docs/debezium.md has no lines {BEGIN}and {END}")
        sys.exit(1)
    table = printed(program, "debezium")
    return {
        "docs/config.md": printed(program, "reference"),
        "docs/debezium.md": f"{before}{BEGIN}\n{table}\n{END}{after}",
    }


program = sys.argv[1]
if not os.path.exists(program):
    print(f"{program} does not exist yet")
    sys.exit(77)
complaints = []
for path, text in expected(program).items():
    have = sources.read(path)
    if have != text and "--mend" in sys.argv:
        with open(os.path.join(sources.ROOT, path), "w", encoding="utf-8") as file:
            file.write(text)
    elif have != text:
        complaints += difflib.unified_diff(have.split("\n"), text.split("\n"), path, "millrace config", lineterm="")
        complaints.append(f"mend with: python3 tests/lint/docs.py {os.path.relpath(program, sources.ROOT)} --mend")
sources.finish(complaints, 2)
