"""
What `cmake --install` puts down is complete: each link of an installed document leads to an installed file and to a
heading in it, and what documents, manual page and unit name below /usr/share is there. Usage: installed.py BUILD; 77
(skipped) when BUILD has no program yet.
"""

import os
import re
import subprocess
import sys
import tempfile

import sources

LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"/usr/((?:local/)?share/[\w./-]+\w)")


def prose(path):
    return re.sub(r"^```.*?^```", "", sources.read(path), flags=re.M | re.S)


def anchors(path):
    """GitHub's: the heading in small letters, without punctuation, blanks as hyphens."""
    headings = re.findall(r"^#+ +(.*?) *$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(path):
    for link in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(target):
            yield link, "not installed"
        elif anchor and anchor not in anchors(target):
            yield link, "no such heading"


def check(prefix):
    complaints, count = [], 0
    for parent, _, names in os.walk(prefix):
        for name in names:
            path = os.path.join(parent, name)
            shown = os.path.relpath(path, prefix)
            if name.endswith(".md"):
                complaints += [f"{shown}: {link}: {why}" for link, why in dead_links(path)]
            if name.endswith((".md", ".1", ".service")):
                count += 1
                named = NAMED.findall(sources.read(path))
                missing = [one for one in named if not os.path.exists(os.path.join(prefix, one))]
                complaints += [f"{shown}: /usr/{one}: not installed" for one in missing]
    if count < 3:
        complaints.append("no documents, manual page and unit are installed")
    return complaints, count


build = sys.argv[1]
if not os.path.exists(os.path.join(build, "millrace")):
    print(f"{build}/millrace does not exist yet")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="millrace-installed-") as folder:
    done = subprocess.run(
        ["cmake", "--install", build, "--prefix", folder], capture_output=True, text=True, cwd=sources.ROOT
    )
    if done.returncode != 0:
        print(done.stdout + done.stderr)
        sys.exit(1)
    sources.finish(*check(folder))
