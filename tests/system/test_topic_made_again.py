"""
Promise: a topic that is deleted and made again under a running function is read from its first record, even when the
new log is already longer than the old one was.
"""

import os
import signal
import time

import pytest
from lib.records import read_topic
from lib.waiting import wait_until

OLD, NEW = 10, 50


def records(text, count):
    """No Avro: each of them becomes a dead letter, which is settled like a call."""
    return [(str(number), text, None, 0) for number in range(count)]


@pytest.fixture
def names(name):
    return [name, f"{name}-2"]


@pytest.fixture
def have_settled(kafka, name, names):
    def check(count):
        wait_until(
            lambda: all(kafka.committed(f"millrace.{each}", f"{name}.events") == {0: count} for each in names),
            60,
            f"{count} records settled by both",
        )

    return check


@pytest.fixture
def running(kafka, millrace, function, name, names, have_settled):
    """Two functions, which share the reading, have settled all of their topic."""
    topic = f"{name}.events"
    kafka.create_topic(topic)
    kafka.produce(topic, records(b"old", OLD))
    for each in names:
        millrace.function(each, topic, function.url, source={"start": "earliest"})
    process = millrace.bridge()
    have_settled(OLD)
    return process, topic


@pytest.fixture
def make_again(running, kafka, names, have_settled):
    """The bridge is stopped meanwhile, so that it never sees the new log while that is shorter than the old one."""
    process, topic = running

    def make(text, count, is_deleted_in_sight=False):
        after = len(process.events)
        if is_deleted_in_sight:
            kafka.delete_topic(topic)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            if not is_deleted_in_sight:
                time.sleep(1.5)  # a standstill of more than a second is noticed
                kafka.delete_topic(topic)
            kafka.create_topic(topic)
            kafka.produce(topic, records(text, count))
        finally:
            os.kill(process.pid, signal.SIGCONT)
        for each in names:
            process.wait_event("topic_made_again", after=after, component=f"function/{each}", topic=topic, partition=0)
        have_settled(count)

    return make


@pytest.fixture
def counted(millrace, names):
    def count(outcome):
        return [millrace.metric("millrace_function_events_total", function=each, outcome=outcome) for each in names]

    return count


@pytest.mark.parametrize("is_in_sight", [False, True], ids=["while the bridge is stopped", "in its sight"])
def test_a_new_log_that_is_longer(make_again, counted, is_in_sight):
    make_again(b"new", NEW, is_in_sight)
    assert counted("lost_to_retention") == [1, 1]
    # All of the new log; what was read of it before the deletion was noticed is delivered again.
    assert all(count >= OLD + NEW for count in counted("dead_lettered"))


def test_that_is_replaced_again(make_again, kafka, names):
    """The functions' shared window still has the whole log before when the first of them begins anew."""
    make_again(b"new", NEW)
    make_again(b"newer", 2 * NEW)
    for each in names:
        values = [record.raw_value for record in read_topic(kafka, f"millrace.dlq.{each}", count=OLD + 3 * NEW)]
        assert values.count(b"old") == OLD
        assert values.count(b"newer") >= 2 * NEW
        assert values.count(b"new") <= 2 * NEW - OLD
