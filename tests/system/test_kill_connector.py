"""
Promise: `kill -9` of the connector at any moment loses nothing, keeps order per key, confirms nothing
early.
"""

import os
import random
import signal

import pytest
from lib import processes
from lib.load import TABLES, Load, SlotWatch, judge, record_events
from lib.records import read_topic
from lib.waiting import wait_until
from test_reconnect import all_records

pytestmark = pytest.mark.sanitized


def test_killed_at_random_moments(postgres, database, kafka, millrace, name):
    database.sql(TABLES)
    topic = f"{name}.public.items"
    kafka.create_topic(topic, 3)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    process = millrace.connect(name)
    watch = SlotWatch(postgres, f"millrace_{name}", kafka, topic).start()
    load = Load(postgres, database.name).start()
    moments = random.Random(7)
    for round in range(6):
        load.advance(moments.randrange(20, 400))
        if round % 3 == 2:
            process.stop()  # leaves the slot further on, for the next rounds to begin there
        else:
            process.kill()
        process = millrace.connect(name, wait=moments.random() < 0.7)
    load.stop()
    millrace.wait_ready(process)
    records = all_records(load, kafka, topic, millrace.registry)
    watch.stop()
    judge(load, record_events(records))
    watch.judge(records)


def test_the_supervisor_restarts_it(database, kafka, millrace, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    process = millrace.run()
    children = processes.children(process.pid)
    assert children, "run has no child processes"
    for child in children:
        os.kill(child, signal.SIGKILL)
    database.sql("insert into a values (1)")
    assert read_topic(kafka, f"{name}.public.a", count=1)
    millrace.wait_ready(process)
    assert process.stop() == 0


def test_sigterm_drains(postgres, database, kafka, millrace, name):
    """Everything committed before the signal that was read is on Kafka and confirmed; the exit code is 0."""
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    process = millrace.connect(name)
    database.sql("insert into a select generate_series(1, 20000)")
    assert process.stop() == 0
    wait_until(lambda: not database.slot(f"millrace_{name}")[0], 10, "an idle slot")
    millrace.connect(name)
    records = read_topic(kafka, f"{name}.public.a", count=20000)
    assert len({record.raw_key for record in records}) == 20000
