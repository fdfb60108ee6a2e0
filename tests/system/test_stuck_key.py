"""Promise: a key that fails holds up itself alone, however much waits behind it, and gets it all in order later."""

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
