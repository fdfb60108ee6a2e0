"""
Promise: fastavro, Apache Avro for Python and for Java, Confluent's deserialisers for Python and Go, its Java client and
avro-c's own reader decode every record of a table with every type, keys and values, snapshot and stream. Its clients
for Java and Go and Redpanda Console's get what they ask of the embedded registry.
"""

import base64
import ctypes
import ctypes.util
import io
import json
import struct

import avro.io
import avro.schema
import fastavro
import pytest
import requests
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from lib import registry_clients
from lib.records import read_topic
from lib.waiting import wait_until
from test_types import MADE, TYPES


class AvroValue(ctypes.Structure):
    _fields_ = [("iface", ctypes.c_void_p), ("self", ctypes.c_void_p)]


def avro_c():
    library = ctypes.CDLL(ctypes.util.find_library("avro") or "libavro.so.23")
    library.avro_generic_class_from_schema.restype = ctypes.c_void_p
    library.avro_reader_memory.restype = ctypes.c_void_p
    library.avro_strerror.restype = ctypes.c_char_p
    return library


def read_with_avro_c(text, body):
    """Reads one value with avro-c, to the end of its bytes."""
    library = avro_c()
    schema, value = ctypes.c_void_p(), AvroValue()
    data = text.encode()
    size = ctypes.c_size_t(len(data))
    assert library.avro_schema_from_json_length(data, size, ctypes.byref(schema)) == 0, library.avro_strerror()
    iface = ctypes.c_void_p(library.avro_generic_class_from_schema(schema))
    assert library.avro_generic_value_new(iface, ctypes.byref(value)) == 0, library.avro_strerror()
    reader = ctypes.c_void_p(library.avro_reader_memory(body, ctypes.c_int64(len(body))))
    assert library.avro_value_read(reader, ctypes.byref(value)) == 0, library.avro_strerror()
    rest = ctypes.create_string_buffer(1)
    assert library.avro_read(reader, rest, ctypes.c_int64(1)) != 0  # all of it is read


@pytest.fixture
def records(database, kafka, millrace, name):
    database.sql(MADE)
    columns = ", ".join(f"c{i} {kind}" for i, (kind, *_) in enumerate(TYPES))
    values = ", ".join(value for _, value, *_ in TYPES)
    names = ", ".join(f"c{i}" for i in range(len(TYPES)))
    database.sql(f"create table t (id int primary key, {columns})")
    database.sql("alter table t replica identity full")
    database.sql(f"insert into t (id, {names}) values (1, {values})")
    millrace.connector(name, database)
    millrace.run()
    database.sql(f"insert into t (id, {names}) values (2, {values})")
    database.sql("insert into t (id) values (3)")
    database.sql("update t set id = 4 where id = 2")
    database.sql("delete from t where id = 1")
    # read, create, create, delete and tombstone and create for the key change, delete and tombstone
    return read_topic(kafka, f"{name}.public.t", count=8)


def read_with_all(records, millrace, validates_names=True):
    """Each record, by each decoder; returns the keys and values, with their kinds."""
    url = millrace.admin_url + "/registry"
    client = SchemaRegistryClient({"url": url})
    decode = AvroDeserializer(client)
    texts = {}
    raws = []
    for record in records:
        for raw, field in ((record.raw_key, MessageField.KEY), (record.raw_value, MessageField.VALUE)):
            if raw is None:
                continue  # a tombstone
            magic, number = struct.unpack(">bI", raw[:5])
            assert magic == 0
            if number not in texts:
                texts[number] = requests.get(f"{url}/schemas/ids/{number}", timeout=20).json()["schema"]
            text, body = texts[number], raw[5:]
            stream = io.BytesIO(body)
            theirs = fastavro.schemaless_reader(stream, fastavro.parse_schema(json.loads(text)))
            assert stream.read() == b""
            assert theirs == decode(raw, SerializationContext(record.topic, field))
            reader = avro.io.DatumReader(avro.schema.parse(text, validate_names=validates_names))
            again = reader.read(avro.io.BinaryDecoder(io.BytesIO(body)))
            assert set(again) == set(theirs)
            read_with_avro_c(text, body)
            raws.append((field, raw))
    return raws


def test_all_decoders_read_every_record(records, millrace):
    raws = read_with_all(records, millrace)
    assert len(raws) == 14
    lines = [base64.b64encode(raw).decode() for _, raw in raws]
    # Each manages subjects of its own then (registry_clients).
    assert registry_clients.java(millrace.admin_url + "/registry", f"{records[0].topic}-java", lines) == len(raws)
    lines = [f"{field} {line}" for (field, _), line in zip(raws, lines)]
    assert registry_clients.go(millrace.admin_url + "/registry", records[0].topic, lines) == len(raws)


# Tables and columns whose names Avro does not allow, or that become the same name.
ODD = {
    "9lead": ['"1st" int', '"a b" int', '"a_b" int', '"a_b_2" int', '"a b 2" int'],
    "dot.ted": ['"höhe" int', '"select" int'],
    ".x..y.": ['"a.b" int', '"a-b" int', '"A-b" int'],
    "ünï cödé": ['"😀" int', '"__" int'],
}  # fmt: skip


def test_all_decoders_read_records_of_odd_names(database, kafka, millrace, name):
    database.sql('create schema "9 odd"')
    for table, columns in ODD.items():
        database.sql(f'create table "9 odd"."{table}" ("primary" int primary key, {", ".join(columns)})')
    millrace.connector(name, database, tables={"include": ["9 odd.*"]})
    millrace.run()
    for table, columns in ODD.items():
        values = ", ".join(map(str, range(len(columns) + 1)))
        database.sql(f'insert into "9 odd"."{table}" values ({values})')
    topics = wait_until(lambda: odd_topics(kafka, name), what="a topic of each table")
    for topic in topics:
        records = read_topic(kafka, topic, millrace.registry, count=1)
        # Apache Avro for Python alone refuses a namespace with a part that begins with a digit, as Debezium's have.
        assert len(read_with_all(records, millrace, validates_names=False)) == 2
        row = records[0].row
        assert list(row.values()) == list(range(len(row))), "each column has a field of its own"


def odd_topics(kafka, name):
    found = [topic for topic in kafka.topics() if topic.startswith(f"{name}.9")]
    return found if len(found) == len(ODD) else None
