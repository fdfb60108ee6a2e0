"""
Promise: handlers written for AWS Lambda's events of DynamoDB Streams and Kafka, here with its Powertools, and readers
of Debezium's JSON run unchanged.
"""

import base64
import json
import os
from decimal import Decimal

import pytest
from boto3.dynamodb.types import Binary
from handlers import dynamodb_stream, kafka_batch, kafka_consumer
from lib.function_server import Answer
from lib.program import ROOT
from lib.records import read_topic
from lib.waiting import wait_until
from test_envelope import CHANGES, GOLDEN, TABLES, neutral

TABLE = """
create table orders (id bigint primary key, status text, amount numeric(50,2), rate float8, paid bool,
    at timestamptz, day date, doc jsonb, uid uuid, tags text[], raw bytea, small numeric);
alter table orders replica identity full;
"""
ROW = """insert into orders values ({id}, '{status}', 12.50, 1e-7, true, '2026-01-02 03:04:05.678901+00',
    '2026-01-02', '{{"a": [1, null, "x"], "b": 1.5}}', '11111111-2222-3333-4444-555555555555', array['x', null],
    '\\x00ff', 7e-3)"""


def documented(payload):
    """The example in docs/payloads.md."""
    with open(os.path.join(ROOT, "docs/payloads.md"), encoding="utf-8") as page:
        section = page.read().split(f"\n## `{payload}`\n")[1]
    return json.loads(section.split("```json\n")[1].split("```")[0])


class Handlers:
    """Answers calls with Lambda handlers by path; `events()` is what they wrote."""

    def __init__(self, path, monkeypatch):
        self.path = path
        self.by_path = {}
        self.errors = []
        monkeypatch.setenv("EVENTS", path)
        open(path, "w", encoding="utf-8").close()

    def rule(self, call):
        try:
            answer = self.by_path[call.path](call.json, None)
        except Exception as error:
            self.errors.append(repr(error))
            return Answer(status=500)
        return Answer(body=json.dumps(answer).encode())

    def events(self):
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def wait(self, count, where=lambda event: True):
        def enough():
            if self.errors:
                pytest.fail(self.errors[0], pytrace=False)
            events = [event for event in self.events() if where(event)]
            return events if len(events) >= count else None

        return wait_until(enough, 30, lambda: f"{count} events, {self.events()} came; {self.errors}")


@pytest.fixture
def handlers(tmp_path, monkeypatch, function):
    made = Handlers(f"{tmp_path}/events.jsonl", monkeypatch)
    function.rule = made.rule
    return made


@pytest.fixture
def subscribe(database, millrace, function, handlers, name):
    """A connector of the table, and a function that a handler answers."""
    database.sql(TABLE)
    millrace.connector(name, database)

    def add(path, handler, payload, events=20, **more):
        handlers.by_path[f"/{path}"] = handler
        millrace.function(
            f"{name}-{path}",
            f"{name}.public.orders",
            f"{function.url}/{path}",
            payload=payload,
            delivery={
                "batch": {"events": events, "window": "300ms", "partial_failures": True},
                "retry": {"attempts": 3, "backoff": {"initial": "10ms", "max": "50ms"}},
            },
            **more,
        )

    return add


def test_powertools_reads_the_events_of_a_dynamodb_stream(subscribe, database, millrace, function, handlers, name):
    subscribe("dynamodb", dynamodb_stream.handler, "dynamodb-stream")
    millrace.run()
    database.sql(ROW.format(id=7, status="new"))
    database.sql("update orders set status = 'fails once', doc = '[]', tags = null where id = 7")
    database.sql("delete from orders where id = 7")
    insert, modify, remove = sorted(handlers.wait(3), key=lambda event: event["id"])[:3]
    assert [insert["name"], modify["name"], remove["name"]] == ["INSERT", "MODIFY", "REMOVE"]
    assert insert["keys"] == modify["keys"] == remove["keys"] == repr({"id": Decimal(7)})
    new = {
        "id": Decimal(7),
        "status": "new",
        "amount": Decimal("12.50"),
        "rate": Decimal("0.0000001"),
        "paid": True,
        "at": "2026-01-02T03:04:05.678901Z",
        "day": "2026-01-02",
        "doc": {"a": [Decimal(1), None, "x"], "b": Decimal("1.5")},
        "uid": "11111111-2222-3333-4444-555555555555",
        "tags": ["x", None],
        "raw": Binary(b"\x00\xff"),
        "small": Decimal("0.007"),
    }
    assert insert["new"] == repr(new)
    assert insert["old"] is None and modify["old"] == insert["new"]
    assert remove["old"] == modify["new"] and remove["new"] is None
    assert [event["sequence"] for event in (insert, modify, remove)] == sorted(
        {event["sequence"] for event in (insert, modify, remove)}, key=int
    )
    assert insert["arn"] == f"arn:aws:dynamodb:local:000000000000:table/public.orders/stream/{name}"
    assert insert["view"] == "NEW_AND_OLD_IMAGES" and insert["size"] > 100
    assert dynamodb_stream.failed == {modify["id"]}
    example = documented("dynamodb-stream")
    sent = next(r for call in function.calls for r in call.json["Records"] if r["eventName"] == "MODIFY")
    assert list(function.calls[0].json) == list(example)
    assert list(sent) == list(example["Records"][0])
    assert list(sent["dynamodb"]) == list(example["Records"][0]["dynamodb"])


