"""
Promise: rows of an outbox table become the events that Debezium's outbox event router makes of them; a function can
consume such a topic; rows are deleted only after Kafka has their events, also when the connector is killed.
"""

import json
import os
import signal

from confluent_kafka.admin import NewPartitions

from lib.records import read_topic
from lib.waiting import wait_until

TABLE = (
    "create table outbox (id uuid primary key default gen_random_uuid(), aggregatetype text not null,"
    " aggregateid text, type text, payload {0}, at timestamptz default '2026-01-02 03:04Z')"
)
INSERT = "insert into outbox (id, aggregatetype, aggregateid, type, payload) values "


def identity(number):
    return f"00000000-0000-0000-0000-{number:012d}"


def test_rows_become_events_and_updates_and_deletes_do_not(database, kafka, millrace, function, name):
    database.sql(TABLE.format("jsonb") + "; create table other (id int primary key)")
    database.sql(INSERT + f"""('{identity(1)}', '{name}', 'a', 'Made', '{{"total": 1}}')""")
    millrace.connector(
        name,
        database,
        outbox={"table": "public.outbox", "headers": {"type": "eventType", "at": "at"}, "tombstone_on_empty": True},
    )
    millrace.function("events", f"outbox.event.{name}", function.url, payload="row", make_topics=True)
    process = millrace.run()
    database.transaction(
        INSERT + f"""('{identity(2)}', '{name}', 'a', 'Paid', '{{"total": 2.50}}'),
        ('{identity(3)}', '{name}', 'b', null, null), ('{identity(4)}', '{name} x', null, 'Odd', '"text"')""",
        "update outbox set type = 'Changed'",
        "delete from outbox",
        "insert into other values (1)",
    )
    read_topic(kafka, f"{name}.public.other", millrace.registry, count=1)
    events = read_topic(kafka, f"outbox.event.{name}", count=3)
    by_id = {event.headers["id"]: event for event in events}
    assert len(events) == 3 and sorted(by_id) == [identity(1), identity(2), identity(3)]
    made, paid, gone = (by_id[identity(i)] for i in (1, 2, 3))
    assert (made.raw_key, json.loads(made.raw_value), made.headers["eventType"]) == (b"a", {"total": 1}, "Made")
    assert paid.raw_value == b'{"total": 2.50}' and paid.headers["at"] == "2026-01-02T03:04:00.000000Z"
    assert (gone.raw_key, gone.raw_value) == (b"b", None)
    (odd,) = read_topic(kafka, f"outbox.event.{name}_x", count=1)
    assert (odd.raw_key, odd.raw_value) == (None, b'"text"')
    assert process.find("outbox_updated") is not None
    bodies = [call.json for call in function.wait_calls(2)]
    assert {"total": 1} in bodies or {"total": 1} in [body.get("row") for body in bodies], bodies
    assert f"{name}.public.outbox" not in kafka.topics()
    assert not [s for s in millrace.registry.subjects() if s.startswith(f"{name}.public.outbox")]


def test_an_event_has_the_time_and_the_partition_that_its_row_names(database, kafka, millrace, name):
    kafka.create_topic(f"{name}.events", partitions=3)
    database.sql(TABLE.format("text").replace(", at ", ", part int, made timestamp, at "))
    outbox = {"table": "public.outbox", "topic": f"{name}.events", "partition": "part"}
    millrace.connector(name, database, outbox={**outbox, "timestamp": "at"})
    process = millrace.run()
    insert = INSERT.replace("payload)", "payload, part, made)")
    made = "'2026-01-02 03:04:05.678901'"
    database.sql(
        insert + f"('{identity(1)}', 't', 'k', 'T', 'x', 2, {made}), ('{identity(2)}', 't', 'k', 'T', 'x', 0, null)"
    )
    events = {event.headers["id"]: event for event in read_topic(kafka, f"{name}.events", count=2)}
    assert [events[identity(number)].partition for number in (1, 2)] == [2, 0]
    assert {event.timestamp for event in events.values()} == {1767323040000}
    assert process.stop() == 0
    millrace.connector(name, database, outbox={**outbox, "timestamp": "made"})
    process = millrace.run()
    database.sql(
        insert + f"('{identity(3)}', 't', 'k', 'T', 'x', null, {made}), ('{identity(4)}', 't', 'k', 'T', 'x', 1, null)"
    )
    read_topic(kafka, f"{name}.events", count=4)
    events = {event.headers["id"]: event for event in read_topic(kafka, f"{name}.events")}
    assert events[identity(3)].timestamp == 1767323045678 and events[identity(4)].timestamp > 1767400000000
    assert events[identity(4)].partition == 1


