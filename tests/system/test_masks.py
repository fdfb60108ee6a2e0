"""
Promise: a masked value leaves the connector nowhere: not in the stream, in either form, nor in the snapshot, keys,
old rows, dead letters, events of an outbox, defaults of schemas, logs or files; not of a partition that was detached,
nor after its column or table was renamed, also while the connector was away, or names were exchanged. An entry that
matches nothing is said.
"""

import os

import pytest
import requests
from lib.records import read_topic
from lib.waiting import wait_until

SECRET = "sekret"  # all masked values begin with it
BLOB = "select string_agg(md5(i::text), '') from generate_series(1, 400) i"
SETUP = f"""
create table people (id int primary key, phone text not null default '{SECRET}-default', card text, note text);
create table keyed (token text primary key, v int);
create table blobs (id int primary key, blob text, v int); alter table blobs alter column blob set storage external;
create table nans (id int primary key, phone text, price numeric not null); alter table nans replica identity full;
create table parted (id int primary key, phone text) partition by range (id);
create table parted_1 partition of parted for values from (0) to (100);
create table outbox (id int primary key, aggregatetype text, aggregateid text, type text, payload text);
insert into people values (1, '{SECRET}1', '{SECRET}2', 'n');
insert into keyed values ('{SECRET}3', 1);
insert into blobs select 1, '{SECRET}4' || ({BLOB}), 1;
insert into nans values (1, '{SECRET}5', 1);
insert into parted values (1, '{SECRET}6');
insert into outbox values (1, 't', '{SECRET}7', 'T', '{SECRET}8')"""
CHANGES = [
    f"insert into people values (2, '{SECRET}11', '{SECRET}12', 'n'); update people set phone = '{SECRET}13', id = 3"
    " where id = 2; delete from people where id = 3",
    f"update keyed set token = '{SECRET}14'; delete from keyed",
    "update blobs set v = 2",
    f"update nans set price = 'NaN', phone = '{SECRET}15'; delete from nans",
    f"insert into parted values (2, '{SECRET}16'); alter table parted detach partition parted_1;"
    f" insert into parted_1 values (3, '{SECRET}17')",
    f"insert into outbox values (2, 't', '{SECRET}18', 'T', '{SECRET}19')",
    f"alter table people rename phone to mobile; alter table people rename card to plastic;"
    f" insert into people values (4, '{SECRET}20', '{SECRET}21', 'n')",
    f"alter table people rename to persons; insert into persons values (5, '{SECRET}22', '{SECRET}23', 'n')",
]


def files_with(folder, text):
    found = []
    for place, _, names in os.walk(folder):
        for file_name in names:
            with open(os.path.join(place, file_name), "rb") as file:
                found += [file_name] if text in file.read() else []
    return found


@pytest.mark.parametrize("form, toast", [("auto", "complete"), ("off", "typed")])
def test_a_masked_value_is_in_no_record_log_or_file(form, toast, database, kafka, millrace, name):
    database.sql(SETUP)
    millrace.write("salt", "pepper")
    millrace.connector(
        name,
        database,
        binary_stream=form,
        toast=toast,
        columns={
            "mask": {f"public.{column}": "***" for column in ("people.phone", "nans.phone", "outbox.payload")},
            "truncate": {"public.blobs.blob": 3},
            "hash": {
                "columns": ["public.keyed.token", "public.parted.phone", "public.outbox.aggregateid"],
                "salt": {"file": "../salt"},
            },
            "exclude": ["public.people.card"],
        },
        outbox={"table": "public.outbox", "topic": f"{name}.events"},
        messages={"include": ["end"]},
        schema_changes={"topic": True},
        on_bad_row="dead_letter",
    )
    process = millrace.run()
    for change in CHANGES:
        database.sql(change)
    database.sql("select pg_logical_emit_message(true, 'end', 'x')")
    read_topic(kafka, f"{name}.message", count=1)
    topics = [topic for topic in kafka.topics() if name in topic or topic in ("millrace.state", "millrace.schemas")]
    seen = {topic: read_topic(kafka, topic) for topic in topics}
    expected = {f"{name}.public.{table}" for table in ("people", "persons", "keyed", "blobs", "nans", "parted_1")}
    expected |= {f"{name}.events", f"millrace.dlq.connector.{name}"}
    assert expected <= set(seen), sorted(seen)
    assert len(seen[f"{name}.public.persons"]) == 1
    for topic, records in seen.items():
        for record in records:
            text = b"".join(part or b"" for part in (record.raw_key, record.raw_value)) + repr(record.headers).encode()
            assert SECRET.encode() not in text, (topic, text)
    assert process.find("stream_format", format="binary" if form == "auto" else "text")
    assert len([event for event in process.events if event.get("event") == "rule_kept"]) == 2
    process.stop()
    log = process.log(100000)
    assert SECRET not in log and "pepper" not in log
    assert files_with(millrace.folder, SECRET.encode()) == []


