"""
Promise: a function gets CloudEvents, batches of them, or plain rows, with the configured headers and
token.
"""

import json
import re
from datetime import datetime
from urllib.parse import unquote

import pytest
from lib.records import read_topic
from lib.waiting import wait_until

TABLE = "create table orders (id int primary key, total numeric(10,2), doc jsonb, at timestamptz, big bigint)"
INSERT = """insert into orders values (1, 12.50, '{"a": [1]}', '2026-01-02 03:04:05+00', 9007199254740993)"""


@pytest.fixture
def shop(database, millrace, name):
    database.sql(TABLE)
    millrace.connector(name, database)
    return database


def test_cloudevents(shop, kafka, millrace, function, name):
    millrace.function(name, f"{name}.public.orders", function.url + "/order")
    millrace.run()
    shop.sql(INSERT)
    call = function.wait_calls(1)[0]
    assert (call.method, call.path) == ("POST", "/order")
    headers = call.headers
    assert headers["ce-specversion"] == "1.0"
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{8}", headers["ce-id"])
    assert headers["ce-source"] == f"/millrace/{name}"
    assert headers["ce-type"] == "millrace.change.create"
    assert headers["ce-subject"] == "public.orders"
    assert headers["ce-sequence"] == headers["ce-id"]
    assert unquote(headers["ce-partitionkey"]) == '{"id":1}'
    assert headers["content-type"].startswith("application/json")
    datetime.fromisoformat(headers["ce-time"].replace("Z", "+00:00"))
    assert headers["ce-time"].endswith("Z")
    data = call.json
    assert list(data) == ["op", "before", "after", "source"]
    assert (data["op"], data["before"]) == ("c", None)
    assert data["after"]["total"] == "12.50"
    assert data["after"]["doc"] == {"a": [1]}
    assert data["after"]["at"].startswith("2026-01-02T03:04:05") and data["after"]["at"].endswith("Z")
    assert data["after"]["big"] == 9007199254740993
    assert b"9007199254740993" in call.body
    assert (data["source"]["schema"], data["source"]["table"]) == ("public", "orders")


def test_a_name_that_needs_escaping_is_escaped_for_its_header(database, millrace, function, name):
    database.sql('create table "a""b\\c é" (id int primary key)')
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a*", function.url)
    millrace.run()
    database.sql('insert into "a""b\\c é" values (1)')
    call = function.wait_calls(1)[0]
    assert call.headers["ce-subject"] == "public.a%22b\\c%20%C3%A9"
    assert call.json["source"]["table"] == 'a"b\\c é'


def test_all_operations_and_no_call_for_tombstones(shop, kafka, millrace, function, name):
    shop.sql("insert into orders (id) values (0)")
    millrace.function(name, f"{name}.public.orders", function.url)
    millrace.run()
    shop.sql("insert into orders (id) values (1)")
    shop.sql("update orders set total = 1 where id = 1")
    shop.sql("delete from orders where id = 1")
    shop.sql("insert into orders (id) values (2)")
    calls = function.wait_calls(5)
    types = [(call.headers["ce-type"].rsplit(".", 1)[1], call.key["id"]) for call in calls]
    assert sorted(types) == sorted([("read", 0), ("create", 1), ("update", 1), ("delete", 1), ("create", 2)])
    assert [kind for kind, key in types if key == 1] == ["create", "update", "delete"]
    # The tombstone is settled without a call: the committed offset passes it.
    topic = f"{name}.public.orders"
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 6}, 20, "offset 6 committed")
    assert len(function.calls) == 5


def test_only_the_wanted_operations(shop, millrace, function, name):
    millrace.function(name, f"{name}.public.orders", function.url, source={"operations": ["update"]})
    millrace.run()
    shop.sql("insert into orders (id) values (1)")
    shop.sql("update orders set total = 1 where id = 1")
    shop.sql("delete from orders where id = 1")
    shop.sql("insert into orders (id) values (2)")
    shop.sql("update orders set total = 1 where id = 2")
    calls = function.wait_calls(2)
    assert [call.json["op"] for call in calls] == ["u", "u"]


def test_headers_and_bearer_token(shop, millrace, function, name):
    secret = millrace.write("token", "s3cret-token\n")
    millrace.function(
        name,
        f"{name}.public.orders",
        function.url,
        headers={"X-Shop": "one", "X-Other": "two"},
        auth={"bearer": {"file": secret}},
    )
    process = millrace.run()
    shop.sql(INSERT)
    call = function.wait_calls(1)[0]
    assert call.headers["authorization"] == "Bearer s3cret-token"
    assert (call.headers["x-shop"], call.headers["x-other"]) == ("one", "two")
    assert "s3cret" not in process.log(10000)


