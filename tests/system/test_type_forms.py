"""
Promise: a record is the same whether the database sends its values in binary form or as text, and whether a snapshot
or the stream reads them.
"""

import json
import os
import random
import re
from base64 import b64decode

import fastavro
import pytest
from lib import type_values
from lib.program import ROOT
from lib.records import Registry, read_topic
from lib.waiting import wait_until

TYPES = list(type_values.EXTREMES)
# No package of Debian 12 has pgvector; tests/golden/values/nested_forms.txt has values that it wrote.
ELSEWHERE = {("vector", "vector"), ("vector", "halfvec"), ("vector", "sparsevec")}
# Of a column type, two values for the keys of a table.
KEYS = ["int", "bigint", "numeric(12,2)", "text", "uuid", "bytea", "inet", "bool", "mood", "timestamptz", "interval"]
ROWS = 24
FIRST_STREAMED = 1000
MODES = {
    "m": {},
    "s": {"decimal": "string", "temporal": "iso", "interval": "string", "binary": "hex", "hstore": "map"},
    "d": {"decimal": "double", "temporal": "connect", "binary": "base64", "unknown_types": "skip"},
    "n": {"types": "native"},
}
WALL_CLOCK = ("ts_ms", "ts_us", "ts_ns")


class PlainRegistry(Registry):
    """Decodes without logical types: Python's dates end in the year 9999, and decimals hide their bytes."""

    def schema(self, number):
        text = super().schema(number)[0]
        return text, self.bare(text)

    def bare(self, text):
        if text not in self.known:
            self.known[text] = fastavro.parse_schema(json.loads(text.replace('"logicalType"', '"unread"')))
        return self.known[text]


def columns_of(table, types):
    """[(name, type)]: one of each type and one of arrays of it."""
    scalars = [(f"c{i}", kind) for i, kind in enumerate(types)]
    # An array whose elements are arrays is text only.
    return scalars + [(f"a{i}", f"{kind}[]") for i, kind in enumerate(types) if table == "names" or kind != "moods"]


def make_table(database, table, types):
    columns = [f"{column} {kind}" for column, kind in columns_of(table, types)]
    database.sql(f"create table {table} (id int primary key, {', '.join(columns)})")
    database.sql(f"alter table {table} replica identity full")


def fill_table(database, table, types, rng):
    """Each type's extreme values and random ones, in a column and in an array."""
    some = {kind: type_values.values(kind, ROWS, rng) for kind in types}
    for row in range(ROWS):
        row_values = [
            type_values.array(kind[:-2], some[kind[:-2]], rng) if kind not in some else f"({some[kind][row]})::{kind}"
            for _, kind in columns_of(table, types)
        ]
        database.sql(f"insert into {table} values ({row}, {', '.join(row_values)})")


def change_table(database, table, types):
    """The same rows through the stream, old rows, nulls. Returns how many records are to come of it."""
    columns = ", ".join(column for column, _ in columns_of(table, types))
    database.sql(f"insert into {table} select id + {FIRST_STREAMED}, {columns} from {table}")
    database.sql(f"update {table} set ({columns}) = (select {columns} from {table} where id = {ROWS - 1}) where id = 0")
    database.sql(f"insert into {table} (id) values (-1); delete from {table} where id in (-1, 1)")
    return 2 * ROWS + 1 + 1 + 2 * 2  # the deletes have tombstones


def change_keys(database, rng):
    for i, kind in enumerate(KEYS):
        first, second = (f"({value})::{kind}" for value in type_values.values(kind, 2, rng))
        database.sql(f"insert into key{i} values ({first}, 1); update key{i} set v = {second}; delete from key{i}")


def images(record, prefix):
    """The bytes of the record's old and new row; the prefix is the first text of the source after them."""
    return record.raw_value[5 : record.raw_value.index(prefix.encode())]


def plain(value, prefix):
    """The decoded record without the prefix and the clocks, which differ between any two connectors."""
    if value is None:
        return None
    value = {key: part for key, part in value.items() if key not in WALL_CLOCK}
    hidden = ("name", "sequence", *WALL_CLOCK) + (("txId", "lsn") if value["op"] == "r" else ())  # each its snapshot's
    value["source"] = {key: part for key, part in value["source"].items() if key not in hidden}
    return repr(value).replace(prefix, "PREFIX")


def assert_same(kafka, registry, table, count, binary, text):
    """The records of both connectors, compared byte for byte. Returns those of the first."""
    ours = read_topic(kafka, f"{binary}.public.{table}", registry, count=count)
    theirs = read_topic(kafka, f"{text}.public.{table}", registry, count=count)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.raw_key or b"")[5:] == (other.raw_key or b"")[5:]
        if one.value is None or other.value is None:
            assert one.value is other.value
            continue
        for image in ("before", "after"):
            a, b = one.value[image] or {}, other.value[image] or {}
            assert a.keys() == b.keys()
            for column in a:
                assert repr(a[column]) == repr(b[column]), f"{table}.{column}"
        assert images(one, binary) == images(other, text)
        assert plain(one.value, binary) == plain(other.value, text)
        for part in ("key_schema", "value_schema"):
            schemas = [(getattr(record, part), prefix) for record, prefix in ((one, binary), (other, text))]
            known = [registry.text(id).replace(p, "PREFIX") for id, p in schemas if id is not None]
            assert len(set(known)) <= 1
    return ours


