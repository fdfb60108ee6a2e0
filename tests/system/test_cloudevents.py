"""
Promise: what a function gets is CloudEvents 1.0, in each of the three modes, as the SDKs and the functions-frameworks
read it.
"""

import json
import os
import subprocess
import sys
from urllib.parse import unquote

import pytest
import requests
from cloudevents.kafka import KafkaMessage, from_binary
from lib import processes
from lib.node import NodeProgram, modules
from lib.records import read_topic
from lib.waiting import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = {"binary": "cloudevents", "structured": "cloudevents-structured", "batch": "cloudevents-batch"}
FRAMEWORK = "@google-cloud/functions-framework/build/src/main.js"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
KEY = 'a "b"%\\ é☃\n'
CHANGES = 4
# These leave the values of `ce-` headers percent-encoded, against the HTTP binding's 3.1.3.2.
NOT_DECODING = ("python", "node", "validate")


class Receiver:
    """A functions-framework with one function; `events()` are the lines that it wrote."""

    def __init__(self, folder, name):
        self.path = f"{folder}/{name}.jsonl"
        open(self.path, "w", encoding="utf-8").close()

    def events(self):
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def wait(self, count):
        def enough():
            events = self.events()
            return events if len(events) >= count else None

        return wait_until(enough, 60, lambda: f"{count} events, {self.events()} came")


class Python(Receiver):
    def __init__(self, folder, target, signature):
        super().__init__(folder, f"python-{target}")
        self.url = f"http://127.0.0.1:{(port := processes.free_port())}"
        with open(f"{folder}/python-{target}.log", "w", encoding="utf-8") as output:
            self.popen = processes.spawn(
                [
                    f"{os.path.dirname(sys.executable)}/functions-framework",
                    f"--source={HERE}/receivers/python_function.py",
                    *(f"--target={target}", f"--signature-type={signature}"),
                    *("--host=127.0.0.1", f"--port={port}"),
                ],
                env={**os.environ, "EVENTS": self.path},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self):
        processes.reap(self.popen)


class Node(Receiver):
    def __init__(self, folder, target, signature):
        super().__init__(folder, f"node-{target}")
        script = f"{HERE}/node/cloudevent_function.js"
        self.program = NodeProgram(
            f"{modules()}/{FRAMEWORK}",
            *(f"--source={script}", f"--target={target}", f"--signature-type={signature}"),
            folder=folder,
            EVENTS=self.path,
        )
        self.url = self.program.url

    def stop(self):
        self.program.stop()


class Go(Receiver):
    """A program with the Go SDK."""

    def __init__(self, folder):
        super().__init__(folder, "go")
        program = f"{folder}/go-receiver"
        subprocess.run(
            ["go", "build", "-o", program, "."],
            cwd=f"{HERE}/receivers/go",
            env={**os.environ, "GOCACHE": f"{folder}/go-cache"},
            check=True,
            timeout=300,
        )
        port = processes.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.popen = processes.spawn([program, str(port), self.path])

    def stop(self):
        processes.reap(self.popen)


@pytest.fixture(scope="module")
def receivers(folder):
    folder = f"{folder}/cloudevents"
    os.mkdir(folder)
    made = {
        "python": Python(folder, "handle", "cloudevent"),
        "python-reply": Python(folder, "reply", "http"),
        "node-reply": Node(folder, "reply", "http"),
        "node": Node(folder, "handle", "cloudevent"),
        "validate": Node(folder, "validate", "http"),
    }
    yield made
    for receiver in made.values():
        receiver.stop()


def subscribe(millrace, name, topic, urls):
    """A function for each receiver and mode; returns nothing."""
    for receiver, modes in urls.items():
        for mode in modes:
            batch = {"batch": {"events": 10, "window": "200ms"}} if mode == "batch" else {}
            millrace.function(
                f"{name}-{receiver}-{mode}",
                topic,
                urls[receiver][mode],
                payload=MODES[mode],
                delivery=batch,
            )


def by_id(events):
    """{id: [event, …]}, in the order of the ids."""
    found = {}
    for event in events:
        found.setdefault(event["id"], []).append(event)
    return dict(sorted(found.items()))


