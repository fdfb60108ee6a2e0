"""
Promise: a table whose topic or schemas are not ready waits; the others go on, nothing of it is confirmed, and its
changes arrive in their order when it is ready, also after a kill.
"""

import pytest
from lib.records import Registry, read_topic
from lib.stub_registry import StubRegistry
from lib.waiting import wait_until


@pytest.fixture
def stub():
    registry = StubRegistry()
    yield registry
    registry.stop()


def keys(kafka, topic, stub, count):
    return [record.key["id"] for record in read_topic(kafka, topic, Registry(stub.url), count=count)]


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
    before = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    database.sql("insert into a values (1)")
    first = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    database.sql("insert into b values (1); insert into a values (2); insert into b values (2)")
    assert keys(kafka, other, stub, 2) == [1, 2]
    wait_until(lambda: millrace.metric("millrace_connector_held_records", connector=name) == 2, 10, "the metric")
    assert before <= database.slot(f"millrace_{name}")[1] < first
    process.kill()
    process = millrace.run(wait=False)
    database.sql("insert into b values (3); update a set id = 3 where id = 2")
    assert keys(kafka, other, stub, 5) == [1, 2, 1, 2, 3]
    wait_until(lambda: not millrace.is_ready(), 20, "not ready")
    wait_until(lambda: "no leader" in (status(millrace)["last_error"] or ""), 20, "the reason")
    assert status(millrace)["state"] == "streaming"
    assert not read_topic(kafka, waiting)
    stub.refused.clear()
    # The key change is a delete, its tombstone and a create.
    assert keys(kafka, waiting, stub, 5) == [1, 2, 2, 2, 3]
    end = database.value("select pg_current_wal_insert_lsn() - '0/0'")
    wait_until(lambda: millrace.is_ready(), 20, "readiness")
    wait_until(lambda: database.slot(f"millrace_{name}")[1] >= end, 30, "the slot going on")
