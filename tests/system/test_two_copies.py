"""
Promise: of two copies of a connector one works and the other waits, from the first start on; whatever happens to
the one, the other loses nothing and keeps order per key.
"""

import os
import signal

import pytest
from lib.load import TABLES, Load, judge, record_events
from lib.records import end_offsets, read_topic
from lib.waiting import wait_until
from test_reconnect import all_records

ROWS = 60_000


@pytest.fixture
def copies(database, kafka, make_millrace, name):
    """Two folders with the same connector, as on two machines."""
    database.sql(TABLES)
    kafka.create_topic(f"{name}.public.items", 3)
    made = [make_millrace(kafka) for _ in range(2)]
    for millrace in made:
        millrace.connector(name, database, tables={"include": ["public.items"]})
    return made


def wait_confirmed(database, slot):
    """Until all that is committed by now is confirmed, and so on Kafka."""
    target = int(database.value("select pg_current_wal_lsn() - '0/0'"))
    wait_until(lambda: database.slot(slot)[1] >= target, 60, f"slot {slot} at {target:x}", 0.2)


@pytest.mark.parametrize("second", ["at once", "meanwhile"])
def test_the_one_that_snapshots_is_killed(postgres, database, kafka, copies, name, second):
    """A lock holds the snapshot after its first table: all its rows are on Kafka, and it is not done."""
    topic = f"{name}.public.items"
    database.sql(f"insert into items select i, 0, repeat('x', 300) from generate_series(1000, {999 + ROWS}) i")
    database.sql("create table zz_last (id int primary key)")
    for copy in copies:
        copy.connector(name, database, tables={"include": ["public.items", "public.zz_last"]})
    load = Load(postgres, database.name).start()
    load.advance(50)
    started = [copy.connect(name, wait=False) for copy in (copies if second == "at once" else copies[:1])]
    first = wait_until(lambda: next((p for p in started if p.find("snapshot_started")), None), 30, "a snapshot")
    with postgres.connect(database.name) as holder, holder.transaction():
        holder.execute("lock table zz_last in access exclusive mode")
        first.wait_event("table_snapshotted", message=r"public\.items")
        database.sql("update items set version = 1 where id >= 1000 and id % 100 = 0")
        database.sql("delete from items where id >= 1000 and id % 70 = 1")
        wait_until(lambda: sum(end_offsets(kafka, topic).values()) >= ROWS, 60, "the rows on Kafka")
        if second == "meanwhile":
            os.kill(first.pid, signal.SIGSTOP)
            started.append(copies[1].connect(name, wait=False))
        other = started[1 - started.index(first)]
        other.wait_event("state_changed", to="waiting_for_slot")
        assert other.find("snapshot_started") is None, "both read the rows at once"
        first.kill()
        assert first.find("snapshot_done") is None, "the lock came too late to hold the snapshot"
    load.advance(200)
    load.stop()
    survivor = copies[started.index(other)]
    survivor.wait_ready(other)
    wait_confirmed(database, f"millrace_{name}")
    registry, last = survivor.registry, {}
    for record in read_topic(kafka, topic):
        last[record.raw_key] = record
    found = {}
    for record in last.values():
        registry.decode(record)
        if record.value is not None:
            found[record.key["id"]] = record.row["version"]
    in_database = dict(database.sql("select id, version from items"))
    wrong = {key: found.get(key) for key, version in in_database.items() if found.get(key) != version}
    assert not wrong, f"{len(wrong)} keys end in another row than the database has: {list(wrong.items())[:5]}"
    ghosts = found.keys() - in_database.keys()
    assert not ghosts, f"{len(ghosts)} keys are on Kafka for ever and not in the database: {list(ghosts)[:5]}"


@pytest.mark.slow
def test_the_one_that_streams_freezes(postgres, database, kafka, copies, name):
    """The server ends the session of a process that stands still, and the other one goes on."""
    first = copies[0].connect(name)
    other = copies[1].connect(name, wait=False)
    other.wait_event("state_changed", to="waiting_for_slot")
    load = Load(postgres, database.name).start()
    load.advance(200)
    os.kill(first.pid, signal.SIGSTOP)
    copies[1].wait_ready(other, timeout=30)
    load.advance(100)
    load.stop()
    judge(load, record_events(all_records(load, kafka, f"{name}.public.items", copies[1].registry)))
