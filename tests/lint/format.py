"""clang-format would change nothing. Usage: format.py [CLANG_FORMAT]; ends with 77 (skipped) without it."""

import shutil
import subprocess
import sys

import sources

program = shutil.which(sys.argv[1] if len(sys.argv) > 1 else "clang-format")
if program is None:
    print("clang-format is not installed")
    sys.exit(77)
paths = sources.files(sources.PRODUCT + sources.TESTS)
complaints = []
if paths:
    done = subprocess.run(
        [program, "--dry-run", "-Werror", *paths], cwd=sources.ROOT, capture_output=True, text=True
    )
    complaints = [line for line in done.stderr.split("\n") if ": error:" in line]
    if done.returncode != 0 and not complaints:
        complaints = [done.stderr]
    if complaints:
        print("mend with: clang-format -i " + " ".join(sorted({c.split(":")[0] for c in complaints})))
sources.finish(complaints, len(paths))
