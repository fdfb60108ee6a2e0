"""Promise: a connector that streams takes no memory for a change from the allocator, once its buffers have grown."""

import os
import struct
import subprocess

import pytest
from confluent_kafka import KafkaException, TopicPartition
from lib.records import consumer
from lib.type_values import EXTREMES, IN_ARRAYS, MADE
from lib.waiting import wait_until

SOURCE = os.path.join(os.path.dirname(__file__), "lib", "count_allocations.c")
COUNT = 1000  # changes that are counted
SOME = COUNT // 4  # what timers, confirmations and the buffers of rounds may take meanwhile
WIDE = 500  # columns
ORDERS = """create table orders (id bigint primary key, customer int not null, status text not null,
    amount numeric(12,2), created timestamptz, note text, paid boolean, meta jsonb)"""
ORDER = """i, i % 7, 'new', i / 100.0, now(), 'order number ' || i, true, '{"items": 3}'::jsonb"""


def forms(which):
    """The SQL values of one row of every type, and of an array of each."""
    values = {kind: f"({all_values[which % len(all_values)]})::{kind}" for kind, all_values in EXTREMES.items()}
    return [*values.values(), *(f"array[{values[kind]}, null]::{kind}[]" for kind in IN_ARRAYS)]


def make_tables(database):
    database.sql(MADE)
    database.sql(ORDERS)
    database.sql(f"create table wide (id int primary key, {', '.join(f'c{i} int' for i in range(WIDE))})")
    kinds = [*EXTREMES, *(f"{kind}[]" for kind in IN_ARRAYS)]
    database.sql(f"create table forms (id int primary key, {', '.join(f'c{i} {k}' for i, k in enumerate(kinds))})")
    database.sql("alter table forms replica identity full")
    for which in (0, 1):  # models for those that are counted; the connector does not see them
        database.sql(f"insert into forms values ({-which}, {', '.join(forms(which))})")


def changes():
    """(table, what, SQL with first and last id, records a change)"""
    series, where = "from generate_series(FIRST, LAST) i", "where id between FIRST and LAST"
    columns = [f"c{i}" for i in range(len(EXTREMES) + len(IN_ARRAYS))]
    yield "orders", "insert", f"insert into orders select {ORDER} {series}", 1
    yield "orders", "update", f"update orders set status = 'paid', amount = amount + 1 {where}", 1
    yield "orders", "key change", f"update orders set id = -id {where}", 3  # its headers have both keys
    yield "orders", "delete", f"delete from orders {where.replace('id', '-id')}", 2
    yield "wide", "insert", f"insert into wide select i, {', '.join(['i'] * WIDE)} {series}", 1
    yield "wide", "update", f"update wide set c1 = c1 + 1 {where}", 1
    yield "forms", "insert", f"insert into forms select i, {', '.join(columns)} {series}, forms where id = 0", 1
    other = ", ".join(f"{column} = model.{column}" for column in columns)
    rows = "forms.id between FIRST and LAST"
    yield "forms", "update", f"update forms set {other} from forms model where model.id = -1 and {rows}", 1
    yield "forms", "delete", f"delete from forms {where}", 2


@pytest.fixture(scope="module")
def library(folder):
    path = os.path.join(folder, "count_allocations.so")
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", path, SOURCE], check=True)
    return path


@pytest.mark.parametrize("form", ["auto", "off"])
def test_no_change_allocates(library, folder, postgres, make_database, make_millrace, kafka, name, form):
    database, millrace = make_database(postgres, name), make_millrace(kafka)
    make_tables(database)
    settings = {"binary_stream": form, "transactions": {"topic": True}}  # each record has its place in its own
    millrace.connector(name, database, snapshot="never", topics={"partitions": 1}, **settings)
    path = os.path.join(folder, f"allocations-{name}")
    with open(path, "wb") as file:
        file.write(bytes(8))
    process = millrace.start("connect", environment={"LD_PRELOAD": library, "ALLOCATION_COUNT": path})
    process.wait_event("stream_format", format="text" if form == "off" else "binary")
    millrace.wait_ready(process)
    reader, expected, failures = consumer(kafka.bootstrap, **{"group.id": name}), {}, {}

    def counted():
        with open(path, "rb") as file:
            return struct.unpack("Q", file.read(8))[0]

    def is_there(topic, count):
        try:
            return reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1] >= count
        except KafkaException:
            return False

    def run(table, sql, first, records):
        """What was allocated until the changes are on Kafka."""
        before = counted()
        database.sql(sql.replace("FIRST", str(first)).replace("LAST", str(first + COUNT - 1)))
        expected[table] = expected.get(table, 0) + records * COUNT
        wait_until(lambda: is_there(f"{name}.public.{table}", expected[table]), 60, f"the changes of {table}")
        return counted() - before

    for table, what, sql, records in changes():
        turns = (run(table, sql, 1 + turn * COUNT, records) for turn in range(5))  # the first ones let buffers grow
        failures[f"{what} of {table}"] = min(turns)
    assert {what: count for what, count in failures.items() if count >= SOME} == {}, failures
