"""The outbox event router: payloads of texts and of JSON, headers, a time of its own, tombstones, odd routes."""

ROUTER = "transforms.outbox"
CONNECTOR = {
    "outbox": {
        "table": "public.outbox",
        "topic": "PREFIX.outbox.{aggregatetype}",
        "headers": {"type": "eventType", "tenant": "tenant"},
        "timestamp": "happened",
        "tombstone_on_empty": True,
    }
}
DEBEZIUM = {
    "predicates": "IsOutbox",
    "predicates.IsOutbox.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
    "predicates.IsOutbox.pattern": ".*outbox",
    "transforms": "outbox",
    f"{ROUTER}.type": "io.debezium.transforms.outbox.EventRouter",
    f"{ROUTER}.predicate": "IsOutbox",
    f"{ROUTER}.route.topic.replacement": "PREFIX.outbox.${routedByValue}",
    f"{ROUTER}.table.fields.additional.placement": "type:header:eventType,tenant:header",
    f"{ROUTER}.table.field.event.timestamp": "happened",
    f"{ROUTER}.route.tombstone.on.empty.payload": "true",
}
PLAIN = "P.outbox.*"  # topics whose keys and values have no schemas
SETUP = [
    "create table outbox (id uuid primary key, aggregatetype text not null, aggregateid text, type text,"
    " tenant int, happened timestamp not null, payload jsonb)",
    "insert into outbox values ('00000000-0000-0000-0000-000000000001', 'order', '7', 'Made', 1,"
    " '2026-01-02 03:04:05.678901', '{\"a\": [1, 2.50]}')",
]
EVENT = "insert into outbox values ('00000000-0000-0000-0000-{:012d}', {}, '2026-01-02 03:04:05.6', {})"
CHANGES = [
    EVENT.format(2, "'order', '7', 'Paid', null", "'{\"b\": \"ü\"}'"),
    EVENT.format(3, "'customer', '8', null, 2", "'[]'"),
    EVENT.format(4, "'customer', '8', 'Gone', 2", "null"),
    EVENT.format(5, "'customer', null, 'Text', 2", "'\"text\"'"),
    "update outbox set type = 'Changed' where tenant = 2",
    "delete from outbox",
]
