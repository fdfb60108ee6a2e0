"""TRUNCATE of one table, of several, of a partitioned one, with CASCADE, in a transaction with rows."""

CONNECTOR = {"truncate": True}
SETUP = [
    "create table a (id int primary key, v int)",
    "create table b (id int primary key, v int)",
    "create table child (id int primary key, a int references a)",
    "create table p (id int, k text, primary key (id, k)) partition by list (k)",
    "create table p_a partition of p for values in ('a')",
    "create table p_b partition of p for values in ('b')",
    "insert into a values (1, 1)",
]
CHANGES = [
    "truncate b",
    "insert into b values (1, 1)",
    ["insert into b values (2, 2)", "truncate b", "insert into b values (3, 3)"],
    "insert into child values (1, 1)",
    "truncate a cascade",
    "insert into p values (1, 'a')",
    "truncate p",
    "truncate b, child restart identity",
    ["savepoint s", "truncate b", "rollback to s", "insert into b values (4, 4)"],
]
