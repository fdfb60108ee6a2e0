"""
Promise: besides rows the connector publishes what Debezium's does: TRUNCATE, logical messages, the BEGIN and END of
transactions with counts, and heartbeats, each with Debezium's schema, and equal whenever they are published again.
"""

import base64
import json
import os

import pytest
from lib.records import read_topic
from lib.waiting import wait_until

SAMPLES = os.path.join(os.path.dirname(__file__), "..", "golden", "envelope")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FIRST = """create table a (id int primary key, v int); create table b (id int primary key, v int);
create table t1 (id int primary key); create table t2 (id int primary key references t1);
create table beats (id int primary key, n int); insert into beats values (1, 0);
create table w (id int primary key, n numeric(5, 2) not null)"""


class Captured:
    """One connector with all of it on; what it wrote is read once for each topic."""

    def __init__(self, kafka, millrace, database, prefix):
        self.kafka = kafka
        self.registry = millrace.registry
        self.millrace = millrace
        self.database = database
        self.prefix = prefix

    def read(self, topic, count=0):
        return read_topic(self.kafka, f"{self.prefix}.{topic}", self.registry, count=count)


def emit(database, prefix, content, transactional=True):
    database.sql("select pg_logical_emit_message(%s, %s, %s::bytea)", [transactional, prefix, content])


def transact(database, *statements):
    with database.connection.transaction():
        xid = database.sql("select txid_current()")[0][0] % (1 << 32)
        for statement in statements:
            if callable(statement):
                statement()
            else:
                database.sql(statement)
    return xid


@pytest.fixture
def captured(kafka, millrace, database, name):
    database.sql(FIRST)
    millrace.connector(
        name, database, snapshot="never", truncate=True, tables={"exclude": ["public.beats"]},
        messages={"include": ["app.*", "mill*", "trace*"], "exclude": ["app.secret*"]},
        transactions={"topic": True}, heartbeat={"interval": "1s", "action_query": "update beats set n = n + 1"},
    )  # fmt: skip
    made = Captured(kafka, millrace, database, name)
    made.process = millrace.run()
    return made


def test_truncate(captured):
    database = captured.database
    transact(database, "insert into t1 values (1)", "truncate t1 cascade", "insert into t1 values (2)")
    created, truncated, again = captured.read("public.t1", 3)
    assert (created.op, truncated.op, again.op) == ("c", "t", "c")
    assert truncated.raw_key is None
    assert (truncated.value["before"], truncated.value["after"]) == (None, None)
    assert truncated.value["source"]["table"] == "t1"
    (other,) = captured.read("public.t2", 1)  # CASCADE
    assert (other.op, other.raw_key) == ("t", None)
    ids = [int(record.id[17:], 16) for record in (created, truncated, other, again)]
    assert sorted(ids) == [0, 1, 2, 3] and ids[0] == 0 and ids[3] == 3
    assert {record.id[:16] for record in (created, truncated, other, again)} == {created.id[:16]}
    assert other.value["transaction"]["data_collection_order"] == 1


def test_messages(captured):
    database = captured.database
    transact(
        database,
        lambda: emit(database, "traceparent", TRACE),
        "insert into a values (1, 1)",
        lambda: emit(database, "app.inside", b"\x00\xff"),
        lambda: emit(database, "app.secret.key", b"no"),
        lambda: emit(database, "other", b"no"),
        lambda: emit(database, "millrace.mine", b"no"),
        "insert into a values (2, 2)",
    )
    emit(database, "app.outside", b"", transactional=False)
    emit(database, "millrace.mine", b"no", transactional=False)
    database.sql("insert into a values (3, 3)")
    rows = captured.read("public.a", 3)
    inside, outside = captured.read("message", 2)
    assert (inside.key, outside.key) == ({"prefix": "app.inside"}, {"prefix": "app.outside"})
    assert inside.value["message"] == {"prefix": "app.inside", "content": b"\x00\xff"} or inside.value["message"][
        "content"
    ] == {"base64": base64.b64encode(b"\x00\xff").decode()}
    assert (inside.op, inside.value["source"]["schema"], inside.value["source"]["table"]) == ("m", "", "")
    assert inside.id == f"{rows[0].id[:17]}00000001" and rows[1].id == f"{rows[0].id[:17]}00000002"
    assert inside.headers["traceparent"] == TRACE
    assert inside.value["transaction"]["total_order"] == 2
    source = outside.value["source"]
    assert (source["txId"], outside.value["transaction"]) == (None, None)
    # Debezium takes such a message's own position for that of the last commit.
    assert json.loads(source["sequence"]) == [str(source["lsn"])] * 2
    assert rows[0].id < outside.id < rows[2].id
    check_schemas(captured, inside, "message.json")


