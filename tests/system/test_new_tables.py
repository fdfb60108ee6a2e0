"""Promise: a table that appears and matches, or gets its identity late, is captured without a restart."""

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