def sdk2(calls):
    """What the second Python SDK reads of requests."""
    lines = [json.dumps({"headers": call.headers, "body": call.body.decode()}) for call in calls]
    result = subprocess.run(
        [sys.executable, f"{HERE}/receivers/sdk2.py"],
        input="\n".join(lines),
        env={**os.environ, "PYTHONPATH": f"{sys.prefix}/cloudevents2"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def batch_of(call):
    """What the first Python SDK reads of a batch."""
    from cloudevents.http import from_dict

    assert call.headers["content-type"] == "application/cloudevents-batch+json; charset=utf-8"
    return [{**event.get_attributes(), "data": event.data} for event in map(from_dict, call.json)]


def undecoded(event):
    return {name: unquote(value) if isinstance(value, str) else value for name, value in event.items()}


def check_change(event, name, url):
    assert event["specversion"] == "1.0"
    assert event["source"] == f"/millrace/{name}"
    assert event["subject"] == "public.odd names é"
    assert event["type"].startswith("millrace.change.")
    assert event["sequence"] == event["id"]
    assert event.get("datacontenttype", "application/json") == "application/json"  # the header, in binary mode
    assert json.loads(event["partitionkey"]) == {"k": KEY}
    assert event["dataschema"].startswith(f"{url}/schemas/ids/")
    assert list(event["data"]) == ["op", "before", "after", "source"]


def test_sdks_and_frameworks_read_every_mode(receivers, database, kafka, millrace, function, name):
    database.sql('create table "odd names é" (k text primary key, n numeric, doc jsonb, raw bytea)')
    millrace.settings(registry={"public_url": f"{millrace.admin_url}/registry"})
    millrace.connector(name, database)
    topic = f"{name}.public.odd_names_"
    urls = {
        "python": dict.fromkeys(("binary", "structured"), receivers["python"].url),
        "node": dict.fromkeys(("binary", "structured"), receivers["node"].url),
        "validate": dict.fromkeys(MODES, receivers["validate"].url),
        "recorded": {mode: f"{function.url}/{mode}" for mode in MODES},
    }
    subscribe(millrace, name, f"{name}.public.*", urls)
    millrace.run()
    database.sql('insert into "odd names é" values (%s, 12.50, %s, %s)', (KEY, '{"a": [1]}', b"\x00\xff"))
    database.sql('update "odd names é" set n = null, doc = null')
    database.sql('update "odd names é" set n = 9007199254740993')
    database.sql('delete from "odd names é"')

    python = receivers["python"].wait(2 * CHANGES)
    for line in python:
        assert line["again"] == [line["event"], line["event"]]
    node = receivers["node"].wait(2 * CHANGES)
    validated = receivers["validate"].wait(3 * CHANGES)
    assert [line for line in validated if "error" in line] == []
    for line in validated:
        assert {**line["event"], "data": None} == {**line["again"], "data": None}
    recorded = {
        mode: function.wait_calls(1 if mode == "batch" else CHANGES, where=lambda call, mode=mode: mode in call.path)
        for mode in MODES
    }
    wait_until(lambda: len(_batched(function)) >= CHANGES, 30, "all events in batches")

    url = f"{millrace.admin_url}/registry"
    read = {
        "python": by_id(line["event"] for line in python),
        "node": by_id(node),
        "validate": by_id(line["event"] for line in validated),
        "sdk2": by_id(sdk2(recorded["binary"] + recorded["structured"])),
        "batch": by_id(_batched(function)),
    }
    copies = {"python": 2, "node": 2, "validate": 3, "sdk2": 2, "batch": 1}
    for reader, events in read.items():
        assert len(events) == CHANGES, reader
        for event_id, same in events.items():
            assert len(same) == copies[reader], (reader, event_id)
            for event in same:
                check_change(undecoded(event) if reader in NOT_DECODING else event, name, url)
        kinds = [same[0]["type"].rsplit(".", 1)[1] for same in events.values()]
        assert kinds == ["create", "update", "update", "delete"], reader
        assert list(events) == list(read["python"]), reader
    first = next(iter(read["python"].values()))[0]["data"]["after"]
    assert first == {"k": KEY, "n": "12.5", "doc": {"a": [1]}, "raw": "AP8="}

    # The link leads to the schema that the data was made from.
    schema = requests.get(next(iter(read["node"].values()))[0]["dataschema"], timeout=20).json()
    assert json.loads(schema["schema"])["name"] == "Envelope"


def test_what_a_framework_responds_with_is_a_cloudevent_on_kafka(receivers, database, kafka, millrace, name):
    database.sql("create table t (id int primary key, n int)")
    millrace.connector(name, database)
    for kind in ("python", "node"):
        url = receivers[f"{kind}-reply"].url
        millrace.function(f"{name}-{kind}", f"{name}.public.t", url, reply={"topic": f"{name}.{kind}"})
    millrace.run()
    database.sql("insert into t values (1, 1)")
    database.sql("update t set n = 2")
    sources = read_topic(kafka, f"{name}.public.t", count=2)
    for kind in ("python", "node"):
        records = read_topic(kafka, f"{name}.{kind}", count=2)
        sent = receivers[f"{kind}-reply"].wait(2)
        for record, source, own in zip(records, sources, sent, strict=True):
            headers = {header: value.encode() for header, value in record.headers.items()}
            event = from_binary(KafkaMessage(headers, record.raw_key, record.raw_value))
            assert (event["source"], event["type"]) == (f"/{kind}", f"{kind}.reply")
            assert (event["replyid"], event["causationid"]) == (own["id"], source.id)
            assert event.data == own["data"]
            assert record.raw_key == source.raw_key
            extra = {"python": ("level", "3"), "node": ("subject", "é")}[kind]
            assert event[extra[0]] == extra[1]
        assert [record.headers["ce_causationid"] for record in records] == [source.id for source in sources]


@pytest.mark.long
def test_the_go_sdk_reads_every_mode(folder, database, millrace, name):
    """Short form: test_sdks_and_frameworks_read_every_mode, with the other SDKs."""
    receiver = Go(folder)
    try:
        database.sql('create table "odd names é" (k text primary key, n numeric)')
        millrace.settings(registry={"public_url": f"{millrace.admin_url}/registry"})
        millrace.connector(name, database)
        subscribe(millrace, name, f"{name}.public.*", {"go": dict.fromkeys(MODES, receiver.url)})
        millrace.run()
        database.sql('insert into "odd names é" values (%s, 12.50)', (KEY,))
        database.sql('update "odd names é" set n = null')
        lines = receiver.wait(3 * 2)
        assert [line for line in lines if "error" in line] == []
        for line in lines:
            assert line["event"] == line["again"]
        events = by_id(line["event"] for line in lines)
        assert [len(same) for same in events.values()] == [3, 3]
        for same in events.values():
            for event in same:
                check_change(undecoded(event), name, f"{millrace.admin_url}/registry")
    finally:
        receiver.stop()


def _batched(function):
    return [event for call in list(function.calls) if "batch" in call.path for event in batch_of(call)]


def test_the_trace_of_a_record_is_an_attribute_of_its_event(receivers, database, kafka, millrace, name):
    database.sql("create table t (id int primary key)")
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into t values (1)")
    record = read_topic(kafka, f"{name}.public.t", count=1)[0]
    before = {kind: len(receivers[kind].events()) for kind in ("python", "node")}
    urls = {kind: dict.fromkeys(("binary", "structured"), receivers[kind].url) for kind in before}
    subscribe(millrace, f"{name}-t", f"{name}.traced", urls)
    wait_until(lambda: kafka.partitions(f"{name}.traced"), 20, "the topic")
    headers = [
        ("millrace.position", record.id.encode()),
        ("traceparent", TRACEPARENT.encode()),
        ("tracestate", b"vendor=1"),
    ]
    kafka.produce(f"{name}.traced", [(record.raw_key, record.raw_value, headers, -1)])
    for kind, count in before.items():
        for line in receivers[kind].wait(count + 2)[count:]:
            event = line.get("event", line)
            assert (event["traceparent"], event["tracestate"]) == (TRACEPARENT, "vendor=1")
