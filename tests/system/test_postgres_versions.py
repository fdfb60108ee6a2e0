"""Promise: works with PostgreSQL 14 to 18; the other tests run with Debian's, these with the others."""

import os

import pytest
import test_toast
from lib.postgres import NotFetched, Postgres, unpack
from lib.records import read_topic
from lib.waiting import wait_until

from debezium import replay, scenario

VERSIONS = [14, 16, 17, 18]
# Debezium's scenarios that need one: negative scales of numeric, row filters and column lists.
FIRST_VERSIONS = {"numeric_scales": 15, "row_filters": 15}
TABLE = """
create table goods (id bigserial primary key, name varchar(20) not null, price numeric(10,2), weight float8,
    is_new boolean not null default true, made timestamptz, day date, doc jsonb, uid uuid, tags text[],
    raw bytea, twice numeric generated always as (price * 2) stored);
create table orders (id int, day date, primary key (id, day)) partition by range (day);
create table orders_01 partition of orders for values from ('2026-01-01') to ('2026-02-01');
"""
INSERT = """
insert into goods (name, price, weight, made, day, doc, uid, tags, raw) values (%s, 12.5, 0.1,
    '2026-01-02 03:04:05.678901+00', '2026-01-02', '{"a": 1}', '11111111-2222-3333-4444-555555555555',
    array['x', null], '\\x00ff')
"""
ROW = {
    "price": "12.50",
    "weight": 0.1,
    "is_new": True,
    "made": "2026-01-02T03:04:05.678901Z",
    "day": 20455,
    "doc": '{"a": 1}',
    "uid": "11111111-2222-3333-4444-555555555555",
    "tags": ["x", None],
    "raw": {"base64": "AP8="},
}


def start(folder, version):
    path = os.path.join(folder, f"postgres-version-{version}")
    try:
        programs = unpack(version, path)
    except NotFetched as error:
        pytest.fail(f"PostgreSQL {version} could not be fetched: {error}", pytrace=False)
    template = Postgres.make_template(os.path.join(path, "template"), programs)
    return Postgres(os.path.join(path, "server"), template, programs).start()


@pytest.fixture(scope="module", params=VERSIONS)
def server(request, folder):
    server = start(folder, request.param)
    server.version = request.param
    yield server
    server.stop()


@pytest.fixture
def other_database(server, name, make_database):
    database = make_database(server, name)
    assert int(database.value("show server_version_num")) // 10000 == server.version
    return database


def test_from_snapshot_to_restart(other_database, kafka, millrace, name):
    database = other_database
    database.sql(TABLE)
    database.sql(INSERT, ["first"])
    database.sql("insert into orders values (1, '2026-01-05')")
    millrace.connector(name, database, tables={"include": ["public.goods", "public.orders", "public.fresh_*"]})
    process = millrace.run()
    database.sql(INSERT, ["second"])
    database.sql("update goods set price = null, is_new = false where id = 1")
    database.transaction(
        "update goods set id = 7 where id = 2", "insert into orders values (2, '2026-01-06')"
    )
    topic = f"{name}.public.goods"
    records = read_topic(kafka, topic, millrace.registry, count=6)
    assert [(r.op, r.key["id"]) for r in records] == [
        ("r", 1), ("c", 2), ("u", 1), ("d", 2), (None, 2), ("c", 7),
    ]  # fmt: skip
    read, created, updated = (r.row for r in records[:3])
    assert read == {"id": 1, "name": "first", **ROW} and created == {"id": 2, "name": "second", **ROW}
    assert updated == {**read, "price": None, "is_new": False}
    source = records[1].value["source"]
    assert (source["connector"], source["db"], source["snapshot"]) == ("postgresql", database.name, "false")
    orders = read_topic(kafka, f"{name}.public.orders_01", millrace.registry, count=2)
    assert [(r.op, r.row["id"]) for r in orders] == [("r", 1), ("c", 2)]

    database.transaction("create table fresh_1 (id int primary key)", "insert into fresh_1 values (1)")
    assert read_topic(kafka, f"{name}.public.fresh_1", millrace.registry, count=1)[0].op == "r"

    assert process.stop() == 0
    database.sql("delete from goods where id = 7")
    database.transaction("create table fresh_2 (id int primary key)", "insert into fresh_2 values (1)")
    process = millrace.run()
    assert read_topic(kafka, f"{name}.public.fresh_2", millrace.registry, count=1)[0].op == "r"
    database.sql(INSERT, ["third"])
    records = read_topic(kafka, topic, millrace.registry, count=9)[6:]
    assert [(r.op, r.key["id"]) for r in records] == [("d", 7), (None, 7), ("c", 3)]
    end = database.value("select pg_current_wal_lsn() - '0/0'")
    wait_until(lambda: database.slot(f"millrace_{name}")[1] >= end, 30, "all of it confirmed")
    assert process.stop() == 0


