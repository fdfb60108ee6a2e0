"""Promise: every column type arrives with the value and the semantic name that Debezium gives it."""

import json
from base64 import b64encode

import pytest
from lib.records import read_topic

UUID = "11111111-2222-3333-4444-555555555555"
POINT = "0101000000000000000000f83f00000000000000c0"
SQUARE = (
    "01030000000100000005000000"
    "00000000000008400000000000001040" "00000000000008400000000000000040"
    "000000000000f03f0000000000000040" "000000000000f03f0000000000001040" "00000000000008400000000000001040"
)  # fmt: skip


def base64(digits):
    return b64encode(bytes.fromhex(digits)).decode()


BOX = {"wkb": {"base64": base64(SQUARE)}, "srid": None, "extensions": {"type": "box"}}
MADE = """create extension hstore; create extension ltree; create extension citext;
    create type mood as enum ('sad', 'happy, very'); create type comp as (n int, t text, m mood);
    create type fruits as range (subtype = text)"""
# column type, SQL value, decoded value, Avro type (of the non-null branch)
TYPES = [
    ("smallint", "-32768", -32768, {"type": "int", "connect.type": "int16"}),
    ("int", "2147483647", 2147483647, "int"),
    ("bigint", "-9223372036854775808", -(2**63), "long"),
    ("real", "1.5", 1.5, "float"),
    ("double precision", "-1e300", -1e300, "double"),
    ("double precision", "'Infinity'", float("inf"), "double"),
    ("boolean", "false", False, "boolean"),
    ("text", "'Grüße 你好 😀'", "Grüße 你好 😀", "string"),
    ("varchar(10)", "'abc'", "abc", "string"),
    ("char(5)", "'ab'", "ab   ", "string"),
    ("numeric(12,2)", "-1234567890.12", "-1234567890.12", "Decimal"),
    ("numeric(30,0)", "123456789012345678901234567890", "123456789012345678901234567890", "Decimal"),
    ("numeric(5,5)", "0.00001", "0.00001", "Decimal"),
    ("numeric(12,2)", "0", "0.00", "Decimal"),
    ("numeric", "1234.5600", {"scale": 2, "value": {"base64": "AeJA"}}, "VariableScaleDecimal"),
    ("date", "'2026-01-02'", 20455, "io.debezium.time.Date"),
    ("date", "'1969-12-31'", -1, "io.debezium.time.Date"),
    ("date", "'0044-03-15 BC'", -735160, "io.debezium.time.Date"),
    ("time", "'23:59:59.999999'", 86399999999, "io.debezium.time.MicroTime"),
    ("time(3)", "'03:04:05.5'", 11045500, "io.debezium.time.Time"),
    ("timestamp", "'2026-01-02 03:04:05.678901'", 1767323045678901, "io.debezium.time.MicroTimestamp"),
    ("timestamp(3)", "'2026-01-02 03:04:05.678'", 1767323045678, "io.debezium.time.Timestamp"),
    ("timestamp", "'1969-12-31 23:59:59.999999'", -1, "io.debezium.time.MicroTimestamp"),
    ("timestamp", "'infinity'", 2**63 - 1, "io.debezium.time.MicroTimestamp"),
    ("timestamptz", "'2026-01-02 03:04:05+02'", "2026-01-02T01:04:05.000000Z", "ZonedTimestamp"),
    ("timestamptz(0)", "'2026-01-02 03:04:05+00'", "2026-01-02T03:04:05Z", "io.debezium.time.ZonedTimestamp"),
    ("timestamptz", "'infinity'", "infinity", "io.debezium.time.ZonedTimestamp"),
    ("uuid", f"'{UUID}'", UUID, "io.debezium.data.Uuid"),
    ("json", """'{"b" : 1, "a":[null]}'""", '{"b" : 1, "a":[null]}', "io.debezium.data.Json"),
    ("jsonb", """'{"b" : 1, "a":[null]}'""", '{"a": [null], "b": 1}', "io.debezium.data.Json"),
    ("bytea", r"'\x00ff10'", {"base64": "AP8Q"}, "bytes"),
    ("bytea", "''", {"base64": ""}, "bytes"),
    ("int[]", "array[1, null, -3]", [1, None, -3], "array"),
    ("bigint[]", "array[]::bigint[]", [], "array"),
    ("smallint[]", "array[1]::smallint[]", [1], "array"),
    ("text[]", """'{"a b", NULL, "NULL", "q\\"x", ""}'""", ["a b", None, "NULL", 'q"x', ""], "array"),
    ("boolean[]", "array[true, false]", [True, False], "array"),
    ("numeric(6,2)[]", "array[1.5, -2]", ["1.50", "-2.00"], "array"),
    ("double precision[]", "array[0.1]", [0.1], "array"),
    ("date[]", "array['2026-01-02'::date]", [20455], "array"),
    ("uuid[]", f"array['{UUID}'::uuid]", [UUID], "array"),
    ("jsonb[]", """array['{"a": 1}'::jsonb]""", ['{"a": 1}'], "array"),
    ("timestamptz[]", "array['2026-01-02 03:04Z'::timestamptz]", ["2026-01-02T03:04:00.000000Z"], "array"),
    ("bytea[]", r"array['\x00'::bytea]", [{"base64": "AA=="}], "array"),
    ("inet", "'10.0.0.1/8'", "10.0.0.1/8", "string"),
    ("interval", "'1 day 02:03:04'", 93784000000, "io.debezium.time.MicroDuration"),
    ("money", "12345.67", "12345.67", "Decimal"),
    ("bit(1)", "B'1'", True, "boolean"),
    ("bit(5)", "B'10101'", {"base64": "FQ=="}, "io.debezium.data.Bits"),
    ("varbit", "B'101'", {"base64": "BQ=="}, "io.debezium.data.Bits"),
    ("date", "'infinity'", 2146033979, "io.debezium.time.Date"),
    ("timetz", "'12:34:56.5+02'", "10:34:56.5Z", "io.debezium.time.ZonedTime"),
    ("pg_lsn", "'16/B3748'", "16/B3748", "string"),
    ("xid8", "'5'", "5", "string"),
    ("regclass", "'pg_class'", "pg_class", "string"),
    ("point", "'(1.5,-2)'", {"x": 1.5, "y": -2.0, "wkb": {"base64": base64(POINT)}, "srid": None}, "geometry.Point"),
    ("box[]", "array['(1,2),(3,4)'::box, null, '(1,2),(3,4)'::box]", [BOX, None, BOX], "array"),
    ("mood", "'happy, very'", "happy, very", "io.debezium.data.Enum"),
    ("mood[]", "'{sad,\"happy, very\"}'", ["sad", "happy, very"], None),
    ("comp", "(1, 'a b', null)", '(1,"a b",)', "string"),
    ("comp[]", "array[(1, 'a', 'sad')::comp, null]", ["(1,a,sad)", None], "array"),
    ("hstore", "'b=>2, a=>NULL'", '{"a":null,"b":"2"}', "io.debezium.data.Json"),
    ("ltree", "'Top.Science'", "Top.Science", "io.debezium.data.Ltree"),
    ("citext", "'AbC'", "AbC", "string"),
    ("int4multirange", "'{[1,3),[5,7)}'", "{[1,3),[5,7)}", "string"),
    ("fruits", "'[apple,\"pear tree\")'", '[apple,"pear tree")', "string"),
    ("int2vector", "'1 2'", [1, 2], None),
    ("tsvector", "'a:1A b'", "'a':1A 'b'", "io.debezium.data.Tsvector"),
    ("tsquery", "'a & !b'", "'a' & !'b'", "string"),
    ("int4range", "'[1,5)'", "[1,5)", "string"),
]  # fmt: skip


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def captured(kept, postgres, make_database, kafka, make_millrace, name):
    """The row through the snapshot and through the stream, and the columns' Avro types."""
    if not kept:
        database, millrace = make_database(postgres, name), make_millrace(kafka)
        columns = ", ".join(f"c{i} {row[0]}" for i, row in enumerate(TYPES))
        values = ", ".join(row[1] for row in TYPES)
        database.sql(MADE)
        database.sql(f"create table types (id int primary key, {columns})")
        database.sql(f"insert into types values (1, {values})")
        millrace.connector(name, database)
        process = millrace.run()
        database.sql(f"insert into types values (2, {values})")
        database.sql("insert into types (id) values (3)")
        registry = millrace.registry
        kept["records"] = read_topic(kafka, f"{name}.public.types", registry, count=3)
        schema = json.loads(registry.text(kept["records"][0].value_schema))
        fields = schema["fields"][0]["type"][1]["fields"]
        kept["fields"] = {field["name"]: field["type"] for field in fields}
        kept["process"] = process
    return kept


