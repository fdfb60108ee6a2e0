"""
Promise: a table that appears and matches, or gets its identity late, is captured without a restart, and the rows
that it has by then are read: whatever the connector does at the time.
"""

from lib.records import read_topic
from lib.waiting import wait_until


def test_tables_are_captured_from_when_they_can_be(database, kafka, millrace, name):
    database.sql("create table first (id int primary key); create table bare (id int, v text)")
    millrace.connector(name, database, tables={"include": ["public.*"], "exclude": ["public.audit_*"]})
    process = millrace.run()
    process.wait_event(message=r"public\.bare")
    database.sql("alter table bare replica identity full")
    database.sql("create table audit_log (id int primary key)")
    database.sql("create table second (id int primary key, v text)")
    published = (
        "select array_agg(distinct tablename::text order by tablename::text) from pg_publication_tables"
    )
    wait_until(lambda: database.value(published) == ["bare", "first", "second"], 45, "three tables")
    process.wait_event(message=r"public\.second")
    database.sql("insert into second values (1, 'a'); insert into bare values (2, 'b')")
    assert read_topic(kafka, f"{name}.public.second", millrace.registry, count=1)[0].row == {
        "id": 1,
        "v": "a",
    }
    assert read_topic(kafka, f"{name}.public.bare", millrace.registry, count=1)[0].row == {"id": 2, "v": "b"}
    assert f"{name}.public.audit_log" not in kafka.topics()


MIGRATION = (
    "create table {0} (id int primary key, v text);"
    "insert into {0} select i, 'new' from generate_series(1, 100) i"
)


def rows_of(kafka, millrace, topic, count):
    """The last row of each key, from exactly so many records."""
    records = read_topic(kafka, topic, millrace.registry, count=count)
    return {record.key["id"]: record.row["v"] for record in records}


def test_a_migration_loses_no_row(database, kafka, millrace, name):
    """A table and its rows in one transaction, five times; then changes of them."""
    database.sql("create table first (id int primary key)")
    millrace.connector(name, database)
    process = millrace.run()
    for i in range(5):
        database.transaction(*MIGRATION.format(f"moved_{i}").split(";"))
    for i in range(5):
        found = rows_of(kafka, millrace, f"{name}.public.moved_{i}", 100)
        assert sorted(found) == list(range(1, 101)), f"moved_{i}: {len(found)} of 100 rows"
    database.sql("delete from moved_0 where id = 1; update moved_1 set v = 'changed' where id = 2")
    last = read_topic(kafka, f"{name}.public.moved_1", millrace.registry, count=101)[-1]
    assert (last.op, last.row) == ("u", {"id": 2, "v": "changed"})
    ops = [record.op for record in read_topic(kafka, f"{name}.public.moved_0", millrace.registry, count=102)]
    assert sorted(ops[:100]) == ["r"] * 100 and ops[100] == "d"
    assert process.find("state_changed", **{"from": "streaming"}) is None, "the others waited for it"


def test_a_table_that_appears_during_the_first_snapshot_or_downtime(postgres, database, kafka, millrace, name):
    database.sql("create table aa (id int primary key, v text); create table zz (id int primary key)")
    database.sql("insert into aa select i, repeat('x', 300) from generate_series(1, 60000) i")
    millrace.connector(name, database)
    process = millrace.run(wait=False)
    process.wait_event("snapshot_started")
    with postgres.connect(database.name) as holder, holder.transaction():
        holder.execute("lock table zz in access exclusive mode")
        process.wait_event("table_snapshotted", message=r"public\.aa")
        database.transaction(*MIGRATION.format("during").split(";"))
        assert process.find("snapshot_done") is None, "the lock came too late to hold the snapshot"
    assert len(rows_of(kafka, millrace, f"{name}.public.during", 100)) == 100
    assert process.stop() == 0
    database.transaction(*MIGRATION.format("away").split(";"))
    database.sql("insert into during values (101, 'away')")
    millrace.run()
    assert len(rows_of(kafka, millrace, f"{name}.public.away", 100)) == 100
    assert rows_of(kafka, millrace, f"{name}.public.during", 101)[101] == "away"


def test_a_kill_while_a_new_table_is_read_loses_no_row(postgres, database, kafka, millrace, name):
    database.sql("create table first (id int primary key)")
    millrace.connector(name, database, snapshot="never")
    process = millrace.run()
    with postgres.connect(database.name) as holder, holder.transaction():
        holder.execute("insert into first values (1)")  # an open transaction that the reading waits for
        database.transaction(*MIGRATION.format("moved").split(";"))
        process.wait_event("snapshot_waits")
        published = database.value("select count(*) from pg_publication_tables where tablename = 'moved'")
        assert published == 1, "killed before the table was added"
        process.kill()
        database.sql("delete from moved where id = 7")
    assert not read_topic(kafka, f"{name}.public.moved"), "killed after the rows were read"
    millrace.run()
    records = read_topic(kafka, f"{name}.public.moved", millrace.registry, count=101)
    state = {}
    for record in records:
        if record.value is None or record.op == "d":
            state.pop(record.key["id"], None)
        else:
            state[record.key["id"]] = record.op
    assert sorted(state) == [i for i in range(1, 101) if i != 7]


def test_a_table_that_the_filter_begins_to_match_and_one_made_in_a_break(database, kafka, millrace, name):
    """The rows that the table has when the reloaded file matches it; and those of a migration without connection."""
    database.sql("create table first (id int primary key); create table later (id int primary key, v text)")
    database.sql("insert into later select i, 'before' from generate_series(1, 100) i")
    millrace.connector(name, database, tables={"include": ["public.first"]})
    process = millrace.run()
    assert f"{name}.public.later" not in kafka.topics()
    millrace.connector(name, database, tables={"include": ["public.*"]})
    assert len(rows_of(kafka, millrace, f"{name}.public.later", 100)) == 100
    database.sql("insert into later values (101, 'after')")
    assert rows_of(kafka, millrace, f"{name}.public.later", 101)[101] == "after"
    lost = process.wait_event("table_added", message=r"public\.later") is not None
    database.sql("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'walsender'")
    database.transaction(*MIGRATION.format("broken").split(";"))
    assert lost and len(rows_of(kafka, millrace, f"{name}.public.broken", 100)) == 100