def test_records_are_those_of_debezium(server, make_database, kafka, make_millrace):
    """Of every scenario that the version can run; the database's name is the connector's, too: each has its own."""

    def make(scenario_name):
        return make_database(server, f"golden{server.version}_{scenario_name}")

    names = [name for name in scenario.names() if server.version >= FIRST_VERSIONS.get(name, 0)]
    left = replay.differing_of_all(names, make, kafka, make_millrace)
    if left:
        pytest.fail("\n".join(left), pytrace=False)


def test_row_filters_and_column_lists(other_database, server, kafka, millrace, name):
    """From 15 on a publication may have them: its stream and the first snapshot leave out the same."""
    if server.version < 15:
        return
    database = other_database
    database.sql("create table t (id int primary key, open boolean not null, secret text, v int)")
    database.sql("alter table t replica identity full")
    database.sql("insert into t values (1, true, 's', 1), (2, false, 's', 2)")
    database.sql(f"create publication {name} for table t (id, open, v) where (open)")
    millrace.connector(name, database, slot={"publication": name})
    millrace.run()
    database.sql("insert into t values (3, true, 's', 3), (4, false, 's', 4)")
    records = read_topic(kafka, f"{name}.public.t", millrace.registry, count=2)
    assert [(r.op, r.row) for r in records] == [
        ("r", {"id": 1, "open": True, "v": 1}),
        ("c", {"id": 3, "open": True, "v": 3}),
    ]


def test_a_limit_on_transactions_does_not_end_a_snapshot(other_database, server, kafka, millrace, name):
    """From 17 on a server may end each transaction after a time: the snapshot would begin again without end."""
    if server.version < 17:
        return
    database = other_database
    database.sql("create table aa (id int primary key); create table zz (id int primary key)")
    database.sql("alter table aa add v text; insert into zz values (2)")
    database.sql("insert into aa select i, repeat('x', 300) from generate_series(1, 60000) i")
    database.sql(f'alter database "{database.name}" set transaction_timeout = \'2s\'')
    millrace.connector(name, database)
    process = millrace.run(wait=False)
    process.wait_event("snapshot_started")
    with server.connect(database.name) as holder:
        holder.execute("set transaction_timeout = 0")

        def is_read():
            """The first table is being read, or was: before that the lock would keep the snapshot from it."""
            reading = holder.execute("select 1 from pg_stat_progress_copy").fetchone()
            return reading or process.find("table_snapshotted", message=r"public\.aa")

        wait_until(is_read, 30, "the first table to be read", pause=0.002)
        holder.commit()
        with holder.transaction():
            holder.execute("lock table zz in access exclusive mode")
            process.wait_event("table_snapshotted", message=r"public\.aa")
            holder.execute("select pg_sleep(4)")
            assert process.find("snapshot_done") is None, "the lock came too late to hold the snapshot"
    process.wait_event("snapshot_done")
    assert process.find("connection_lost") is None
    assert read_topic(kafka, f"{name}.public.zz", millrace.registry, count=1)[0].op == "r"


