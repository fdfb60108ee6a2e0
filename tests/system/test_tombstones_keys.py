"""
Promise: a delete is followed by a tombstone; a key change is a delete, a tombstone and a create, in that
order.
"""

import json

from lib.records import read_topic


def capture(database, kafka, millrace, name, table, *changes, count):
    millrace.connector(name, database)
    millrace.run()
    for change in changes:
        database.sql(change)
    return read_topic(kafka, f"{name}.public.{table}", millrace.registry, count=count)


def test_delete_then_tombstone(database, kafka, millrace, name):
    database.sql(
        "create table a (id int primary key, n int not null, s text not null default 'x', d date not null,"
        " m numeric(5,2) not null, o text)"
    )
    created, deleted, tombstone = capture(
        database, kafka, millrace, name, "a",
        "insert into a values (1, 2, 's', '2026-01-02', 3.5, 'o')", "delete from a where id = 1", count=3,
    )  # fmt: skip
    assert (deleted.op, deleted.value["after"]) == ("d", None)
    # Default identity sends the key only: the rest is the column's default, the type's zero, or null.
    assert deleted.value["before"] == {"id": 1, "n": 0, "s": "x", "d": 0, "m": "0.00", "o": None}
    assert tombstone.raw_value is None and tombstone.raw_key == deleted.raw_key == created.raw_key


def test_key_change_of_a_two_column_key(database, kafka, millrace, name):
    database.sql("create table a (region text, id int, v text, primary key (region, id))")
    created, deleted, tombstone, again = capture(
        database, kafka, millrace, name, "a",
        "insert into a values ('eu', 1, 'v')", "update a set id = 2 where id = 1", count=4,
    )  # fmt: skip
    assert created.key == {"region": "eu", "id": 1}
    assert (deleted.op, deleted.key) == ("d", {"region": "eu", "id": 1})
    assert json.loads(deleted.headers["__debezium.newkey"]) == {"region": "eu", "id": 2}
    assert tombstone.raw_value is None and tombstone.key == deleted.key
    assert (again.op, again.key, again.row["v"]) == ("c", {"region": "eu", "id": 2}, "v")
    assert json.loads(again.headers["__debezium.oldkey"]) == {"region": "eu", "id": 1}
    assert deleted.id != again.id


# Key type, old and new value, the two as Debezium writes them in the headers.
HEADERS = [
    ("numeric", "1.5", "2.25", '{"k":{"scale":1,"value":"Dw=="}}', '{"k":{"scale":2,"value":"AOE="}}'),
    ("numeric(5,2)", "1.50", "-2.25", '{"k":1.50}', '{"k":-2.25}'),
    ("date", "'2026-01-01'", "'2026-01-02'", '{"k":20454}', '{"k":20455}'),
    ("timestamp(3)", "'2026-01-01'", "'2026-01-02'", '{"k":1767225600000}', '{"k":1767312000000}'),
    ("time", "'12:00'", "'13:00'", '{"k":43200000000}', '{"k":46800000000}'),
    ("timestamptz", "'2026-01-01Z'", "'2026-01-02 00:00:00.5Z'",
     '{"k":"2026-01-01T00:00:00.000000Z"}', '{"k":"2026-01-02T00:00:00.500000Z"}'),
    ("float8", "0.5", "1e300", '{"k":0.5}', '{"k":1.0E300}'),
    ("jsonb", """'{"a": 1}'""", "'[]'", '{"k":"{\\"a\\": 1}"}', '{"k":"[]"}'),
    ("bytea", r"'\x00'", r"'\xff'", '{"k":"AA=="}', '{"k":"/w=="}'),
    ("text", "E'a\"b\\\\c'", "'/slash'", '{"k":"a\\"b\\\\c"}', '{"k":"/slash"}'),
]  # fmt: skip


def test_key_change_headers_are_debeziums(database, kafka, millrace, name):
    for i, (kind, old, _, _, _) in enumerate(HEADERS):
        database.sql(f"create table h{i} (k {kind} primary key); insert into h{i} values ({old})")
    millrace.connector(name, database)
    millrace.run()
    for i, (_, _, new, _, _) in enumerate(HEADERS):
        database.sql(f"update h{i} set k = {new}")
    for i, (kind, _, _, old_json, new_json) in enumerate(HEADERS):
        _, deleted, tombstone, created = read_topic(kafka, f"{name}.public.h{i}", millrace.registry, count=4)
        assert deleted.headers["__debezium.newkey"] == new_json, kind
        assert tombstone.raw_value is None
        assert tombstone.headers["__debezium.newkey"] == new_json, kind
        assert created.headers["__debezium.oldkey"] == old_json, kind


def test_key_order_is_the_keys_own(database, kafka, millrace, name):
    database.sql("create table a (x int, y int, primary key (y, x))")
    (record,) = capture(database, kafka, millrace, name, "a", "insert into a values (1, 2)", count=1)
    assert list(record.key) == ["y", "x"]
    assert list(record.row) == ["x", "y"]


def test_a_key_over_an_index_has_the_index_s_order(database, kafka, millrace, name):
    database.sql(
        "create table a (u int not null, w text not null, v int);"
        "create unique index a_w_u on a (w, u); alter table a replica identity using index a_w_u"
    )
    (record,) = capture(database, kafka, millrace, name, "a", "insert into a values (1, 'w', 2)", count=1)
    assert list(record.key.items()) == [("w", "w"), ("u", 1)]


def test_java_finds_our_partitions(kafka, database, millrace, name):
    """The partition of a key is murmur2's, as every Java producer's."""
    database.sql("create table a (id int primary key)")
    kafka.create_topic(f"{name}.public.a", 5)
    records = capture(
        database, kafka, millrace, name, "a", "insert into a select generate_series(1, 200)", count=200
    )
    assert {record.partition for record in records} == set(range(5))
    assert all(record.partition == (murmur2(record.raw_key) & 0x7FFFFFFF) % 5 for record in records)


def murmur2(data):
    """org.apache.kafka.common.utils.Utils.murmur2"""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
