"""Promise: `kill -9` of the broker under load loses nothing on either side."""

import random

import pytest
from lib.load import TABLES, Load, SlotWatch, call_events, judge, record_events
from lib.waiting import wait_until
from test_reconnect import all_records

pytestmark = pytest.mark.slow


def test_killed_under_load(postgres, private_kafka, database, make_millrace, function, name):
    database.sql(TABLES)
    broker = private_kafka()
    topic = f"{name}.public.items"
    broker.create_topic(topic, 3)
    millrace = make_millrace(broker)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    millrace.function(name, topic, function.url)
    process = millrace.run()
    watch = SlotWatch(postgres, f"millrace_{name}", broker, topic).start()
    load = Load(postgres, database.name, pause=0.01).start()
    moments = random.Random(3)
    for _ in range(2):
        load.advance(moments.randrange(100, 500))
        broker.kill()
        load.advance(100)
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