@pytest.mark.parametrize("locked", ["moved", "other"])
def test_a_lock_held_on_a_table_that_is_to_be_read_holds_up_no_other(
    other_database, server, kafka, millrace, name, locked
):
    """From 16 on listing a publication's tables waits for the lock of each of them."""
    database = other_database
    database.sql("create table first (id int primary key); create table other (id int primary key)")
    millrace.connector(name, database, snapshot="never")
    process = millrace.run()
    with server.connect(database.name) as holder, holder.transaction():
        with server.connect(database.name) as writer, writer.transaction():
            writer.execute("insert into first values (1)")  # an open transaction that the reading waits for
            database.transaction(
                "create table moved (id int primary key)", "insert into moved select generate_series(1, 100)"
            )
            process.wait_event("snapshot_waits")
            holder.execute(f"lock table {locked} in access exclusive mode")
        if locked == "moved" or server.version >= 16:
            event = process.wait_event("table_locked")
            assert f"{locked} by process {holder.info.backend_pid}" in event["message"]
        database.sql("insert into first values (2)")
        read_topic(kafka, f"{name}.public.first", count=2)
    ops = [record.op for record in read_topic(kafka, f"{name}.public.moved", millrace.registry, count=100)]
    assert ops == ["r"] * 100
    assert process.find("connection_lost") is None


def test_what_a_dropped_publication_hides_is_not_passed_over(other_database, kafka, millrace, name):
    """From 18 on the server only warns of it."""
    database = other_database
    database.sql("create table t (id int primary key)")
    millrace.connector(name, database)
    process = millrace.connect(name)
    database.transaction(f"drop publication millrace_{name}", "insert into t values (1)")
    assert process.wait_exit() == 78
    assert "its publication was dropped" in process.find("connector_failed")["message"]
    process = millrace.connect(name, wait=False)
    assert process.wait_exit() == 78, "the second start forgot it"


def test_what_a_dropped_second_publication_hides_is_read(other_database, kafka, millrace, name):
    """Of that, too, the server only warns from 18 on. Its tables are read again, as when it is new."""
    database = other_database
    database.sql("create table t (id int primary key); create table logged (v int)")
    millrace.connector(name, database, tables={"include": ["public.*"], "publish_inserts_only": ["public.logged"]})
    process = millrace.connect(name)
    database.sql("insert into logged values (1)")
    read_topic(kafka, f"{name}.public.logged", count=1)
    assert process.stop() == 0
    database.sql(f"drop publication millrace_{name}_inserts")
    database.sql("insert into logged values (2)")
    database.sql(f"create publication millrace_{name}_inserts for table only logged with (publish = 'insert')")
    database.sql("insert into logged values (3); insert into t values (4)")
    process = millrace.connect(name, wait=False)
    process.wait_event("stream_restarts", message="publish_inserts_only")

    def values():
        return {record.row["v"] for record in read_topic(kafka, f"{name}.public.logged", millrace.registry)}

    wait_until(lambda: values() == {1, 2, 3}, 30, "what was written without the publication")
    database.sql("insert into logged values (5)")
    wait_until(lambda: 5 in values(), 30, "what is written with it")


