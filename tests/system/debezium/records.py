"""Records of both programs in one comparable form, with no trace of what differs from run to run."""

import base64
import fnmatch
import hashlib
import io
import json
import math
import re

import fastavro
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from lib.records import consumer, end_offsets

from debezium.connect_avro import avro_schema, decoded

LONG = 300  # texts and bytes beyond this are compared by their hash
PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}
JAVA_OBJECT = re.compile(r"((?:\[Ljava[\w.]+;|\$LogicalDecodingMessageId)@)[0-9a-f]+")
# Of the moment at which a record was written.
WRITTEN = ("ts_ms", "ts_us", "ts_ns")
# Of the source block: what a second run of the same changes does not repeat.
RUN = ("ts_ms", "ts_us", "ts_ns", "txId", "lsn", "sequence")


def raw_records(kafka, prefix):
    """{topic: [message]} of the topics of a prefix, as they are at this moment."""
    found = {}
    topics = [topic for topic in kafka.topics() if prefix in topic.split(".") and not topic.startswith("millrace.")]
    reader = consumer(kafka.bootstrap)
    try:
        for topic in sorted(topics):
            ends = end_offsets(kafka, topic, reader)
            left = {number for number, end in ends.items() if end}
            reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in sorted(left)])
            messages = found[topic] = []
            while left:
                for message in reader.consume(1000, 0.05):
                    assert not message.error(), message.error()
                    messages.append(message)
                    if message.offset() + 1 >= ends[message.partition()]:
                        left.discard(message.partition())
    finally:
        reader.close()
    return found


def debezium_records(kafka, prefix, plain=""):
    """{topic: [record]} of Debezium, which wrote JSON with Connect's schemas."""

    def part(data):
        if data is None:
            return None, None
        text = json.loads(data)
        if text is None:
            return None, None
        return avro_schema(text["schema"]), decoded(text["schema"], text["payload"])

    def plain_part(data):
        value = part(data)[1]
        return None, value if isinstance(value, bytes) else _plain_text(value)

    return _records(kafka, prefix, part, plain_part, plain)


def _plain_text(value):
    """As StringConverter writes it."""
    return None if value is None else str(value).encode()


def millrace_records(kafka, prefix, registry, plain="", on_read=lambda schema, data: None):
    """
    {topic: [record]} of millrace, which wrote Avro; its header with the event's id is left out. `on_read` gets each key
    and value, without its five first bytes, and the text of its schema.
    """
    readers = {}

    def part(data):
        if data is None:
            return None, None
        assert data[0] == 0, data[:5]
        number = int.from_bytes(data[1:5], "big")
        if number not in readers:
            text = registry.text(number)
            schema = json.loads(text)
            readers[number] = schema, fastavro.parse_schema(_without_logical_types(schema)), text
        schema, parsed, text = readers[number]
        on_read(text, data[5:])
        return schema, fastavro.schemaless_reader(io.BytesIO(data[5:]), parsed)

    return _records(kafka, prefix, part, lambda data: (None, data), plain)


