"""
Promise: a table without identity never makes the application's own statements fail; it is named with its
cure.
"""

from lib.records import read_topic


def test_update_goes_on_and_the_cure_is_named(database, kafka, millrace, name):
    database.sql("create table good (id int primary key)")
    database.sql("create table bare (id int, v text); insert into bare values (1, 'a')")
    millrace.connector(name, database)
    process = millrace.run()
    event = process.wait_event(message=r"public\.bare")
    assert "REPLICA IDENTITY FULL" in event["message"] and "key" in event["message"].lower()
    database.sql("update bare set v = 'b'")
    database.sql("delete from bare")
    database.sql("insert into good values (1)")
    assert read_topic(kafka, f"{name}.public.good", count=1)
    assert f"{name}.public.bare" not in kafka.topics()


def test_inserts_only(database, kafka, millrace, name):
    database.sql("create table bare (id int, v text)")
    millrace.connector(
        name, database, tables={"include": ["public.*"], "publish_inserts_only": ["public.bare"]}
    )
    millrace.run()
    database.sql("insert into bare values (1, 'a')")
    database.sql("update bare set v = 'b'")
    database.sql("delete from bare")
    database.sql("insert into bare values (2, 'c')")
    records = read_topic(kafka, f"{name}.public.bare", millrace.registry, count=2)
    assert [(r.op, r.row, r.raw_key) for r in records] == [
        ("c", {"id": 1, "v": "a"}, None),
        ("c", {"id": 2, "v": "c"}, None),
    ]


def test_full_identity_without_a_key(database, kafka, millrace, name):
    database.sql("create table a (id int, v text); alter table a replica identity full")
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into a values (1, 'a')")
    database.sql("update a set v = 'b'")
    database.sql("delete from a")
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=3)
    assert [r.op for r in records if r.value] == ["c", "u", "d"]
    assert all(r.raw_key is None for r in records)
    assert records[1].value["before"] == {"id": 1, "v": "a"}
    # A record with neither key nor value would mean nothing.
    assert all(r.raw_value is not None for r in records)


def test_identity_by_index(database, kafka, millrace, name):
    database.sql(
        "create table a (code text not null, v text); create unique index a_code on a (code);"
        "alter table a replica identity using index a_code"
    )
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into a values ('x', 'a')")
    database.sql("delete from a")
    created, deleted, tombstone = read_topic(kafka, f"{name}.public.a", millrace.registry, count=3)
    assert created.key == deleted.key == tombstone.key == {"code": "x"}
