"""Reading what is on Kafka: raw records, and records decoded by the schemas of an admin port's registry."""

import base64
import io
import json
import struct
import time
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import fastavro
import requests
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from lib.waiting import PATIENCE, wait_until


NOT_YET = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
}


@dataclass
class Record:
    topic: str
    partition: int
    offset: int
    timestamp: int
    raw_key: bytes
    raw_value: bytes
    headers: dict  # text values; a header given twice keeps the last
    key: object = None
    value: object = None
    key_schema: int = None
    value_schema: int = None

    @property
    def id(self):
        return self.headers.get("millrace.position")

    @property
    def op(self):
        return self.value and self.value["op"]

    @property
    def row(self):
        """The row after, else before."""
        return self.value and (self.value["after"] or self.value["before"])


def consumer(bootstrap, **more):
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "tests",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
            "topic.metadata.refresh.interval.ms": 1000,
            "log_level": 0,
            **more,
        }
    )


def end_offsets(kafka, topic, reader=None):
    """{partition: offset one past the newest}."""
    mine = reader or consumer(kafka.bootstrap)
    try:
        return {number: _end_offset(mine, topic, number) for number in kafka.partitions(topic)}
    finally:
        if reader is None:
            mine.close()


def _end_offset(reader, topic, number):
    """The leader of a topic just made may not know yet that it is, nor the client that there is one."""

    def asked():
        try:
            return reader.get_watermark_offsets(TopicPartition(topic, number), timeout=40)
        except KafkaException as error:
            if error.args[0].code() in NOT_YET:
                return None
            raise

    return wait_until(asked, 10, f"the leader of {topic}/{number}")[1]


def read_topic(kafka, topic, registry=None, count=0, timeout=30.0):
    """All records of a topic (by partition and offset) once there are at least `count`."""
    wait_until(lambda: kafka.partitions(topic), timeout, f"topic {topic}")
    reader = consumer(kafka.bootstrap)
    records, deadline = [], time.monotonic() + timeout * PATIENCE
    try:
        reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in kafka.partitions(topic)])
        ends = end_offsets(kafka, topic, reader)
        while len(records) < count or any(_position(reader, topic, p) < end for p, end in ends.items()):
            for message in reader.consume(10000, 0.05):
                assert not message.error(), message.error()
                records.append(_record(message))
            if time.monotonic() > deadline:
                raise AssertionError(f"{topic}: {len(records)} records of {count} after {timeout * PATIENCE:.0f} s")
    finally:
        reader.close()
    records.sort(key=lambda r: (r.partition, r.offset))
    if registry is not None:
        for record in records:
            registry.decode(record)
    return records


def each_record(kafka, topic, registry, is_last, timeout=60.0):
    """Yields a topic's decoded records as they come, up to the one that `is_last`, and keeps none of them. `timeout` is
    for the time without a record."""
    reader, deadline = consumer(kafka.bootstrap), time.monotonic() + timeout * PATIENCE
    try:
        reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in kafka.partitions(topic)])
        while time.monotonic() < deadline:
            for message in reader.consume(1000, 0.5):
                assert not message.error(), message.error()
                deadline = time.monotonic() + timeout * PATIENCE
                record = _record(message)
                registry.decode(record)
                yield record
                if is_last(record):
                    return
        raise AssertionError(f"{topic}: no record for {timeout * PATIENCE:.0f} s, and the last one is still to come")
    finally:
        reader.close()


def _position(reader, topic, partition):
    position = reader.position([TopicPartition(topic, partition)])[0].offset
    if position >= 0:
        return position
    low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=40)
    return high if low == high else 0


def _record(message):
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers() or []}
    place = (message.topic(), message.partition(), message.offset(), message.timestamp()[1])
    return Record(*place, message.key(), message.value(), headers)


class Registry:
    """Schemas by id, from Confluent's REST API; keeps what it has seen."""

    def __init__(self, url):
        self.url = url
        self.known = {}

    def schema(self, number):
        if number not in self.known:
            text = wait_until(lambda: self._ask(number), 10, f"schema {number}")
            self.known[number] = (text, fastavro.parse_schema(json.loads(text)))
        return self.known[number]

    def _ask(self, number):
        """The text; None: the admin port's process has not read that schema from the topic yet."""
        answer = requests.get(f"{self.url}/schemas/ids/{number}", timeout=40)
        assert answer.status_code in (200, 404), answer.text
        return answer.json().get("schema")

    def text(self, number):
        return self.schema(number)[0]

    def subjects(self):
        return requests.get(f"{self.url}/subjects", timeout=40).json()

    def decode(self, record):
        record.key, record.key_schema = self.decode_bytes(record.raw_key)
        record.value, record.value_schema = self.decode_bytes(record.raw_value)
        return record

    def decode_bytes(self, data):
        if data is None:
            return None, None
        magic, number = struct.unpack(">bI", data[:5])
        assert magic == 0, f"not Confluent's wire format: {data[:5]!r}"
        stream = io.BytesIO(data[5:])
        value = plain(fastavro.schemaless_reader(stream, self.schema(number)[1]))
        assert not stream.read(), "bytes are left over after the record"
        return value, number


def plain(value):
    """Values as in tests/golden/envelope: decimals as text, bytes as {"base64": …}."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, (Decimal, datetime, date)):
        return str(value)
    return value


def framed(number, body):
    """Confluent's wire format."""
    return struct.pack(">bI", 0, number) + body


__all__ = ["OFFSET_END", "Record", "Registry", "consumer", "end_offsets", "framed", "plain", "read_topic"]
