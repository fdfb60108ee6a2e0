"""The program under test: its configuration folder, its processes, its log and its admin port."""

import json
import os
import re
import signal
import subprocess
import threading

import requests

from lib import processes
from lib.records import Registry
from lib.waiting import wait_until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BINARY = os.environ.get("MILLRACE_BINARY") or os.path.join(ROOT, "build", "dev", "millrace")


class Process:
    """One running millrace; its log lines are parsed as they come."""

    def __init__(self, arguments, folder, environment=None, program=(BINARY,)):
        self.events = []
        self.lines = []
        self.changed = threading.Condition()
        variables = {**os.environ, "MILLRACE_CONFIG": str(folder), **(environment or {})}
        self.popen = processes.spawn(
            [*program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables
        )
        self.output = []
        self.readers = [
            threading.Thread(target=self._read_log, daemon=True),
            threading.Thread(target=lambda: self.output.extend(self.popen.stdout), daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    @property
    def pid(self):
        return self.popen.pid

    def _read_log(self):
        for line in self.popen.stderr:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": None, "message": line.rstrip()}
            with self.changed:
                self.lines.append(line)
                self.events.append(event)
                self.changed.notify_all()

    def log(self, last=60):
        return "".join(self.lines[-last:])

    def find(self, name=None, message=None, after=0, **values):
        """The first event (from index `after`) with this name, message pattern and values."""
        for event in self.events[after:]:
            if name is not None and event.get("event") != name:
                continue
            if message is not None and not re.search(message, str(event.get("message"))):
                continue
            if all(str(event.get(key)) == str(value) for key, value in values.items()):
                return event
        return None

    def wait_event(self, name=None, message=None, timeout=30.0, after=0, **values):
        def found():
            event = self.find(name, message, after, **values)
            assert event or self.popen.poll() is None, f"ended with {self.popen.poll()}"
            return event

        asked = name or message
        return wait_until(found, timeout, lambda: f"log event {asked!r} {values or ''} in:\n{self.log()}")

    def wait_exit(self, timeout=30.0):
        """Its exit code; all of its log has been read."""
        wait_until(lambda: processes.has_ended(self.popen), timeout, lambda: f"its end:\n{self.log()}")
        processes.reap(self.popen)
        for reader in self.readers:
            reader.join(60)
        return self.popen.returncode

    def stop(self, timeout=30.0):
        """SIGTERM, and the exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        return self.wait_exit(timeout)

    def kill(self):
        """kill -9 of it and its children."""
        processes.reap(self.popen)
        for reader in self.readers:
            reader.join(5)

    def child(self, word):
        """The process id of the child whose command line has the word."""
        found = [
            pid for pid in processes.children(self.pid) if word in processes.command_line(pid).split()[1:]
        ]
        return found[0] if found else None


class Millrace:
    """A configuration folder, and what is started with it. Ends everything at the end of the test."""

    def __init__(self, folder, kafka):
        self.folder = str(folder)
        self.kafka = kafka
        self.port = processes.free_port()
        self.admin_url = f"http://127.0.0.1:{self.port}"
        self.started = []
        self.program = (BINARY,)
        for name in ("connectors", "functions"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        self.settings()

    def far_side(self, network):
        """What is started from now on runs on the far side of a lib.network."""
        self.program = (*network.prefix, BINARY)
        self.admin_url = f"http://{network.far}:{self.port}"
        self.settings(admin={"listen": f"{network.far}:{self.port}"})

    # Files are JSON, which is YAML; write() takes YAML text for what tests the text itself.

    def write(self, name, text):
        """Writes beside and renames: a reload never sees half a file."""
        path = os.path.join(self.folder, name)
        with open(path + ".new~", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + ".new~", 0o600)
        os.replace(path + ".new~", path)
        return path

    def settings(self, **more):
        kafka = {
            "bootstrap.servers": self.kafka.bootstrap,
            "topic.metadata.refresh.interval.ms": 500,  # new topics are seen at once
            **more.pop("kafka", {}),
        }
        kafka = {key: value for key, value in kafka.items() if value is not None}
        text = {
            "kafka": kafka,
            "admin": {"listen": f"127.0.0.1:{self.port}"},
            "log": {"format": "json", "level": "debug"},
            **more,
        }
        return self.write("millrace.yaml", json.dumps(text, indent=2))

    def connector(self, name, database, **more):
        """connectors/NAME.yaml; topic prefix is the name unless given."""
        postgres = {"dsn": database if isinstance(database, str) else database.dsn()}
        postgres.update(more.pop("postgres", {}))
        text = {"postgres": postgres, "topic_prefix": name, **more}
        return self.write(f"connectors/{name}.yaml", json.dumps(text, indent=2))

    def function(self, name, topics, url, headers=None, auth=None, make_topics=True, **more):
        """
        functions/NAME.yaml; `source`, `delivery` and top-level keys come from `more`. Its topics are made
        when they are missing, since a function without any topic is not ready.
        """
        for topic in [topics] if isinstance(topics, str) else topics:
            if make_topics and "*" not in topic and not self.kafka.partitions(topic):
                self.kafka.create_topic(topic)
        http = {"url": url}
        if headers:
            http["headers"] = headers
        if auth:
            http["auth"] = auth
        source = {"topics": [topics] if isinstance(topics, str) else topics, "start": "earliest"}
        source.update(more.pop("source", {}))
        text = {"source": source, "endpoint": {"http": http}, **more}
        return self.write(f"functions/{name}.yaml", json.dumps(text, indent=2))

    def local_function(self, name, topics, process, **more):
        """As `function`, for one on this machine: `process` is its section."""
        path = self.function(name, topics, "http://unused/", **more)
        with open(path, encoding="utf-8") as file:
            text = json.load(file)
        return self.write(f"functions/{name}.yaml", json.dumps({**text, "endpoint": {"process": process}}, indent=2))

    def remove(self, name):
        os.unlink(os.path.join(self.folder, name))

    def start(self, *arguments, environment=None):
        process = Process([*arguments, "-c", self.folder], self.folder, environment, self.program)
        self.started.append(process)
        return process

    def run(self, wait=True, **options):
        """`millrace run`, ready unless told not to wait."""
        process = self.start("run", **options)
        if wait:
            self.wait_ready(process)
        return process

    def connect(self, name=None, wait=True):
        process = self.start("connect", *([name] if name else []))
        if wait:
            self.wait_ready(process)
        return process

    def bridge(self, wait=True):
        process = self.start("bridge")
        if wait:
            self.wait_ready(process)
        return process

    def command(self, *arguments, timeout=240, **options):
        """Runs to its end: CompletedProcess with text."""
        command = [BINARY, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)

    def check(self):
        return self.command("check", "-c", self.folder)

    def get(self, path, timeout=20):
        return requests.get(self.admin_url + path, timeout=timeout)

    def is_ready(self):
        try:
            return self.get("/readyz").status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, process, timeout=40.0):
        def ready():
            assert process.popen.poll() is None, f"ended with {process.popen.poll()}"
            return self.is_ready()

        wait_until(ready, timeout, lambda: f"/readyz in:\n{process.log()}")

    @property
    def registry(self):
        return Registry(self.admin_url + "/registry")

    def metrics(self):
        """{'name{labels}': value}"""
        text = self.get("/metrics").text
        lines = [line for line in text.split("\n") if line and not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}

    def metric(self, name, **labels):
        """The sum of the series with this name and these labels; None without any."""
        found = [
            value
            for series, value in self.metrics().items()
            if re.match(rf"{name}(\{{|$)", series)
            and all(f'{label}="{wanted}"' in series for label, wanted in labels.items())
        ]
        return sum(found) if found else None

    def end(self):
        for process in self.started:
            process.kill()
