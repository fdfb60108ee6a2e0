"""
Promise: each record has the columns and types that its table had when the row was written, while the table is
altered under load and also when the connector reads the changes later; the registry gets each schema once. What a
schema permitted besides the column's type, for older rows, later ones permit too, also after a restart.
"""

import json

import requests
from lib.records import read_topic
from lib.waiting import wait_until

# (what is done, the row that follows, its columns with their types)
STEPS = [
    ("select 1", "(id) values (1)", {"id": "int"}),
    ("alter table {t} add a int", "(id, a) values (2, 2)", {"id": "int", "a": "int"}),
    ("alter table {t} rename a to b", "(id, b) values (3, 3)", {"id": "int", "b": "int"}),
    ("alter table {t} alter b type bigint", "(id, b) values (4, 4)", {"id": "int", "b": "long"}),
    # Two changes between two rows: nobody has ever seen the first one.
    (
        "alter table {t} add never int; alter table {t} drop never, add c text",
        "(id, b, c) values (5, 5, 'c')",
        {"id": "int", "b": "long", "c": "string"},
    ),
    # The same name with another type.
    (
        "alter table {t} drop b; alter table {t} add b text",
        "(id, c, b) values (6, 'c', 'b')",
        {"id": "int", "c": "string", "b": "string"},
    ),
    ("alter table {t} drop c", "(id, b) values (7, 'b')", {"id": "int", "b": "string"}),
    ("alter table {t} alter b set default 'x'", "(id) values (8)", {"id": "int", "b": "string"}),
    (
        "update {t} set b = '' where b is null; alter table {t} alter b set not null",
        "(id) values (9)",
        {"id": "int", "b": "string"},
    ),
    ("alter table {t} replica identity full", "(id) values (10)", {"id": "int", "b": "string"}),
    (
        "alter table {t} drop constraint {t}_pkey; alter table {t} add primary key (id, b)",
        "(id, b) values (11, 'k')",
        {"id": "int", "b": "string"},
    ),
    (
        "drop table {t}; create table {t} (id bigint primary key, d date)",
        "(id, d) values (12, '2024-02-29')",
        {"id": "long", "d": "int"},
    ),
]


def type_name(schema):
    """Of a field: without null, and without Connect's attributes."""
    if isinstance(schema, list):
        schema = next(branch for branch in schema if branch != "null")
    return schema["type"] if isinstance(schema, dict) else schema


def columns(record, registry):
    fields = json.loads(registry.text(record.value_schema))["fields"]
    after = next(field for field in fields if field["name"] == "before")
    value = next(branch for branch in after["type"] if isinstance(branch, dict))
    return {field["name"]: type_name(field["type"]) for field in value["fields"]}


def creates(kafka, millrace, topic, count):
    records = []

    def all_there():
        records[:] = [r for r in read_topic(kafka, topic, millrace.registry) if r.value and r.op in "cr"]
        return len({r.row["id"] for r in records}) >= count

    wait_until(all_there, 60, f"{count} rows of {topic}", pause=0.5)
    return records


def run_steps(database, table, after_each=lambda number: None):
    for number, (change, row, _) in enumerate(STEPS, 1):
        for sql in change.format(t=table).split(";"):
            database.sql(sql)
        database.sql(f"insert into {table} {row}")
        after_each(number)


def check(records, registry):
    for record in records:
        assert columns(record, registry) == STEPS[record.row["id"] - 1][2], record.row
        assert set(record.row) == set(columns(record, registry))


def test_each_row_has_the_schema_that_it_was_written_under(database, kafka, millrace, name):
    database.sql("create table live (id int primary key); create table later (id int primary key)")
    database.sql("create table mixed (id int primary key)")
    millrace.connector(name, database)
    process = millrace.run()
    topic = f"{name}.public.live"
    run_steps(database, "live", lambda number: creates(kafka, millrace, topic, number))
    records = creates(kafka, millrace, topic, len(STEPS))
    registry = millrace.registry
    check(records, registry)
    full = [r for r in read_topic(kafka, topic, millrace.registry) if r.value]
    used = list(dict.fromkeys(int.from_bytes(r.raw_value[1:5], "big") for r in full))
    database.sql("insert into mixed values (1)")
    creates(kafka, millrace, f"{name}.public.mixed", 1)
    assert process.stop() == 0
    # All of it while the connector is away, and once more in one transaction with the rows.
    run_steps(database, "later")
    database.transaction(
        "alter table mixed add x int", "insert into mixed values (2, 2)", "alter table mixed alter x type text",
        "insert into mixed values (3, 'x')", "alter table mixed drop x", "insert into mixed values (4)",
    )
    millrace.run()
    check(creates(kafka, millrace, f"{name}.public.later", len(STEPS)), registry)
    found = {r.row["id"]: columns(r, registry) for r in creates(kafka, millrace, f"{name}.public.mixed", 4)}
    assert found == {
        1: {"id": "int"},
        2: {"id": "int", "x": "int"},
        3: {"id": "int", "x": "string"},
        4: {"id": "int"},
    }
    # A restart registers nothing anew.
    versions = millrace.get(f"/registry/subjects/{topic}-value/versions").json()
    assert len(versions) == len(used), "a schema was registered that no row has, or twice"
    database.sql("insert into live values (13, '2024-03-01')")
    creates(kafka, millrace, topic, len(STEPS) + 1)
    assert millrace.get(f"/registry/subjects/{topic}-value/versions").json() == versions


def test_a_renamed_table_goes_on_under_its_new_name(database, kafka, millrace, name):
    database.sql("create table old (id int primary key)")
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into old values (1)")
    database.transaction("alter table old rename to new", "insert into new values (2)")
    database.sql("insert into new values (3)")
    assert [r.row["id"] for r in read_topic(kafka, f"{name}.public.old", millrace.registry, count=1)] == [1]
    assert [r.row["id"] for r in read_topic(kafka, f"{name}.public.new", millrace.registry, count=2)] == [2, 3]


def test_what_a_schema_has_permitted_it_permits_after_a_restart(database, kafka, millrace, name):
    """A registry under BACKWARD refuses a schema that does not permit null, or text, any more."""
    database.sql("create table wide (id int primary key, v int, n numeric(4,1) not null default 0, t int not null)")
    topic = f"{name}.public.wide"
    millrace.connector(name, database, types="native")
    process = millrace.run()
    requests.put(f"{millrace.admin_url}/registry/config/{topic}-value", json={"compatibility": "BACKWARD"}, timeout=20)
    database.sql("insert into wide values (1, 1, 1, 1)")
    creates(kafka, millrace, topic, 1)
    assert process.stop() == 0
    # The second row is read when the column is NOT NULL; the third one has a value that no decimal is.
    database.sql("insert into wide values (2, null, 2, 2); insert into wide values (3, 3, 'NaN', 3)")
    database.sql("update wide set v = 0 where v is null; alter table wide alter v set not null")
    process = millrace.run()
    creates(kafka, millrace, topic, 3)
    assert process.stop() == 0
    database.sql("alter table wide add more text, alter v set default 7; insert into wide values (4, 4, 4, 4, 'm')")
    process = millrace.run()
    found = {r.row["id"]: r.row for r in creates(kafka, millrace, topic, 4)}
    assert found[4] == {"id": 4, "v": 4, "n": "4.0", "t": 4, "more": "m"}
    assert found[2]["v"] is None and found[3]["n"] == "NaN"
    assert process.find("table_waiting") is None