@pytest.mark.parametrize("index", range(len(TYPES)), ids=[f"{row[0]}={row[1]}" for row in TYPES])
def test_value_and_type(captured, index):
    _, _, expected, avro = TYPES[index]
    read, created, empty = captured["records"]
    assert (read.op, created.op) == ("r", "c")
    column = f"c{index}"
    assert empty.row[column] is None
    assert read.row[column] == created.row[column], "snapshot and stream differ"
    if expected is None:
        assert created.row[column] is not None
        return
    assert created.row[column] == expected
    null, branch = captured["fields"][column]
    assert null == "null"
    if avro in (None, branch):
        return
    if avro == "array":
        assert branch["type"] == "array" and branch["items"][0] == "null"
    else:
        assert isinstance(branch, dict), branch
        assert branch.get("connect.name", "").endswith(avro), branch


def test_not_a_number(database, kafka, millrace, name):
    database.sql("create table odd (id int primary key, f float8, r real)")
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into odd values (1, 'NaN', '-Infinity')")
    row = read_topic(kafka, f"{name}.public.odd", millrace.registry, count=1)[0].row
    assert row["f"] != row["f"] and row["r"] == float("-inf")


def test_hstore_as_a_map(database, kafka, millrace, name):
    database.sql("create extension hstore; create table bags (id int primary key, h hstore, many hstore[])")
    millrace.connector(name, database, hstore="map")
    millrace.run()
    database.sql("""insert into bags values (1, 'b=>2, a=>NULL', '{"x=>y",NULL}'), (2, '', '{}')""")
    first, second = read_topic(kafka, f"{name}.public.bags", millrace.registry, count=2)
    assert first.row["h"] == {"a": None, "b": "2"} and first.row["many"] == [{"x": "y"}, None]
    assert second.row["h"] == {} and second.row["many"] == []


