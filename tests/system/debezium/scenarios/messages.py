"""Logical messages, in a transaction and outside of one, with bytes and without any."""

CONNECTOR = {"messages": {"include": ["*"]}}
SETUP = ["create table t (id int primary key)"]
CHANGES = [
    "select pg_logical_emit_message(true, 'prefix', 'content')",
    "select pg_logical_emit_message(false, 'outside', 'content')",
    "select pg_logical_emit_message(true, 'bytes', '\\x00ff'::bytea)",
    "select pg_logical_emit_message(true, '', '')",
    "select pg_logical_emit_message(true, 'ünï \"q\"', repeat('x', 5000))",
    ["insert into t values (1)", "select pg_logical_emit_message(true, 'between', 'rows')", "insert into t values (2)"],
    [
        "insert into t values (3)",
        "savepoint s",
        "select pg_logical_emit_message(true, 'undone', 'x')",
        "select pg_logical_emit_message(false, 'stays', 'x')",
        "rollback to s",
        "insert into t values (4)",
    ],
]
