"""
Promise: functions of one topic share its fetch, and each has its own group, members, progress and pace; topics that
appear are read once they match a pattern.
"""

import threading
from collections import Counter

from lib.function_server import Answer, FunctionServer
from lib.records import read_topic
from lib.waiting import wait_until

FUNCTIONS = 5
STILL = 20_000
EVENTS = 10_000  # more than a feed keeps for its slowest reader


def one_record(database, kafka, millrace, name):
    """A record that the connector wrote; its process goes on."""
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    process = millrace.connect()
    database.sql("insert into a values (1)")
    record = read_topic(kafka, f"{name}.public.a", count=1)[0]
    process.stop()
    return record


def test_functions_of_one_topic_have_their_own_pace_and_progress(database, kafka, millrace, name):
    record = one_record(database, kafka, millrace, name)
    topic = f"{name}.shared"
    servers = [FunctionServer() for _ in range(FUNCTIONS)]
    release = threading.Event()
    servers[0].rule = lambda call: Answer(until=release)  # hangs
    groups = []
    try:
        for number, server in enumerate(servers):
            millrace.function(f"{name}-{number}", topic, server.url, delivery={"concurrency": 8})
            groups.append(f"millrace.{name}-{number}")
        process = millrace.bridge()
        described = kafka.admin.describe_consumer_groups(groups)
        for group in groups:
            members = described[group].result(30).members
            assigned = [p.topic for member in members for p in member.assignment.topic_partitions]
            assert assigned == [topic], (group, members)
        kafka.produce(topic, [(b"%d" % n, record.raw_value, None, 0) for n in range(EVENTS)])
        for server in servers[1:]:
            server.wait_calls(EVENTS, timeout=120)
        assert len(servers[0].calls) <= 8 and kafka.committed(groups[0], topic).get(0, 0) == 0
        release.set()
        servers[0].wait_calls(EVENTS, timeout=120)
        for group in groups:
            wait_until(lambda: kafka.committed(group, topic) == {0: EVENTS}, 30, f"the end, by {group}")
        kafka.produce(topic, [(b"last", record.raw_value, None, 0)])
        for server in servers:
            calls = server.wait_calls(EVENTS + 1)
            assert max(Counter(call.id for call in calls).values()) == 1, "called twice"
        assert process.stop() == 0
    finally:
        release.set()
        for server in servers:
            server.stop()


def test_functions_that_stand_still_hold_no_other_one_up(database, kafka, millrace, function, name):
    """A paused one, and one whose breaker is open: 200 MB pass them by in bounded memory, and none is lost."""
    database.sql("create table a (id int primary key, pad text)")
    database.sql("alter table a alter pad set storage external")
    millrace.connector(name, database)
    process = millrace.run()
    database.sql("insert into a values (1, repeat('x', 10000))")
    value = read_topic(kafka, f"{name}.public.a", count=1)[0].raw_value
    topic = f"{name}.still"
    wanted = {"key": [{"prefix": "w"}]}
    retry = {"attempts": 1_000_000, "backoff": {"initial": "50ms", "max": "100ms"}}
    failing = threading.Event()
    failing.set()
    function.rule = lambda call: Answer(503) if call.path == "/failing" and failing.is_set() else None
    millrace.function(f"{name}-paused", topic, f"{function.url}/paused", paused=True)
    millrace.function(f"{name}-failing", topic, f"{function.url}/failing", delivery={"retry": retry})
    for which in ("one", "two"):
        millrace.function(f"{name}-{which}", topic, f"{function.url}/{which}", filter=wanted)
    groups = {which: f"millrace.{name}-{which}" for which in ("paused", "failing", "one", "two")}

    def state(which, wanted_state):
        return millrace.metric("millrace_function_state", function=f"{name}-{which}", state=wanted_state) == 1

    for which, wanted_state in (("paused", "paused"), ("one", "running"), ("two", "running")):
        wait_until(lambda: state(which, wanted_state), 40, f"{which} {wanted_state}")
    kafka.produce(topic, [(b"%d" % n, value, None, 0) for n in range(100)])
    breaker = {"name": "millrace_function_breaker_open", "function": f"{name}-failing"}
    wait_until(lambda: millrace.metric(**breaker) == 1, 40, "the breaker")
    bridge = process.child("bridge")
    keys = [b"w%d" % n if n % 200 == 0 else b"%d" % n for n in range(100, STILL)]
    kafka.produce(topic, [(key, value, None, 0) for key in keys])
    for which in ("one", "two"):
        wait_until(lambda: kafka.committed(groups[which], topic) == {0: STILL}, 60, f"the end, by {which}")
    assert state("paused", "paused")
    assert kafka.committed(groups["paused"], topic).get(0, 0) == 0
    assert peak_mb(bridge) < 100
    failing.clear()
    millrace.function(f"{name}-paused", topic, f"{function.url}/paused")
    for path in ("/paused", "/failing"):
        done = function.wait_calls(1000, timeout=60, where=lambda call: call.path == path)
        assert len({call.id for call in done if call.path == path}) >= 1000
    called = Counter((call.path, call.id) for call in function.calls if call.path != "/failing")
    assert max(called.values()) == 1, "called twice"
    assert Counter(call.path for call in function.calls)["/one"] == sum(key[:1] == b"w" for key in keys)


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def test_patterns_take_up_topics_that_appear(database, kafka, millrace, function, name):
    """At librdkafka's interval for metadata (topic.metadata.refresh.interval.ms), 10 s by default."""
    record = one_record(database, kafka, millrace, name)
    millrace.settings(kafka={"topic.metadata.refresh.interval.ms": None})
    kafka.create_topic(f"{name}.glob.first")
    millrace.function(f"{name}-glob", f"{name}.glob.*", f"{function.url}/glob")
    millrace.function(f"{name}-regex", f"/{name}\\.(regex|glob)\\.s.*/", f"{function.url}/regex", make_topics=False)
    process = millrace.bridge(wait=False)
    process.wait_event("partitions_assigned", component=f"function/{name}-glob", partitions=1)
    before = len(process.events)
    for topic in ("glob.second", "regex.second", "regex.third"):
        kafka.create_topic(f"{name}.{topic}")
        kafka.produce(f"{name}.{topic}", [(b"k", record.raw_value, None, 0)])
    calls = function.wait_calls(3, timeout=60)
    called = Counter(call.path for call in calls)
    assert called == {"/glob": 1, "/regex": 2}, called
    for which in ("glob", "regex"):
        assert process.find("partitions_assigned", component=f"function/{name}-{which}", after=before)