def test_transactions(captured):
    database = captured.database
    xid = transact(
        database,
        "insert into a values (1, 1), (2, 2)",
        "insert into b values (1, 1)",
        "update a set id = 3 where id = 2",
        lambda: emit(database, "app.x", b"x"),
    )
    database.sql("create table ignored_by_all (x int)")
    later = transact(database, "delete from b")
    begin, end, begin2, end2 = captured.read("transaction", 4)
    rows, others = captured.read("public.a", 5), captured.read("public.b", 3)
    lsn = int(begin.id.split("-")[0], 16)
    assert begin.key == end.key == {"id": f"{xid}:{lsn}"}
    assert begin.value == {"status": "BEGIN", "id": f"{xid}:{lsn}", "event_count": None, "data_collections": None,
                           "ts_ms": rows[0].value["source"]["ts_ms"]}  # fmt: skip
    assert (end.value["status"], end.value["id"], end.value["event_count"]) == ("END", f"{xid}:{lsn}", 6)
    assert counts(end) == {"public.a": 4, "public.b": 1, "LOGICAL_DECODING_MESSAGE": 1}
    events = [row for row in rows if row.value] + others[:1]
    blocks = sorted((row.value["transaction"] for row in events), key=lambda block: block["total_order"])
    assert [block["total_order"] for block in blocks] == [1, 2, 3, 4, 5]
    assert {block["id"] for block in blocks} == {f"{xid}:{lsn}"}
    of_a = [row.value["transaction"]["data_collection_order"] for row in rows if row.value]
    assert of_a == [1, 2, 3, 4]
    assert (begin2.value["id"].split(":")[0], counts(end2)) == (str(later), {"public.b": 1})
    assert (begin.id, end.id) == (f"{lsn:016x}-begin", f"{lsn:016x}-end")
    check_schemas(captured, end, "transaction-END.json")


def counts(record):
    return {each["data_collection"]: each["event_count"] for each in record.value["data_collections"]}


def check_schemas(captured, record, sample):
    """Byte for byte those of a record that Debezium wrote."""
    with open(os.path.join(SAMPLES, sample), encoding="utf-8") as file:
        theirs = json.load(file)
    for part, number in ("key", record.key_schema), ("value", record.value_schema):
        with open(os.path.join(SAMPLES, f"schema-{theirs[part]['schema_id']}.json"), encoding="utf-8") as file:
            assert captured.registry.text(number) == json.dumps(json.load(file), separators=(",", ":")), part


def test_heartbeats(captured):
    topic = f"__debezium-heartbeat.{captured.prefix}"
    one, two, *_ = read_topic(captured.kafka, topic, captured.registry, count=2)
    assert one.key == {"serverName": captured.prefix}
    assert list(one.value) == ["ts_ms"] and two.value["ts_ms"] > one.value["ts_ms"]
    assert one.id is None
    wait_until(lambda: captured.database.sql("select n from beats")[0][0] > 0, 10, "the action has run")


def test_published_again_they_are_equal(captured):
    """A table that waits at a bad row keeps the position: a new start publishes all that came after it again."""
    database, millrace = captured.database, captured.millrace
    transact(
        database, "insert into w values (1, 'NaN')", "insert into a values (1, 1)", "insert into w values (2, 2)",
        lambda: emit(database, "app.x", b"1"), "truncate t1, t2, w",
    )  # fmt: skip
    emit(database, "app.y", b"2", transactional=False)
    topics = {"transaction": 2, "message": 2, "public.a": 1, "public.t1": 1, "public.t2": 1}
    first = {topic: captured.read(topic, count) for topic, count in topics.items()}
    assert counts(first["transaction"][1]) == {
        "public.w": 3, "public.a": 1, "LOGICAL_DECODING_MESSAGE": 1, "public.t1": 1, "public.t2": 1
    }  # fmt: skip
    captured.process.stop()
    millrace.run(wait=False)
    for topic, count in topics.items():
        both = captured.read(topic, 2 * count)
        assert [stable(record) for record in both[:count]] == [stable(record) for record in both[count:]], topic


