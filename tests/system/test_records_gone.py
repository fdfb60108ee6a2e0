"""
Promise: records that Kafka deleted before they were delivered are said and counted, and stop nothing else; those that
can't be read are said, and not skipped.
"""

import glob
import struct
import threading

import pytest
from confluent_kafka import Producer, TopicPartition
from lib.function_server import Answer
from lib.records import end_offsets, read_topic
from lib.waiting import wait_until

PATIENT = {"attempts": 1_000_000, "backoff": {"initial": "10ms", "max": "200ms"}}


def delete_all(kafka, topic):
    """What retention does, at once."""
    ends = [TopicPartition(topic, number, offset) for number, offset in end_offsets(kafka, topic).items()]
    for done in kafka.admin.delete_records(ends).values():
        done.result(120)


@pytest.fixture
def shop(database, kafka, millrace, function, name):
    """shop(partitions, **delivery): a running function whose calls fail, a value for records, what lets it go."""
    failing = threading.Event()

    def start(partitions, **delivery):
        database.sql("create table a (id int primary key, v text)")
        kafka.create_topic(f"{name}.public.a", partitions)
        millrace.connector(name, database)
        millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": PATIENT, **delivery})
        process = millrace.run()
        database.sql("insert into a values (1, repeat('x', 1000))")
        function.wait_calls(1)
        function.clear()
        failing.set()
        function.rule = lambda call: Answer(500) if failing.is_set() else None
        return process, read_topic(kafka, f"{name}.public.a", count=1)[0].raw_value, failing

    return start


def settled_to(kafka, name):
    topic = f"{name}.public.a"
    ends = {number: offset for number, offset in end_offsets(kafka, topic).items() if offset > 0}
    now = kafka.committed(f"millrace.{name}", topic)
    return {number: now.get(number, 0) for number in ends} == ends


def test_behind_a_failing_key(shop, kafka, millrace, function, name):
    """Nothing is written any more when its records go, while they are being read a second time."""
    process, value, failing = shop(1)
    topic = f"{name}.public.a"
    kafka.produce(topic, [(b"stuck", value, None, 0)] * 6000 + [(b"other", value, None, 0)])
    again = threading.Event()
    function.rule = lambda call: (
        None if call.key == "other" or not (failing.is_set() or again.is_set()) else Answer(500)
    )
    function.wait_calls(1, timeout=60, where=lambda call: call.key == "other")
    delivered = [0]

    def rule(call):
        delivered[0] += 1
        return None if delivered[0] < 100 or not again.is_set() else Answer(500)

    again.set()
    function.rule = rule
    wait_until(lambda: delivered[0] > 110, 30, "some of them")
    delete_all(kafka, topic)
    again.clear()
    process.wait_event("events_gone", timeout=60)
    wait_until(lambda: settled_to(kafka, name), 30, "all settled")

    def counted(outcome):
        return millrace.metric("millrace_function_events_total", function=name, outcome=outcome)

    gone = sum(event["events"] for event in process.events if event["event"] == "events_gone")
    wait_until(lambda: counted("lost_to_retention") == gone, 20, f"{gone} counted")
    wait_until(lambda: counted("delivered") + gone == 1 + 6000 + 1, 20, lambda: f"others, not {counted('delivered')}")


def test_of_partitions_that_are_held(shop, kafka, function, name):
    """With order `partition` a lane that is full holds its partition: not for longer than it has events."""
    process, value, failing = shop(12, order="partition")
    topic = f"{name}.public.a"
    kafka.produce(topic, [(b"a", value, None, number) for number in range(12) for _ in range(400)])
    process.wait_event("events_evicted", timeout=60)
    delete_all(kafka, topic)
    failing.clear()
    process.wait_event("events_gone", timeout=60)
    kafka.produce(topic, [(b"after", value, None, number) for number in range(12)])
    wait_until(lambda: settled_to(kafka, name), 60, "all settled")


def spoil_second_batch(kafka, topic):
    """Of the log on disk, behind its header of 61 bytes."""
    (log,) = glob.glob(f"{kafka.folder}/data/{topic}-0/*.log")
    with open(log, "r+b") as file:
        data = file.read()
        begin = 12 + struct.unpack(">i", data[8:12])[0]
        end = begin + 12 + struct.unpack(">i", data[begin + 8 : begin + 12])[0]
        assert end < len(data), "no third batch"
        file.seek(begin + 61)
        file.write(bytes(byte ^ 0x5A for byte in data[begin + 61 : end]))


def test_that_are_corrupt_on_the_broker(private_kafka, make_millrace, function, name):
    kafka = private_kafka()
    topic, group = f"{name}.a", f"millrace.{name}"
    kafka.create_topic(topic)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "compression.type": "gzip", "log_level": 0})
    for _ in range(3):
        producer.produce(topic, key=b"k", value=b"no Avro " * 100, partition=0)
        assert producer.flush(60) == 0
    kafka.stop()
    spoil_second_batch(kafka, topic)
    kafka.start()
    millrace = make_millrace(kafka)
    millrace.function(name, topic, function.url)
    process = millrace.bridge()
    process.wait_event("records_unreadable", topic=topic, partition=0)
    wait_until(lambda: kafka.committed(group, topic) == {0: 1}, 30, "offset 1 committed")

    def error():
        return millrace.get("/api/status").json()["functions"][0]["last_error"] or ""

    wait_until(lambda: error().startswith(f"partition 0 of {topic} can't be read: "), 10, "the status to say so")
    kafka.admin.delete_records([TopicPartition(topic, 0, 2)])
    wait_until(lambda: kafka.committed(group, topic) == {0: 3}, 30, "offset 3 committed")
    wait_until(lambda: error() == "", 10, "no error any more")
