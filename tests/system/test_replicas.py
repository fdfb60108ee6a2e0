"""
Promise: what was confirmed is on all in-sync replicas: a leader's death loses nothing, and while too few replicas are
in sync nothing is confirmed.
"""

import random

import pytest
from lib.load import TABLES, WATCHED, Load, SlotWatch, call_events, judge, record_events
from lib.records import read_topic
from lib.waiting import wait_until
from test_reconnect import all_records

pytestmark = pytest.mark.slow


@pytest.fixture
def start(cluster, database, make_millrace, function, name):
    """Connector and function over a topic of three replicas, two of which have to be in sync."""

    def start():
        database.sql(TABLES)
        topic = f"{name}.public.items"
        cluster.create_topic(topic, 3, min_insync_replicas=2, **WATCHED)
        millrace = make_millrace(cluster)
        millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
        millrace.function(name, topic, function.url)
        millrace.run()
        return millrace, topic

    yield start
    cluster.start()


def wait_new_leader(cluster, topic, dead):
    def led():
        leaders = [cluster.partition(topic, number).leader for number in range(3)]
        return dead not in leaders and -1 not in leaders

    wait_until(led, 60, f"other leaders than {dead}")


def kill_under_load(cluster, topic, number, load):
    """Kills a broker that leads; what is committed before the others lead waits for them."""
    assert number in [cluster.partition(topic, p).leader for p in range(3)], f"broker {number} leads nothing"
    before = load.changes
    cluster.node(number).kill()
    load.advance(20)
    wait_new_leader(cluster, topic, number)
    print(f"broker {number} died after {before} changes; the others led after {load.changes}")


def judge_all(load, cluster, topic, millrace, function, watch):
    load.stop()
    records = all_records(load, cluster, topic, millrace.registry)
    watch.stop()
    judge(load, record_events(records))
    watch.judge(records)
    wait_until(
        lambda: len({call.id for call in list(function.calls)}) >= load.changes,
        60,
        lambda: f"{load.changes} events, {len({c.id for c in function.calls})} came",
    )
    judge(load, call_events(sorted(function.calls, key=lambda call: call.began)))


def test_leaders_killed_under_load(postgres, cluster, database, start, function, name):
    millrace, topic = start()
    watch = SlotWatch(postgres, f"millrace_{name}").start()
    load = Load(postgres, database.name, pause=0.01).start()
    moments = random.Random(13)
    for _ in range(2):
        load.advance(moments.randrange(50, 300))
        kill_under_load(cluster, topic, cluster.partition(topic).leader, load)
        load.advance(50)
        cluster.start()
        cluster.wait_in_sync(topic, 3)
    judge_all(load, cluster, topic, millrace, function, watch)


def test_a_broker_that_never_comes_back(postgres, cluster, database, start, function, name):
    """Not even for a start that has it first in its list."""
    millrace, topic = start()
    watch = SlotWatch(postgres, f"millrace_{name}").start()
    load = Load(postgres, database.name, pause=0.01).start()
    load.advance(100)
    kill_under_load(cluster, topic, 1, load)
    load.advance(100)
    assert millrace.started[-1].stop() == 0
    load.advance(50)
    millrace.run()
    load.advance(50)
    judge_all(load, cluster, topic, millrace, function, watch)


def replies(database, name):
    """When the server last heard from the connector, and what it has sent and been told is flushed."""
    query = (
        "select r.reply_time, r.sent_lsn - '0/0', s.confirmed_flush_lsn - '0/0' from pg_stat_replication r"
        " join pg_replication_slots s on s.active_pid = r.pid where s.slot_name = %s"
    )
    return database.sql(query, [f"millrace_{name}"])[0]


