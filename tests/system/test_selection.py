"""
Promise: only the selected columns, rows and operations become records, in the snapshot as in the stream, with the keys
and topics that the configuration names; what the server can't select is said at the start.
"""

import hashlib
import json

from lib.records import read_topic


def test_columns_rows_keys_operations_and_topics(database, kafka, millrace, name):
    database.sql(
        "create table orders (id int primary key, status text not null, note text, card text);"
        "alter table orders replica identity full;"
        "create table people (id int primary key, name text, email text, card text);"
        "create table log_1 (id int primary key, v text); create table log_2 (id int primary key, v text);"
        "create table visits (id int primary key, customer_id int not null);"
        "alter table visits replica identity full;"
        "insert into orders values (1, 'draft', 'a', 'c'), (2, 'paid', 'b', 'c');"
        "insert into people values (1, 'Ann', 'a@x', 'c')"
    )
    millrace.connector(
        name,
        database,
        columns={
            "include": ["public.[!p]*.*", "/public\\.PEOPLE\\.n\\w{3}/"],
            "exclude": ["/public.orders.stat/", "public.orders.card"],
        },
        rows={"public.orders": "status <> 'draft'"},
        keys={"public.visits": ["customer_id"]},
        routes=[{"match": "public.log_*", "topic": "{prefix}.logs"}],
        operations=["create", "update"],
    )
    process = millrace.run()
    database.sql(
        "insert into orders values (3, 'draft', 'a', 'c'), (4, 'paid', 'a', 'c');"
        "update orders set status = 'paid' where id = 1;"
        "update orders set status = 'draft' where id = 2;"
        "update orders set note = 'n' where id = 4;"
        "insert into people values (2, 'Bob', 'b@x', 'd'); update people set email = 'z' where id = 2;"
        "delete from people where id = 2;"
        "insert into log_1 values (1, 'one'); insert into log_2 values (1, 'two');"
        "insert into visits values (10, 7)"
    )
    records = read_topic(kafka, f"{name}.public.orders", millrace.registry, count=4)
    found = [(record.op, record.row["id"], record.row["status"]) for record in records]
    # The update that leaves the filter is a delete for the server, which `operations` leaves out.
    assert found == [("r", 2, "paid"), ("c", 4, "paid"), ("c", 1, "paid"), ("u", 4, "paid")], found
    assert list(records[0].row) == ["id", "status", "note"]
    people = read_topic(kafka, f"{name}.public.people", millrace.registry, count=3)
    assert [(record.op, record.row) for record in people] == [
        ("r", {"id": 1, "name": "Ann"}),
        ("c", {"id": 2, "name": "Bob"}),
        ("u", {"id": 2, "name": "Bob"}),
    ]
    published = "select attnames::text[] from pg_publication_tables where tablename = 'people'"
    assert database.value(published) == ["id", "name"], "the publication sends other columns"
    logs = read_topic(kafka, f"{name}.logs", millrace.registry, count=2)
    assert sorted((record.value["source"]["table"], record.row["v"]) for record in logs) == [
        ("log_1", "one"),
        ("log_2", "two"),
    ]
    visit = read_topic(kafka, f"{name}.public.visits", millrace.registry, count=1)[0]
    assert visit.key == {"customer_id": 7}
    assert process.find("table_changed") is None


def test_masked_values_leave_the_connector_nowhere(database, kafka, millrace, name):
    database.sql(
        "create table people (email text default 'd@x' primary key, phone int, note text not null default 'hunter',"
        " price numeric not null, changed timestamptz);"
        "alter table people replica identity full;"
        "insert into people values ('a@x', 48151623, 'long hunter', 1, '2026-01-02 03:04Z')"
    )
    millrace.write("salt", "pepper")
    millrace.connector(
        name,
        database,
        columns={
            "mask": {"public.people.phone": "***"},
            "truncate": {"public.people.note": 4},
            "hash": {"columns": ["public.people.email", "public.people.changed"], "salt": {"file": "../salt"}},
        },
        on_bad_row="dead_letter",
    )
    process = millrace.run()
    database.sql("update people set note = 'other hunter'; update people set price = 'NaN'; delete from people")
    hashed = hashlib.sha256(b"peppera@x").hexdigest()
    records = read_topic(kafka, f"{name}.public.people", millrace.registry, count=4)
    assert [record.op for record in records] == ["r", "u", "d", None]
    assert all(record.key == {"email": hashed} for record in records)
    for record in records[:3]:
        for row in filter(None, (record.value["before"], record.value["after"])):
            assert row["email"] == hashed and row["phone"] in ("***", None) and row["note"] in ("long", "othe", "")
            assert row["changed"] is None or len(row["changed"]) == 64
    assert [record.value["after"]["note"] for record in records[:2]] == ["long", "othe"]
    schema = json.dumps(millrace.registry.schema(records[0].value_schema))
    assert '{"masked": "true"}' in schema and '{"truncateLength": "4"}' in schema
    letter = read_topic(kafka, f"millrace.dlq.connector.{name}", count=1)[0]
    assert json.loads(letter.raw_value)["phone"] == "***"
    seen = schema + process.log(10000) + str(letter) + str(records)
    for secret in ("a@x", "d@x", "48151623", "hunter", "pepper"):
        assert secret not in seen, secret


