"""
Promise: with schema_changes each new definition of a table has a record in topic PREFIX before the first row that
has it, with what changed; a restart repeats nothing, and what is repeated after a kill has the same event id.
"""

import json
import random

from lib.records import read_topic
from lib.waiting import wait_until

# (what is done, the row that follows, the effects)
STEPS = [
    ("select 1", "(id) values (1)", None),
    ("alter table {t} add a int", "(id, a) values (2, 2)", {"added": ["a"]}),
    ("alter table {t} add z numeric(10,2)", "(id, a) values (3, 2)", {"added": ["z"]}),
    ("alter table {t} rename a to b", "(id, b) values (4, 3)", {"renamed": {"a": "b"}}),
    ("alter table {t} alter b type bigint", "(id, b) values (5, 4)", {"retyped": ["b"]}),
    ("alter table {t} drop z", "(id, b) values (6, 5)", {"dropped": ["z"]}),
    # The same name with another type.
    (
        "alter table {t} drop b; alter table {t} add b text",
        "(id, b) values (7, 'b')",
        {"dropped": ["b"], "added": ["b"]},
    ),
    ("alter table {t} alter b set default 'x'", "(id) values (8)", {"default": ["b"]}),
    (
        "update {t} set b = '' where b is null; alter table {t} alter b set not null",
        "(id) values (9)",
        {"nullability": ["b"]},
    ),
    ("alter table {t} replica identity full", "(id) values (10)", {"identity": "f"}),
    (
        "alter table {t} drop constraint {t}_pkey; alter table {t} add primary key (id, b)",
        "(id, b) values (11, 'k')",
        {"key": ["id", "b"]},
    ),
    ("alter table {t} rename to {t}_new; alter table {t}_new rename to {t}", "(id) values (12)", None),
    (
        "drop table {t}; create table {t} (id bigint primary key, d date)",
        "(id, d) values (13, '2024-02-29')",
        None,
    ),
]
RECORDED = [step for step in STEPS[1:-2]]


def run_steps(database, table, after_each=lambda number: None):
    for number, (change, row, _) in enumerate(STEPS, 1):
        for sql in change.format(t=table).split(";"):
            database.sql(sql)
        database.sql(f"insert into {table} {row}")
        after_each(number)


def rows(kafka, millrace, topic, count):
    records = []

    def all_there():
        records[:] = [r for r in read_topic(kafka, topic, millrace.registry) if r.value and r.op in "cr"]
        return len({r.row["id"] for r in records}) >= count

    wait_until(all_there, 60, f"{count} rows of {topic}", pause=0.5)
    return records


def changes_of(kafka, millrace, name, table):
    records = read_topic(kafka, name, millrace.registry)
    return [r for r in records if r.value["tableChanges"][-1]["id"] == f'"public"."{table}"']


def effects(record):
    return json.loads(record.headers.get("millrace.effects", "null"))


def column_names(record):
    return [column["name"] for column in record.value["tableChanges"][-1]["table"]["columns"]]


def definition(record):
    columns = record.value["tableChanges"][-1]["table"]["columns"]
    return tuple((column["name"], column["typeExpression"]) for column in columns)


def check(changes, records, table):
    assert [effects(r) for r in changes] == [None, *[step[2] for step in RECORDED], None]
    kinds = [[change["type"] for change in r.value["tableChanges"]] for r in changes]
    assert kinds == [["CREATE"], *[["ALTER"]] * len(RECORDED), ["DROP", "CREATE"]]
    first, last = changes[0].value, changes[-1].value
    assert first["ddl"] is None and first["schemaName"] == "public" and first["source"]["table"] == table
    assert last["tableChanges"][0] == {"type": "DROP", "id": f'"public"."{table}"', "table": None}
    # The id is that of the first row that has the definition, with an s before its index.
    positions = [r.id for r in records]
    at = [positions.index(r.id.replace("-s", "-")) for r in changes]
    assert at == sorted(at) and at[0] == 0
    assert [r.key for r in changes] == [{"databaseName": first["databaseName"]}] * len(changes)