def is_told(millrace, process, name, topic):
    """Status, /readyz, log and metrics say that the broker refuses records, why, since when, and what waits."""
    # Before that it may be told that Kafka answers and acknowledges nothing: until the leader knows of the loss.
    event = process.wait_event("delivery_stalled", message=f"topic {topic}", timeout=90)
    # What the leader took before it heard of the loss is not refused at first: its request times out after 30 s.
    assert any(why in event["message"] for why in ("NOT_ENOUGH_REPLICAS", "REQUEST_TIMED_OUT")), event
    wait_until(lambda: not millrace.is_ready(), 10, "/readyz says 503")

    def last_error():
        return str(millrace.get("/readyz").json()["connectors"][0]["last_error"])

    wait_until(lambda: "NOT_ENOUGH_REPLICAS" in last_error(), 60, lambda: f"the refusal, have {last_error()}")
    (entry,) = millrace.get("/readyz").json()["connectors"]
    assert entry["state"] == "backing_off" and entry["since"] and entry["error_seconds"] >= 10, entry
    for part in ["NOT_ENOUGH_REPLICAS", f"topic {topic}, partition 0", "record", "the oldest for"]:
        assert part in entry["last_error"], entry
    assert entry["in_flight"] >= 1 and entry["oldest_in_flight_seconds"] > 10, entry
    shown = millrace.command("status", "-c", millrace.folder).stdout
    assert "backing_off" in shown and "NOT_ENOUGH_REPLICAS" in shown and "(since " in shown, shown
    labels = {"connector": name}
    wait_until(lambda: millrace.metric("millrace_connector_state", **labels) == 5, 10, "the metric of the state")
    wait_until(lambda: millrace.metric("millrace_connector_error_seconds", **labels) >= 10, 10, "its age")
    oldest = "millrace_connector_oldest_in_flight_seconds"
    wait_until(lambda: millrace.metric(oldest, **labels) > 10, 10, "the age of the oldest record")
    assert process.find("delivery_resumed") is None


def test_too_few_in_sync_replicas(cluster, database, make_millrace, name):
    """Two replicas, both required, one gone: the broker refuses, which is told, and the slot stands still."""
    topic = f"{name}.public.a"
    database.sql("create table a (id int primary key); create table other (id int)")
    cluster.create_topic(topic, 1, replicas=2, min_insync_replicas=2)
    millrace = make_millrace(cluster)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.a"]})
    process = millrace.run()
    database.sql("insert into a values (1)")
    assert len(read_topic(cluster, topic, count=1)) == 1
    leader, follower = cluster.partition(topic).replicas
    cluster.node(follower).kill()
    try:
        wait_until(lambda: cluster.partition(topic).isrs == [leader], 30, "one in-sync replica")
        database.sql("insert into a values (2)")
        commit = int(database.value("select pg_current_wal_lsn() - '0/0'"))
        wait_until(lambda: "NotEnoughReplicas" in cluster.node(leader).log_tail(), 30, "a refusal by the broker")
        # The next status message, after other tables' changes were sent, confirms nothing of it.
        database.sql("insert into other values (1)")
        written = int(database.value("select pg_current_wal_lsn() - '0/0'"))
        heard = replies(database, name)[0]
        wait_until(
            lambda: (now := replies(database, name)) and now[0] > heard and now[1] >= written,
            60,
            lambda: f"a status message: {replies(database, name)}",
        )
        confirmed = replies(database, name)[2]
        assert confirmed < commit, "confirmed what one replica alone has"
        # The row, and perhaps a state record, if its partition was led by the broker that is gone.
        wait_until(
            lambda: millrace.metric("millrace_connector_in_flight_records", connector=name) >= 1, 30, "in flight"
        )
        assert len(read_topic(cluster, topic)) == 1
        is_told(millrace, process, name, topic)
    finally:
        cluster.start()
    process.wait_event("delivery_resumed", timeout=90)
    wait_until(lambda: millrace.is_ready(), 30, "/readyz")
    stalled = [event for event in process.events if event.get("event") == "delivery_stalled"]
    assert len([event for event in stalled if topic in event["message"]]) == 1, stalled
    wait_until(lambda: replies(database, name)[2] >= commit, 60, "the slot goes on")
    assert [r.key["id"] for r in read_topic(cluster, topic, millrace.registry, count=2)] == [1, 2]
