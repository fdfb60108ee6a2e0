"""
Promise: `snapshot: initial` reads each existing row once and joins the stream without a gap; `never`
skips them.
"""

import pytest
from lib.load import TABLES, Load
from lib.records import read_topic
from lib.waiting import wait_until

pytestmark = pytest.mark.sanitized


def test_existing_rows_then_changes(database, kafka, millrace, name):
    database.sql("create table a (id int primary key, v text)")
    database.sql("create table b (id int primary key, v text)")
    database.sql("insert into a select i, 'old' from generate_series(1, 5000) i")
    database.sql("insert into b select i, 'old' from generate_series(1, 3) i")
    millrace.connector(name, database)
    process = millrace.run()
    database.sql("update a set v = 'new' where id = 1")
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=5001)
    assert len(records) == 5001
    reads = [record for record in records if record.op == "r"]
    assert sorted(record.key["id"] for record in reads) == list(range(1, 5001))
    assert all(record.value["before"] is None and record.row["v"] == "old" for record in reads)
    assert (records[-1].op, records[-1].row) == ("u", {"id": 1, "v": "new"})
    assert len({record.id for record in records}) == 5001
    assert len(read_topic(kafka, f"{name}.public.b", count=3)) == 3

    # A restart goes on with the stream: it does not read the rows again.
    assert process.stop() == 0
    database.sql("insert into a values (6000, 'while away')")
    millrace.run()
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=5002)
    assert len(records) == 5002 and records[-1].op == "c"


def test_many_empty_tables_cost_no_scan_of_the_catalogue_each(database, millrace, name):
    count = 80
    database.sql("".join(f"create table t{number} (id int primary key);" for number in range(count)))
    scans = "select pg_stat_clear_snapshot(), seq_scan from pg_stat_sys_tables where relid = 'pg_class'::regclass"
    before = database.sql(scans)[0][1]
    millrace.connector(name, database)
    assert millrace.run().stop() == 0  # the end of its sessions reports what they did
    wait_until(lambda: not database.sql("select 1 from pg_stat_activity where backend_type = 'walsender'"), 20, "end")
    assert database.sql(scans)[0][1] - before < count // 2


def test_never_skips_existing_rows(database, kafka, millrace, name):
    database.sql("create table a (id int primary key); insert into a select generate_series(1, 100)")
    millrace.connector(name, database, snapshot="never")
    millrace.run()
    database.sql("insert into a values (101)")
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=1)
    assert [(record.op, record.key["id"]) for record in records] == [("c", 101)]


def test_writes_during_the_snapshot(postgres, database, kafka, millrace, name):
    """Each row's history, read or created first, ends in the row that the database has."""
    database.sql(TABLES)
    load = Load(postgres, database.name, keys=300, pause=0.0005).start()
    load.advance(500)
    millrace.connector(name, database, tables={"include": ["public.items"]})
    millrace.run()
    load.advance(500)
    load.stop()
    database.sql("insert into items values (-1, 0)")  # the last of all
    topic = f"{name}.public.items"
    last = None
    while not last:
        records = read_topic(kafka, topic, millrace.registry)
        last = [record for record in records if record.key["id"] == -1]
    state, history = {}, {}
    for record in records:
        if record.value is None or record.key["id"] == -1:
            continue
        key, op, version = record.key["id"], record.op, record.row["version"]
        assert key not in history or op != "r", f"key {key} is read after {history[key]}"
        history.setdefault(key, []).append((op, version))
        state[key] = None if op == "d" else version
    for key, past in load.expected.items():
        final = None if past[-1][0] == "d" else past[-1][1]
        assert state.get(key) == final, f"key {key}: {final} is in the database, {history.get(key)} on Kafka"
        seen = [change for change in history.get(key, []) if change[0] != "r"]
        assert seen == past[len(past) - len(seen) :], f"key {key}: the stream has a gap"
