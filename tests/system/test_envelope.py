"""Promise: what is on Kafka is what a Debezium user expects, down to the schema's text."""

import glob
import json
import os
import re

import pytest
from lib.program import ROOT
from lib.records import read_topic

GOLDEN = {
    os.path.basename(path)[:-5]: json.load(open(path, encoding="utf-8"))
    for path in glob.glob(os.path.join(ROOT, "tests/golden/envelope/*.json"))
}
TABLES = """
create table sample (id int primary key, name text not null, amount numeric(12,2), price float8, flag bool,
    at timestamptz, day date, t time, ts timestamp, doc jsonb, uid uuid, tags text[], raw bytea, big text);
alter table sample replica identity full;
create table sample_default (id bigserial primary key, name varchar(20), big text);
alter table sample_default alter big set storage external;
insert into sample (id, name, amount) values (10, 'in the snapshot', 1.00),
    (11, 'second', 2.00), (12, 'last', 3.00);
"""
CHANGES = [
    """insert into sample values (1, 'Ada', 12.34, 1.5, true, '2026-01-02 03:04:05.678901+00', '2026-01-02',
       '03:04:05.5', '2026-01-02 03:04:05.678901', '{"a": [1, 2]}', '11111111-2222-3333-4444-555555555555',
       array['x', 'y z'], '\\x00ff', 'b')""",
    "update sample set name = 'Ada L.', amount = 99.90 where id = 1",
    "delete from sample where id = 1",
    """begin;
       insert into sample (id, name) values (2, 'two');
       insert into sample_default (name, big) values ('in a transaction', repeat('big', 2000));
       insert into sample (id, name) values (3, 'three');
       commit""",
    "update sample_default set name = 'toast-unchanged' where id = 1",
    "update sample_default set id = 100 where id = 1",
]


@pytest.fixture(scope="module")
def records(request):
    """{table: decoded records} of the changes above; ours is named `bench` as theirs was."""
    return {}


@pytest.fixture
def captured(records, postgres, kafka, make_database, make_millrace):
    if not records:
        database = make_database(postgres, "bench")
        database.sql(TABLES)
        millrace = make_millrace(kafka)
        millrace.connector("bench", database)
        millrace.run()
        for change in CHANGES:
            database.sql(change)
        registry = millrace.registry
        records["sample"] = read_topic(kafka, "bench.public.sample", registry, count=9)
        records["sample_default"] = read_topic(kafka, "bench.public.sample_default", registry, count=5)
        records["texts"] = {number: text for number, (text, _) in registry.known.items()}
    return records


def neutral(value):
    """An envelope without what differs from run to run, after a check that it has the right form."""
    source = value["source"]
    assert re.fullmatch(r'\[(null|"\d+"),"\d+"\]', source["sequence"])
    assert json.loads(source["sequence"])[1] == str(source["lsn"])
    for block in (value, source):
        assert block["ts_ms"] == block["ts_us"] // 1000
        assert block["ts_us"] == block["ts_ns"] // 1000
    blank = dict.fromkeys(("version", "ts_ms", "ts_us", "ts_ns", "sequence", "txId", "lsn"))
    return {
        **value,
        **dict.fromkeys(("ts_ms", "ts_us", "ts_ns", "transaction")),
        "source": {**source, **blank},
    }


EXPECTED = [
    ("snapshot-read-first", "sample", 0),
    ("snapshot-read-true", "sample", 1),
    ("snapshot-read-last", "sample", 2),
    ("insert", "sample", 3),
    ("update", "sample", 4),
    ("delete", "sample", 5),
    ("tombstone", "sample", 6),
    ("insert-after-tx-of-3", "sample", 8),
    ("update-default-identity-toast", "sample_default", 1),
    ("delete-key-change", "sample_default", 2),
    ("insert-key-change", "sample_default", 4),
]


@pytest.mark.parametrize("golden,table,index", EXPECTED, ids=[row[0] for row in EXPECTED])
def test_record_equals_debezium(captured, golden, table, index):
    theirs, ours = GOLDEN[golden], captured[table][index]
    assert ours.topic == theirs["topic"]
    assert ours.key == theirs["key"]["value"]
    if theirs["value"] is None:
        assert ours.raw_value is None
    else:
        assert neutral(ours.value) == neutral(theirs["value"]["value"])
        assert list(ours.value) == list(theirs["value"]["value"])


def test_headers_are_ours_and_the_key_changes(captured):
    headers = {}
    for record in captured["sample"] + captured["sample_default"]:
        headers[record.topic, record.offset] = dict(record.headers)
        assert re.fullmatch(
            r"[0-9a-f]{16}-[0-9a-f]{8}", headers[record.topic, record.offset].pop("millrace.position")
        )
    deleted, tombstone, created = captured["sample_default"][2:5]
    assert tombstone.raw_value is None and tombstone.raw_key == deleted.raw_key
    assert headers.pop((deleted.topic, deleted.offset)) == {"__debezium.newkey": '{"id":100}'}
    assert headers.pop((tombstone.topic, tombstone.offset)) == {"__debezium.newkey": '{"id":100}'}
    assert headers.pop((created.topic, created.offset)) == {"__debezium.oldkey": '{"id":1}'}
    assert not any(headers.values())


def test_ids_are_positions_in_the_transaction(captured):
    two, three = (r for r in captured["sample"] if r.key["id"] in (2, 3))
    between = captured["sample_default"][0]
    commits = {record.id.split("-")[0] for record in (two, between, three)}
    assert len(commits) == 1
    assert [int(r.id.split("-")[1], 16) for r in (two, between, three)] == [0, 1, 2]


SCHEMAS = [
    ("sample", "key", 1),
    ("sample", "value", 2),
    ("sample_default", "key", 5),
    ("sample_default", "value", 6),
]


@pytest.mark.parametrize("table,part,golden", SCHEMAS)
def test_schema_text_equals_debezium(captured, table, part, golden):
    number = getattr(captured[table][0], f"{part}_schema")
    text = captured["texts"][number]
    theirs = json.dumps(GOLDEN[f"schema-{golden}"], separators=(",", ":"))
    # Object members in the same order, too: json.loads keeps it, and json.dumps writes it.
    assert json.dumps(json.loads(text), separators=(",", ":")) == theirs
