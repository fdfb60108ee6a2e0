"""Programs in Node.js: the one that tests/fetch.sh has put into the cache, with its packages."""

import os
import subprocess

import requests

from lib import processes
from lib.waiting import wait_until

SCRIPTS = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "node"))


def node():
    """The program; a test that needs it fails without it."""
    path = os.environ.get("MILLRACE_NODE")
    assert path, "MILLRACE_NODE is not set: tests/run.sh does it (node_ready in tests/fetch.sh)"
    return path


def modules():
    """The folder of its packages."""
    node()
    return os.environ["MILLRACE_NODE_MODULES"]


def environment(**more):
    """What a script runs in: require() finds the packages wherever the script is, ES modules among them."""
    return {**os.environ, "NODE_PATH": modules(), **{name: str(value) for name, value in more.items()}}


class NodeProgram:
    """
    A running script: of tests/system/node by its name, or any by its path. PORT in its environment is a free port
    of 127.0.0.1 (`port`, `url`), which wait_open() waits for; its output is kept (`log`).
    """

    def __init__(self, script, *arguments, folder, **variables):
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        path = script if os.path.isabs(script) else os.path.join(SCRIPTS, script)
        self.path = os.path.join(str(folder), f"node-{self.port}.log")
        with open(self.path, "wb") as output:
            self.popen = processes.spawn(
                [node(), path, *map(str, arguments)],
                env=environment(PORT=self.port, **variables),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def log(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_open(self, path="/", timeout=30.0):
        """Until it answers anything."""

        def answers():
            assert self.popen.poll() is None, f"ended with {self.popen.poll()}:\n{self.log()}"
            try:
                return requests.get(self.url + path, timeout=10)
            except requests.ConnectionError:
                return None

        wait_until(answers, timeout, lambda: f"an answer of {self.path}:\n{self.log()}")
        return self

    def stop(self):
        processes.reap(self.popen)