def test_a_handler_that_stops_at_the_first_failure_loses_nothing(subscribe, database, millrace, function, handlers):
    """What is behind the event that it names was not tried: it comes again."""
    dynamodb_stream.failed.clear()
    subscribe("stops", dynamodb_stream.stops_at_first, "dynamodb-stream", dynamodb_stream={"view": "NEW_IMAGE"})
    millrace.run()
    rows = range(1, 31)
    database.sql(
        ";".join(ROW.format(id=id, status="fails once" if id % 5 == 0 else "new") for id in rows)  # one transaction
    )

    def all_processed():
        keys = {event["keys"] for event in handlers.events()}
        return keys >= {repr({"id": Decimal(id)}) for id in rows}

    wait_until(all_processed, 60, lambda: f"{sorted(event['keys'] for event in handlers.events())}")
    assert len(dynamodb_stream.failed) == 6
    assert max(len(call.json["Records"]) for call in function.calls) > 1, "no call carried a batch"
    assert handlers.events()[0]["view"] == "NEW_IMAGE"


def test_powertools_reads_the_events_of_kafka(
    subscribe, database, kafka, millrace, function, handlers, name, monkeypatch
):
    monkeypatch.setenv("FAILS", "[0, 3]")
    kafka_batch.failed.clear()
    kafka.create_topic(f"{name}.public.orders", 3)
    subscribe("batch", kafka_batch.handler, "lambda-kafka", events=50)
    millrace.run()
    database.sql(";".join(ROW.format(id=id, status="new") for id in range(1, 31)))
    seen = handlers.wait(30)
    records = read_topic(kafka, f"{name}.public.orders", millrace.registry, count=30)
    assert {tuple(event["place"]) for event in seen} == {(r.topic, r.partition, r.offset) for r in records}
    assert len(seen) == 30  # only what was named came again
    by_place = {(r.topic, r.partition, r.offset): r for r in records}
    for event in seen:
        record = by_place[tuple(event["place"])]
        assert bytes(event["key"]) == record.raw_key and bytes(event["value"]) == record.raw_value
        assert event["time"] == record.timestamp and event["type"] == "CREATE_TIME"
        assert event["headers"] == record.headers
    assert any(len(call.json["records"]) > 1 for call in function.calls), "no call had several partitions"
    assert function.calls[0].json["eventSource"] == "SelfManagedKafka"
    assert function.calls[0].json["bootstrapServers"] == kafka.bootstrap
    example = documented("lambda-kafka")
    assert list(function.calls[0].json) == list(example)
    ((sent, *_), *_), ((shown,),) = function.calls[0].json["records"].values(), example["records"].values()
    assert list(sent) == list(shown)
    assert [type(value) for value in sent.values()] == [type(value) for value in shown.values()]


def test_powertools_kafka_consumer_decodes_json_and_avro(subscribe, database, kafka, millrace, handlers, name):
    registry = millrace.registry

    def source(event, context):
        ((record, *_), *_) = event["records"].values()
        schemas = [record[part]["schemaId"] for part in ("keySchemaMetadata", "valueSchemaMetadata")]
        return kafka_consumer.avro(*map(registry.text, schemas))(event, context)

    subscribe("json", kafka_consumer.handler, "lambda-kafka", lambda_kafka={"format": "json"})
    subscribe("avro", source, "lambda-kafka", lambda_kafka={"format": "source"})
    millrace.run()
    database.sql(ROW.format(id=1, status="new"))
    avro, decoded = sorted(handlers.wait(2), key=lambda event: event["kind"])
    (record,) = read_topic(kafka, f"{name}.public.orders", registry, count=1)
    for event in (avro, decoded):
        assert event["key"] == {"id": 1}
        assert event["value"]["op"] == "c" and event["value"]["ts_ms"] == record.value["ts_ms"]
        assert event["schema"] == str(record.value_schema)
        assert event["headers"] == record.headers
    assert avro["value"]["after"]["status"] == decoded["value"]["after"]["status"] == "new"
    assert decoded["value"]["after"]["doc"] == {"a": [1, None, "x"], "b": 1.5}
    assert decoded["value"]["after"]["day"] == "2026-01-02" and avro["value"]["after"]["day"] == 20455


