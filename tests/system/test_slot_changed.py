"""
Promise: a slot that was made again or advanced while the connector was down is not used as if nothing were: it stops
with exit code 78 and says what to type, and that works.
"""

import pytest
from lib.records import read_topic
from lib.waiting import wait_until


@pytest.mark.parametrize("change", ["made again", "advanced"])
def test_changes_that_only_the_old_slot_had(database, kafka, millrace, name, change):
    slot, topic = f"millrace_{name}", f"{name}.public.t"
    database.sql("create table t (id int primary key)")
    millrace.connector(name, database)
    process = millrace.connect(name)
    database.sql("insert into t values (1)")
    assert len(read_topic(kafka, topic, count=1)) == 1
    assert process.stop() == 0
    wait_until(lambda: not database.slot(slot)[0], 10, "the slot is free")
    database.sql("insert into t select generate_series(2, 101)")
    if change == "made again":
        database.drop_slot(slot)
        database.sql(f"select pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    else:
        database.sql(f"select pg_replication_slot_advance('{slot}', pg_current_wal_lsn())")
    process = millrace.connect(name, wait=False)
    assert process.wait_exit() == 78
    failed = process.find("connector_failed")
    assert "made again or advanced" in failed["message"], failed
    drop = f"SELECT pg_drop_replication_slot('{slot}');"
    assert drop in failed["message"] and f"echo 'connector/{name}:' | kcat" in failed["message"]
    assert len(read_topic(kafka, topic)) == 1, "it went on all the same"

    database.sql(drop)
    kafka.produce("millrace.state", [(f"connector/{name}", None, None, -1)])  # the tombstone that it asks for
    millrace.connect(name)
    records = read_topic(kafka, topic, millrace.registry, count=102)
    assert sorted(record.key["id"] for record in records) == [1, *range(1, 102)]


def test_a_late_record_of_a_frozen_copy(database, kafka, millrace, name):
    """What a copy was writing when it froze arrives after the record of its successor: it says nothing of the slot."""
    slot, topic = f"millrace_{name}", f"{name}.public.t"
    key = f"connector/{name}"
    database.sql("create table t (id int primary key)")
    millrace.connector(name, database)
    process = millrace.connect(name)
    database.sql("insert into t values (1)")
    assert len(read_topic(kafka, topic, count=1)) == 1
    assert process.stop() == 0
    written = [r for r in read_topic(kafka, "millrace.state") if r.raw_key == key.encode()]
    process = millrace.connect(name)
    database.sql("insert into t values (2)")
    assert len(read_topic(kafka, topic, count=2)) == 2
    assert process.stop() == 0
    wait_until(lambda: not database.slot(slot)[0], 10, "the slot is free")
    late = written[-1]
    kafka.produce("millrace.state", [(key, late.raw_value, list(late.headers.items()), 0)])
    process = millrace.connect(name)
    database.sql("insert into t values (3)")
    assert len(read_topic(kafka, topic, count=3)) == 3
    assert process.find("connector_failed") is None
