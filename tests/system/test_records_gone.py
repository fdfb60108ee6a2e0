"""Promise: records that Kafka deleted before they were delivered are said and counted, and stop nothing else."""

import threading

import pytest
from confluent_kafka import TopicPartition
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


def test_behind_a_failing_key(shop, kafka, function, name):
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