def converted(value, key=None):
    """A decoded value as JsonConverter writes it: bytes, also those of a decimal, in base64."""
    if isinstance(value, dict):
        base64_text = value.get("base64")
        return base64_text or {name: converted(member, name) for name, member in value.items()}
    if key == "amount" and value is not None:
        unscaled = int(Decimal(value).scaleb(2))
        size = (unscaled.bit_length() + 8) // 8
        return base64.b64encode(unscaled.to_bytes(size, "big", signed=True)).decode()
    return value


def test_debezium_is_what_json_converter_writes(database, millrace, function, name):
    """Debezium's recorded events, in its JSON."""
    database.sql(TABLES)
    millrace.connector(name, database)
    millrace.function(
        name, [f"{name}.public.sample", f"{name}.public.sample_default"], function.url, payload="debezium"
    )
    millrace.run()
    for change in CHANGES:
        database.sql(change)
    calls = sorted(function.wait_calls(11), key=lambda call: call.headers["millrace-id"])
    for golden in ("insert", "update", "delete", "update-default-identity-toast", "insert-key-change"):
        theirs = neutral(GOLDEN[golden]["value"]["value"])
        theirs["source"].update(name=name, db=database.name)
        alike = [neutral(call.json) for call in calls]
        assert converted(theirs) in alike, golden
        match = calls[alike.index(converted(theirs))]
        assert list(match.json) == list(GOLDEN[golden]["value"]["value"])
        assert list(match.json) == list(documented("debezium"))
        assert match.headers["millrace-table"] == f"public.{theirs['source']['table']}"


def recorded(golden):
    """The value of an event that Debezium's JsonConverter wrote with its schema."""
    with open(os.path.join(ROOT, f"tests/golden/debezium-json/{golden}.json"), encoding="utf-8") as file:
        return json.load(file)


def test_debezium_with_schemas_is_what_json_converter_writes(database, millrace, function, name):
    """Members of schemas in their order, too; names of tables begin with ours."""
    with open(os.path.join(ROOT, "tests/golden/debezium-json/kinds.sql"), encoding="utf-8") as file:
        database.sql(TABLES.split("insert into")[0] + file.read())
    millrace.connector(name, database)
    goldens = {
        "sample": ["insert", "update"],
        "sample_default": ["default-identity"],
        "kinds": ["kinds", "kinds-numeric"],
    }
    for table in goldens:
        millrace.function(
            f"{name}-{table.replace('_', '-')}",
            f"{name}.public.{table}",
            f"{function.url}/{table}",
            payload="debezium",
            debezium={"schemas": True},
        )
    millrace.function(
        f"{name}-numeric",
        f"{name}.public.kinds",
        f"{function.url}/numeric",
        payload="debezium",
        debezium={"schemas": True, "decimal_format": "numeric"},
        columns={"exclude": ["v"]},
    )
    millrace.run()
    for change in CHANGES[:2]:
        database.sql(change)
    database.sql("insert into kinds (id) values (1); insert into kinds (id) values (2)")
    database.sql("insert into sample_default (name) values ('x')")
    calls = sorted(function.wait_calls(7), key=lambda call: call.headers["millrace-id"])
    for table, names in goldens.items():
        for golden, call in zip(names, [call for call in calls if call.path == f"/{table}"], strict=True):
            if golden == "kinds-numeric":  # a call without `v`
                call = [call for call in calls if call.path == "/numeric"][-1]
            check_recorded(golden, call.json, database.name, name)


def check_recorded(golden, ours, database, name):
    theirs = json.loads(json.dumps(recorded(golden)).replace('"bench.public.', f'"{name}.public.'))
    theirs["payload"]["source"].update(name=name, db=database)
    if golden == "kinds-numeric":
        for image in theirs["schema"]["fields"][:2]:
            image["fields"] = [field for field in image["fields"] if field["field"] != "v"]
        del theirs["payload"]["after"]["v"]
    assert list(ours) == list(theirs)
    assert json.dumps(ours["schema"], indent=1) == json.dumps(theirs["schema"], indent=1), golden
    assert json.dumps(neutral(ours["payload"])) == json.dumps(neutral(theirs["payload"])), golden
