"""
Promise: `millrace try --handler` runs a handler that was written for AWS Lambda as it is, under the runtime clients for
Python and Node.js or as a bootstrap, shows what it answered, and exits with 0 only when each change succeeded.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from lib import node, processes, reachable
from lib.kafka import cache_folder
from lib.program import BINARY, ROOT
from lib.waiting import wait_until

HANDLERS = {
    "answers.py": """
def lambda_handler(event, context):
    (records,) = event["records"].values()
    print("printed", context.function_name)
    return {"topic": records[0]["topic"]}
""",
    "fails.py": """
def handler(event, context):
    (records,) = event["records"].values()
    print("looking at", records[0]["topic"])
    if records[0]["topic"].endswith("order_lines"):
        raise ValueError("no such product")
""",
    "crashes.py": """
import os

def handler(event, context):
    print("the last words", flush=True)
    os._exit(3)
""",
    "missing.py": """
print("before the import")
import a_module_that_is_not_there

def handler(event, context):
    pass
""",
    "answers.mjs": """
export const handler = async (event) => ({ sources: event.eventSource });
""",
    "bootstrap": """#!/bin/sh
set -eu
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
head=$(mktemp)
trap 'rm -f "$head"' EXIT
while :; do
    event=$(curl -sS -D "$head" "$api/invocation/next")
    id=$(tr -d '\\r' <"$head" | sed -n 's/^lambda-runtime-aws-request-id: //Ip')
    echo "in the shell: $_HANDLER" >&2
    curl -sS -X POST -d "$event" "$api/invocation/$id/response" >/dev/null
done
""",
}
RUNS = {
    "python": ["--handler", "answers.py", "--changes", "10"],
    "failing": ["--handler", "./fails.py", "--changes", "3"],
    "crashing": ["--handler", "crashes.py"],
    "missing": ["--handler", "missing.py"],
    "node": ["--handler", "answers.mjs", "--changes", "5"],
    "shell": ["-v", "--handler", "bootstrap:orders.created", "--payload", "row", "--changes", "5"],
    "command": ["--json", "--changes", "5", "--command", "python3", "-m", "awslambdaric", "answers.lambda_handler"],
}


class Runs:
    """All at once: each takes seconds, most of which it waits."""

    def __init__(self, folder):
        self.folder = f"{folder}/try-handler"
        os.makedirs(f"{self.folder}/hold")
        for name, text in HANDLERS.items():
            with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(f"{self.folder}/{name}", 0o644 if "." in name else 0o755)
        self.program = [BINARY]
        if os.geteuid() == 0:  # then the handlers run as nobody, who can't enter root's home
            needed = (cache_folder(), sys.base_prefix, ROOT)
            self.program = [*reachable.prefix(needed, f"{self.folder}/hold"), BINARY]
        self.running = {}

    def start(self, name, arguments):
        path = ":".join((f"{sys.prefix}/bin", os.path.dirname(shutil.which(node.node())), "/usr/bin", "/bin"))
        self.running[name] = processes.spawn(
            [*self.program, "try", *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "NODE_PATH": node.modules()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, name):
        """Its exit code, and what it wrote to standard output and error."""
        process = self.running[name]
        out, err = process.communicate(timeout=240)
        print(out, err)
        return process.returncode, out, err


@pytest.fixture(scope="module")
def runs(folder):
    before = set(glob.glob("/tmp/millrace-try-*"))
    made = Runs(folder)
    for name, arguments in RUNS.items():
        made.start(name, arguments)
    yield made
    for process in made.running.values():
        processes.reap(process)
    # Those of other tests that run beside this one go too.
    wait_until(lambda: not set(glob.glob("/tmp/millrace-try-*")) - before, 90, "no folder left behind")


def answers(out):
    """Each change with the answer's word, and the lines below it."""
    table = out.split("ANSWER      MS\n")[1].split("\n\n")[0] + "\n"
    heads = re.findall(r"^[0-9A-F]+/[0-9A-F]+ +(\w+) +(\w+ \d+) .* (ok|again|failed) +([-\d.]+)$", table, re.MULTILINE)
    below = re.split(r"^[0-9A-F]+/[0-9A-F]+ .*\n", table, flags=re.MULTILINE)[1:]
    assert len(heads) == len(below)
    return [(*head, re.sub("^ +", "", lines, flags=re.MULTILINE)) for head, lines in zip(heads, below)]