# Values with no Avro form: column type, SQL value, what a nullable column gets.
WITHOUT_FORM = [
    ("numeric(12,2)", "'NaN'", None),
    ("numeric", "'NaN'", None),
    ("numeric", "'Infinity'", None),
    ("numeric", "'-Infinity'", None),
    ("numeric[]", "'{1.5,NaN}'", None),
    ("int[]", "'{{1,2},{3,4}}'", None),
    ("text[]", "'{{a,b},{c,d}}'", None),
    ("timestamp", "'294276-12-31 23:59:59.999999'", None),
    ("timestamp(3)", "'294276-12-31'", 9224317929600000),
]


def test_values_without_an_avro_form_are_null(database, kafka, millrace, name):
    columns = ", ".join(f"c{i} {row[0]}" for i, row in enumerate(WITHOUT_FORM))
    values = ", ".join(row[1] for row in WITHOUT_FORM)
    database.sql(f"create table odd (id int primary key, {columns}); insert into odd values (1, {values})")
    millrace.connector(name, database)
    process = millrace.run()
    database.sql(f"insert into odd values (2, {values}); insert into odd (id) values (3)")
    read, created, _ = read_topic(kafka, f"{name}.public.odd", millrace.registry, count=3)
    expected = {f"c{i}": row[2] for i, row in enumerate(WITHOUT_FORM)}
    assert read.row == {"id": 1, **expected}
    assert created.row == {"id": 2, **expected}
    said = [event for event in process.events if event["event"] == "value_as_null"]
    assert {line["column"] for line in said} == {column for column, value in expected.items() if value is None}
    assert len(said) == len({line["column"] for line in said}), "said once a column"


