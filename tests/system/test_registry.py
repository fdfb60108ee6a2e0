"""
Promise: any Confluent client decodes our topics with the admin port as its registry, and nothing else
running.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    ServerConfig,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from lib.records import Registry, read_topic
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


def test_the_schema_of_the_widest_table_fits_and_a_larger_one_is_named(database, kafka, millrace, name):
    """1,600 columns with names of 63 bytes; enums of 20 long labels need a record of more than a megabyte."""
    columns = [f"c{i:04}" + "x" * 58 for i in range(1599)]
    labels = ", ".join(f"'{i:060}'" for i in range(20))
    database.sql(f"create type e as enum ({labels})")
    database.sql(f"create table wide (id int primary key, {', '.join(c + ' timestamptz' for c in columns)})")
    database.sql("insert into wide (id) values (1)")
    millrace.connector(name, database)
    process = millrace.run(wait=False)
    record = read_topic(kafka, f"{name}.public.wide", Registry(millrace.admin_url + "/registry"), count=1)[0]
    assert len(record.value["after"]) == 1600
    database.sql(f"create table wider (id int primary key, {', '.join(c + ' e' for c in columns)})")
    database.sql("insert into wider (id) values (1)")
    message = process.wait_event(message="needs a record of")["message"]
    assert f"the schema of {name}.public.wider-value needs a record of" in message
    assert "and the limit is 999872: raise message.max.bytes" in message


def avro(*fields, name="R"):
    return json.dumps({"type": "record", "name": name, "fields": list(fields)})


def test_confluents_client_manages_schemas(millrace, name):
    """Registration, lookup by parsed schema, compatibility, references, deletion, modes and contexts."""
    millrace.run()
    client = SchemaRegistryClient({"url": millrace.admin_url + "/registry"})
    first = Schema(avro({"name": "a", "type": "int"}), "AVRO")
    number = client.register_schema(name, first)
    same = Schema(' {"fields": [{"type": {"type": "int"}, "name": "a"}], "name": "R", "type": "record"}', "AVRO")
    assert client.lookup_schema(name, same).schema_id == number
    assert client.register_schema(name, same) == number
    assert client.set_compatibility(name, "BACKWARD")["compatibility"] == "BACKWARD"
    wrong = Schema(avro({"name": "a", "type": "string"}), "AVRO")
    assert client.test_compatibility(name, wrong) is False
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema(name, wrong)
    assert refused.value.http_status_code == 409 and "TYPE_MISMATCH" in refused.value.error_message
    client.register_schema(f"{name}-f", Schema('{"type": "fixed", "name": "F", "size": 2}', "AVRO"))
    user = Schema(avro({"name": "f", "type": "F"}), "AVRO", [SchemaReference("F", f"{name}-f", 1)])
    used = client.register_schema(f"{name}-g", user)
    assert client.get_referenced_by(f"{name}-f", 1) == [used]
    with pytest.raises(SchemaRegistryError, match="references exist"):
        client.delete_subject(f"{name}-f")
    assert client.delete_subject(name) == [1]
    assert name not in client.get_subjects() and name in client.get_subjects(deleted=True)
    assert client.delete_subject(name, permanent=True) == [1]
    inside = f":.{name}:s"
    client.register_schema(inside, first)
    assert f".{name}" in client.get_contexts() and client.get_versions(inside) == [1]


def test_every_call_of_confluents_client_is_answered(millrace, name):
    """But schemas by GUID and associations, which the client asks for only where a registry has handed them out."""
    millrace.run()
    client = SchemaRegistryClient({"url": millrace.admin_url + "/registry"})
    first, second = Schema(avro({"name": "a", "type": "int"}, name=name.title()), "AVRO"), Schema('"long"', "AVRO")
    found = client.register_schema_full_response(name, first)
    assert (found.subject, found.version) == (name, 1)
    number = found.schema_id
    assert client.get_schema_types() == ["AVRO"]
    for options in ({}, {"subject_name": name, "fmt": "resolved", "reference_format": "qualified"}):
        client.clear_caches()
        assert json.loads(client.get_schema(number, **options).schema_str) == json.loads(first.schema_str)
    assert client.get_subjects_by_schema_id(number, name, limit=5) == [name]
    places = client.get_schema_versions(number, name, limit=5)
    assert [(place.subject, place.version) for place in places] == [(name, 1)]
    assert client.get_latest_version(name, fmt="resolved").schema_id == number
    assert client.get_version(name, 1, deleted=True, fmt="resolved").schema_id == number
    assert client.get_versions(name, deleted=True, offset=0, limit=3) == [1]
    assert client.get_referenced_by(name, 1, limit=2) == []
    same = client.lookup_schema(name, first, normalize_schemas=True, fmt="resolved", deleted=True)
    assert (same.schema_id, same.version) == (number, 1)
    assert client.set_compatibility(name, "FULL") == {"compatibility": "FULL"}
    assert client.get_compatibility(name) == "FULL" and client.get_compatibility() == "NONE"
    level = ServerConfig(compatibility=ConfigCompatibilityLevel.BACKWARD)
    assert client.set_config(name, level)["compatibility"] == "BACKWARD"
    assert client.get_config(name).compatibility_level.value == "BACKWARD"
    assert client.test_compatibility(name, second, verbose=True, normalize=True) is False
    assert client.test_compatibility_all_versions(name, first, verbose=True) is True
    assert client.update_mode(name, "READONLY") == client.get_mode(name) == "READONLY"
    with pytest.raises(SchemaRegistryError, match="42205"):
        client.register_schema(name, second)
    client.delete_mode(name)
    assert client.get_global_mode() == client.update_global_mode("READWRITE", force=True) == "READWRITE"
    assert client.get_contexts(limit=1) == ["."]
    client.delete_config(name)
    with pytest.raises(SchemaRegistryError, match="40403"):
        client.get_latest_with_metadata(name, {"a": "b"})
    assert client.register_schema(name, second) != number
    assert client.delete_version(name, 1) == client.delete_version(name, 1, permanent=True) == 1
    assert client.delete_subject(name) == [2]
    assert client.get_subjects(name, limit=4) == [] and client.get_subjects(name, deleted=True) == [name]


class OldRegistry(BaseHTTPRequestHandler):
    """Two subjects with ids of their own."""

    VERSIONS = {"a": {1: (7, '"int"'), 3: (9, '"long"')}, "b": {1: (9, '"long"')}}

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        content = list(self.VERSIONS)
        if len(parts) == 3:
            content = list(self.VERSIONS[parts[1]])
        elif len(parts) == 4:
            number, text = self.VERSIONS[parts[1]][int(parts[3])]
            content = {"subject": parts[1], "version": int(parts[3]), "id": number, "schema": text}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())


def test_schemas_are_imported_with_their_ids(millrace, name):
    """The script that docs/registry.md names."""
    millrace.run()
    url = millrace.admin_url + "/registry"
    client = SchemaRegistryClient({"url": url})
    context = f":.{name}:"
    old = ThreadingHTTPServer(("127.0.0.1", 0), OldRegistry)
    threading.Thread(target=old.serve_forever, args=(0.05,), daemon=True).start()
    script = os.path.join(os.path.dirname(__file__), "..", "..", "deploy", "registry", "import_schemas.py")
    addresses = [f"http://127.0.0.1:{old.server_address[1]}", f"{url}/contexts/{context}"]
    try:
        done = subprocess.run(
            [sys.executable, script, *addresses], capture_output=True, text=True, timeout=120, check=False
        )
    finally:
        old.shutdown()
        old.server_close()
    assert done.returncode == 0, done.stderr
    assert "3 versions copied" in done.stdout
    assert client.get_versions(f"{context}a") == [1, 3]
    assert [client.get_version(f"{context}a", v).schema_id for v in (1, 3)] == [7, 9]
    assert client.get_version(f"{context}b", 1).schema_id == 9
    # A schema that is there keeps its id under a new subject.
    assert client.register_schema(f"{context}c", Schema('{"type": "long"}', "AVRO")) == 9