def test_a_row_chooses_no_topic_of_ours_and_none_of_a_table(database, kafka, millrace, name):
    """Its event in millrace.schemas would be a schema for every consumer, in a table's topic a broken record."""
    database.sql(TABLE.format("text") + "; create table other (id int primary key)")
    outbox = {"table": "public.outbox", "topic": "{aggregatetype}"}
    transactions = {"topic": True}
    millrace.connector(name, database, outbox=outbox, transactions=transactions, on_bad_row="dead_letter")
    process = millrace.run()
    database.sql("insert into other values (1)")
    read_topic(kafka, f"{name}.public.other", millrace.registry, count=1)
    mine = ["millrace.schemas", "millrace.state", "__consumer_offsets", f"{name}.transaction", f"{name}.public.other"]
    bad = [*mine, "..", "x" * 250]
    for number, topic in enumerate(bad):
        database.sql(INSERT + f"('{identity(number)}', '{topic}', 'k', 'T', 'x')")
    database.sql(INSERT + f"('{identity(99)}', '{name}.events', 'k', 'T', 'x'); insert into other values (2)")
    (event,) = read_topic(kafka, f"{name}.events", count=1)
    assert event.headers["id"] == identity(99)
    dead = read_topic(kafka, f"millrace.dlq.connector.{name}", count=len(bad))
    assert [json.loads(letter.raw_value)["aggregatetype"] for letter in dead] == bad
    assert {letter.headers["millrace.dlq.reason"] for letter in dead} == {"undecodable"}
    read_topic(kafka, f"{name}.public.other", millrace.registry, count=2)
    for topic in mine:
        assert not [record for record in read_topic(kafka, topic) if record.headers and "id" in record.headers], topic
    assert process.find("connector_failed") is None and process.find("connection_lost") is None


def test_a_partition_that_the_topic_does_not_have_is_a_bad_row(database, kafka, millrace, name):
    kafka.create_topic(f"{name}.events", partitions=3)
    database.sql(TABLE.format("text").replace(", at ", ", part int, at ") + "; create table other (id int primary key)")
    outbox = {"table": "public.outbox", "topic": f"{name}.events", "partition": "part"}
    millrace.connector(name, database, outbox=outbox, on_bad_row="dead_letter")
    process = millrace.run()
    insert = INSERT.replace("payload)", "payload, part)")
    database.sql(insert + f"('{identity(1)}', 't', 'k', 'T', 'x', 3), ('{identity(2)}', 't', 'k', 'T', 'x', 2)")
    (event,) = read_topic(kafka, f"{name}.events", count=1)
    assert (event.headers["id"], event.partition) == (identity(2), 2)
    (dead,) = read_topic(kafka, f"millrace.dlq.connector.{name}", count=1)
    assert json.loads(dead.raw_value)["id"] == identity(1)
    assert "part of a row of public.outbox is 3" in dead.headers["millrace.dlq.message"]
    assert process.find("connection_lost") is None and process.find("stream_restarts") is None
    # Partitions that are added while it runs count at once.
    kafka.admin.create_partitions([NewPartitions(f"{name}.events", 5)])[f"{name}.events"].result(30)
    database.sql(insert + f"('{identity(3)}', 't', 'k', 'T', 'x', 4); insert into other values (1)")
    events = {event.headers["id"]: event for event in read_topic(kafka, f"{name}.events", count=2)}
    assert events[identity(3)].partition == 4
    # With on_bad_row: stop the outbox waits alone.
    assert process.stop() == 0
    millrace.connector(name, database, outbox=outbox)
    process = millrace.run()
    database.sql(insert + f"('{identity(4)}', 't', 'k', 'T', 'x', 9); insert into other values (2)")
    process.wait_event("table_waiting", message="has 5 partitions")
    read_topic(kafka, f"{name}.public.other", millrace.registry, count=2)


