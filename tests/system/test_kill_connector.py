"""
Promise: `kill -9` of the connector at any moment loses nothing, keeps order per key, confirms nothing
early.
"""

import json
import os
import random
import signal

import pytest
from lib import processes
from lib.load import TABLES, WATCHED, Load, SlotWatch, judge, record_events
from lib.records import read_topic
from lib.waiting import wait_until
from test_reconnect import all_records

pytestmark = pytest.mark.sanitized


def test_killed_at_random_moments(postgres, database, kafka, millrace, name):
    database.sql(TABLES)
    topic = f"{name}.public.items"
    kafka.create_topic(topic, 3, **WATCHED)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    process = millrace.connect(name)
    watch = SlotWatch(postgres, f"millrace_{name}").start()
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


def test_sigterm_drains(postgres, private_kafka, database, make_millrace, name):
    """
    What was read when the signal came is acknowledged, the state record has its position, and the slot is
    confirmed up to it, before the exit with 0. The broker stands still meanwhile, so that all of it is still to
    come when the signal does.
    """
    database.sql("create table a (id int primary key)")
    broker = private_kafka()
    millrace = make_millrace(broker)
    millrace.connector(name, database)
    process = millrace.connect(name)
    slot = f"millrace_{name}"
    topic = f"{name}.public.a"
    database.sql("insert into a values (0)")
    read_topic(broker, topic, count=1)
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        database.sql("insert into a select generate_series(1, 2000)")
        committed = int(database.value("select pg_current_wal_lsn() - '0/0'"))
        in_flight = lambda: millrace.metric("millrace_connector_in_flight_records", connector=name)  # noqa: E731
        wait_until(lambda: in_flight() >= 2000, 30, "2000 records on their way")
        process.popen.send_signal(signal.SIGTERM)
        process.wait_event("state_changed", to="draining")
        assert database.slot(slot)[1] < committed
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    assert process.wait_exit() == 0
    assert process.find("drain_cut_short") is None
    wait_until(lambda: not database.slot(slot)[0], 10, "an idle slot")
    assert database.slot(slot)[1] >= committed
    assert len({record.raw_key for record in read_topic(broker, topic, count=2001)}) == 2001
    positions = [
        json.loads(record.raw_value).get("position")  # none before the slot is made
        for record in read_topic(broker, "millrace.state")
        if record.raw_key == f"connector/{name}".encode()
    ]
    high, low = positions[-1].split("/")
    assert (int(high, 16) << 32 | int(low, 16)) >= database.slot(slot)[1]
