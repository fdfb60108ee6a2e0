"""What Debezium wrote for each scenario, kept as text: tests/golden/debezium/NAME.json."""

import json
import os

from lib.program import ROOT

FOLDER = os.path.join(ROOT, "tests", "golden", "debezium")
VERSION = "3.7.0.Final"


def path_of(name):
    return os.path.join(FOLDER, f"{name}.json")


def write(name, topics):
    """One record a line; a schema is written once, and records have its number."""
    os.makedirs(FOLDER, exist_ok=True)
    schemas, lines = [], []
    for topic, records in sorted(topics.items()):
        rows = []
        for record in records:
            numbered = {key: _number(schemas, record[key]) for key in ("key_schema", "value_schema")}
            rows.append("   " + json.dumps({**_without_nulls(record), **numbered}, ensure_ascii=False))
        lines.append(f"  {json.dumps(topic)}: [\n" + ",\n".join(rows) + "\n  ]")
    texts = ",\n".join("  " + json.dumps(schema, ensure_ascii=False) for schema in schemas)
    with open(path_of(name), "w", encoding="utf-8") as file:
        file.write(f'{{\n "debezium": "{VERSION}",\n "schemas": [\n{texts}\n ],\n "topics": {{\n')
        file.write(",\n".join(lines) + "\n }\n}\n")


def _without_nulls(record):
    """A row's nulls are most of it; `_with_nulls` puts them back."""
    value = record["value"]
    if not isinstance(value, dict):
        return record
    rows = {
        side: {name: item for name, item in value[side].items() if item is not None}
        for side in ("before", "after")
        if isinstance(value.get(side), dict)
    }
    return {**record, "value": {**value, **rows}}


def _with_nulls(record):
    value = record["value"]
    if not isinstance(value, dict) or "before" not in value:
        return record
    row = record["value_schema"]["fields"][0]["type"][1]
    rows = {
        side: {field["name"]: value[side].get(field["name"]) for field in row["fields"]}
        for side in ("before", "after")
        if value[side] is not None
    }
    return {**record, "value": {**value, **rows}}


def _number(schemas, schema):
    if schema is None:
        return None
    if schema not in schemas:
        schemas.append(schema)
    return schemas.index(schema)


def read(name):
    """{topic: [record]}."""
    with open(path_of(name), encoding="utf-8") as file:
        text = json.load(file)

    def whole(record):
        parts = {key: record[key] for key in ("key_schema", "value_schema")}
        schemas = {key: None if number is None else text["schemas"][number] for key, number in parts.items()}
        return _with_nulls({**record, **schemas})

    return {topic: [whole(record) for record in records] for topic, records in text["topics"].items()}