def assert_read_as_streamed(records, table):
    """A row that the snapshot read is the one that was then inserted."""
    read = {r.key["id"]: r.row for r in records if r.op == "r"}
    created = {r.key["id"]: r.row for r in records if r.op == "c"}
    assert len(read) == ROWS
    for number, row in read.items():
        again = created[number + FIRST_STREAMED]
        for column in row.keys() - {"id"}:
            assert repr(row[column]) == repr(again[column]), f"{table}.{column} of row {number}"


def shapes_of(database, table):
    """{id: {column: what its record is to have}}, as PostGIS itself says."""
    columns = columns_of(table, list(type_values.POSTGIS))
    one = "json_build_object('wkb', encode(ST_AsEWKB({0}::geometry), 'hex'), 'srid', nullif(ST_SRID({0}::geometry), 0))"
    parts = []
    for column, kind in columns:
        shape = one.format(column)
        if kind.endswith("[]"):  # arrays of several dimensions have no Avro type
            each = f"case when v is not null then {one.format('v')} end"
            each_in_order = f"select json_agg({each} order by n) from unnest({column}) with ordinality u(v, n)"
            shape = f"case when coalesce(array_ndims({column}), 1) = 1 then coalesce(({each_in_order}), '[]') end"
        parts.append(f"'{column}', case when {column} is not null then {shape} end")
    return dict(database.sql(f"select id, json_build_object({', '.join(parts)}) from {table}"))


def shape_in(value):
    """A record's value in the form of shapes_of."""
    if isinstance(value, list):
        return [shape_in(part) for part in value]
    return value and {"wkb": b64decode(value["wkb"]["base64"]).hex(), "srid": value["srid"]}


def start(millrace, database, name, modes, **settings):
    """Two connectors for each mode: NAMEmb streams in binary form, NAMEmt as text."""
    for mode, keys in modes.items():
        millrace.connector(f"{name}{mode}b", database, **keys, **settings)
        millrace.connector(f"{name}{mode}t", database, binary_stream="off", **keys, **settings)
    process = millrace.run()
    for mode in modes:
        for form, kind in (("b", "binary"), ("t", "text")):
            event = process.wait_event("stream_format", component=f"connector/{name}{mode}{form}")
            assert event["format"] == kind, event["message"]
            process.wait_event("snapshot_done", component=f"connector/{name}{mode}{form}")
    return process


