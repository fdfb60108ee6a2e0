"""
What Confluent's AvroConverter makes of a Connect schema and its value, from what JsonConverter wrote of them:
Debezium's records as they would be in Avro. The rules are those of AvroData in Confluent's schema registry.
"""

import base64
import struct

DECIMAL = "org.apache.kafka.connect.data.Decimal"
LOGICAL = {
    "org.apache.kafka.connect.data.Date": "date",
    "org.apache.kafka.connect.data.Time": "time-millis",
    "org.apache.kafka.connect.data.Timestamp": "timestamp-millis",
}
PLAIN = {
    "int32": "int",
    "int64": "long",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
    "string": "string",
    "bytes": "bytes",
}


def avro_schema(connect, known=None):
    """The Avro schema of a Connect schema; a record that was written before is named only."""
    known = {} if known is None else known
    branch = _branch(connect, known)
    if not connect.get("optional"):
        return branch
    return [branch, "null"] if connect.get("default") is not None else ["null", branch]


def _branch(connect, known):
    """The type without the union that makes it nullable."""
    kind, name = connect["type"], connect.get("name")
    if kind == "struct":
        return _record(connect, name or "io.confluent.connect.avro.ConnectDefault", known)
    if kind in ("int8", "int16"):
        avro = {"type": "int", "connect.type": kind}
    elif kind == "array":
        avro = {"type": "array", "items": avro_schema(connect["items"], known)}
    elif kind == "map":
        assert connect["keys"]["type"] == "string" and not connect["keys"].get("optional"), connect
        avro = {"type": "map", "values": avro_schema(connect["values"], known)}
    else:
        avro = {"type": PLAIN[kind]}
    if name == DECIMAL:
        parameters = connect["parameters"]
        avro["scale"] = int(parameters["scale"])
        avro["precision"] = int(parameters.get("connect.decimal.precision", 64))
        if 0 <= avro["scale"] <= avro["precision"]:  # Avro has no other decimals
            avro["logicalType"] = "decimal"
    elif name in LOGICAL:
        avro["logicalType"] = LOGICAL[name]
    avro.update(_annotations(connect))
    return avro if len(avro) > 1 else avro["type"]


def _record(connect, full_name, known):
    space, _, name = full_name.rpartition(".")
    record = {"type": "record", "name": name, "namespace": space, "fields": []}
    if known.get(full_name) == connect_identity(connect):
        return full_name
    assert full_name not in known, f"two records of the name {full_name}"
    known[full_name] = connect_identity(connect)
    for field in connect["fields"]:
        made = {"name": field["field"], "type": avro_schema(field, known)}
        if field.get("default") is not None:
            made["default"] = default_value(field, field["default"])
        elif field.get("optional"):
            made["default"] = None
        record["fields"].append(made)
    record.update(_annotations(connect))
    return record


def connect_identity(connect):
    """What makes two structs of one name the same record: all but whether this place is nullable."""
    return {key: value for key, value in connect.items() if key not in ("optional", "field", "default")}


def _annotations(connect):
    found = {}
    for key in ("doc", "version", "parameters", "name"):
        if connect.get(key) is not None:
            found[f"connect.{key}"] = connect[key]
    if connect.get("default") is not None:
        found["connect.default"] = default_value(connect, connect["default"])
    return found


def default_value(connect, value):
    """A default as Avro's JSON has it: bytes are text of one character a byte."""
    if connect["type"] == "bytes":
        return base64.b64decode(value).decode("latin-1")
    if connect["type"] == "array":
        return [default_value(connect["items"], item) for item in value]
    return value


def decoded(connect, value):
    """A value as an Avro reader that knows no logical types gives it."""
    if value is None:
        return None
    kind = connect["type"]
    if kind == "struct":
        return {field["field"]: decoded(field, value[field["field"]]) for field in connect["fields"]}
    if kind == "array":
        return [decoded(connect["items"], item) for item in value]
    if kind == "map":
        return {key: decoded(connect["values"], item) for key, item in value.items()}
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "float":
        return struct.unpack("f", struct.pack("f", float(value)))[0]
    return float(value) if kind == "double" else value
