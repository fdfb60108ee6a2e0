"""BEGIN and END of each transaction, and each record's place in it."""

CONNECTOR = {"transactions": {"topic": True}, "truncate": True, "messages": {"include": ["*"]}}
DEBEZIUM = {"provide.transaction.metadata": "true"}
SETUP = [
    "create table a (id int primary key, v int)",
    "create table b (id int primary key, v int)",
    "create schema other",
    "create table other.a (id int primary key, v int)",
    "insert into a values (1, 1)",
]
CHANGES = [
    "insert into a values (2, 2)",
    ["insert into a values (3, 3)", "insert into b values (1, 1)", "insert into other.a values (1, 1)",
     "update a set v = 4 where id = 3"],
    ["update a set id = 5 where id = 3", "delete from b"],
    ["insert into b values (7, 7)", "savepoint s", "insert into a values (8, 8)", "rollback to s"],
    ["select 1"],
    "truncate b",
    ["insert into a values (9, 9)", "select pg_logical_emit_message(true, 'm', 'x')"],
    "select pg_logical_emit_message(true, 'alone', 'x')",
    "select pg_logical_emit_message(false, 'outside', 'x')",
]  # fmt: skip