def stable(record):
    """All but the connector's clock, and that of a message outside of transactions, which has no commit time."""
    value = {key: each for key, each in record.value.items() if not key.startswith("ts_") or "status" in record.value}
    if value.get("op") == "m" and value["source"]["txId"] is None:
        value["source"] = {key: each for key, each in value["source"].items() if not key.startswith("ts_")}
    return record.id, record.raw_key, value


def test_functions_are_called_with_truncates_and_messages_that_they_ask_for(captured, function, kafka):
    prefix, database, millrace = captured.prefix, captured.database, captured.millrace
    kinds = "cloudevents-structured", "row", "debezium", "lambda-kafka", "dynamodb-stream"
    for topic in "message", "public.t1":
        kafka.create_topic(f"{prefix}.{topic}")
    for kind in kinds:
        millrace.function(
            kind, [f"{prefix}.message", f"{prefix}.public.t1"], f"{function.url}/{kind}",
            source={"operations": ["truncate", "message"]}, payload=kind,
        )  # fmt: skip
    millrace.function("rows", [f"{prefix}.message", f"{prefix}.public.t1"], f"{function.url}/rows")
    captured.process.stop()
    millrace.run()
    transact(database, "insert into t1 values (1)", "truncate t1 cascade", lambda: emit(database, "app.x", b"hi"))
    wait_until(lambda: len(function.calls) >= 2 * len(kinds) + 1, 40, lambda: [c.path for c in function.calls])
    bodies = {path: [c.json for c in function.calls if c.path == f"/{path}"] for path in (*kinds, "rows")}
    assert [len(each) for each in bodies.values()] == [2] * len(kinds) + [1]
    events = {event["type"]: event for event in bodies["cloudevents-structured"]}
    assert set(events) == {"millrace.change.truncate", "millrace.change.message"}
    data = events["millrace.change.message"]["data"]
    assert (data["op"], data["before"]) == ("m", None)
    assert data["after"] == {"prefix": "app.x", "content": base64.b64encode(b"hi").decode()}
    truncated = events["millrace.change.truncate"]["data"]
    assert (truncated["op"], truncated["before"], truncated["after"]) == ("t", None, None)


def test_tombstones_off_and_the_publication_of_the_user(kafka, millrace, database, name):
    database.sql(
        "create table a (id int primary key);"
        f"create publication millrace_{name.replace('-', '_')} for table a with (publish = 'insert, delete')"
    )
    millrace.connector(
        name, database, snapshot="never", tombstones=False, truncate=True, operations=["create", "delete"]
    )  # fmt: skip
    millrace.run()
    assert wait_until(lambda: published(database, name) == (True, False, True, True), 10, "truncate is published")
    database.sql("insert into a values (1), (2)")
    database.sql("delete from a where id = 1")
    database.sql("truncate a")
    assert [record.op for record in read_topic(kafka, f"{name}.public.a", millrace.registry, count=4)] == list("ccdt")


def published(database, name):
    (row,) = database.sql(
        "select pubinsert, pubupdate, pubdelete, pubtruncate from pg_publication where pubname = %s",
        [f"millrace_{name.replace('-', '_')}"],
    )
    return tuple(row)


def test_origin_none_needs_a_server_that_has_it(millrace, database, name):
    database.sql("create table a (id int primary key)")
    version = int(database.sql("show server_version_num")[0][0]) // 10000
    millrace.connector(name, database, origin="none")
    process = millrace.connect(name, wait=False)
    if version >= 16:
        wait_until(millrace.is_ready, 30, "it streams")
    else:
        assert process.wait_exit() == 78
        assert f"origin: none needs PostgreSQL 16 or newer, and the server has {version}" in process.log()
