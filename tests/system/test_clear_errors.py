"""
Promise: what is wrong with a server is said clearly, with what to type; and mended without a restart
where it can be.
"""

import signal
import socket
from datetime import datetime

import pytest
from lib import processes
from lib.records import read_topic
from lib.waiting import wait_until


def test_wal_level(private_postgres, make_database, make_millrace, kafka, name):
    server = private_postgres(wal_level="replica")
    database = make_database(server, name)
    database.sql("create table a (id int primary key)")
    millrace = make_millrace(kafka)
    millrace.connector(name, database)
    process = millrace.connect(name, wait=False)
    event = process.wait_event(message="wal_level")
    assert "ALTER SYSTEM SET wal_level" in event["message"] and "restart" in event["message"].lower()


def test_wrong_password(postgres, database, kafka, millrace, name):
    with postgres.connect() as connection:
        connection.execute("drop role if exists locked")
        connection.execute("create role locked login replication superuser password 'right'")
    database.sql("create table a (id int primary key)")
    secret = millrace.write("password", "wrong")
    millrace.connector(name, database.dsn(user="locked"), postgres={"password": {"file": secret}})
    process = millrace.connect(name, wait=False)
    event = process.wait_event(message="password authentication failed")
    assert "locked" in event["message"]
    assert "wrong" not in process.log().replace("wrong password", "")