def test_structured_cloudevents(shop, millrace, function, name):
    millrace.function(name, f"{name}.public.orders", function.url, payload="cloudevents-structured")
    millrace.run()
    shop.sql(INSERT)
    call = function.wait_calls(1)[0]
    assert call.headers["content-type"].startswith("application/cloudevents+json")
    event = call.json
    assert event["type"] == "millrace.change.create" and event["data"]["after"]["id"] == 1
    assert event["partitionkey"] == '{"id":1}'


def test_batches_of_cloudevents(shop, millrace, function, name):
    millrace.function(
        name,
        f"{name}.public.orders",
        function.url,
        payload="cloudevents-batch",
        delivery={"batch": {"events": 50, "window": "300ms"}},
    )
    millrace.run()
    shop.sql("insert into orders (id) select generate_series(1, 500)")
    calls = function.wait_calls(10)
    assert all(
        call.headers["content-type"].startswith("application/cloudevents-batch+json") for call in calls
    )
    events = [event for call in calls for event in call.json]
    assert sorted(event["data"]["after"]["id"] for event in events) == list(range(1, 501))
    assert len({event["id"] for event in events}) == 500
    assert max(len(call.json) for call in calls) == 50


def test_batches_of_rows(shop, millrace, function, name):
    """Each row brings its operation, its table and its id: a delete is none of nulls."""
    shop.sql("create table parcels (id int primary key, weight int)")
    topics = [f"{name}.public.orders", f"{name}.public.parcels"]
    batch = {"batch": {"events": 100, "window": "200ms"}}
    millrace.function(name, topics, function.url, payload="row", delivery=batch)
    millrace.run()
    shop.sql("insert into orders (id) select generate_series(1, 100)")
    shop.sql("insert into parcels values (1, 7)")
    shop.sql("delete from parcels where id = 1")
    wanted = 102
    wait_until(lambda: sum(len(call.json) for call in list(function.calls)) >= wanted, 30, "all rows")
    rows = [row for call in function.calls for row in call.json]
    assert {tuple(row) for row in rows} == {("op", "table", "id", "row")}
    orders = [row for row in rows if row["table"] == "public.orders"]
    assert sorted(row["row"]["id"] for row in orders) == list(range(1, 101))
    assert {row["op"] for row in orders} == {"c"} and len({row["id"] for row in rows}) == wanted
    assert set(orders[0]["row"]) == {"id", "total", "doc", "at", "big"}
    parcels = [(row["op"], row["row"]) for row in rows if row["table"] == "public.parcels"]
    assert parcels[0] == ("c", {"id": 1, "weight": 7})
    assert parcels[1][0] == "d" and parcels[1][1]["id"] == 1


def test_a_single_row_says_what_it_is_in_headers(shop, millrace, function, name):
    millrace.function(name, f"{name}.public.orders", function.url, payload="row")
    millrace.run()
    shop.sql("insert into orders (id) values (1)")
    shop.sql("delete from orders where id = 1")
    calls = function.wait_calls(2)
    said = [(call.headers["millrace-operation"], call.headers["millrace-table"]) for call in calls]
    assert said == [("create", "public.orders"), ("delete", "public.orders")]
    assert len({call.headers["millrace-id"] for call in calls}) == 2


def test_a_batch_is_bounded_by_bytes_and_by_time(shop, millrace, function, name):
    millrace.function(
        name,
        f"{name}.public.orders",
        function.url,
        payload="cloudevents-batch",
        delivery={"batch": {"events": 10000, "bytes": "20KiB", "window": "100ms"}},
    )
    millrace.run()
    shop.sql("insert into orders (id) select generate_series(1, 300)")
    calls = function.wait_calls(2)
    assert all(len(call.body) <= 20 * 1024 for call in calls)
    longest = max(len(json.dumps(event)) for event in calls[0].json)
    assert max(len(call.body) for call in calls) > 20 * 1024 - longest, "one more event would fit"
    wait_until(lambda: sum(len(c.json) for c in list(function.calls)) == 300, 10, "all in time")


def test_start_latest_skips_what_was_there(shop, kafka, millrace, function, name):
    process = millrace.run()
    shop.sql("insert into orders (id) values (1)")
    read_topic(kafka, f"{name}.public.orders", count=1)
    assert process.stop() == 0
    millrace.function(name, f"{name}.public.orders", function.url, source={"start": "latest"})
    millrace.run()
    shop.sql("insert into orders (id) values (2)")
    calls = function.wait_calls(1)
    assert [call.key["id"] for call in calls] == [2]


def test_topics_by_glob(database, kafka, millrace, function, name):
    database.sql("create table a (id int primary key); create table b (id int primary key)")
    millrace.connector(name, database)
    kafka.create_topic(f"{name}.public.a")
    millrace.function(name, f"{name}.public.*", function.url)
    millrace.run()
    database.sql("insert into a values (1); insert into b values (2)")
    calls = function.wait_calls(2)
    assert {call.headers["ce-subject"] for call in calls} == {"public.a", "public.b"}
