"""Promise: a record with a label that was added to an enum has a schema that has the label, at its first row."""

import json

import pytest
from lib.records import read_topic


def allowed_in(registry, record, column):
    schema = json.loads(registry.text(record.value_schema))
    branch = next(f["type"][1] for f in schema["fields"][0]["type"][1]["fields"] if f["name"] == column)
    return branch.get("items", branch)["connect.parameters"]["allowed"]


@pytest.fixture
def stream(database, kafka, millrace, name):
    """A connector that has published a row, and what reads the topic's rows."""
    database.sql("""create type mood as enum ('sad', 'ok');
        create table diary (id int primary key, m mood, many mood[], note text)""")
    millrace.connector(name, database, columns={"mask": {"public.diary.note": "hidden"}})
    process = millrace.run()
    database.sql("insert into diary values (1, 'sad', '{ok}', 'secret')")

    def read(count):
        return read_topic(kafka, f"{name}.public.diary", millrace.registry, count=count)

    assert len(read(1)) == 1
    return process, read


def test_labels_that_are_added_and_renamed(stream, database, millrace):
    process, read = stream
    database.sql("alter type mood add value 'new' before 'sad'")
    database.sql("insert into diary values (2, 'new', '{}'), (3, 'ok', '{new}')")
    assert len(read(3)) == 3
    database.sql("alter type mood add value 'last'")
    database.sql("insert into diary values (4, null, '{ok,last}')")
    assert len(read(4)) == 4
    database.sql("alter type mood rename value 'ok' to 'fine'")
    database.sql("insert into diary values (5, 'fine', '{}'); update diary set note = 'x' where id = 1")
    records = read(6)
    assert [r.row["m"] for r in records] == ["sad", "new", "ok", None, "fine", "sad"]
    assert [r.row["many"] for r in records[2:4]] == [["new"], ["ok", "last"]]
    assert {r.row["note"] for r in records} == {"hidden", None}, "a mask stays"
    allowed = [allowed_in(millrace.registry, r, "m") for r in records]
    later = ["new,sad,ok,last", "new,sad,fine,last", "new,sad,fine,last"]
    assert allowed == ["sad,ok", "new,sad,ok", "new,sad,ok", *later]
    assert [allowed_in(millrace.registry, r, "many") for r in records] == allowed
    assert len({r.value_schema for r in records}) == 4, "a version for each set of labels"
    assert process.popen.poll() is None


def test_a_label_that_the_catalogue_has_no_more_is_published(stream, database, millrace):
    process, read = stream
    process.stop()
    database.sql("alter type mood add value 'gone'")
    database.sql("insert into diary values (2, 'gone', '{}')")
    database.sql("alter type mood rename value 'gone' to 'kept'")
    database.sql("insert into diary values (3, 'kept', '{}'), (4, 'kept', '{}')")
    process = millrace.run()
    records = read(4)
    assert [r.row["m"] for r in records] == ["sad", "gone", "kept", "kept"]
    assert [allowed_in(millrace.registry, r, "m") for r in records[1:]] == ["sad,ok,kept"] * 3
    assert process.popen.poll() is None
