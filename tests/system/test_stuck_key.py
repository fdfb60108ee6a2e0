"""Promise: a key that fails holds up itself alone, however much waits behind it, and gets it all in order later."""

import os
import signal
import threading

from lib.function_server import Answer
from lib.records import read_topic
from lib.waiting import wait_until

BEHIND = 100_000  # events behind the failing one
OTHERS = 100
RECOVERED = 3000  # of which so many are followed after the key has recovered
MEMORY_MB = 60

PATIENT = {"attempts": 1_000_000, "backoff": {"initial": "10ms", "max": "200ms"}}


def peak_mb(pid):
    """What the process needed at most, since its beginning."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["VmHWM"].split()[0]) / 1024


def offset_of(call):
    """Of the record, which has no position and so is named by its place."""
    return int(call.id.rsplit("-", 1)[1])


def test_a_failing_key_stops_no_other(database, kafka, millrace, function, name):
    topic = f"{name}.public.a"
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    failing = threading.Event()
    failing.set()
    function.rule = lambda call: Answer(500) if failing.is_set() and call.key == {"id": 1} else None
    delivery = {"concurrency": 4, "retry": PATIENT}
    millrace.function(name, topic, function.url, delivery=delivery)
    process = millrace.run()
    database.sql("insert into a values (1)")
    good = read_topic(kafka, topic, count=1)[0]
    stuck = (good.raw_key, good.raw_value, None, 0)
    others = [(b"other %d" % n, good.raw_value, None, 0) for n in range(OTHERS)]
    kafka.produce(topic, [stuck] * BEHIND + others)

    def is_other(call):
        return isinstance(call.key, str)

    called = function.wait_calls(OTHERS, timeout=60, where=is_other)
    assert {call.key for call in called if is_other(call)} == {f"other {n}" for n in range(OTHERS)}
    assert failing.is_set() and any(call.key == {"id": 1} for call in function.calls), "nothing failed"
    peak = peak_mb(process.child("bridge"))
    print(f"the bridge needed {peak:.0f} MB with {BEHIND} events behind a failing one")
    assert peak < MEMORY_MB
    assert kafka.committed(f"millrace.{name}", topic).get(0, 0) == 0

    def is_late(call):
        return call.key == {"id": 1} and call.id != good.id

    assert not any(is_late(call) for call in function.calls), "called before its turn"
    failing.clear()
    calls = function.wait_calls(RECOVERED, timeout=60, where=is_late)
    offsets = [offset_of(call) for call in calls if is_late(call)]
    assert offsets[:RECOVERED] == list(range(1, RECOVERED + 1)), "not each once, in order"
    wait_until(
        lambda: kafka.committed(f"millrace.{name}", topic).get(0, 0) > RECOVERED, 30, "offsets move again"
    )


def test_what_is_settled_behind_it_survives_a_kill(database, kafka, millrace, function, name):
    """So do the attempts of the failing event: after `kill -9` it gets as many more as it has left."""
    topic = f"{name}.public.a"
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database, topics={"partitions": 1})
    function.rule = lambda call: Answer(500) if call.key == {"id": 1} else None
    attempts, before = 12, 4
    retry = {"attempts": attempts, "backoff": {"initial": "300ms", "max": "300ms"}}
    millrace.function(name, topic, function.url, delivery={"concurrency": 4, "retry": retry})
    process = millrace.run()
    database.sql("insert into a select generate_series(1, %d)" % (OTHERS + 1))

    def is_other(call):
        return call.key != {"id": 1}

    def is_stuck(call):
        return not is_other(call)

    def text():
        return next((p.metadata for p in kafka.commits(f"millrace.{name}", topic)), "")

    function.wait_calls(OTHERS, where=is_other)
    function.wait_calls(before, where=is_stuck)
    settled = "1CBkD"  # one event is not settled, the next 100 are
    wait_until(lambda: text().startswith(settled), 30, lambda: f"metadata {text()!r}")
    bridge = process.child("bridge")
    os.kill(bridge, signal.SIGKILL)
    wait_until(lambda: process.child("bridge") not in (None, bridge), 30, "another bridge")
    calls = len(function.calls)
    made = sum(is_stuck(call) for call in function.calls)
    print(f"killed after {made} attempts")
    assert made < attempts, "too late"
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic)[0] == OTHERS + 1, 60, "all settled")
    again = function.calls[calls:]
    assert not any(is_other(call) for call in again), "delivered again"
    assert attempts - made <= len(again) <= attempts - made + 5, f"{made} and {len(again)} of {attempts}"
    letter = read_topic(kafka, f"millrace.dlq.{name}", count=1)[0]
    assert dict(letter.headers)["millrace.dlq.attempts"] == str(attempts)


def test_a_broker_that_takes_no_metadata_gets_the_offsets_alone(
    database, private_kafka, make_millrace, function, name
):
    kafka = private_kafka(**{"offset.metadata.max.bytes": "4"})
    millrace = make_millrace(kafka)
    topic = f"{name}.public.a"
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database, topics={"partitions": 1})
    failing = threading.Event()
    failing.set()
    function.rule = lambda call: Answer(500) if failing.is_set() and call.key == {"id": 3} else None
    millrace.function(name, topic, function.url, delivery={"retry": PATIENT})
    process = millrace.run()
    database.sql("insert into a select generate_series(1, 9)")
    process.wait_event("progress_refused", topic=topic)
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic).get(0) == 2, 30, "the offset of the failing event")
    failing.clear()
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic).get(0) == 9, 30, "the offset of the end")
    assert sum(event["event"] == "progress_refused" for event in process.events) == 1, "not once"
