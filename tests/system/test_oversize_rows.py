"""
Promise: a row that Kafka will not take stops the connector or goes aside with its reason; it never goes
missing.
"""

import json
import re

from lib.records import read_topic
from lib.waiting import wait_until

LIMIT = {"message.max.bytes": "100000"}
BIG = "insert into a values (2, (select string_agg(md5(i::text), '') from generate_series(1, 10000) i))"


def test_the_table_waits_and_the_others_go_on(database, kafka, millrace, name):
    database.sql("create table a (id int primary key, v text); create table b (id int primary key)")
    millrace.settings(kafka=LIMIT)
    millrace.connector(name, database, on_bad_row="stop")
    process = millrace.run()
    database.sql("insert into a values (1, 'small')")
    read_topic(kafka, f"{name}.public.a", count=1)
    confirmed = wait_until(lambda: database.slot(name and f"millrace_{name}"), 10)[1]
    database.sql(BIG)
    end = database.value("select pg_current_wal_lsn() - '0/0'")
    database.sql("insert into a values (3, 'after')")
    database.sql("insert into b values (1)")
    event = process.wait_event("table_waiting")
    assert "public.a" in event["message"] and "message.max.bytes" in event["message"]
    assert "on_bad_row: dead_letter" in event["message"]
    assert read_topic(kafka, f"{name}.public.b", count=1)
    wait_until(lambda: not millrace.is_ready(), 10, "not ready")
    wait_until(lambda: millrace.metric("millrace_connector_waiting_tables", connector=name) == 1, 10, "the metric")
    assert [r.raw_key for r in read_topic(kafka, f"{name}.public.a")][1:] == []
    assert confirmed <= database.slot(f"millrace_{name}")[1] < end
    # What helps, helps.
    millrace.connector(name, database, on_bad_row="dead_letter")
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=2)
    assert [r.key["id"] for r in records][-1] == 3
    wait_until(lambda: database.slot(f"millrace_{name}")[1] >= end, 30, "the slot going on")


def test_tables_that_appear_while_one_waits_are_read(database, kafka, millrace, name):
    """The second one, too: that the rows of the first were read is recorded only when the waiting table goes on."""
    database.sql("create table a (id int primary key, v text)")
    millrace.settings(kafka=LIMIT)
    millrace.connector(name, database, on_bad_row="stop", snapshot="never")
    process = millrace.run()
    database.sql(BIG)
    process.wait_event("table_waiting")
    for table in ("one", "two", "three"):
        database.transaction(
            f"create table {table} (id int primary key)", f"insert into {table} select generate_series(1, 10)"
        )
        records = read_topic(kafka, f"{name}.public.{table}", millrace.registry, count=10)
        assert [record.op for record in records] == ["r"] * 10, table
    assert millrace.metric("millrace_connector_waiting_tables", connector=name) == 1


def test_a_row_just_under_the_limit(database, kafka, millrace, name):
    """
    Byte by byte around the limit, uncompressed, to a topic with the same limit as ours, so
    that the broker judges too: each row is published or goes aside, none stops the connector.
    """
    rows = 450
    limit = 20000
    database.sql("create table a (id int primary key, v text)")
    millrace.settings(kafka={"message.max.bytes": str(limit), "compression.type": "none"})
    kafka.create_topic(f"{name}.public.a", max_message_bytes=limit)
    millrace.connector(name, database, on_bad_row="dead_letter")
    process = millrace.run()
    database.sql(
        "insert into a select i, repeat('x', %d + i) from generate_series(1, %d) i" % (limit - 550, rows)
    )
    database.sql("insert into a values (0, 'after')")
    after = wait_until(
        lambda: [r for r in read_topic(kafka, f"{name}.public.a", millrace.registry) if r.key["id"] == 0], 30
    )
    assert after
    published = {r.key["id"] for r in read_topic(kafka, f"{name}.public.a", millrace.registry)} - {0}
    aside = {r.raw_key for r in read_topic(kafka, f"millrace.dlq.connector.{name}")}
    assert len(published) + len(aside) == rows and published and aside
    assert process.find("connector_failed") is None and process.find("connection_lost") is None
    settings = kafka.topic_config(f"millrace.dlq.connector.{name}")
    assert settings["retention.ms"] == "-1"


def test_dead_letter(database, kafka, millrace, name):
    database.sql("create table a (id int primary key, v text)")
    millrace.settings(kafka=LIMIT)
    millrace.connector(name, database, on_bad_row="dead_letter")
    millrace.run()
    database.sql("insert into a values (1, 'small')")
    database.sql(BIG)
    database.sql("insert into a values (3, 'after')")
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=2)
    assert [r.key["id"] for r in records] == [1, 3]
    (dead,) = read_topic(kafka, f"millrace.dlq.connector.{name}", count=1)
    assert dead.headers["millrace.dlq.reason"] == "oversize"
    assert dead.headers["millrace.dlq.topic"] == f"{name}.public.a"
    check_place(dead, 2, "v")
    assert dead.raw_key is not None


def check_place(dead, key, column):
    """Table, key, column and LSN lead to the row."""
    assert dead.headers["millrace.dlq.table"] == "public.a"
    assert json.loads(dead.headers["millrace.dlq.key"]) == {"id": key}
    assert dead.headers["millrace.dlq.column"] == column
    assert re.fullmatch(r"[0-9A-F]+/[0-9A-F]+", dead.headers["millrace.dlq.lsn"])


def test_a_raised_limit_lets_large_rows_through(database, kafka, millrace, name):
    """Larger than the producer's queue is by default."""
    database.sql("create table a (id int primary key, v text)")
    millrace.settings(kafka={"message.max.bytes": "10485760"})
    millrace.connector(name, database, topics={"config": {"max.message.bytes": "10485760"}})
    millrace.run()
    database.sql("insert into a values (1, 'small')")
    database.sql(
        "insert into a values (2, (select string_agg(md5(i::text), '') from generate_series(1, 180000) i))"
    )
    database.sql("insert into a values (3, 'after')")
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=3)
    assert [(r.key["id"], len(r.value["after"]["v"])) for r in records] == [(1, 5), (2, 5760000), (3, 5)]


def test_a_value_without_avro_form(database, kafka, millrace, name):
    """What is said helps: the row is in the WAL, whatever becomes of it in the table."""
    database.sql("create table a (id int primary key, v numeric not null); alter table a replica identity full")
    millrace.connector(name, database)
    process = millrace.run()
    database.sql("insert into a values (1, 'NaN')")
    database.sql("update a set v = 2")
    event = process.wait_event(message=r"public\.a can't be published")
    place = r'\(key {"id":1}, LSN [0-9A-F]+/[0-9A-F]+, event [0-9a-f-]+\): public\.a column v: '
    assert re.search(place, event["message"])
    assert "the WAL keeps it" in event["message"] and "on_bad_row: dead_letter" in event["message"]
    millrace.connector(name, database, on_bad_row="dead_letter")
    (dead,) = read_topic(kafka, f"millrace.dlq.connector.{name}", count=1)
    assert dead.headers["millrace.dlq.reason"] == "undecodable"
    check_place(dead, 1, "v")
    (updated,) = read_topic(kafka, f"{name}.public.a", millrace.registry, count=1)
    assert (updated.op, updated.value["before"], updated.row["id"]) == ("u", None, 1)