@pytest.fixture
def rng(record_property):
    seed = int(os.environ.get("MILLRACE_SEED") or random.randrange(2**32))
    record_property("seed", seed)
    print(f"MILLRACE_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def made(postgres, make_database, name):
    database = make_database(postgres, name)
    database.sql(type_values.MADE)
    return database


@pytest.fixture
def both(made, make_millrace, kafka, name):
    """Two connectors on one database with a table for each type of key."""
    for i, kind in enumerate(KEYS):
        made.sql(f"create table key{i} (v {kind} primary key, n int not null)")
    millrace = make_millrace(kafka)
    start(millrace, made, name, {"m": {}})
    return made, millrace, f"{name}mb", f"{name}mt"


def test_both_forms_and_a_snapshot_give_the_same_bytes_in_every_mode(made, make_millrace, kafka, name, rng):
    millrace = make_millrace(kafka)
    make_table(made, "forms", TYPES)
    fill_table(made, "forms", TYPES, rng)
    start(millrace, made, name, MODES)
    count = change_table(made, "forms", TYPES)
    registry = PlainRegistry(millrace.registry.url)
    for mode in MODES:
        binary, text = f"{name}{mode}b", f"{name}{mode}t"
        records = assert_same(kafka, registry, "forms", count, binary, text)
        assert_read_as_streamed(records, "forms")
        assert millrace.metric("millrace_connector_binary_stream", connector=binary) == 1, "it became a text stream"
        assert millrace.metric("millrace_connector_binary_stream", connector=text) == 0


def test_postgis_shapes_are_what_postgis_says_in_both_forms_and_a_snapshot(made, make_millrace, kafka, name, rng):
    millrace = make_millrace(kafka)
    types = list(type_values.POSTGIS)
    made.sql("create extension postgis")
    made.sql("delete from spatial_ref_sys")  # 8,500 rows that are of no interest
    make_table(made, "shapes", types)
    fill_table(made, "shapes", types, rng)
    start(millrace, made, name, {"m": {}})
    expected = shapes_of(made, "shapes")
    count = change_table(made, "shapes", types)
    binary, text = f"{name}mb", f"{name}mt"
    records = assert_same(kafka, millrace.registry, "shapes", count, binary, text)
    assert_read_as_streamed(records, "shapes")
    for record in records:
        if record.op in ("r", "c") and record.key["id"] >= 0:
            row = {column: shape_in(value) for column, value in record.row.items() if column != "id"}
            assert row == expected[record.key["id"] % FIRST_STREAMED]
    assert millrace.metric("millrace_connector_binary_stream", connector=binary) == 1, "it became a text stream"
    assert millrace.metric("millrace_connector_binary_stream", connector=text) == 0


def test_both_forms_give_the_same_keys(both, kafka, rng):
    database, millrace, binary, text = both
    change_keys(database, rng)
    for i in range(len(KEYS)):
        assert_same(kafka, millrace.registry, f"key{i}", 6, binary, text)
    assert millrace.metric("millrace_connector_binary_stream", connector=binary) == 1


def test_types_that_are_text_only_are_the_same_in_a_snapshot(made, make_millrace, kafka, name, rng):
    millrace = make_millrace(kafka)
    types = list(type_values.TEXT_ONLY)
    make_table(made, "names", types)
    fill_table(made, "names", types, rng)
    for mode, keys in MODES.items():
        millrace.connector(f"{name}{mode}", made, **{**keys, "unknown_types": "include"})
    millrace.run()
    count = change_table(made, "names", types)
    registry = PlainRegistry(millrace.registry.url)
    for mode in MODES:
        records = read_topic(kafka, f"{name}{mode}.public.names", registry, count=count)
        assert_read_as_streamed(records, "names")
        assert millrace.metric("millrace_connector_binary_stream", connector=f"{name}{mode}") == 0


def test_every_type_of_the_type_table_has_values_here(made):
    make_table(made, "forms", TYPES)
    make_table(made, "names", list(type_values.TEXT_ONLY))
    made.sql("create extension postgis")
    make_table(made, "shapes", list(type_values.POSTGIS))
    used = made.sql(
        "select t.oid, t.typname, e.extname from pg_attribute a join pg_type t on t.oid = a.atttypid"
        " left join pg_depend d on d.objid = t.oid and d.deptype = 'e'"
        " left join pg_extension e on e.oid = d.refobjid"
        " where a.attrelid in ('forms'::regclass, 'names'::regclass, 'shapes'::regclass) and a.attnum > 0"
    )
    with open(os.path.join(ROOT, "connectors", "postgres", "catalogue", "pg_types.c")) as file:
        source = file.read()
    rules = re.findall(r"^    \{(\w+), (\w+), \w+, &PG_", source, re.MULTILINE)
    known = {int(oid) for oid in made.value("select array_agg(oid) from pg_type where typelem <> 0 or oid < 10000")}
    numbers = {int(number) for rule in rules for number in rule if number.isdigit()}
    assert len(rules) > 60 and numbers <= known, "the type table is read wrongly"
    missing = numbers - {oid for oid, _, _ in used}
    assert not missing, f"no values for types {sorted(missing)}: lib/type_values.py"
    extensions = set(re.findall(r'^    \{"(\w+)", "(\w+)", &PG_', source, re.MULTILINE))
    missing = extensions - {(extension, kind) for _, kind, extension in used} - ELSEWHERE
    assert len(extensions) >= 10 and not missing, f"no values for types of extensions {sorted(missing)}"


def test_a_type_that_is_text_only_makes_the_stream_text(both, kafka):
    database, millrace, binary, _ = both
    wait_until(lambda: millrace.metric("millrace_connector_binary_stream", connector=binary) == 1, what="binary")
    database.sql("insert into key0 values (1, 1)")
    database.sql("alter table key0 add kind regtype")
    # The position of a message that nobody reads is never confirmed by itself.
    message = "select pg_logical_emit_message(false, 'unread', 'x')"
    database.transaction(message, "insert into key0 values (2, 2, 'int')", "insert into key0 values (3, 3, 'text')")
    records = read_topic(kafka, f"{binary}.public.key0", millrace.registry, count=3)
    assert [record.row["v"] for record in records] == [1, 2, 3]
    assert [record.row.get("kind") for record in records] == [None, "integer", "text"]
    wait_until(lambda: millrace.metric("millrace_connector_binary_stream", connector=binary) == 0, what="a text stream")


def test_a_table_that_waits_does_not_keep_the_stream_from_becoming_text(both, kafka):
    database, millrace, binary, _ = both
    database.sql("create table waits (id int primary key, n numeric(5, 2) not null)")
    database.sql("insert into key0 values (1, 1)")
    read_topic(kafka, f"{binary}.public.key0", millrace.registry, count=1)
    database.sql("insert into waits values (1, 'NaN'); insert into key0 values (2, 2)")
    wait_until(lambda: millrace.metric("millrace_connector_waiting_tables", connector=binary) == 1, what="waiting")
    database.sql("alter table key0 add kind regtype; insert into key0 values (3, 3, 'int')")
    wait_until(lambda: millrace.metric("millrace_connector_binary_stream", connector=binary) == 0, what="a text stream")
    kinds = set()

    def all_there():
        kinds.update(r.row.get("kind") for r in read_topic(kafka, f"{binary}.public.key0", millrace.registry))
        return "integer" in kinds

    wait_until(all_there, 30, "the row")
