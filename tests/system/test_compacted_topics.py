"""
Promise: Kafka refuses records without key for a topic that is compacted. A TRUNCATE leaves no record there and is
counted, a table without key waits and is named, and all else goes on.
"""

from lib.records import read_topic
from lib.waiting import wait_until

SKIPPED = "millrace_connector_skipped_records_total"


def wait_created(kafka, millrace, topic, ids):
    """Some may come twice: the first refusal begins a new session."""
    read = lambda: read_topic(kafka, topic, millrace.registry, count=1)  # noqa: E731
    wait_until(lambda: {r.row["id"] for r in read() if r.op == "c"} == ids, 30, f"{ids} in {topic}")
    return [r.op for r in read()]


def test_no_record_of_a_truncate(database, kafka, millrace, name):
    database.sql("create table a (id int primary key); create table b (id int primary key)")
    kafka.create_topic(f"{name}.public.a", cleanup_policy="compact")
    millrace.connector(name, database, snapshot="never", truncate=True)
    process = millrace.run()
    database.sql("insert into a values (1); insert into b values (1)")
    database.sql("truncate a, b")
    database.sql("insert into a values (2); insert into b values (2)")
    database.sql("truncate a")
    database.sql("insert into a values (3); insert into b values (3)")
    assert "t" in wait_created(kafka, millrace, f"{name}.public.b", {1, 2, 3})
    assert "t" not in wait_created(kafka, millrace, f"{name}.public.a", {1, 2, 3})
    assert millrace.metric(SKIPPED, connector=name, kind="truncate") >= 2
    assert f"{name}.public.a is compacted" in process.wait_event("truncate_skipped")["message"]
    end = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    wait_until(lambda: database.slot(f"millrace_{name}")[1] >= end, 30, "the slot going on")


def test_a_table_without_key_waits_alone(database, kafka, millrace, name):
    database.sql("create table a (v int); alter table a replica identity full; create table b (id int primary key)")
    kafka.create_topic(f"{name}.public.a", cleanup_policy="compact")
    millrace.connector(name, database, snapshot="never")
    process = millrace.run()
    database.sql("insert into a values (1); insert into b values (1); insert into b values (2)")
    said = process.wait_event("table_waiting", table=f"{name}.public.a")["message"]
    assert "is compacted" in said and "primary key" in said
    assert read_topic(kafka, f"{name}.public.b", count=2)
    assert not read_topic(kafka, f"{name}.public.a")
