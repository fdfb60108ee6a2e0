"""
Promise: a table whose topic or schemas are not ready waits; the others go on, nothing of it is confirmed, and its
changes arrive in their order when it is ready, also after a kill.
"""

import pytest
from lib.records import Registry, read_topic
from lib.waiting import wait_until


def status(millrace):
    return millrace.get("/api/status").json()["connectors"][0]


def test_one_table_waits_for_the_registry(database, kafka, make_millrace, name, stub):
    millrace = make_millrace(kafka)
    millrace.settings(registry={"url": stub.url})
    waiting, other = f"{name}.public.a", f"{name}.public.b"
    stub.refused[f"{waiting}-value"] = (503, {"error_code": 50302, "message": "no leader"})
    database.sql("create table a (id int primary key); create table b (id int primary key)")
    millrace.connector(name, database, snapshot="never")
    process = millrace.run()
    database.sql("insert into a values (1)")
    first = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    database.sql("insert into b values (1); insert into a values (2); insert into b values (2)")
    assert stub.keys(kafka, other, 2) == [1, 2]
    wait_until(lambda: millrace.metric("millrace_connector_held_records", connector=name) == 2, 10, "the metric")
    assert database.slot(f"millrace_{name}")[1] < first
    process.kill()
    process = millrace.run(wait=False)
    database.sql("insert into b values (3); update a set id = 3 where id = 2")
    assert stub.keys(kafka, other, 5) == [1, 2, 1, 2, 3]
    wait_until(lambda: not millrace.is_ready(), 20, "not ready")
    wait_until(lambda: "no leader" in (status(millrace)["last_error"] or ""), 20, "the reason")
    assert status(millrace)["state"] == "streaming"
    assert not read_topic(kafka, waiting)
    stub.refused.clear()
    # The key change is a delete, its tombstone and a create.
    assert stub.keys(kafka, waiting, 5) == [1, 2, 2, 2, 3]
    end = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    wait_until(lambda: millrace.is_ready(), 20, "readiness")
    wait_until(lambda: database.slot(f"millrace_{name}")[1] >= end, 30, "the slot going on")


def refuse(stub, subject):
    """As Confluent's registry does for a field that BACKWARD compatibility forbids."""
    message = (
        'Schema being registered is incompatible with an earlier schema for subject "{0}", details: [{{errorType:'
        "'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'w' at path '/fields/0/type/1/fields/2' in the"
        " new schema has no default value and is missing in the old schema'}}]"
    )
    stub.refused[subject] = (409, {"error_code": 409, "message": message.format(subject)})


def test_an_incompatible_change_stops_its_table_alone(database, kafka, make_millrace, name, stub):
    millrace = make_millrace(kafka)
    millrace.settings(registry={"url": stub.url})
    topic, other = f"{name}.public.a", f"{name}.public.b"
    database.sql("create table a (id int primary key); create table b (id int primary key)")
    millrace.connector(name, database, snapshot="never")
    process = millrace.run()
    database.sql("insert into a values (1)")
    assert stub.keys(kafka, topic, 1) == [1]
    refuse(stub, f"{topic}-value")
    database.sql("alter table a add w int not null default 3; insert into a values (2)")
    end = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    database.sql("insert into b values (1); insert into a values (3); insert into b values (2)")
    assert stub.keys(kafka, other, 2) == [1, 2]
    event = process.wait_event("table_waiting")
    assert "The field 'w'" in event["message"] and topic in event["message"], event
    assert "on_incompatible: fork" in event["message"]
    wait_until(lambda: not millrace.is_ready(), 20, "not ready")
    assert "The field 'w'" in status(millrace)["last_error"]
    assert millrace.metric("millrace_connector_waiting_tables", connector=name) == 1
    assert stub.keys(kafka, topic, 1) == [1]
    assert database.slot(f"millrace_{name}")[1] < end
    # What helps, helps.
    millrace.connector(name, database, snapshot="never", on_incompatible="fork")
    assert stub.keys(kafka, f"{topic}.v2", 2) == [2, 3]
    assert stub.subjects[f"{topic}.v2-value"] and stub.subjects[f"{topic}.v2-key"]
    assert stub.keys(kafka, topic, 1) == [1]
    wait_until(lambda: millrace.is_ready(), 20, "readiness")
    # The same after a restart: no third topic, no other schema.
    known = dict(stub.subjects)
    process = millrace.started[-1]
    assert process.stop() == 0
    process = millrace.run()
    database.sql("insert into a values (4)")
    assert stub.keys(kafka, f"{topic}.v2", 3) == [2, 3, 4]
    assert stub.subjects == known


