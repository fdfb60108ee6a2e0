"""
Promise: a row that Kafka will not take stops the connector or goes aside with its reason; it never goes
missing.
"""

from lib.records import read_topic
from lib.waiting import wait_until

LIMIT = {"message.max.bytes": "100000"}
BIG = "insert into a values (2, (select string_agg(md5(i::text), '') from generate_series(1, 10000) i))"


def test_stop(database, kafka, millrace, name):
    database.sql("create table a (id int primary key, v text)")
    millrace.settings(kafka=LIMIT)
    millrace.connector(name, database, on_bad_row="stop")
    process = millrace.run()
    database.sql("insert into a values (1, 'small')")
    read_topic(kafka, f"{name}.public.a", count=1)
    confirmed = wait_until(lambda: database.slot(name and f"millrace_{name}"), 10)[1]
    database.sql(BIG)
    database.sql("insert into a values (3, 'after')")
    event = process.wait_event(message=r"message\.max\.bytes")
    assert "public.a" in event["message"]
    wait_until(lambda: not millrace.is_ready(), 10, "not ready")
    assert [r.raw_key for r in read_topic(kafka, f"{name}.public.a")][1:] == []
    end = database.value("select pg_current_wal_lsn() - '0/0'")
    assert confirmed <= database.slot(f"millrace_{name}")[1] < end


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
    (dead,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert dead.headers["millrace.dlq.reason"] == "oversize"
    assert dead.headers["millrace.dlq.topic"] == f"{name}.public.a"
    assert dead.raw_key is not None


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
    assert "the WAL keeps it" in event["message"] and "on_bad_row: dead_letter" in event["message"]
    millrace.connector(name, database, on_bad_row="dead_letter")
    (dead,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert dead.headers["millrace.dlq.reason"] == "undecodable"
    (updated,) = read_topic(kafka, f"{name}.public.a", millrace.registry, count=1)
    assert (updated.op, updated.value["before"], updated.row["id"]) == ("u", None, 1)