def test_a_slot_dropped_behind_our_back(postgres, database, kafka, millrace, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    process = millrace.connect(name)
    database.sql("insert into a values (1)")
    read_topic(kafka, f"{name}.public.a", count=1)
    assert process.stop() == 0
    slot = f"millrace_{name}"
    database.drop_slot(slot)
    process = millrace.connect(name, wait=False)
    assert process.wait_exit() == 78
    assert slot in process.log() and "dropped" in process.log()
    assert database.slot(slot) is None, "a new slot would hide that changes are missing"


@pytest.mark.parametrize("how", ["SIGHUP", pytest.param("in a minute", marks=pytest.mark.long)])
def test_what_is_mended_outside_of_the_files_goes_on(database, kafka, millrace, function, name, how):
    """A connector that ended with 78 is tried again while the functions run."""
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    assert millrace.run().stop() == 0
    slot = f"millrace_{name}"
    database.drop_slot(slot)
    process = millrace.run(wait=False)
    process.wait_event("child_failed", component=f"connector/{name}")
    process.wait_event(message="assigned", component=f"function/{name}")
    kafka.produce("millrace.state", [(f"connector/{name}", None, None, -1)])  # the tombstone that it asks for
    if how == "SIGHUP":
        process.popen.send_signal(signal.SIGHUP)
    wait_until(millrace.is_ready, 20 if how == "SIGHUP" else 80, lambda: process.log())
    database.sql("insert into a values (1)")
    function.wait_calls(1)


def test_no_database(postgres, kafka, make_millrace, name):
    millrace = make_millrace(kafka)
    millrace.connector(name, postgres.dsn(f"{name}_missing"))
    process = millrace.connect(name, wait=False)
    process.wait_event(message=f'"{name}_missing" does not exist')


def test_rights_are_missing(postgres, database, kafka, millrace, name):
    """A role that may not create the publication is told which SQL to run; it goes on once that is run."""
    role = f"plain_{name}"
    with postgres.connect() as connection:
        connection.execute(f"create role {role} login replication")
    try:
        database.sql(f"create table a (id int primary key); grant select on a to {role}")
        millrace.connector(name, database.dsn(user=role))
        process = millrace.connect(name, wait=False)
        event = process.wait_event(message="CREATE PUBLICATION")
        assert f"millrace_{name}" in event["message"]
        assert process.find(message="ALTER PUBLICATION") is None, "of one that does not exist"
    finally:
        for started in millrace.started:
            started.kill()
        database.sql(f"drop owned by {role}; drop role {role}")


def test_a_role_that_does_not_own_the_tables(postgres, database, kafka, millrace, name):
    """It makes the publication; the SQL that is left to an owner is about the one that is there then."""
    role = f"maker_{name}"
    database.sql(f"create role {role} login replication")
    try:
        database.sql(f"create table a (id int primary key); grant select on a to {role}")
        database.sql(f'grant create on database "{name}" to {role}')
        millrace.connector(name, database.dsn(user=role))
        process = millrace.connect(name, wait=False)
        event = process.wait_event("tables_missing")
        assert f'ALTER PUBLICATION "millrace_{name}" ADD TABLE ONLY "public"."a";' in event["message"]
        database.sql(event["message"].split("run: ")[1])
        millrace.wait_ready(process)
    finally:
        for started in millrace.started:
            started.kill()
        wait_until(lambda: not database.slot(f"millrace_{name}")[0], 20, "the slot to be free")
        database.drop_slot(f"millrace_{name}")
        database.sql(f"drop owned by {role}; drop role {role}")


def test_an_error_that_repeats_is_one_line_each_half_minute(kafka, millrace, name):
    dsn = f"host=127.0.0.1 port={processes.free_port()} dbname=shop user=millrace"
    millrace.connector(name, dsn)
    process = millrace.connect(name, wait=False)
    wait_until(lambda: lines(process, "connection_lost") >= 6, 60, "attempts")
    found = [event for event in list(process.events) if event["event"] == "connection_lost"]
    warned = [datetime.fromisoformat(event["time"]) for event in found if event["level"] == "warn"]
    assert warned and len(warned) < len(found)
    # However long the attempts took: the rule is of the log's own times, which have milliseconds.
    assert all((later - earlier).total_seconds() > 29.9 for earlier, later in zip(warned, warned[1:]))
    assert lines(process, "state_changed", level="info") == 1, "starting -> connecting"


def lines(process, name, **values):
    found = [event for event in list(process.events) if event["event"] == name]
    return sum(all(event[key] == value for key, value in values.items()) for event in found)


def test_the_slot_of_a_connector_whose_file_is_gone(database, kafka, millrace, name):
    """Nothing but this line would tell that the server keeps its WAL from now on."""
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    process = millrace.run()
    millrace.remove(f"connectors/{name}.yaml")
    event = process.wait_event("slot_stays")
    slot = f"millrace_{name}"
    wait_until(lambda: not database.slot(slot)[0], 20, "the slot to be free")
    database.sql(event["message"].split("drop the slot: ")[1])
    assert database.slot(slot) is None


def test_a_role_without_replication(postgres, database, kafka, millrace, name):
    """The cure can be typed as it is, and the failure is in one line of the log."""
    role = f"norepl_{name}"
    database.sql(f"create role {role} login")
    try:
        millrace.connector(name, database.dsn(user=role))
        process = millrace.connect(name, wait=False)
        assert process.wait_exit() == 78
        event = process.find("connector_failed")
        assert f'run: ALTER ROLE "{role}" REPLICATION;' in event["message"]
        assert f'GRANT CONNECT ON DATABASE "{name}" TO "{role}";' in event["message"]
        assert sum("walsender" in str(line["message"]) for line in process.events) == 1
    finally:
        database.sql(f"drop role {role}")


def test_create_false_says_what_to_run(database, kafka, millrace, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database, slot={"create": False})
    process = millrace.connect(name, wait=False)
    event = process.wait_event(message="CREATE PUBLICATION|pg_create_logical_replication_slot")
    assert f"millrace_{name}" in event["message"]
    assert database.slot(f"millrace_{name}") is None


def test_a_slot_made_by_hand(database, kafka, millrace, name):
    """It comes without the rows that are there: it is refused, and works when none are asked for."""
    slot = f"millrace_{name}"
    database.sql("create table a (id int primary key); insert into a values (1)")
    database.sql(f"create publication {slot} for table a")
    database.sql("select pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
    millrace.connector(name, database, slot={"create": False})
    process = millrace.connect(name, wait=False)
    assert process.wait_exit() == 78
    assert "set snapshot: never" in process.log() and f"pg_drop_replication_slot('{slot}')" in process.log()
    millrace.connector(name, database, slot={"create": False}, snapshot="never")
    millrace.connect(name)
    database.sql("insert into a values (2)")
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=1)
    assert [(record.op, record.key["id"]) for record in records] == [("c", 2)]


def test_unknown_topic_of_a_function(database, kafka, millrace, make_millrace, function, name):
    """The function waits for its topic, says so, and is called once it is there."""
    database.sql("create table a (id int primary key); insert into a values (1)")
    millrace.function(name, f"{name}.public.a", function.url, make_topics=False)
    process = millrace.bridge()
    process.wait_event(message=rf"{name}\.public\.a", component=f"function/{name}")
    assert "topics don't exist yet" in millrace.get("/api/status").json()["functions"][0]["detail"]
    capture = make_millrace(kafka)
    capture.connector(name, database)
    capture.connect(name)
    function.wait_calls(1, timeout=40)


def test_the_broker_is_absent_at_start(private_kafka, database, make_millrace, function, name):
    broker = private_kafka(start=False)
    database.sql("create table a (id int primary key); insert into a values (1)")
    millrace = make_millrace(broker)
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url, make_topics=False)
    process = millrace.run(wait=False)
    process.wait_event(message=broker.bootstrap)
    assert millrace.get("/readyz").status_code == 503
    assert millrace.get("/healthz").status_code == 200

    def has_reason():
        entries = {e["name"]: e for e in millrace.get("/api/status").json()["functions"]}
        return entries[name]["since"] and "Kafka does not answer" in entries[name]["last_error"]

    wait_until(has_reason, 40, "why the function is not ready")
    broker.start()
    function.wait_calls(1, timeout=60)
    millrace.wait_ready(process)


def test_no_kafka_topic_may_be_made_by_surprise(database, kafka, millrace, name):
    """Topics that the connector makes have the configured partitions and settings."""
    database.sql("create table a (id int primary key)")
    topics = {"partitions": 4, "replication": 1, "config": {"retention.ms": 3600000}}
    millrace.connector(name, database, topics=topics)
    millrace.run()
    database.sql("insert into a values (1)")
    read_topic(kafka, f"{name}.public.a", count=1)
    assert kafka.partitions(f"{name}.public.a") == [0, 1, 2, 3]
    assert kafka.topic_config(f"{name}.public.a")["retention.ms"] == "3600000"


def test_a_port_that_is_taken_is_said_with_its_key(database, kafka, millrace, name):
    with socket.create_server(("127.0.0.1", millrace.port)):
        millrace.connector(name, database)
        process = millrace.start("run")
        assert process.wait_exit() == 78
        assert str(millrace.port) in process.log() and "admin.listen" in process.log()
        process = millrace.start("registry", "--listen", f"127.0.0.1:{millrace.port}")
        assert process.wait_exit() == 78
        assert str(millrace.port) in process.log()
        assert "--listen" in process.log() and "admin.listen" not in process.log()