def test_generated_columns(other_database, server, kafka, millrace, name):
    """
    From 18 on a publication can send them, and one that does not makes the UPDATE of a table fail whose
    identity has one: such a table is left out and named.
    """
    database = other_database
    database.sql("create table g (id int primary key, twice int generated always as (id * 2) stored)")
    database.sql("create table whole (like g including all); alter table whole replica identity full")
    database.sql("insert into g values (1); insert into whole values (1)")
    millrace.connector(name, database)
    process = millrace.run()
    if server.version >= 18:
        event = process.wait_event("table_without_identity", table="public.whole")
        assert "publish_generated_columns = stored" in event["message"]
    database.sql("update g set id = 2; update whole set id = 2")
    (read, deleted, _, created) = read_topic(kafka, f"{name}.public.g", millrace.registry, count=4)
    assert [r.row for r in (read, deleted, created)] == [{"id": 1}, {"id": 1}, {"id": 2}]
    if server.version < 18:
        assert read_topic(kafka, f"{name}.public.whole", millrace.registry, count=4)[3].row == {"id": 2}
        return
    assert process.stop() == 0
    database.sql(f"create publication {name} with (publish_generated_columns = stored)")
    slot = {"name": f"{name}_all", "publication": name}
    millrace.connector(name, database, slot=slot, topic_prefix=f"{name}x")
    millrace.run()
    database.sql("update whole set id = 3")
    (read, deleted, _, created) = read_topic(kafka, f"{name}x.public.whole", millrace.registry, count=4)
    assert read.row == deleted.row == {"id": 2, "twice": 4} and created.row == {"id": 3, "twice": 6}


def test_unchanged_values_are_filled_in(server, kafka, make_millrace, make_database, name, tmp_path):
    complete = test_toast.prepare(server, make_database, make_millrace, kafka, name, tmp_path)
    history = test_toast.run(server, kafka, name, complete, workers=2, changes=2000, keys=100, kills=2)
    assert sum(op == "u" for op, _ in history) > 200


def test_changes_of_a_subscription_are_left_out_with_origin_none(
    other_database, server, make_database, kafka, make_millrace, name
):
    """A real subscription of another database writes beside the application; so does a session with an origin."""
    if server.version < 16:
        return
    database, upstream = other_database, make_database(server, f"{name}_upstream")
    for one in (database, upstream):
        one.sql("create table t (id int primary key, v text)")
    upstream.sql("create publication p for table t")
    upstream.sql("select pg_create_logical_replication_slot(%s, 'pgoutput')", [f"{name}_upstream"])
    prefixes = {origin: f"{name}{origin}" for origin in ("any", "none")}
    for origin, prefix in prefixes.items():
        millrace = make_millrace(kafka)
        millrace.connector(prefix, database, origin=origin)
        millrace.run()
        prefixes[origin] = prefix, millrace.registry
    options = f"slot_name = '{name}_upstream', create_slot = false, copy_data = false"
    database.sql(f"create subscription s connection '{upstream.dsn()}' publication p with ({options})")
    try:
        database.sql("insert into t values (1, 'here')")
        upstream.sql("insert into t values (2, 'there')")
        wait_until(lambda: database.value("select count(*) from t") == 2, 60, "the subscription to apply it")
        with server.connect(database.name) as connection:
            connection.execute("select pg_replication_origin_create('afar')")
            connection.execute("select pg_replication_origin_session_setup('afar')")
            connection.execute("insert into t values (3, 'a session')")
            connection.execute("delete from t where id = 3")
            connection.execute("select pg_replication_origin_session_reset()")
            connection.execute("insert into t values (4, 'the same session')")

        def seen(origin, count):
            prefix, registry = prefixes[origin]
            records = read_topic(kafka, f"{prefix}.public.t", registry, count=count)
            return [(r.op, r.key["id"], r.value and r.value["source"]["origin"]) for r in records]

        subscription = database.value("select 'pg_' || oid from pg_subscription")
        assert seen("any", 6) == [
            ("c", 1, None),
            ("c", 2, subscription),
            ("c", 3, "afar"),
            ("d", 3, "afar"),
            (None, 3, None),
            ("c", 4, None),
        ]
        assert seen("none", 2) == [("c", 1, None), ("c", 4, None)]
    finally:
        database.sql("alter subscription s disable")
        database.sql("alter subscription s set (slot_name = none)")
        database.sql("drop subscription s")
        upstream.drop_slot(f"{name}_upstream")
