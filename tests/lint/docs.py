"""
docs/config.md is what the program says of its options. Usage: docs.py MILLRACE; 77 (skipped) without
both.
"""

import difflib
import os
import subprocess
import sys

import sources

DOCUMENT = "docs/config.md"

program = sys.argv[1]
if not os.path.exists(program) or not os.path.exists(os.path.join(sources.ROOT, DOCUMENT)):
    print(f"{program} or {DOCUMENT} does not exist yet")
    sys.exit(77)
done = subprocess.run([program, "config", "reference"], capture_output=True, text=True)
if done.returncode != 0:
    print(done.stderr)
    sys.exit(1)
have = sources.read(DOCUMENT)
complaints = []
if have != done.stdout:
    complaints = list(
        difflib.unified_diff(
            have.split("\n"), done.stdout.split("\n"), DOCUMENT, "config reference", lineterm=""
        )
    )
    complaints.append(f"mend with: {os.path.relpath(program, sources.ROOT)} config reference > {DOCUMENT}")
sources.finish(complaints, 1)
