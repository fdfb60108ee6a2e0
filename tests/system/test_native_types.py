"""Promise: with `types: native` each value arrives: one that its Avro type can't hold is PostgreSQL's text."""

import json
import signal

import pytest
from lib.records import read_topic

from test_decoders import read_with_avro_c

MADE = """create type mood as enum ('sad', 'happy, very'); create extension hstore;
    create type place as (x int, "in" date, moods mood[], bag hstore, "a b" numeric(6,2), a_b text);
    create type "a b" as (v int); create type a_b as (w text, inner_one "a b");
    create type event as (v int); create schema event; create type event.block as (z int)"""
FAR = "294276-12-31 23:59:59.999999"
WITH_NAN = '(1,,,,NaN,)'
# Type, SQL value, value. The texts of the second half are those of values that the type has no place for.
HELD = [
    ("int[]", "'{1,NULL}'", [1, None]),
    ("mood[]", "'{sad,NULL}'", ["sad", None]),
    ("tsvector[]", "array['a'::tsvector, null]", ["'a'", None]),
    ("numeric(12,2)", "1.5", "1.50"),
    ("varbit(1)", "''", ""),
    ("place", "row(1, '2026-01-02', '{sad,NULL}', 'k=>v', 1.5, 'x')",
     {"x": 1, "in": "2026-01-02", "moods": ["sad", None], "bag": '{"k":"v"}', "a_b_5": "1.50", "a_b": "x"}),
    ("place", "row(null, null, null, null, null, null)",
     {"x": None, "in": None, "moods": None, "bag": None, "a_b_5": None, "a_b": None}),
    ("place[]", "array[row(1, null, null, null, null, '(\",)')::place, null]",
     [{"x": 1, "in": None, "moods": None, "bag": None, "a_b_5": None, "a_b": '(",)'}, None]),
    ("a_b", "row('w', row(7))", {"w": "w", "inner_one": {"v": 7}}),
    ("\"a b\"", "row(8)", {"v": 8}),
    ("event.block", "row(9)", {"z": 9}),
]  # fmt: skip
AS_TEXT = [
    ("int[]", "'{{1,2},{3,4}}'", "{{1,2},{3,4}}"),
    ("text[]", "'{{a,\"b c\"},{NULL,\"NULL\"}}'", '{{a,"b c"},{NULL,"NULL"}}'),
    ("int[]", "'[0:1]={1,2}'", "[0:1]={1,2}"),
    ("box[]", "array[array['(1,2),(3,4)'::box]]", "{{(3,4),(1,2)}}"),
    ("mood[]", "'{{sad},{NULL}}'", "{{sad},{NULL}}"),
    ("numeric(12,2)", "'NaN'", "NaN"),
    ("numeric(12,2)[]", "'{1,NaN}'", "{1.00,NaN}"),
    ("timestamp", f"'{FAR}'", FAR),
    ("timestamptz", f"'{FAR}+00'", FAR + "+00"),
    ("timestamp[]", f"array['{FAR}'::timestamp]", f'{{"{FAR}"}}'),
    ("place", "row(1, null, null, null, 'NaN', null)", WITH_NAN),
    ("place[]", "array[row(1, null, null, null, 'NaN', null)::place]", f'{{"{WITH_NAN}"}}'),
]  # fmt: skip
ALL = HELD + AS_TEXT
# A value of each type that it has a place for.
PLAIN = {"text[]": "'{a}'", "box[]": "'{}'", "numeric(12,2)[]": "'{1.5}'", "timestamp": "'2026-01-02'",
         "timestamptz": "'2026-01-02'", "timestamp[]": "'{}'"}  # fmt: skip
PLAIN.update({kind: value for kind, value, _ in HELD})


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def captured(kept, postgres, make_database, kafka, make_millrace, name):
    """Rows with the values: read, inserted with the stream in binary form and as text, updated, and without them."""
    if not kept:
        database, millrace = make_database(postgres, name), make_millrace(kafka)
        database.sql(MADE)
        columns = ", ".join(f"c{i} {kind}, n{i} {kind} not null" for i, (kind, *_) in enumerate(ALL))
        values = ", ".join(f"{value}, {value}" for _, value, _ in ALL)
        plain = ", ".join(f"null, {PLAIN[kind]}" for kind, *_ in ALL)
        database.sql(f"create table native (id int primary key, {columns}); alter table native replica identity full")
        database.sql(f"insert into native values (1, {plain}), (2, {values})")
        millrace.connector(name, database, types="native")
        process = millrace.run()
        process.wait_event("stream_format", component=f"connector/{name}", format="binary")
        read_topic(kafka, f"{name}.public.native", millrace.registry, count=2)
        millrace.connector(f"{name}t", database, types="native", binary_stream="off")
        process.popen.send_signal(signal.SIGHUP)
        process.wait_event("stream_format", component=f"connector/{name}t", format="text")
        database.sql(f"insert into native values (3, {values})")
        database.sql("update native set id = 4 where id = 3; delete from native where id = 2")
        for form, prefix in (("binary", name), ("text", f"{name}t")):
            kept[form] = read_topic(kafka, f"{prefix}.public.native", millrace.registry, count=8)
        records = [record for record in kept["binary"] if record.raw_value is not None]
        kept["schemas"] = {r.value_schema: millrace.registry.text(r.value_schema) for r in records}
        kept["process"] = process
    return kept


