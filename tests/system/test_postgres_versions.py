"""Promise: works with PostgreSQL 14 to 18; the other tests run with Debian's, these with the others."""

import os

import pytest
from lib.postgres import NotFetched, Postgres, unpack
from lib.records import read_topic
from lib.waiting import wait_until

VERSIONS = [14, 16, 17, 18]
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
        pytest.skip(f"PostgreSQL {version} could not be fetched: {error}")
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
    millrace.connector(name, database, tables={"include": ["public.goods", "public.orders"]})
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

    assert process.stop() == 0
    database.sql("delete from goods where id = 7")
    process = millrace.run()
    database.sql(INSERT, ["third"])
    records = read_topic(kafka, topic, millrace.registry, count=9)[6:]
    assert [(r.op, r.key["id"]) for r in records] == [("d", 7), (None, 7), ("c", 3)]
    end = database.value("select pg_current_wal_lsn() - '0/0'")
    wait_until(lambda: database.slot(f"millrace_{name}")[1] >= end, 30, "all of it confirmed")
    assert process.stop() == 0