def test_a_time_that_the_topic_does_not_take_is_a_bad_row(database, kafka, millrace, name):
    """The broker would refuse it with all records of its batch, and end the connector."""
    limits = {"message.timestamp.after.max.ms": "3600000", "message.timestamp.before.max.ms": "86400000"}
    kafka.create_topic(f"{name}.events", partitions=1, **limits)
    database.sql(TABLE.format("text").replace("default '2026-01-02 03:04Z'", ""))
    insert = INSERT.replace("payload)", "payload, at)")
    rows = ["now() + interval '2 hours'", "now()", "now() - interval '2 days'", "now() - interval '2 hours'"]
    for number, at in enumerate(rows[:2]):  # of the snapshot
        database.sql(insert + f"('{identity(number)}', 't', 'k', 'T', 'x', {at})")
    outbox = {"table": "public.outbox", "topic": f"{name}.events", "timestamp": "at"}
    millrace.connector(name, database, outbox=outbox, on_bad_row="dead_letter")
    process = millrace.run()
    for number, at in enumerate(rows[2:]):
        database.sql(insert + f"('{identity(2 + number)}', 't', 'k', 'T', 'x', {at})")
    events = read_topic(kafka, f"{name}.events", count=2)
    assert {event.headers["id"] for event in events} == {identity(1), identity(3)}
    dead = read_topic(kafka, f"millrace.dlq.connector.{name}", count=2)
    assert {json.loads(letter.raw_value)["id"] for letter in dead} == {identity(0), identity(2)}
    assert "message.timestamp.after.max.ms" in dead[0].headers["millrace.dlq.message"]
    assert process.find("connector_failed") is None and process.find("connection_lost") is None


def test_bytes_an_envelope_and_a_stop_at_an_update(database, kafka, millrace, name):
    database.sql(TABLE.format("bytea"))
    millrace.connector(
        name, database, outbox={"table": "public.outbox", "topic": f"{name}.all", "on_update": "stop"}
    )
    process = millrace.run()
    database.sql(INSERT + f"('{identity(1)}', 't', 'k', 'T', '\\x00ff')")
    assert read_topic(kafka, f"{name}.all", count=1)[0].raw_value == b"\x00\xff"
    database.sql("update outbox set type = 'U'")
    process.wait_event("connector_failed", message="was updated, which is no event", kind="config")
    process.stop()
    database.sql("drop table outbox; " + TABLE.format("json"))
    millrace.connector(
        name,
        database,
        outbox={"table": "public.outbox", "topic": f"{name}.enveloped", "envelope": {"type": "eventType"}},
    )
    millrace.run()
    database.sql(INSERT + f"""('{identity(2)}', 't', 'k', 'T', '{{"a": [1]}}')""")
    # The first event may come again, as the connector stopped before it confirmed it.
    wait_until(lambda: identity(2) in str(read_topic(kafka, f"{name}.enveloped", count=1)), 30, "the event")
    event = read_topic(kafka, f"{name}.enveloped")[-1]
    assert json.loads(event.raw_value) == {"payload": {"a": [1]}, "eventType": "T"}


def test_rows_are_deleted_only_when_kafka_has_their_events(database, kafka, millrace, name):
    database.sql(TABLE.format("text"))
    database.sql(INSERT + f"('{identity(0)}', 't', 'k', 'T', 'before')")
    outbox = {"table": "public.outbox", "topic": f"{name}.events", "delete_after_capture": True}
    millrace.connector(name, database, outbox=outbox)
    process = millrace.run()
    written = 1
    for _ in range(3):
        for i in range(20):
            database.sql(INSERT + f"('{identity(written + i)}', 't', 'k', 'T', 'x')")
        written += 20
        process.kill()
        process = millrace.run()
    wait_until(lambda: database.value("select count(*) from outbox") == 0, 60, "an empty outbox")
    events = read_topic(kafka, f"{name}.events", count=written)
    assert {event.headers["id"] for event in events} == {identity(i) for i in range(written)}
    assert process.find("outbox_deleted") is not None
    assert process.find("outbox_updated") is None and all(event.raw_value for event in events)


def test_a_row_whose_event_kafka_does_not_have_stays(database, private_kafka, make_millrace, name):
    broker = private_kafka()
    millrace = make_millrace(broker)
    database.sql(TABLE.format("text"))
    database.sql(INSERT + f"('{identity(0)}', 't', 'k', 'T', 'before')")
    outbox = {"table": "public.outbox", "topic": f"{name}.events", "delete_after_capture": True}
    millrace.connector(name, database, outbox=outbox)
    process = millrace.run()
    wait_until(lambda: database.value("select count(*) from outbox") == 0, 60, "an empty outbox")
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        database.sql(INSERT + f"('{identity(1)}', 't', 'k', 'T', 'unpublished')")
        # The sweep takes a step each second, before or after the query for new tables, of which we see five.
        probes = set()
        probe = (
            "select max(query_start) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()"
            " and (query like '%%pg_inherits%%' or query like '%%pg_publication_tables%%')"
        )
        wait_until(lambda: probes.add(database.value(probe, [name])) or len(probes) > 5, 60, "five probes")
        assert database.value("select count(*) from outbox") == 1
        process.kill()
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    millrace.run()
    wait_until(lambda: database.value("select count(*) from outbox") == 0, 60, "an empty outbox")
    events = read_topic(broker, f"{name}.events", count=2)
    assert {event.headers["id"] for event in events} == {identity(0), identity(1)}
