"""
Promise: a new function begins at the time or the LSN that its file says, and processes that register it at the same
moment agree on where it begins.
"""

import json
import threading

import pytest
from confluent_kafka import Producer
from lib.records import read_topic
from lib.waiting import wait_until

BEGIN_MS = 1_767_323_045_000  # 2026-01-02T03:04:05Z
FOR_EVER = {"retention_ms": -1}  # such old records would go when Kafka next looks, every five minutes


def write(broker, topic, records):
    """(number, milliseconds, LSN): no Avro, so each becomes a dead letter, which names its offset."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    for number, at_ms, lsn in records:
        headers = [("millrace.position", f"{lsn:016X}-00000000".encode())]
        producer.produce(topic, b"%d" % number, b"waiting", partition=0, timestamp=at_ms, headers=headers)
    assert producer.flush(60) == 0


def delivered(broker, name, count):
    letters = read_topic(broker, f"millrace.dlq.{name}", count=count)
    return sorted(int(letter.headers["millrace.dlq.offset"]) for letter in letters)


@pytest.mark.parametrize(
    "start, first",
    [("2026-01-02T03:04:08Z", 3), ("2026-01-02T04:34:07.5+01:30", 3), ("0/1004", 4), ("0/1000", 0), ("0/1099", 10)],
)
def test_a_function_begins_at_a_time_or_a_position(kafka, millrace, function, name, start, first):
    topic = f"{name}.events"
    kafka.create_topic(topic, **FOR_EVER)
    write(kafka, topic, [(n, BEGIN_MS + 1000 * n, 0x1000 + n) for n in range(10)])
    millrace.function(name, topic, function.url, source={"start": start})
    process = millrace.bridge()
    write(kafka, topic, [(10, BEGIN_MS + 10_000, 0x100A)])
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 11}, 30, "all settled")
    assert delivered(kafka, name, 11 - first) == list(range(first, 11))
    assert process.stop() == 0


@pytest.mark.parametrize("how", ["restart", "while it runs"])
@pytest.mark.parametrize("start, first", [("latest", 10), ("2026-01-02T03:04:08Z", 3), ("0/1004", 4)])
def test_topics_that_it_gains_later_begin_by_rule(kafka, millrace, function, name, start, first, how):
    """Those that its file names later as `start` says, those that appear among its topics at their first record."""
    topics = [f"{name}.first", f"{name}.old", f"{name}.more.new"]
    records = [(n, BEGIN_MS + 1000 * n, 0x1000 + n) for n in range(10)]
    for topic in topics[:2]:
        kafka.create_topic(topic, **FOR_EVER)
        write(kafka, topic, records)

    def committed(topic):
        return kafka.committed(f"millrace.{name}", topic).get(0)

    millrace.function(name, topics[0], function.url, source={"start": start})
    process = millrace.bridge()
    wait_until(lambda: committed(topics[0]) == 10, 30, "the first topic settled")
    if how == "restart":
        assert process.stop() == 0
    millrace.function(name, [*topics[:2], f"{name}.more.*"], function.url, source={"start": start})
    process = millrace.bridge() if how == "restart" else process
    begins = "end" if start == "latest" else "source.start"
    process.wait_event("partition_added", message=f"starting at its {begins}", topic=topics[1], partition=0)
    wait_until(lambda: committed(topics[1]) == 10, 30, "the topic that the file names later settled")
    if how == "restart":
        assert process.stop() == 0
    kafka.create_topic(topics[2], **FOR_EVER)
    write(kafka, topics[2], records)
    process = millrace.bridge() if how == "restart" else process
    process.wait_event("partition_added", message="starting at its beginning", topic=topics[2], partition=0)
    wait_until(lambda: committed(topics[2]) == 10, 30, "the topic that appeared settled")
    assert len([e for e in process.events if e["event"] == "partition_added" and e["topic"] == topics[2]]) == 1
    letters = read_topic(kafka, f"millrace.dlq.{name}", count=10)
    offsets = {topic: [] for topic in topics}
    for letter in letters:
        offsets[letter.headers["millrace.dlq.topic"]].append(int(letter.headers["millrace.dlq.offset"]))
    expected = [list(range(first, 10)), list(range(first, 10)), list(range(10))]
    assert [sorted(offsets[topic]) for topic in topics] == expected


def test_bridges_that_register_at_once_lose_nothing(kafka, make_millrace, function, name):
    """Records arrive all the time. Whichever process is first, each record after its claim is delivered."""
    topic = f"{name}.events"
    kafka.create_topic(topic)
    stop = threading.Event()
    written = [0]

    def keep_writing():
        while not stop.is_set():
            write(kafka, topic, [(written[0], 0, 1)])
            written[0] += 1

    writer = threading.Thread(target=keep_writing)
    writer.start()
    made = [make_millrace(kafka) for _ in range(3)]
    try:
        for millrace in made:
            millrace.function(name, topic, function.url, source={"start": "latest"})
        processes = [millrace.bridge(wait=False) for millrace in made]
        for millrace, process in zip(made, processes):
            millrace.wait_ready(process)
    finally:
        stop.set()
        writer.join()
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: written[0]}, 30, "all settled")
    records = [r for r in read_topic(kafka, "millrace.state") if r.raw_key == f"function/{name}".encode()]
    claims = [json.loads(r.raw_value) for r in records if "millrace.replaces" in r.headers]
    first = claims[0]["offsets"][topic]["0"]
    print(f"claims: {[claim['offsets'] for claim in claims]}")
    assert "offsets" not in json.loads(records[-1].raw_value)
    assert delivered(kafka, name, written[0] - first) == list(range(first, written[0]))
    assert all(process.stop() == 0 for process in processes)
