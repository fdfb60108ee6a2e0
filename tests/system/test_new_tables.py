"""Promise: a table that appears and matches is captured, without a restart."""

from lib.records import read_topic
from lib.waiting import wait_until


def test_a_table_that_appears_is_captured(database, kafka, millrace, name):
    database.sql("create table first (id int primary key)")
    millrace.connector(name, database, tables={"include": ["public.*"], "exclude": ["public.audit_*"]})
    process = millrace.run()
    database.sql("create table audit_log (id int primary key)")
    database.sql("create table second (id int primary key, v text)")
    published = "select array_agg(tablename::text order by 1) from pg_publication_tables"
    wait_until(lambda: database.value(published) == ["first", "second"], 45, "second in the publication")
    process.wait_event(message=r"public\.second")
    database.sql("insert into second values (1, 'a'); insert into first values (1)")
    assert read_topic(kafka, f"{name}.public.second", millrace.registry, count=1)[0].row == {
        "id": 1,
        "v": "a",
    }
    assert f"{name}.public.audit_log" not in kafka.topics()
