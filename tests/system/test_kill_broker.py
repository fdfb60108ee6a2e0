"""Promise: `kill -9` of the broker under load loses nothing on either side, and confirms nothing meanwhile."""

import random

import pytest
from lib.load import TABLES, WATCHED, Load, SlotWatch, call_events, judge, record_events
from lib.waiting import wait_until
from test_reconnect import all_records

pytestmark = pytest.mark.slow


def wait_status(database, name):
    """Until the connector has told the server its position, in a session that reads the changes made by now."""
    query = (
        "select r.reply_time from pg_stat_replication r join pg_replication_slots s on s.active_pid = r.pid"
        " where s.slot_name = %s and r.sent_lsn - '0/0' >= %s and r.reply_time > %s"
    )
    since = database.sql("select pg_current_wal_lsn() - '0/0', clock_timestamp()")[0]
    wait_until(lambda: database.sql(query, [f"millrace_{name}", *since]), 60, "a status message")


def test_killed_under_load(postgres, private_kafka, database, make_millrace, function, name):
    database.sql(TABLES)
    broker = private_kafka()
    topic = f"{name}.public.items"
    broker.create_topic(topic, 3, **WATCHED)
    millrace = make_millrace(broker)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    millrace.function(name, topic, function.url)
    process = millrace.run()
    watch = SlotWatch(postgres, f"millrace_{name}").start()
    load = Load(postgres, database.name, pause=0.01).start()
    moments = random.Random(3)
    for _ in range(2):
        load.advance(moments.randrange(100, 500))
        broker.kill()
        load.advance(100)
        wait_status(database, name)
        broker.start()
    load.advance(100)
    load.stop()
    records = all_records(load, broker, topic, millrace.registry)
    watch.stop()
    judge(load, record_events(records))
    watch.judge(records)
    wait_until(
        lambda: len({call.id for call in list(function.calls)}) >= load.changes,
        60,
        lambda: f"{load.changes} events, {len({c.id for c in function.calls})} came",
    )
    judge(load, call_events(sorted(function.calls, key=lambda call: call.began)))
    assert process.popen.poll() is None
