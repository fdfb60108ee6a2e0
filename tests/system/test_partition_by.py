"""
Promise: with partition_by the columns choose a row's partition: its deletes and tombstones lie where its row does, and
a row whose columns change is deleted in its old partition and created in its new one. A table whose former values are
not known waits, and is named with its cure.
"""

from confluent_kafka.admin import NewPartitions

from lib.records import read_topic
from lib.waiting import wait_until

PARTITIONS = 5


def murmur2(data):
    """As org.apache.kafka.common.utils.Utils.murmur2."""
    factor, word = 0x5BD1E995, 0xFFFFFFFF
    value = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * factor & word
        k = (k ^ k >> 24) * factor & word
        value = (value * factor & word) ^ k
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * factor & word
    value = (value ^ value >> 13) * factor & word
    return value ^ value >> 15


def long(value):
    """In Avro."""
    zigzag = value << 1 ^ value >> 63
    out = bytearray()
    while zigzag > 127:
        out.append(zigzag & 127 | 128)
        zigzag >>= 7
    return bytes([*out, zigzag])


def partition(*values):
    data = b"".join(long(v) if isinstance(v, int) else long(len(v)) + v.encode() for v in values if v is not None)
    return (murmur2(data) & 0x7FFFFFFF) % PARTITIONS


def of_row(records, key):
    return [(r.op or "tombstone", r.partition) for r in records if r.key["id"] == key]


def test_columns_choose_the_partition(database, kafka, millrace, name):
    database.sql(
        "create table orders (id int primary key, customer bigint, region text, note text);"
        "alter table orders replica identity full; create table customers (id int primary key);"
        "insert into orders select i, i / 2, 'r', 'x' from generate_series(1, 20) i"
    )
    topic = f"{name}.public.orders"
    for each in (topic, f"{name}.public.customers"):
        kafka.create_topic(each, PARTITIONS)
    millrace.connector(
        name, database,
        partition_by={"public.orders": ["customer", "region"], "public.customers": ["id"]},
    )  # fmt: skip
    process = millrace.run()
    records = read_topic(kafka, topic, millrace.registry, count=20)
    assert [r.op for r in records] == ["r"] * 20
    assert {r.row["id"]: r.partition for r in records} == {i: partition(i // 2, "r") for i in range(1, 21)}
    database.sql("insert into customers select i from generate_series(1, 20) i")
    customers = read_topic(kafka, f"{name}.public.customers", millrace.registry, count=20)
    assert {r.row["id"]: r.partition for r in customers} == {i: partition(i) for i in range(1, 21)}
    there, other = next((a, b) for a in range(100) for b in range(100) if partition(a, "r") != partition(b, "r"))
    database.sql(f"insert into orders values (100, {there}, 'r', 'a')")
    database.sql("update orders set note = 'b' where id = 100")
    database.sql(f"update orders set customer = {other} where id = 100")
    database.sql("update orders set customer = null where id = 100")
    database.sql("delete from orders where id = 100")
    ids = lambda: [r for r in read_topic(kafka, topic, millrace.registry) if r.key["id"] == 100]  # noqa: E731
    moved = partition(None, "r") != partition(other, "r")
    wait_until(lambda: len(ids()) >= (10 if moved else 8), 60, "all records of row 100", pause=0.5)
    first, second, last = partition(there, "r"), partition(other, "r"), partition(None, "r")
    by_partition = {}
    for op, at in of_row(ids(), 100):
        by_partition.setdefault(at, []).append(op)
    wanted = {}
    for at, ops in (
        (first, ["c", "u", "d", "tombstone"]),
        (second, ["c", "d", "tombstone"] if moved else ["c", "u"]),
        (last, ["c", "d", "tombstone"] if moved else ["d", "tombstone"]),
    ):
        wanted.setdefault(at, []).extend(ops)
    assert by_partition == wanted
    # A topic that grows: its keys move, which the log says.
    kafka.admin.create_partitions([NewPartitions(topic, PARTITIONS + 1)])[topic].result(30)
    process.wait_event("topic_partitions_changed")


def test_a_table_without_its_former_values_waits_alone(database, kafka, millrace, name):
    database.sql(
        "create table orders (id int primary key, customer int); create table others (id int primary key);"
        "create table wrong (id int primary key)"
    )
    millrace.connector(
        name, database, snapshot="never",
        partition_by={"public.orders": ["customer"], "public.wrong": ["nothing"]},
    )  # fmt: skip
    process = millrace.run()
    database.sql("insert into orders values (1, 1); insert into wrong values (1)")
    assert len(read_topic(kafka, f"{name}.public.orders", millrace.registry, count=1)) == 1
    database.sql("update orders set customer = 2; insert into others values (1)")
    assert len(read_topic(kafka, f"{name}.public.others", millrace.registry, count=1)) == 1
    process.wait_event("table_waiting", 'ALTER TABLE "public"."orders" REPLICA IDENTITY FULL')
    process.wait_event("table_waiting", "there is no column nothing")
    assert len(read_topic(kafka, f"{name}.public.orders", millrace.registry)) == 1
