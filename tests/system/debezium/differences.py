"""The comparison of records, and the list of decisions that says which differences are meant to be."""

import difflib
import fnmatch
import json
import os
import re
from dataclasses import dataclass, field

import yaml

FILE = os.path.join(os.path.dirname(__file__), "decisions.yaml")
ABSENT = "(absent)"


COLUMN = re.compile(r"(?:value\.(?:before|after)\.|value_schema\.-before\.type\.1\.-)([^.]+)")


@dataclass
class Decision:
    """
    A difference that is accepted, and why: where it may be, and what the values are. `path`, `scenario`, `topic` and
    `operation` are globs, `columns` names of columns, whose values and types may differ; `debezium` and `millrace` are
    regular expressions of the two values as JSON.
    """

    why: str
    path: str = "*"
    columns: list = None
    scenario: str = "*"
    topic: str = "*"
    operation: str = "*"
    debezium: str = None
    millrace: str = None
    used: set = field(default_factory=set)  # scenarios that had it

    def covers(self, difference):
        column = COLUMN.match(difference.path)
        return (
            fnmatch.fnmatchcase(difference.scenario, self.scenario)
            and fnmatch.fnmatchcase(difference.topic, self.topic)
            and fnmatch.fnmatchcase(difference.operation, self.operation)
            and fnmatch.fnmatchcase(difference.path, self.path)
            and (self.columns is None or (column is not None and column[1] in self.columns))
            and _matches(self.debezium, difference.debezium)
            and _matches(self.millrace, difference.millrace)
        )


@dataclass
class Difference:
    scenario: str
    topic: str
    path: str  # such as value.after.name or value_schema.before.name.type
    debezium: str  # JSON, or ABSENT
    millrace: str
    operation: str  # c, r, u, d, tombstone …
    index: int = None  # of Debezium's record in its topic

    def __str__(self):
        values = f"debezium {_short(self.debezium)}  millrace {_short(self.millrace)}"
        return f"{self.scenario}: {self.topic} {self.operation}[{self.index}] {self.path}: {values}"


def _short(text):
    return text if len(text) < 400 else f"{text[:400]}… ({len(text)})"


def _matches(pattern, text):
    return pattern is None or re.fullmatch(pattern, text, re.DOTALL) is not None


def read_decisions(path=FILE):
    with open(path, encoding="utf-8") as file:
        return [Decision(**entry) for entry in yaml.safe_load(file)]


def undecided(differences, decisions):
    """Those that no decision covers; marks the decisions that were used."""
    left = []
    for difference in differences:
        covering = [decision for decision in decisions if decision.covers(difference)]
        for decision in covering:
            decision.used.add(difference.scenario)
        if not covering:
            left.append(difference)
    return left


def compare(scenario, theirs, ours):
    """All differences of {topic: [record]}, Debezium's and millrace's."""
    found = []
    for topic in sorted({*theirs, *ours}):
        found += _compare_topic(scenario, topic, theirs.get(topic, []), ours.get(topic, []))
    return found


def _signature(record):
    value = record["value"]
    what = value.get("op") or value.get("status") if isinstance(value, dict) else value
    return json.dumps([record["key"], what])


def _compare_topic(scenario, topic, theirs, ours):
    found, schemas = [], set()

    def one_side(record, side):
        text = json.dumps({part: record[part] for part in ("key", "headers", "value")})
        values = (text, ABSENT) if side == "debezium" else (ABSENT, text)
        found.append(Difference(scenario, topic, f"only.{side}", *values, _operation(record)))

    matcher = difflib.SequenceMatcher(None, [_signature(r) for r in theirs], [_signature(r) for r in ours], False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "replace" and b - a == d - c and _same_operations(theirs[a:b], ours[c:d]):
            tag = "equal"  # the same changes under other keys
        if tag == "equal":
            for index, (their, our) in enumerate(zip(theirs[a:b], ours[c:d])):
                _compare_record(found, schemas, (scenario, topic, a + index), their, our)
        else:
            for record in theirs[a:b]:
                one_side(record, "debezium")
            for record in ours[c:d]:
                one_side(record, "millrace")
    return found


def _operation(record):
    value = record["value"]
    if value is None:
        return "tombstone"
    return (value.get("op") or value.get("status") or "heartbeat") if isinstance(value, dict) else "value"


def _same_operations(theirs, ours):
    return [_operation(record) for record in theirs] == [_operation(record) for record in ours]


def _compare_record(found, schemas, place, their, our):
    scenario, topic, index = place
    operation = _operation(their)
    for part in ("key", "headers", "value"):
        for path, a, b in walk(their[part], our[part], part):
            found.append(Difference(scenario, topic, path, _text(a), _text(b), operation, index))
    for part in ("key_schema", "value_schema"):
        pair = json.dumps([part, their[part], our[part]])
        if pair in schemas:
            continue
        schemas.add(pair)
        for path, a, b in walk(named_fields(their[part]), named_fields(our[part]), part):
            found.append(Difference(scenario, topic, path, _text(a), _text(b), operation, index))


def _text(value):
    return value if value is ABSENT else json.dumps(value, ensure_ascii=False)


def named_fields(schema):
    """A schema whose fields are found by name: their order is a value of its own."""
    if isinstance(schema, list):
        return [named_fields(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: named_fields(value) for key, value in schema.items() if key != "fields"}
    if "fields" in schema:
        made["order"] = " ".join(field["name"] for field in schema["fields"])
        for item in schema["fields"]:
            made[f"-{item['name']}"] = {key: named_fields(value) for key, value in item.items() if key != "name"}
    return made


def walk(a, b, path):
    """(path, one, other) of each place where two values differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*a, *(key for key in b if key not in a)]:
            yield from walk(a.get(key, ABSENT), b.get(key, ABSENT), f"{path}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (one, other) in enumerate(zip(a, b)):
            yield from walk(one, other, f"{path}.{index}")
    elif type(a) is not type(b) or a != b:
        yield path, a, b