def _without_logical_types(schema):
    if isinstance(schema, dict):
        return {key: _without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return [_without_logical_types(item) for item in schema] if isinstance(schema, list) else schema


def _records(kafka, prefix, part_with_schema, plain_part, plain):
    """`plain`: a glob of the topics whose records have no schemas. Their times are compared, too."""
    topics = {}
    for topic, messages in raw_records(kafka, prefix).items():
        records = []
        is_plain = fnmatch.fnmatchcase(topic, plain.replace("P", prefix, 1))
        part = plain_part if is_plain else part_with_schema
        for message in messages:
            key_schema, key = part(message.key())
            value_schema, value = part(message.value())
            headers = [
                [name, (data or b"").decode("utf-8", "replace")]
                for name, data in message.headers() or []
                if name != "millrace.position"
            ]
            if isinstance(key, dict) and key.get("prefix") == "millrace":
                continue  # what millrace writes to the WAL itself, which Debezium captures
            if is_plain:
                headers.append(["(time)", str(message.timestamp()[1])])
            record = {
                "key": _plain(key),
                "headers": headers,
                "value": _plain(value),
                "key_schema": canonical_schema(key_schema),
                "value_schema": canonical_schema(value_schema),
            }
            records.append(_renamed(record, prefix))
        if records:
            topics[topic.replace(prefix, "P")] = records
    return topics


def canonical_schema(schema, space=""):
    """With full names everywhere, and no namespaces that are inherited."""
    if isinstance(schema, list):
        return [canonical_schema(item, space) for item in schema]
    if not isinstance(schema, dict):
        known = schema is None or schema in PRIMITIVES or "." in schema
        return schema if known else f"{space}.{schema}"
    if schema["type"] == "record":
        space = schema.get("namespace", space)
        made = {key: value for key, value in schema.items() if key not in ("namespace", "name", "fields")}
        name = schema["name"] if "." in schema["name"] else f"{space}.{schema['name']}"
        fields = [{**field, "type": canonical_schema(field["type"], space)} for field in schema["fields"]]
        return {**made, "name": name, "fields": fields}
    made = dict(schema)
    for key in ("items", "values"):
        if key in made:
            made[key] = canonical_schema(made[key], space)
    return made


def _plain(value):
    """A value that JSON can hold and that compares: NaN equals NaN, long texts are short."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        if len(value) > LONG:
            return {"items": len(value), "hash": _hash(json.dumps(_plain_items(value)).encode())}
        return _plain_items(value)
    if isinstance(value, bytes):
        return {"bytes": value.hex()} if len(value) <= LONG else {"bytes": len(value), "hash": _hash(value)}
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()  # half a character is ?, as Java writes it
    if isinstance(value, str) and len(value) > LONG:
        return {"text": value[:20], "characters": len(value), "hash": _hash(value.encode())}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _plain_items(value):
    return [_plain(item) for item in value]


def _hash(data):
    return base64.b64encode(hashlib.sha256(data).digest()[:9]).decode()


def _renamed(record, prefix):
    """The prefix, which each program has of its own, is P everywhere; names of Java's objects have no address."""
    return json.loads(JAVA_OBJECT.sub(r"\1…", json.dumps(record).replace(prefix, "P")))


def told_neutrally(topics, database, again=False):
    """All records of {topic: [record]} as `neutral` gives them; of equal heartbeats one."""
    told = {topic: [neutral(record, database, again) for record in records] for topic, records in topics.items()}
    for topic, records in told.items():
        if "heartbeat" in topic:
            told[topic] = [record for index, record in enumerate(records) if record not in records[:index]]
    return told


def neutral(record, database, again):
    """
    The record without what two programs can't have in common: the version and the moment of writing; with `again`
    without what a second run of the same changes does not repeat.
    """
    value = record["value"]
    if not isinstance(value, dict):
        return record
    value = {**value, **{name: 0 for name in WRITTEN if isinstance(value.get(name), int)}}
    source = value.get("source")
    if isinstance(source, dict):
        # The two read their first snapshots at different moments.
        changing = RUN if again or source["snapshot"] != "false" else ()
        blank = {name: 0 for name in changing if source.get(name) is not None}
        source = value["source"] = {**source, **blank, "version": "V"}
        if source.get("db") == database:
            source["db"] = "D"
    if again:
        record = _without_transaction_ids(record, value)
        value = record["value"]
    return {**record, "value": value}


def _without_transaction_ids(record, value):
    key = record["key"]
    block = value.get("transaction")
    if isinstance(block, dict):
        value = {**value, "transaction": {**block, "id": "T"}}
    if value.get("status") in ("BEGIN", "END"):
        key, value = {**key, "id": "T"}, {**value, "id": "T"}
    return {**record, "key": key, "value": value}
