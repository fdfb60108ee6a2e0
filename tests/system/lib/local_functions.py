"""Functions on this machine: one millrace for those of a test file, their files, what they write, their processes."""

import contextlib
import json
import os
import shutil
import sys

from lib import processes, reachable
from lib.kafka import cache_folder
from lib.memory import environment
from lib.program import BINARY, ROOT, Millrace
from lib.records import read_topic
from lib.waiting import wait_until

HANDLERS = os.path.join(ROOT, "tests", "system", "handlers")
# Functions must not run as root.
USER = "nobody" if os.geteuid() == 0 else None
FAST = {"initial": "10ms", "max": "50ms"}
JSON = [("content-type", b"application/json")]


class LocalFunctions:
    """`folder` is one that every user can enter."""

    def __init__(self, folder, kafka):
        self.folder, self.kafka = folder, kafka
        os.makedirs(f"{folder}/hold")
        shutil.copytree(HANDLERS, f"{folder}/code", ignore=shutil.ignore_patterns("__pycache__"))
        self.millrace = Millrace(f"{folder}/config", kafka)
        self.process = None
        if USER:
            needed = (cache_folder(), sys.base_prefix, ROOT)
            self.millrace.program = (*reachable.prefix(needed, f"{folder}/hold"), BINARY)
        self.python = f"{sys.prefix}/bin/python"
        self.node = os.environ.get("MILLRACE_NODE", "node")
        self.node_client = f"{os.environ.get('MILLRACE_NODE_MODULES')}/aws-lambda-ric/index.mjs"

    def run(self, **options):
        self.process = self.millrace.run(**options)
        return self

    def end(self):
        self.millrace.end()

    def awslambdaric(self, handler):
        return [self.python, "-m", "awslambdaric", handler]

    def rogue(self, name):
        return ["/usr/bin/python3", "-I", "-S", f"{self.folder}/code/rogue.py", name]

    def bridge(self):
        return self.process.child("bridge")

    def add(self, name, command, topic=None, delivery=None, env=None, more=None, **process):
        """
        Writes the function's file; `process` are keys of its section, `more` those of the file. Its events are JSON on
        a topic of its own unless one is given.
        """
        function = LocalFunction(self, name, topic or f"{name}.events")
        os.makedirs(function.folder, exist_ok=True)
        os.chmod(function.folder, 0o777)
        if topic is None and not self.kafka.partitions(function.topic):
            self.kafka.create_topic(function.topic)
        section = {
            "command": command,
            "directory": f"{self.folder}/code",
            "env": {"EVENTS": function.events, "FOLDER": function.folder, **(env or {})},
            "init_timeout": "120s",
            **({"user": USER} if USER else {}),
            **process,
        }
        delivery = {"timeout": "120s", **(delivery or {})}
        delivery["retry"] = {"attempts": 3, "backoff": FAST, **delivery.get("retry", {})}
        text = {
            "source": {"topics": [function.topic], "start": "earliest"},
            "endpoint": {"process": section},
            "delivery": delivery,
            **(more or {}),
        }
        self.millrace.write(f"functions/{name}.yaml", json.dumps(text, indent=1))
        return function


class LocalFunction:
    def __init__(self, functions, name, topic):
        self.functions, self.name, self.topic = functions, name, topic
        self.component = f"function/{name}"
        self.folder = f"{functions.folder}/{name}"
        self.events = f"{self.folder}/events.jsonl"

    def remove(self):
        self.functions.millrace.remove(f"functions/{self.name}.yaml")

    def send(self, *whats, key=None):
        """Events of the function; `key` is that of all, else each has its own: its id."""
        records = [((key or str(what["id"])).encode(), json.dumps(what).encode(), JSON, -1) for what in whats]
        self.functions.kafka.produce(self.topic, records)

    def release(self, id=None):
        """Lets a call that holds go on."""
        open(f"{self.folder}/release" + (f"-{id}" if id is not None else ""), "w").close()

    def seen(self, **values):
        """What it wrote, those lines with these values."""
        with contextlib.suppress(FileNotFoundError), open(self.events, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file.read().splitlines(keepends=True) if line.endswith("\n")]
            return [line for line in lines if all(line.get(name) == value for name, value in values.items())]
        return []

    def wait_seen(self, count=1, **values):
        def enough():
            lines = self.seen(**values)
            return lines if len(lines) >= count else None

        process = self.functions.process
        return wait_until(
            enough, 60, lambda: f"{count} lines {values} of {self.name}: {self.seen()}\n{process.log(30)}"
        )

    def wait_event(self, event, message=None, **values):
        """A line of millrace's log about it."""
        return self.functions.process.wait_event(event, message, component=self.component, timeout=60, **values)

    def log(self, event):
        events = list(self.functions.process.events)
        return [one for one in events if one.get("event") == event and one.get("component") == self.component]

    def letters(self, count=1):
        return read_topic(self.functions.kafka, f"millrace.dlq.{self.name}", count=count)

    def metric(self, name, **labels):
        return self.functions.millrace.metric(f"millrace_function_{name}", function=self.name, **labels) or 0

    def wait_metric(self, value, name, **labels):
        """The metrics of the bridge are collected a few times a second."""
        asked = lambda: self.metric(name, **labels)  # noqa: E731
        wait_until(lambda: asked() == value, 30, lambda: f"{name} {labels} to be {value}, it is {asked()}")

    def state(self):
        """What the status says of it."""
        functions = self.functions.millrace.get("/api/status").json()["functions"]
        return next(one for one in functions if one["name"] == self.name)

    def committed(self):
        return sum(self.functions.kafka.committed(f"millrace.{self.name}", self.topic).values())

    def wait_committed(self, count):
        """Until that many events are settled."""
        wait_until(lambda: self.committed() == count, 60, lambda: f"{count} events settled, have {self.committed()}")

    def processes(self):
        """The numbers of its instances: children of the bridge, which guard the programs."""
        return [pid for pid in processes.children(self.functions.bridge()) if is_of(pid, self.name)]


def is_of(pid, name):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return environment(pid).get(b"AWS_LAMBDA_FUNCTION_NAME") == name.encode()
    return False


def is_running(pid):
    """Whether the process is there, and not only its entry until its parent asks how it ended."""
    try:
        return processes.state(pid) != "Z"
    except FileNotFoundError:
        return False


def wait_gone(pids):
    wait_until(lambda: not any(map(is_running, pids)), 30, lambda: f"the end of {[p for p in pids if is_running(p)]}")