def test_each_definition_is_recorded_once(database, kafka, millrace, name):
    database.sql("create table live (id int primary key); create table later (id int primary key)")
    kafka.create_topic(f"{name}.public.live", 1)  # so that its records are read in their order
    millrace.connector(name, database, schema_changes={"topic": True}, types="debezium")
    process = millrace.run()
    topic = f"{name}.public.live"
    run_steps(database, "live", lambda number: rows(kafka, millrace, topic, number))
    changes = changes_of(kafka, millrace, name, "live")
    check(changes, [r for r in read_topic(kafka, topic, millrace.registry) if r.value], "live")
    z = changes[2].value["tableChanges"][0]["table"]["columns"][2]
    assert z == {
        "name": "z", "jdbcType": 2, "nativeType": 1700, "typeName": "numeric", "typeExpression": "numeric(10,2)",
        "charsetName": None, "length": 10, "scale": 2, "position": 3, "optional": True, "autoIncremented": False,
        "generated": False, "comment": None, "defaultValueExpression": None, "enumValues": None,
    }  # fmt: skip
    assert len(kafka.partitions(name)) == 1
    database.sql("insert into later values (0)")
    rows(kafka, millrace, f"{name}.public.later", 1)
    assert process.stop() == 0
    # All of it while the connector is away.
    run_steps(database, "later")
    process = millrace.run()
    records = [r for r in rows(kafka, millrace, f"{name}.public.later", len(STEPS) + 1)]
    away = changes_of(kafka, millrace, name, "later")
    # Names and types are in the WAL; the catalogue has nothing more of the table that was dropped meanwhile.
    seen = [definition(r) for r in away]
    assert list(dict.fromkeys(seen)) == list(dict.fromkeys(definition(r) for r in changes))
    assert [change["type"] for change in away[-1].value["tableChanges"]] == ["DROP", "CREATE"]
    assert away[0].id.replace("-s", "-") == next(r.id for r in records if r.row["id"] == 0)
    # A restart repeats nothing.
    database.sql("insert into live values (14, '2024-03-01')")
    rows(kafka, millrace, topic, len(STEPS) + 1)
    assert process.stop() == 0
    millrace.run()
    database.sql("insert into live values (15, '2024-03-01'); insert into later values (15, '2024-03-01')")
    rows(kafka, millrace, topic, len(STEPS) + 2)
    rows(kafka, millrace, f"{name}.public.later", len(STEPS) + 2)
    assert len(changes_of(kafka, millrace, name, "live")) == len(changes)
    assert len(changes_of(kafka, millrace, name, "later")) == len(away)


def test_a_renamed_table_and_a_wide_one(database, kafka, millrace, function, name):
    wide = ", ".join(f"column_number_{i} int not null default {i}" for i in range(200))
    database.sql(f"create table old (id int primary key); create table wide (id int primary key, {wide})")
    millrace.connector(name, database, schema_changes={"topic": True})
    millrace.function("schemas", name, function.url, payload="row", make_topics=True)
    process = millrace.run()
    database.sql("insert into old values (1); insert into wide values (1)")
    rows(kafka, millrace, f"{name}.public.old", 1)
    rows(kafka, millrace, f"{name}.public.wide", 1)
    database.transaction("alter table old rename to new", "insert into new values (2)")
    rows(kafka, millrace, f"{name}.public.new", 1)
    bodies = [call.json for call in function.wait_calls(3)]
    changes = [body.get("tableChanges") or body["row"]["tableChanges"] for body in bodies]
    assert {change[0]["id"] for change in changes} >= {'"public"."old"', '"public"."new"'}
    assert [effects(r) for r in changes_of(kafka, millrace, name, "new")] == [{"renamed_from": "public.old"}]
    assert process.stop() == 0
    database.sql("insert into wide values (2)")
    process = millrace.run()
    rows(kafka, millrace, f"{name}.public.wide", 2)
    assert len(changes_of(kafka, millrace, name, "wide")) == 1, "the long definition was not known any more"
    assert process.stop() == 0
    database.sql("alter table wide add more int; insert into wide values (3)")
    millrace.run()
    rows(kafka, millrace, f"{name}.public.wide", 3)
    assert [effects(r) for r in changes_of(kafka, millrace, name, "wide")] == [None, {}]


