"""
Promise: any Confluent client decodes our topics with the admin port as its registry, and nothing else
running.
"""

import hashlib
import json

import pytest
import requests
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from lib.records import read_topic
from lib.stub_registry import StubRegistry
from lib.waiting import wait_until


@pytest.fixture
def topic(database, kafka, millrace, name):
    database.sql("create table a (id int primary key, v text, amount numeric(10,2))")
    database.sql("insert into a values (1, 'x', 12.5)")
    millrace.connector(name, database)
    millrace.run()
    read_topic(kafka, f"{name}.public.a", count=1)
    return f"{name}.public.a"


def test_avro_deserializer(topic, kafka, millrace):
    client = SchemaRegistryClient({"url": millrace.admin_url + "/registry"})
    record = read_topic(kafka, topic, count=1)[0]
    decode = AvroDeserializer(client)
    value = decode(record.raw_value, SerializationContext(topic, MessageField.VALUE))
    assert value["op"] == "r" and value["after"]["v"] == "x" and str(value["after"]["amount"]) == "12.50"
    assert decode(record.raw_key, SerializationContext(topic, MessageField.KEY)) == {"id": 1}
    latest = client.get_latest_version(f"{topic}-value")
    assert latest.subject == f"{topic}-value" and latest.version == 1
    assert client.get_schema(latest.schema_id).schema_type == "AVRO"


def test_rest_api(topic, kafka, millrace):
    url = millrace.admin_url + "/registry"
    assert {f"{topic}-key", f"{topic}-value"} <= set(requests.get(f"{url}/subjects", timeout=20).json())
    assert requests.get(f"{url}/subjects/{topic}-value/versions", timeout=20).json() == [1]
    version = requests.get(f"{url}/subjects/{topic}-value/versions/latest", timeout=20).json()
    assert version["subject"] == f"{topic}-value" and version["version"] == 1
    assert requests.get(f"{url}/subjects/{topic}-value/versions/1", timeout=20).json() == version
    by_id = requests.get(f"{url}/schemas/ids/{version['id']}", timeout=20).json()
    assert by_id["schema"] == version["schema"]
    assert json.loads(by_id["schema"])["name"] == "Envelope"
    assert 1 <= version["id"] <= 2**30


@pytest.mark.parametrize(
    "path,code",
    [
        ("/schemas/ids/1073741000", 40403),
        ("/subjects/nobody-value/versions", 40401),
        ("/subjects/nobody-value/versions/latest", 40401),
        ("/subjects/{topic}-value/versions/99", 40402),
    ],
)
def test_errors_are_confluents(topic, millrace, path, code):
    answer = requests.get(f"{millrace.admin_url}/registry{path.format(topic=topic)}", timeout=40)
    assert answer.status_code == 404
    assert answer.json()["error_code"] == code and answer.json()["message"]


def test_the_topic_is_confluents_record_format(topic, kafka):
    records = read_topic(kafka, "millrace.schemas", count=2)
    mine = [(json.loads(r.raw_key), json.loads(r.raw_value)) for r in records if topic.encode() in r.raw_key]
    assert len(mine) == 2
    for key, value in mine:
        assert key["keytype"] == "SCHEMA" and key["magic"] == 1 and key["version"] == 1
        assert value["subject"] == key["subject"] and value["version"] == 1 and value["deleted"] is False
        assert json.loads(value["schema"])["type"] == "record" and isinstance(value["id"], int)
    assert kafka.topic_config("millrace.schemas")["cleanup.policy"] == "compact"


def test_ids_follow_from_the_content(topic, kafka, millrace):
    """SHA-256 of the minified text, top 30 bits plus 1."""
    version = requests.get(
        f"{millrace.admin_url}/registry/subjects/{topic}-value/versions/1", timeout=20
    ).json()
    digest = hashlib.sha256(version["schema"].encode()).digest()
    assert version["id"] == (int.from_bytes(digest[:4], "big") >> 2) + 1


def test_an_existing_registry_is_used(database, kafka, millrace, make_millrace, topic, name, function):
    """`registry: {url}`: schemas are registered there, and functions read them there (a stub, here)."""
    stub = StubRegistry()
    try:
        other = make_millrace(kafka)
        other.settings(registry={"url": stub.url, "auth": {"username": "u", "password": "p"}})
        database.sql("create table b (id int primary key)")
        prefix = f"{name}x"
        other.connector(prefix, database, tables={"include": ["public.b"]})
        other.function(prefix, f"{prefix}.public.b", function.url)
        other.run()
        database.sql("insert into b values (1)")
        assert function.wait_calls(1)[0].key == {"id": 1}
        assert set(stub.subjects) == {f"{prefix}.public.b-key", f"{prefix}.public.b-value"}
        assert stub.credentials == {"u:p"}
    finally:
        stub.stop()


def test_a_function_says_that_it_waits_for_its_registry(database, kafka, millrace, topic, name, function):
    stub = StubRegistry()
    stub.stop()
    record = read_topic(kafka, topic, count=1)[0]
    kafka.create_topic(f"{name}.other")
    millrace.started[-1].stop()
    millrace.settings(registry={"url": stub.url})
    millrace.function(name, f"{name}.other", function.url)
    millrace.bridge()
    kafka.produce(f"{name}.other", [(record.raw_key, record.raw_value, None, 0)])

    def error():
        return millrace.get("/api/status").json()["functions"][0]["last_error"] or ""

    wait_until(lambda: error().startswith("waiting for the schema registry: "), 30, "the status to say so")
