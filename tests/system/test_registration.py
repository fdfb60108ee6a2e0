"""
Promise: a function begins where its registration says, once, and goes on where its group stands ever after, whatever
is lost beside the group's offsets.
"""

import pytest
from lib.kafka import Kafka
from lib.waiting import wait_until

STATE = "millrace.state"


@pytest.fixture(scope="module")
def broker(folder, kafka_template):
    broker = Kafka(f"{folder}/kafka-registration", kafka_template, auto_create=True)
    broker.start()
    yield broker
    broker.stop()


def waiting(count):
    """No Avro: each of them becomes a dead letter, which is settled like a call."""
    return [(str(number), b"waiting", None, 0) for number in range(count)]


def wait_settled(broker, name, topic, offset):
    wait_until(
        lambda: broker.committed(f"millrace.{name}", topic).get(0) == offset,
        30,
        lambda: f"offset {offset} of {topic}; there is {broker.committed(f'millrace.{name}', topic)}",
    )


@pytest.fixture
def registered(broker, make_millrace, function, name):
    """A function with `start: latest` that has settled ten records of its topic and is stopped."""
    topic = f"{name}.events"
    broker.create_topic(topic, 2)
    millrace = make_millrace(broker)
    millrace.function(name, topic, function.url, source={"start": "latest"})
    process = millrace.bridge()
    broker.produce(topic, waiting(10))
    wait_settled(broker, name, topic, 10)
    assert process.stop() == 0
    return millrace, topic


def settled(millrace, name):
    return millrace.metric("millrace_function_events_total", function=name, outcome="dead_lettered")


@pytest.mark.parametrize("how", ["tombstone", "topic made anew"])
def test_a_function_whose_record_is_gone_skips_nothing(broker, registered, name, how):
    millrace, topic = registered
    broker.produce(topic, waiting(100))
    if how == "tombstone":
        broker.produce(STATE, [(f"function/{name}", None, None, 0)])
    else:
        broker.delete_topic(STATE)
        # Asking for all topics makes none; asking for one by its name would.
        wait_until(lambda: STATE not in broker.topics(), 30, "the topic to be gone")
    process = millrace.bridge()
    process.wait_event("registration_lost")
    wait_settled(broker, name, topic, 110)
    assert settled(millrace, name) == 100
    assert process.stop() == 0
    process = millrace.bridge()
    assert process.find("registration_lost") is None
    assert process.stop() == 0


def test_topics_that_a_function_gains_later(broker, registered, function, name):
    """One that its file names later begins as `start` says, one that appears among its topics at its first record."""
    millrace, topic = registered
    old, new = f"{name}.old", f"{name}.more.new"
    broker.create_topic(old)
    broker.produce(old, waiting(20))
    millrace.function(name, [topic, old, f"{name}.more.*"], function.url, source={"start": "latest"})
    process = millrace.bridge()
    process.wait_event("partition_added", topic=old)
    broker.produce(old, waiting(3))
    wait_settled(broker, name, old, 23)
    assert settled(millrace, name) == 3
    broker.create_topic(new)
    broker.produce(new, waiting(5))
    wait_settled(broker, name, new, 5)
    assert settled(millrace, name) == 8
    assert process.stop() == 0
    broker.create_topic(f"{new}er")
    broker.produce(f"{new}er", waiting(7))
    process = millrace.bridge()
    wait_settled(broker, name, f"{new}er", 7)
    assert settled(millrace, name) == 7
    assert process.stop() == 0


def test_offsets_that_expired_are_said_and_counted(broker, registered, name):
    """Also those of a topic that appeared while the function ran."""
    millrace, topic = registered
    broker.admin.delete_consumer_groups([f"millrace.{name}"])[f"millrace.{name}"].result(30)
    process = millrace.bridge()
    process.wait_event("offset_expired", topic=topic, partition=0)
    process.wait_event("offset_expired", topic=topic, partition=1)
    wait_settled(broker, name, topic, 10)
    lost = millrace.metric("millrace_function_events_total", function=name, outcome="lost_to_retention")
    assert lost == 2
    assert process.stop() == 0
    process = millrace.bridge()
    assert process.find("offset_expired") is None
    assert process.stop() == 0
