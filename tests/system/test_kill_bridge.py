"""Promise: `kill -9` of the bridge loses no call, keeps order per key, and repeats carry the same id."""

import os
import random
import signal
import threading

import pytest
from lib.function_server import Answer
from lib.load import TABLES, Load, call_events, judge
from lib.records import read_topic
from lib.waiting import wait_until

pytestmark = pytest.mark.slow


def end_and_judge(load, function):
    """Ends the load, waits for a call of each of its changes, and judges them in the order in which they began."""
    load.stop()
    wait_until(
        lambda: len({call.id for call in list(function.calls)}) >= load.changes,
        60,
        lambda: f"{load.changes} events, {len({c.id for c in function.calls})} came",
    )
    judge(load, call_events(sorted(function.calls, key=lambda call: call.began)))


def test_killed_at_random_moments(postgres, database, kafka, millrace, make_millrace, function, name):
    database.sql(TABLES)
    topic = f"{name}.public.items"
    kafka.create_topic(topic, 3)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    millrace.connect(name)
    caller = make_millrace(kafka)
    caller.settings(kafka={"session.timeout.ms": 3000, "heartbeat.interval.ms": 500})
    caller.function(name, topic, function.url)
    process = caller.bridge()
    load = Load(postgres, database.name, pause=0.01).start()
    moments = random.Random(11)
    for number in range(4):
        function.wait_calls(len(function.calls) + moments.randrange(20, 200))
        hold = threading.Event()
        if number % 2:  # within calls for sure
            function.rule = lambda call, hold=hold: Answer(until=hold)
            wait_until(function.running, 30, "a call that waits")
        print(f"killed after {len(function.calls)} calls, within {len(function.running())} of them")
        process.kill()
        function.rule = None
        hold.set()
        process = caller.bridge(wait=moments.random() < 0.5)
    end_and_judge(load, function)


def test_a_kill_forgets_one_attempt_at_most(database, kafka, millrace, make_millrace, function, name):
    """However fast it fails: an event is not sent again before its last attempt is committed."""
    attempts, kills = 30, 5
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.connect(name)
    caller = make_millrace(kafka)
    caller.settings(kafka={"session.timeout.ms": 1000, "heartbeat.interval.ms": 300})
    retry = {"attempts": attempts, "backoff": {"initial": "1ms", "max": "2ms"}}
    caller.function(name, f"{name}.public.a", function.url, delivery={"retry": retry})
    hold = threading.Event()
    struck = threading.Event()

    def rule(call):
        """Every fifth call is held, within which the bridge is killed."""
        if len(function.calls) % 5 == 0 and not struck.is_set():
            hold.set()
            return Answer(500, until=struck)
        return Answer(500)

    function.rule = rule
    database.sql("insert into a values (1)")
    for _ in range(kills):
        struck.clear()
        process = caller.bridge(wait=False)
        assert hold.wait(120)
        process.kill()
        hold.clear()
        struck.set()
    caller.bridge(wait=False)
    read_topic(kafka, f"millrace.dlq.{name}", count=1, timeout=60)
    print(f"{len(function.calls)} calls for {attempts} attempts and {kills} kills, each within a call")
    assert attempts <= len(function.calls) <= attempts + kills


def test_settled_calls_are_not_repeated_after_sigterm(database, kafka, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    process = millrace.run()
    database.sql("insert into a select generate_series(1, 200)")
    function.wait_calls(200)
    assert process.stop() == 0
    process = millrace.run()
    database.sql("insert into a values (1000)")
    function.wait_calls(1, where=lambda call: call.key == {"id": 1000})
    assert len(function.calls) == 201
    assert process.stop() == 0


def test_two_processes_share_a_function_and_one_is_killed(
    postgres, database, kafka, millrace, make_millrace, function, name
):
    """The other takes its partitions over, and gives some back when the supervisor has brought it back."""
    database.sql(TABLES)
    topic = f"{name}.public.items"
    kafka.create_topic(topic, 4)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    millrace.connect(name)
    caller = make_millrace(kafka)
    caller.settings(
        kafka={"session.timeout.ms": 3000, "heartbeat.interval.ms": 500}, bridge={"processes": 2}
    )
    caller.function(name, topic, function.url)
    process = caller.run()
    load = Load(postgres, database.name, pause=0.01).start()
    for _ in range(2):
        function.wait_calls(len(function.calls) + 100)
        killed = process.child("bridge")
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: caller.is_ready() and process.child("bridge") != killed, 30, "both bridges again")
    end_and_judge(load, function)


def test_a_process_that_joins_takes_partitions_over_in_order(kafka, make_millrace, function, name):
    """Nothing is lost on the way: the others commit nothing while they join anew, and no call is repeated."""
    topic, group = f"{name}.events", f"millrace.{name}"
    kafka.create_topic(topic, 4)

    def start():
        millrace = make_millrace(kafka)
        millrace.settings(kafka={"heartbeat.interval.ms": 500})
        millrace.function(name, topic, function.url)
        return millrace.bridge()

    def expect_progress():
        moved = kafka.committed(group, topic)
        wait_until(
            lambda: all(now > moved[number] for number, now in kafka.committed(group, topic).items()),
            30,
            "all partitions to go on",
        )

    bridges = [start()]
    stopping = threading.Event()

    def produce():
        number = 0
        while not stopping.wait(0.02):
            number += 1
            kafka.produce(topic, [(b"%d" % number, b"no Avro", None, number % 4)])

    load = threading.Thread(target=produce, daemon=True)
    load.start()
    try:
        wait_until(lambda: len(kafka.committed(group, topic)) == 4, 30, "offsets of all partitions")
        for partitions in (2, 1, 1):
            bridges.append(start())
            bridges[-1].wait_event("partitions_assigned", partitions=partitions)
            expect_progress()
        for bridge in bridges[2:]:
            assert bridge.stop() == 0
            expect_progress()
    finally:
        stopping.set()
        load.join()
    for bridge in bridges:
        assert bridge.find("assignment_lost") is None, bridge.log()