def renames(table):
    """What is done to a table, and which columns its next row has."""
    yield [], "id, phone, card, note, age"
    yield [f"alter table {table} rename phone to x", f"alter table {table} rename note to phone",
           f"alter table {table} rename x to note"], "id, note, card, phone, age"
    yield [f"alter table {table} drop age", f"alter table {table} rename card to plastic",
           f"alter table {table} add age text"], "id, note, plastic, phone, age"
    yield [f"alter table {table} rename note to mobile"], "id, mobile, plastic, phone, age"


@pytest.mark.parametrize("when", ["live", "away", "killed"])
def test_a_rename_shows_no_masked_value(when, database, kafka, millrace, name):
    """Columns are followed by their number: phone is masked and card excluded, whatever they are called later."""
    database.sql("create table people (id int primary key, phone text, gone int, card text, note text, age text)")
    database.sql("alter table people drop gone")
    columns = {"mask": {"public.people.phone": "***"}, "exclude": ["public.people.card"]}
    millrace.connector(name, database, columns=columns)
    topic = f"{name}.public.people"
    process = millrace.run()
    for number, (changes, into) in enumerate(renames("people"), 1):
        if when != "live" and number > 1:
            assert process.kill() is None if when == "killed" else process.stop() == 0
        for change in changes:
            database.sql(change)
        database.sql(f"insert into people ({into}) values (%s, 'SEKRET', 'SEKRET', 'seen', 'old')", [number])
        if when != "live" and number > 1:
            process = millrace.run()
        read_topic(kafka, topic, count=number)
    records = [r for r in read_topic(kafka, topic, millrace.registry) if r.value]
    assert b"SEKRET" not in b"".join(r.raw_value for r in records)
    assert process.stop() == 0
    assert records[0].row == {"id": 1, "phone": "***", "note": "seen", "age": "old"}
    assert records[-1].row == {"id": 4, "mobile": "***", "phone": "***", "age": "old"}, "of the name and of the column"
    assert "SEKRET" not in process.log(100000)


def test_entries_that_match_nothing_are_said_once(database, millrace, name):
    database.sql("create table people (id int primary key, phone text); create table other (id int primary key)")
    millrace.connector(
        name,
        database,
        tables={"include": ["public.people"], "exclude": ["public.otter"], "publish_inserts_only": ["public.logg"]},
        columns={"mask": {"public.people.phone": "*", "public.people.phnoe": "*"}, "exclude": ["public.other.x"]},
        keys={"public.peple": ["id"]},
        routes=[{"match": "public.other", "topic": "other"}, {"match": "/PUBLIC.PEOPLE/", "topic": f"{name}.people"}],
    )
    process = millrace.run()
    expected = {
        ("tables.exclude", "public.otter"),
        ("tables.publish_inserts_only", "public.logg"),
        ("columns.mask", "public.people.phnoe"),
        ("columns.exclude", "public.other.x"),
        ("keys", "public.peple"),
        ("routes", "public.other"),
    }

    def said():
        found = [event for event in process.events if event.get("event") == "nothing_matched"]
        return sorted((event["key"], event["entry"]) for event in found)

    def unmatched():
        text = requests.get(f"{millrace.admin_url}/metrics", timeout=20).text
        return f'millrace_connector_unmatched_entries{{connector="{name}"}} 6' in text

    process.wait_event("nothing_matched", key="routes")
    wait_until(unmatched, 30, "the metric")
    assert said() == sorted(expected)
