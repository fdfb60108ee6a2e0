"""Transactions of several tables, savepoints, and rows that change several times in one."""

SETUP = [
    "create table a (id int primary key, v int)",
    "create table b (id int primary key, v int)",
    "insert into a select i, i from generate_series(1, 5) i",
]
CHANGES = [
    ["insert into a values (10, 1)", "insert into b values (10, 1)", "update a set v = 2 where id = 10"],
    ["insert into b values (11, 1)", "savepoint s", "insert into b values (12, 1)", "rollback to s",
     "insert into a values (12, 1)"],
    ["savepoint s", "insert into b values (13, 1)", "release s", "savepoint t", "insert into b values (14, 1)"],
    ["insert into a values (20, 1)", "delete from a where id = 20"],
    ["insert into b values (21, 1)", "update b set id = 22 where id = 21", "update b set id = 23 where id = 22",
     "delete from b where id = 23"],
    "insert into a select i, i from generate_series(100, 130) i",
    "update a set v = v + 1 where id between 100 and 110",
    ["select 1"],
    "delete from a where id > 5",
    ["update a set id = -id", "update a set id = -id"],
]  # fmt: skip
