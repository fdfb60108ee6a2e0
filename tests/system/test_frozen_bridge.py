"""
Promise: calls for one key never overlap, also when a bridge stood still for so long that the group gave its partitions
to others, or back to itself.
"""

import os
import signal
import threading

import pytest
from lib.kafka import Kafka
from lib.waiting import wait_until

SESSION = {"session.timeout.ms": 3000, "heartbeat.interval.ms": 500}


@pytest.fixture(scope="module")
def broker(folder, kafka_template):
    broker = Kafka(f"{folder}/kafka-frozen-bridge", kafka_template, auto_create=True)
    broker.start()
    yield broker
    broker.stop()


class HeldFunction:
    """Holds the calls whose numbers are asked for, and counts which calls of one key run side by side."""

    def __init__(self, server, held):
        self.server = server
        self.held = {number: threading.Event() for number in held}
        self.lock = threading.Lock()
        self.running = {}
        self.overlaps = []
        self.seen = []
        server.rule = self._rule

    def _rule(self, call):
        key = call.headers["ce-partitionkey"]
        with self.lock:
            number = len(self.seen)
            self.seen.append((key, call.id))
            if self.running.get(key):
                self.overlaps.append((number, key, call.id, list(self.running[key])))
            self.running.setdefault(key, []).append(call.id)
        if number in self.held:
            self.held[number].wait(60)
        with self.lock:
            self.running[key].remove(call.id)

    def wait_call(self, number):
        wait_until(lambda: len(self.seen) > number, 30, lambda: f"call {number}; {self.seen}")


def members(broker, group):
    return len(broker.admin.describe_consumer_groups([group])[group].result(30).members)


def changes(millrace, broker, database, name, partitions=1):
    """A connector that publishes table a; returns the topic."""
    topic = f"{name}.public.a"
    broker.create_topic(topic, partitions)
    database.sql("create table a (id int primary key, n int)")
    millrace.connector(name, database)
    millrace.connect(name)
    return topic


def make_bridge(make_millrace, broker, name, topic, function):
    millrace = make_millrace(broker)
    millrace.settings(kafka=SESSION)
    millrace.function(name, topic, function.url, delivery={"timeout": "60s"})
    return millrace, millrace.bridge()


def test_one_that_gets_its_own_partitions_back(broker, database, make_millrace, function, name):
    topic = changes(make_millrace(broker), broker, database, name, partitions=2)
    held = HeldFunction(function, held=[0])
    bridge, process = make_bridge(make_millrace, broker, name, topic, function)
    database.sql("insert into a values (1, 0)")
    held.wait_call(0)
    group = f"millrace.{name}"
    assert members(broker, group) == 1
    os.kill(process.pid, signal.SIGSTOP)
    # Judged only when the freeze has lost the assignment.
    wait_until(lambda: members(broker, group) == 0, 30, "the group to put the frozen member out")
    after = len(process.events)
    os.kill(process.pid, signal.SIGCONT)
    process.wait_event("assignment_lost", after=after)
    wait_until(
        lambda: process.find("partitions_assigned", after=after) is not None, 30, "the partitions to come back"
    )
    # All keys of the other partition go on, and those of this one wait for the call that runs.
    database.sql("insert into a select generate_series(2, 40)")
    held.wait_call(5)
    assert held.overlaps == []
    held.held[0].set()
    wait_until(lambda: len({id for _, id in held.seen}) == 40, 30, lambda: f"40 events; {len(held.seen)} calls")
    assert held.overlaps == []
    assert [key for key, _ in held.seen].count(held.seen[0][0]) == 2, "the lost call's event comes again"
    assert process.stop() == 0


def test_one_whose_partitions_another_has_by_now(broker, database, make_millrace, function, name):
    topic = changes(make_millrace(broker), broker, database, name)
    held = HeldFunction(function, held=[0, 1])
    _, first = make_bridge(make_millrace, broker, name, topic, function)
    database.sql("insert into a values (1, 0)")
    database.sql("update a set n = n + 1")
    database.sql("update a set n = n + 1")
    held.wait_call(0)
    os.kill(first.pid, signal.SIGSTOP)
    other, second = make_bridge(make_millrace, broker, name, topic, function)
    held.wait_call(1)
    assert held.seen[1] == held.seen[0], "the other one begins with the event whose call was not answered"
    held.overlaps.clear()  # that one: the frozen process can't know that the group took its partition away
    held.held[0].set()  # its answer waits in the socket until the process wakes up
    wait_until(lambda: len(held.running[held.seen[0][0]]) == 1, 10, "the first call to end")
    after = len(first.events)
    os.kill(first.pid, signal.SIGCONT)
    first.wait_event("assignment_lost", after=after)
    held.held[1].set()
    wait_until(lambda: len({id for _, id in held.seen}) == 3, 30, lambda: f"three events; {held.seen}")
    assert held.overlaps == []
    assert first.stop() == 0
    assert second.stop() == 0