# Column type, value too long to be kept in the row, what stands for it when an update does not send it again.
UNCHANGED = [
    ("text", "repeat('x', 3000)", "__debezium_unavailable_value"),
    ("bytea", "decode(repeat('00', 3000), 'hex')", {"base64": "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="}),
    ("text[]", "array[repeat('x', 3000)]", ["__debezium_unavailable_value"]),
    ("jsonb", """('"' || repeat('x', 3000) || '"')::jsonb""", "__debezium_unavailable_value"),
    ("numeric", "repeat('9', 9000)::numeric", None),
    ("numeric[]", "array_fill(1.5, array[900])", None),
    ("float8[]", "array_fill(1.5::float8, array[900])", None),
    ("smallint[]", "array_fill(1::smallint, array[3000])", None),
    ("boolean[]", "array_fill(true, array[3000])", None),
    ("timestamp[]", "array_fill('2026-01-02'::timestamp, array[900])", None),
    ("timestamptz[]", "array_fill('2026-01-02'::timestamptz, array[900])", None),
    ("time[]", "array_fill('12:00'::time, array[900])", None),
    ("varbit", "repeat('10', 30000)::varbit", None),
    ("numeric not null", "repeat('9', 9000)::numeric", None),
]


def test_unchanged_values_never_read_as_false_ones(database, kafka, millrace, name):
    columns = [f"c{i} {row[0]}" for i, row in enumerate(UNCHANGED)]
    database.sql(f"create table far (id int primary key, n int, {', '.join(columns)})")
    for i in range(len(UNCHANGED)):
        database.sql(f"alter table far alter c{i} set storage external")
    millrace.connector(name, database)
    millrace.run()
    database.sql(f"insert into far values (1, 1, {', '.join(row[1] for row in UNCHANGED)})")
    database.sql("update far set n = 2")
    created, updated = read_topic(kafka, f"{name}.public.far", millrace.registry, count=2)
    assert None not in created.row.values()
    assert updated.row == {"id": 1, "n": 2, **{f"c{i}": row[2] for i, row in enumerate(UNCHANGED)}}


def test_a_not_null_domain_is_not_nullable(database, kafka, millrace, name):
    database.sql(
        "create domain posint as int not null check (value > 0); create domain maybe as int;"
        "create table dom (id int primary key, p posint, m maybe)"
    )
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into dom values (1, 2, 3)")
    record = read_topic(kafka, f"{name}.public.dom", millrace.registry, count=1)[0]
    schema = json.loads(millrace.registry.text(record.value_schema))
    fields = {f["name"]: f["type"] for f in schema["fields"][0]["type"][1]["fields"]}
    assert fields == {"id": "int", "p": "int", "m": ["null", "int"]}


def test_defaults_are_in_the_schema(database, kafka, millrace, name):
    database.sql(
        "create table defaults (id serial primary key, n int not null default 5,"
        " s text not null default 'it''s', b boolean not null default true,"
        " d date default '1970-01-03', f float8 not null default 1.5)"
    )
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into defaults (n, d) values (7, null)")
    record = read_topic(kafka, f"{name}.public.defaults", millrace.registry, count=1)[0]
    assert record.row == {"id": 1, "n": 7, "s": "it's", "b": True, "d": None, "f": 1.5}
    schema = json.loads(millrace.registry.text(record.value_schema))
    fields = {f["name"]: f for f in schema["fields"][0]["type"][1]["fields"]}
    assert fields["n"] == {"name": "n", "type": {"type": "int", "connect.default": 5}, "default": 5}
    assert fields["id"]["default"] == 0
    assert fields["s"]["default"] == "it's" and fields["b"]["default"] is True


def test_a_changed_table_gets_a_new_schema(database, kafka, millrace, name):
    database.sql("create table shape (id int primary key, a text); insert into shape values (1, 'a')")
    millrace.connector(name, database)
    millrace.run()
    database.sql("insert into shape values (2, 'a')")
    database.sql("alter table shape add b int not null default 3")
    database.sql("insert into shape values (3, 'a', 4)")
    database.sql("alter table shape drop a")
    database.sql("alter table shape add a bigint")
    database.sql("insert into shape values (4, 5, 6)")
    records = read_topic(kafka, f"{name}.public.shape", millrace.registry, count=4)
    assert [record.row for record in records] == [
        {"id": 1, "a": "a"},
        {"id": 2, "a": "a"},
        {"id": 3, "a": "a", "b": 4},
        {"id": 4, "b": 5, "a": 6},
    ]
    assert records[0].value_schema == records[1].value_schema
    assert len({record.value_schema for record in records}) == 3
