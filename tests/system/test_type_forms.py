"""Promise: a record is the same whether the database sends its values in binary form or as text."""

import pytest
from lib.records import read_topic
from lib.waiting import wait_until

UUID = "11111111-2222-3333-4444-555555555555"
NUMBERS = ["0", "0.00", "-0.01", "9999999999.99", "1e30", "1e-30", "-1234567890123456789.0123456789", "10000"]
# Type: values, ordinary and extreme. An array of each is captured too.
TYPES = {
    "bool": ["true", "false"],
    "smallint": ["-32768", "32767", "0"],
    "int": ["-2147483648", "2147483647", "-1"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "1"],
    "real": ["1.5", "'NaN'", "'-Infinity'", "3.4028235e38", "1e-45", "-0.0", "0.1", "1e6", "123456.7"],
    "double precision": ["0.1", "'NaN'", "'Infinity'", "1.7976931348623157e308", "5e-324", "-0.0", "1e15", "1e-5"],
    "numeric": [*NUMBERS, "1e131071", "1e-16383", "'NaN'", "'Infinity'", "repeat('123456789', 40)::numeric"],
    "numeric(12,2)": ["12.34", "-0.01", "9999999999.99", "0", "'NaN'", "100"],
    "numeric(38,10)": ["1234567890123456789012345678.0123456789", "-0.0000000001", "1", "10000.00010001"],
    "numeric(1000,0)": ["repeat('9', 1000)::numeric", "-1", "10000"],
    "text": ["''", "'Grüße 你好 😀'", r"E'\ttab\nnl\\bs\"quote,{}'", "'NULL'", "repeat('long', 1000)"],
    "varchar(20)": ["'v'", "''"],
    "char(5)": ["'abc'", "''", "'äöü'"],
    '"char"': ["'c'", "''"],
    "name": ["'nm'", "''"],
    "json": ["""'{"b" : 1, "a":[null]}'""", "'1'"],
    "jsonb": ["""'{"b" : 1, "a":[null]}'""", "'2.50'"],
    "xml": ["'<a>ü</a>'"],
    "bytea": [r"'\x'", r"'\x00ff10'", r"decode(repeat('ab', 5000), 'hex')"],
    "uuid": [f"'{UUID}'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
    "oid": ["4294967295", "0"],
    "inet": ["'192.168.1.5/24'", "'10.0.0.1'", "'::1'", "'2001:db8::1:0:0:1/64'", "'::ffff:1.2.3.4'", "'0.0.0.0/0'"],
    "cidr": ["'10.1.2.0/24'", "'2001:db8::/32'", "'10.0.0.1/32'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "mood": ["'happy, very'", "'sad'"],
    "amount": ["1.50", "-0.001"],
    "int4range": ["'[1,10)'", "'empty'", "'(,)'"],
    "numrange": ["'(1.5,2.5]'", "'[,0.001)'"],
    "int8multirange": ["'{[1,3),[5,7)}'", "'{}'"],
    "address": ["row('x, y', 1.50, null)", "row('', 0, true)"],
    "point": ["'(1.5,-2)'", "'(1e300,0)'"],
    "polygon": ["'((1,2),(3,4),(5,6))'"],
    "tsvector": ["'a:1A b:2,3'"],
    "tsquery": ["'a & !b <2> c:*A'"],
}  # fmt: skip
MADE = """create type mood as enum ('sad', 'happy, very');
create domain amount as numeric(9,3);
create type address as (street text, rent numeric(8,2), paid bool);"""
KEYS = ["int", "bigint", "numeric(12,2)", "text", "uuid", "bytea", "inet", "bool", "mood"]
WALL_CLOCK = ("ts_ms", "ts_us", "ts_ns")


def make_tables(database):
    columns = [f"c{i} {kind}" for i, kind in enumerate(TYPES)] + [f"a{i} {kind}[]" for i, kind in enumerate(TYPES)]
    database.sql(MADE)
    database.sql(f"create table forms (id int primary key, {', '.join(columns)})")
    database.sql("alter table forms replica identity full")
    for i, kind in enumerate(KEYS):
        database.sql(f"create table key{i} (v {kind} primary key, n int not null)")


def change_tables(database):
    """Each value in a column and in an array, full old rows, keys; returns the number of records of `forms`."""
    rows = max(len(values) for values in TYPES.values())
    for row in range(rows):
        scalars = [f"{values[row % len(values)]}" for values in TYPES.values()]
        arrays = [f"array[{', '.join(values)}, null]::{kind}[]" for kind, values in TYPES.items()]
        database.sql(f"insert into forms values ({row}, {', '.join(scalars + arrays)})")
    columns = ", ".join(f"c{i} = (select c{i} from forms where id = {rows - 1})" for i in range(len(TYPES)))
    database.sql(f"update forms set {columns} where id = 0")
    database.sql("insert into forms (id) values (-1)")
    database.sql("delete from forms where id in (1, -1)")
    for i, kind in enumerate(KEYS):
        first, second = TYPES[kind][:2]
        database.sql(f"insert into key{i} values ({first}, 1)")
        database.sql(f"update key{i} set v = {second}")
        database.sql(f"delete from key{i}")
    return rows + 1 + 1 + 2 * 2  # an update, an insert, two deletes with their tombstones


def plain(value, prefix):
    """The decoded record without the prefix and the clocks, which differ between any two connectors."""
    if value is None:
        return None
    value = {key: part for key, part in value.items() if key not in WALL_CLOCK}
    value["source"] = {key: part for key, part in value["source"].items() if key not in ("name", "sequence")}
    return repr(value).replace(prefix, "PREFIX")


@pytest.fixture
def both(postgres, make_database, make_millrace, kafka, name):
    """Two connectors on one database: NAMEb streams in binary form, NAMEt as text."""
    database, millrace = make_database(postgres, name), make_millrace(kafka)
    make_tables(database)
    binary, text = f"{name}b", f"{name}t"
    millrace.connector(binary, database)
    millrace.connector(text, database, binary_stream="off")
    process = millrace.run()
    process.wait_event("stream_format", component=f"connector/{binary}", format="binary")
    process.wait_event("stream_format", component=f"connector/{text}", format="text")
    return database, millrace, binary, text


def test_both_forms_give_the_same_bytes(both, kafka):
    database, millrace, binary, text = both
    registry = millrace.registry
    rows = change_tables(database)
    for table, count in [("forms", rows), *((f"key{i}", 6) for i in range(len(KEYS)))]:
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
            assert plain(one.value, binary) == plain(other.value, text)
            for part in ("key_schema", "value_schema"):
                schemas = [(getattr(record, part), prefix) for record, prefix in ((one, binary), (other, text))]
                known = [registry.text(id).replace(p, "PREFIX") for id, p in schemas if id is not None]
                assert len(set(known)) <= 1


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