def test_a_python_handler_is_run_by_awslambdaric(runs):
    code, out, err = runs.end("python")
    assert code == 0, err
    seen = answers(out)
    assert len(seen) == 14 and {answer for _, _, answer, _, _ in seen} == {"ok"}
    for verb, row, _, took, below in seen:
        assert json.loads(below) == {"topic": f"try.public.{row.split()[0]}"}
        assert (took == "-") == (verb == "read")
    assert "10 changes made, 10 published, 10 delivered, 0 failed" in out
    assert "printed" not in out + err
    assert "awslambdaric" in out.split("> millrace/functions/hello.yaml")[0].splitlines()[-1]


def test_a_change_that_the_handler_fails_for_is_shown_with_what_it_printed(runs):
    code, out, err = runs.end("failing")
    assert code == 1
    by_row = {}
    for _, row, answer, _, below in answers(out):
        by_row.setdefault(row, []).append((answer, below))
    lines = {f"order_lines {id}" for id in (1, 2, 3)}
    assert set(by_row) == {"customers 1", "customers 2", "orders 1", "orders 2", *lines}
    for row, seen in by_row.items():
        assert [answer for answer, _ in seen] == (["again", "failed"] if row in lines else ["ok"])
        for answer, below in seen:
            assert answer != "ok" or below == "null\n"
            assert answer == "ok" or below.startswith("the function failed: ValueError: no such product (attempt ")
            assert answer == "ok" or "\n| looking at try.public.order_lines\n" in below
    assert "3 changes made, 3 published, 2 delivered, 1 failed" in out
    assert "the handler failed for 3 of 7 changes and rows from before" in err
    assert "Missing at the function" not in err and "Next" not in out


def test_a_handler_that_crashes_ends_it(runs):
    code, out, err = runs.end("crashing")
    assert code == 1
    for _, _, answer, _, below in answers(out):
        assert answer in ("again", "failed") and "exited with code 3" in below and "| the last words\n" in below
    assert re.search(r"the handler failed in \d+ calls in a row\n", err)


def test_a_handler_that_can_not_be_loaded_ends_it(runs):
    code, out, err = runs.end("missing")
    assert code == 1
    assert "the handler's process does not start: " in err and "a_module_that_is_not_there" in err
    assert "| before the import\n" in err


def test_a_node_handler_is_run_by_the_runtime_interface_client(runs):
    code, out, err = runs.end("node")
    assert code == 0, err
    seen = answers(out)
    assert len(seen) == 9
    assert all(json.loads(below) == {"sources": "SelfManagedKafka"} for *_, below in seen)


def test_a_bootstrap_is_run_with_the_payload_that_was_asked_for(runs):
    code, out, err = runs.end("shell")
    assert code == 0, err
    seen = answers(out)
    assert len(seen) == 9
    assert all(json.loads(below)["id"] == int(row.split()[1]) for _, row, _, _, below in seen)
    assert "in the shell: orders.created" in err


def test_a_command_runs_in_the_working_directory(runs):
    code, out, err = runs.end("command")
    assert code == 0, err
    result = json.loads(out)
    assert result["changes"] == result["published"] == result["invoked"] == 5 and result["failed"] == 0


def test_without_the_client_it_says_what_to_type(runs):
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*runs.program, "try", "--handler", f"{runs.folder}/answers.py"],
        cwd="/", env=environment, capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert f"python3 -m venv {runs.folder}/.venv && {runs.folder}/.venv/bin/pip install awslambdaric" in done.stderr