def test_killed_between_a_change_and_its_record(database, kafka, millrace, name):
    database.sql("create table killed (id int primary key)")
    kafka.create_topic(f"{name}.public.killed", 1)
    millrace.connector(name, database, schema_changes={"topic": True}, snapshot="never")
    process = millrace.connect(name)
    moments = random.Random(5)
    wanted = [["id"]]
    database.sql("insert into killed values (0)")
    for round in range(1, 13):
        database.sql(f"alter table killed add c{round} int; insert into killed (id) values ({round})")
        wanted.append([*wanted[-1], f"c{round}"])
        if round % 2 == 0:
            process.kill()
            process = millrace.connect(name, wait=moments.random() < 0.5)
    millrace.wait_ready(process)
    records = rows(kafka, millrace, f"{name}.public.killed", 13)
    changes = changes_of(kafka, millrace, name, "killed")
    once = list({r.id: column_names(r) for r in changes}.values())
    assert once == wanted, [r.id for r in changes]
    # Each one is on Kafka before the first row that has it.
    first = {}
    for record in records:
        first.setdefault(record.id, record)
    for change in changes:
        assert change.timestamp <= first[change.id.replace("-s", "-")].timestamp


def test_a_connector_made_anew_knows_nothing_of_the_former_one(database, kafka, millrace, name):
    database.sql("create table first (id int primary key); create table second (id int primary key)")
    millrace.connector(name, database, schema_changes={"topic": True}, snapshot="never")
    slot = f"millrace_{name}"

    def run_with(*tables):
        process = millrace.run()
        for table in tables:
            number = database.value(f"insert into {table} select count(*) from {table} returning id") + 1
            rows(kafka, millrace, f"{name}.public.{table}", number)
        assert process.stop() == 0
        wait_until(lambda: not database.slot(slot)[0], 10)

    run_with("first", "second")
    database.drop_slot(slot)
    kafka.produce("millrace.state", [(f"connector/{name}", None, None, -1)])
    run_with("second")
    run_with("first", "second")
    millrace.run()
    for table in ("first", "second"):
        changes = changes_of(kafka, millrace, name, table)
        assert [effects(r) for r in changes] == [None, None], table


def test_a_schema_that_is_widened_is_no_change_of_the_table(database, kafka, millrace, name):
    """Rows with NULL are read after the column became NOT NULL: the schema must have null, the table has not."""
    database.sql("create table strict (id int primary key, v int)")
    topic = f"{name}.public.strict"
    millrace.connector(name, database, schema_changes={"topic": True})
    process = millrace.run()
    database.sql("insert into strict values (1, 1)")
    rows(kafka, millrace, topic, 1)
    assert process.stop() == 0
    database.sql("insert into strict values (0, 0); insert into strict values (2, null)")
    database.sql("update strict set v = 0 where v is null")
    database.sql("alter table strict alter v set not null")
    database.sql("insert into strict values (3, 3)")
    millrace.run()
    assert {r.row["id"]: r.row["v"] for r in rows(kafka, millrace, topic, 4)} == {1: 1, 0: 0, 2: None, 3: 3}
    changes = changes_of(kafka, millrace, name, "strict")
    assert [effects(r) for r in changes] == [None, {"nullability": ["v"]}]
    column = changes[-1].value["tableChanges"][0]["table"]["columns"][1]
    assert column["optional"] is False