def test_a_table_whose_topic_has_too_long_a_name_is_left_out_alone(database, kafka, millrace, name):
    """Kafka allows 249 characters."""
    long = "t" * 60
    schema = "s" * 60
    prefix = name + "p" * (249 - len(name) - 100)
    database.sql(f"create schema {schema}; create table {schema}.{long} (id int primary key)")
    database.sql("create table b (id int primary key)")
    millrace.connector(name, database, topic_prefix=prefix, tables={"include": ["public.*", f"{schema}.*"]})
    process = millrace.run()
    database.sql(f"insert into {schema}.{long} values (1); insert into b values (1)")
    assert len(read_topic(kafka, f"{prefix}.public.b", count=1)) == 1
    event = process.wait_event("table_without_topic", table=f"{schema}.{long}")
    assert "1 to 249 characters" in event["message"] and "routes" in event["message"]


def test_a_topic_that_can_not_be_made_stops_its_table_alone(database, kafka, millrace, name):
    """The cluster has one broker."""
    database.sql("create table a (id int primary key); create table b (id int primary key)")
    topic = f"{name}.public.a"
    groups = [{"match": topic, "replication": 3}]
    millrace.connector(name, database, snapshot="never", topics={"groups": groups})
    process = millrace.run()
    database.sql("insert into a values (1); insert into b values (1)")
    assert len(read_topic(kafka, f"{name}.public.b", count=1)) == 1
    assert "replication factor" in process.wait_event("topic_not_ready", topic=topic)["message"]
    database.sql("insert into b values (2)")
    assert len(read_topic(kafka, f"{name}.public.b", count=2)) == 2
    wait_until(lambda: not millrace.is_ready(), 20, "not ready")
    assert process.stop() == 0
    millrace.connector(name, database, snapshot="never")
    millrace.run()
    assert len(read_topic(kafka, topic, count=1)) == 1


@pytest.mark.parametrize("is_late", [False, True])
def test_a_schema_that_is_refused_in_the_first_snapshot_stops_its_table_alone(
    database, kafka, make_millrace, name, stub, is_late
):
    """Also when the registry answers only once rows are held."""
    millrace = make_millrace(kafka)
    millrace.settings(registry={"url": stub.url})
    topics = {table: f"{name}.public.{table}" for table in "abc"}
    for table in topics:
        database.sql(f"create table {table} (id int primary key); insert into {table} select generate_series(1, 3)")
    subject = f"{topics['b']}-value"
    stub.refused[subject] = (503, {"error_code": 50302, "message": "no leader"})
    if not is_late:
        refuse(stub, subject)
    millrace.connector(name, database)
    process = millrace.run(wait=False)

    def seen(table):
        return {record.key["id"] for record in read_topic(kafka, topics[table], Registry(stub.url))}

    def wait_for(table, *ids):
        wait_until(lambda: set(ids) <= seen(table), 30, lambda: f"rows of {table}: {seen(table)}\n{process.log()}")

    wait_for("a", 1, 2, 3)
    wait_for("c", 1, 2, 3)
    if is_late:
        wait_until(lambda: millrace.metric("millrace_connector_held_records", connector=name) == 3, 20, "held rows")
        refuse(stub, subject)
    assert topics["b"] in process.wait_event("table_waiting")["message"]
    database.sql("insert into a values (4); delete from b where id = 3; insert into b values (4)")
    wait_for("a", 4)
    begin = database.slot(f"millrace_{name}")[1]
    for phase in "in the first session", "in the one after a kill":
        print("killed", phase, process.find("table_waiting"))
        process.kill()
        database.sql("insert into c values (5)" if phase.endswith("session") else "insert into b values (5)")
        process = millrace.run(wait=False)
        process.wait_event("table_waiting")
        wait_for("c", 1, 2, 3, 5)
    assert not millrace.is_ready()
    assert not read_topic(kafka, topics["b"])
    assert database.slot(f"millrace_{name}")[1] == begin
    stub.refused.clear()
    assert process.stop() == 0
    process = millrace.run()
    wait_for("b", 1, 2, 4, 5)
    database.sql("insert into b values (6)")
    wait_for("b", 6)
    end = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    wait_until(lambda: database.slot(f"millrace_{name}")[1] >= end, 30, "the slot going on")
    # The snapshot has ended: it is not read again.
    assert process.stop() == 0
    count = len(read_topic(kafka, topics["a"]))
    process = millrace.run()
    database.sql("insert into a values (6)")
    wait_for("a", 6)
    assert len(read_topic(kafka, topics["a"])) == count + 1
