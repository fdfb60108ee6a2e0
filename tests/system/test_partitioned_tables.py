"""
Promise: a partitioned table is captured by its name, each partition, old or new, on a topic of its own; none
makes the application's own statements fail.
"""

from lib.records import read_topic

ORDERS = """
create table orders (id int, day date, v text, primary key (id, day)) partition by range (day);
create table orders_01 partition of orders for values from ('2026-01-01') to ('2026-02-01');
create table orders_02 partition of orders for values from ('2026-02-01') to ('2026-03-01');
"""


def changes(kafka, millrace, name, table, count):
    records = read_topic(kafka, f"{name}.public.{table}", millrace.registry, count=count)
    return [(r.op, r.key["id"], r.row["v"]) for r in records if r.value]


def test_by_its_exact_name(database, kafka, millrace, name):
    database.sql(ORDERS)
    database.sql("insert into orders values (1, '2026-01-05', 'a'), (2, '2026-02-05', 'b')")
    millrace.connector(name, database, tables={"include": ["public.orders"]})
    process = millrace.run()
    for leaf in ("orders_01", "orders_02"):
        process.wait_event("table_added", table=f"public.{leaf}")
    database.sql("update orders set v = 'A' where id = 1")
    database.sql("delete from orders where id = 1")
    database.sql("update orders set day = '2026-01-06' where id = 2")  # a delete there, a create here
    assert changes(kafka, millrace, name, "orders_01", 5) == [
        ("r", 1, "a"),
        ("u", 1, "A"),
        ("d", 1, None),
        ("c", 2, "b"),
    ]
    assert changes(kafka, millrace, name, "orders_02", 3) == [("r", 2, "b"), ("d", 2, None)]

    # One that is made while it runs, and one that is attached with rows.
    database.sql(
        "create table orders_03 partition of orders for values from ('2026-03-01') to ('2026-04-01')"
    )
    database.sql("insert into orders values (3, '2026-03-05', 'c')")
    database.sql("create table later (like orders including all)")
    database.sql("insert into later values (4, '2026-04-05', 'd')")
    database.sql("alter table orders attach partition later for values from ('2026-04-01') to ('2026-05-01')")
    database.sql("insert into orders values (5, '2026-04-06', 'e')")
    assert changes(kafka, millrace, name, "orders_03", 1) == [("c", 3, "c")]
    assert changes(kafka, millrace, name, "later", 1) == [("c", 5, "e")]
    for leaf in ("orders_03", "later"):
        process.wait_event("table_added", table=f"public.{leaf}")
    assert f"{name}.public.orders" not in kafka.topics()

    # And after a restart.
    assert process.stop() == 0
    database.sql("update orders set v = 'C' where id = 3")
    database.sql(
        "create table orders_05 partition of orders for values from ('2026-05-01') to ('2026-06-01')"
    )
    database.sql("insert into orders values (6, '2026-05-05', 'f')")
    millrace.run()
    assert changes(kafka, millrace, name, "orders_03", 2)[1:] == [("u", 3, "C")]
    assert changes(kafka, millrace, name, "orders_05", 1)[0][1:] == (6, "f")
    assert f"{name}.public.orders" not in kafka.topics()


def test_partitions_of_partitions_in_another_schema(database, kafka, millrace, name):
    database.sql(ORDERS + "create schema parts")
    database.sql(
        "create table parts.late partition of orders for values from ('2026-07-01') to ('2027-01-01')"
        " partition by range (day);"
        "create table parts.late_1 partition of parts.late for values from ('2026-07-01') to ('2026-08-01')"
    )
    database.sql("insert into orders values (1, '2026-01-05', 'a'), (2, '2026-02-05', 'b')")
    database.sql("insert into orders values (7, '2026-07-05', 'g')")
    millrace.connector(name, database, tables={"include": ["public.*"], "exclude": ["public.orders_02"]})
    millrace.run()
    database.sql("update orders set v = upper(v)")
    records = read_topic(kafka, f"{name}.parts.late_1", millrace.registry, count=2)
    assert [(r.op, r.row["v"]) for r in records] == [("r", "g"), ("u", "G")]
    assert changes(kafka, millrace, name, "orders_01", 2) == [("r", 1, "a"), ("u", 1, "A")]
    assert not {f"{name}.public.orders", f"{name}.public.orders_02", f"{name}.parts.late"} & kafka.topics()


def test_identity_is_each_partitions_own(database, kafka, millrace, name):
    """REPLICA IDENTITY FULL on the partitioned table changes nothing: what is named is what helps."""
    database.sql(
        "create table log (id int, v text) partition by list (v);"
        "create table log_a partition of log for values in ('a', 'A');"
        "create table log_b partition of log for values in ('b', 'B');"
        "alter table log replica identity full; alter table log_a replica identity full;"
        "create table other (id int primary key)"
    )
    millrace.connector(name, database)
    process = millrace.run()
    event = process.wait_event("table_without_identity", table="public.log")
    assert '"public"."log_b" REPLICA IDENTITY FULL' in event["message"]
    database.sql("insert into log values (1, 'a'), (2, 'b')")
    database.sql("update log set v = upper(v)")  # would fail for log_b if it were published
    records = read_topic(kafka, f"{name}.public.log_a", millrace.registry, count=2)
    assert [(r.op, r.row["v"]) for r in records] == [("c", "a"), ("u", "A")]
    assert f"{name}.public.log_b" not in kafka.topics()
    database.sql("alter table log_b replica identity full; insert into other values (1)")
    (row,) = read_topic(kafka, f"{name}.public.log_b", millrace.registry, count=1)
    assert (row.op, row.row) == ("r", {"id": 2, "v": "B"})
    database.sql("delete from log")
    (_, deleted) = read_topic(kafka, f"{name}.public.log_b", millrace.registry, count=2)
    assert (deleted.op, deleted.value["before"]) == ("d", {"id": 2, "v": "B"})
    assert f"{name}.public.log" not in kafka.topics()
