"""
Promise: fastavro, Apache Avro for Python and for Java, Confluent's deserialisers for Python and Go, its Java client and
avro-c's own reader decode every record of a table with every type, keys and values, snapshot and stream.
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


def test_all_decoders_read_every_record(records, millrace):
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
            reader = avro.io.DatumReader(avro.schema.parse(text))
            again = reader.read(avro.io.BinaryDecoder(io.BytesIO(body)))
            assert set(again) == set(theirs)
            read_with_avro_c(text, body)
            raws.append((field, raw))
    assert len(raws) == 14
    lines = [base64.b64encode(raw).decode() for _, raw in raws]
    # Each manages subjects of its own then (registry_clients).
    assert registry_clients.java(url, f"{records[0].topic}-java", lines) == len(raws)
    lines = [f"{field} {line}" for (field, _), line in zip(raws, lines)]
    assert registry_clients.go(url, records[0].topic, lines) == len(raws)