def test_a_filter_that_changes_is_set_in_the_publication_and_its_table_read(database, kafka, millrace, name):
    database.sql(
        "create table orders (id int, status text, primary key (id, status));"
        "insert into orders values (1, 'draft'), (2, 'paid'), (3, 'sent')"
    )
    config = {"rows": {"public.orders": "status = 'paid'"}}
    millrace.connector(name, database, **config)
    process = millrace.run()
    topic = f"{name}.public.orders"
    assert read_topic(kafka, topic, millrace.registry, count=1)[0].row["id"] == 2
    assert process.stop() == 0
    millrace.connector(name, database, rows={"public.orders": "status <> 'draft'"})
    process = millrace.run()
    process.wait_event("table_snapshotted")
    database.sql("insert into orders values (4, 'sent'), (5, 'draft')")
    rows = [record.row["id"] for record in read_topic(kafka, topic, millrace.registry, count=4)]
    assert rows[0] == 2 and sorted(rows[1:3]) == [2, 3] and rows[3:] == [4], rows
    assert process.stop() == 0
    millrace.connector(name, database)
    millrace.run().wait_event("table_snapshotted")
    database.sql("insert into orders values (6, 'draft')")
    rows = [record.row["id"] for record in read_topic(kafka, topic, millrace.registry, count=10)]
    assert {1, 5, 6} <= set(rows), rows
    assert database.value("select rowfilter from pg_publication_tables where tablename = 'orders'") is None


def test_a_table_whose_topic_is_taken_waits_alone_until_it_has_another(database, kafka, millrace, name):
    database.sql("create table orders (id int primary key); create table transaction (id int primary key)")
    database.sql("insert into transaction values (1); insert into orders values (1)")
    common = {"transactions": {"topic": True}, "schema_changes": {"topic": True}}
    route = {"match": "public.*", "topic": "{prefix}.{table}"}
    millrace.connector(name, database, routes=[route], **common)
    process = millrace.run()
    warned = process.wait_event("table_without_topic", table="public.transaction")
    assert f"topic {name}.transaction is that of transactions" in warned["message"]
    database.sql("insert into transaction values (2); insert into orders values (2)")
    orders = read_topic(kafka, f"{name}.orders", millrace.registry, count=2)
    assert [record.key["id"] for record in orders] == [1, 2]
    statuses = read_topic(kafka, f"{name}.transaction", millrace.registry, count=2)
    assert {record.value["status"] for record in statuses} == {"BEGIN", "END"}
    assert process.stop() == 0
    millrace.connector(
        name,
        database,
        routes=[{"match": "/public\\.(tran)(?:s)(act)ion/", "topic": "{prefix}.{2}-{1}"}, route],
        **common,
    )
    millrace.run()
    database.sql("insert into transaction values (3)")
    rows = read_topic(kafka, f"{name}.act-tran", millrace.registry, count=3)
    assert {record.key["id"] for record in rows} == {1, 2, 3}  # the third may be read, and in the stream, too


def test_what_can_not_be_selected_is_said(database, millrace, name):
    database.sql("create table orders (id int primary key, status text, total int)")
    cases = [
        ({"rows": {"public.orders": "status = 'x'"}}, "public.orders uses status, which its replica identity lacks"),
        ({"rows": {"public.orders": "stauts = 'x'"}}, 'column "stauts" does not exist'),
        ({"columns": {"exclude": ["public.orders.*"]}}, "columns: public.orders: column id is part of the primary key"),
    ]
    for config, expected in cases:
        millrace.connector(name, database, **config)
        process = millrace.run(wait=False)
        process.wait_event("connector_failed", message=expected, kind="config")
        process.stop()
    # The application's UPDATE still works.
    database.sql("insert into orders values (1, 'a', 1); update orders set status = 'b'")
