"""Logical messages of some prefixes: whole names, in any case of letters."""

CONNECTOR = {"messages": {"include": ["/app\\..*/", "/ORDERS/"]}}
DEBEZIUM = {"message.prefix.include.list": r"app\..*,ORDERS"}
SETUP = ["create table t (id int primary key)"]
CHANGES = [
    f"select pg_logical_emit_message(true, '{prefix}', 'x')"
    for prefix in ("app.a", "app", "App.b", "orders", "orders2", "other")
]