@pytest.mark.parametrize("index", range(len(ALL)), ids=[f"{kind}={value[:40]}" for kind, value, _ in ALL])
def test_each_value_arrives(captured, index):
    expected = ALL[index][2]
    for form in ("binary", "text"):
        plain, read, created, deleted, _, moved, gone, _ = captured[form]
        assert [r.op for r in (plain, read, created, deleted, moved, gone)] == ["r", "r", "c", "d", "c", "d"]
        assert plain.row[f"c{index}"] is None
        images = [read.value["after"], created.value["after"], deleted.value["before"], moved.value["after"]]
        images.append(gone.value["before"])
        for image in images:
            assert image[f"c{index}"] == expected and image[f"n{index}"] == expected


def fields(text):
    envelope = json.loads(text)
    return {field["name"]: field["type"] for field in envelope["fields"][0]["type"][1]["fields"]}


def test_a_column_has_a_branch_for_text_from_its_first_such_value_on(captured):
    before, after = (fields(captured["schemas"][record.value_schema]) for record in captured["binary"][:2])
    for i in range(len(ALL)):
        is_text = i >= len(HELD)
        c, n = after[f"c{i}"], after[f"n{i}"]
        assert (c[-1] == "string") == (is_text or ALL[i][0].startswith("varbit")), ALL[i]
        assert isinstance(n, list) == is_text, ALL[i]
        assert before[f"c{i}"] == (c[:-1] if is_text else c)
    later = {record.value_schema for record in captured["binary"][1:] if record.raw_value}
    assert later == {captured["binary"][1].value_schema}, "one version for all of them"
    said = [e for e in captured["process"].events if e["event"] == "value_as_null"]
    assert not said


def test_both_forms_are_the_same(captured):
    for one, other in zip(captured["binary"], captured["text"], strict=True):
        for image in ("before", "after"):
            assert repr(one.value and one.value[image]) == repr(other.value and other.value[image])


def test_avro_c_reads_every_record(captured):
    for record in captured["binary"]:
        if record.raw_value is not None:
            read_with_avro_c(captured["schemas"][record.value_schema], record.raw_value[5:])


def test_a_composite_type_that_is_altered(database, kafka, millrace, name):
    database.sql("create type pair as (a int, b date); create table co (id int primary key, v pair, many pair[])")
    millrace.connector(name, database, types="native")
    process = millrace.run()
    database.sql("insert into co values (1, '(1,2026-01-02)', '{}')")
    read_topic(kafka, f"{name}.public.co", millrace.registry, count=1)
    database.sql("alter type pair add attribute c date cascade")
    database.sql("insert into co values (2, '(2,2026-01-02,1970-01-03)', array['(2,,1970-01-03)'::pair])")
    read_topic(kafka, f"{name}.public.co", millrace.registry, count=2)
    process.stop()
    database.sql("insert into co values (3, '(3,,1970-01-03)', '{}'); alter type pair drop attribute b cascade")
    database.sql("insert into co values (4, '(4,1970-01-03)', '{}')")
    process = millrace.run()
    rows = [r.row for r in read_topic(kafka, f"{name}.public.co", millrace.registry, count=4)]
    assert rows[0] == {"id": 1, "v": {"a": 1, "b": "2026-01-02"}, "many": []}
    assert rows[1]["v"] == {"a": 2, "b": "2026-01-02", "c": "1970-01-03"}
    assert rows[1]["many"] == [{"a": 2, "b": None, "c": "1970-01-03"}]
    assert rows[2] == {"id": 3, "v": "(3,,1970-01-03)", "many": []}, "of a version that the catalogue has no more"
    assert rows[3] == {"id": 4, "v": {"a": 4, "c": "1970-01-03"}, "many": []}
    assert process.popen.poll() is None
