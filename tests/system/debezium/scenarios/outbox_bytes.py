"""The outbox event router: payloads of bytes, columns of other names, a topic of one name."""

from debezium.scenarios.outbox import DEBEZIUM as BASE
from debezium.scenarios.outbox import ROUTER

CONNECTOR = {
    "outbox": {
        "table": "public.outbox",
        "id": "event",
        "key": "entity",
        "route_by": "kind",
        "payload": "body",
        "topic": "PREFIX.outbox.all",
        "timestamp": "happened",
    }
}
DEBEZIUM = {
    **{key: value for key, value in BASE.items() if "additional" not in key and "tombstone" not in key},
    f"{ROUTER}.table.field.event.id": "event",
    f"{ROUTER}.table.field.event.key": "entity",
    f"{ROUTER}.route.by.field": "kind",
    f"{ROUTER}.table.field.event.payload": "body",
    f"{ROUTER}.route.topic.replacement": "PREFIX.outbox.all",
}
PLAIN = "P.outbox.*"
SETUP = [
    "create table outbox (event bigint primary key, kind text, entity int, happened timestamp(3), body bytea)",
    "insert into outbox values (1, 'k', 5, '2026-01-02 03:04:05.678', '\\x00ff10')",
]
CHANGES = [
    "insert into outbox values (2, 'k', 6, '2026-01-02 03:04:05', 'text')",
    "insert into outbox values (3, 'l', 6, '1970-01-01 00:00:01', '')",
]
