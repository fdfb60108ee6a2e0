"""
Promise: a hostile schema is refused, or registered, within seconds and a bounded amount of memory: nested ten thousand
deep, with names of a megabyte, unions of thousands of records, and references that would double at each level.
"""

import json

import pytest
import requests

RECORD = {"type": "record", "name": "R", "fields": []}


def nested(start, end, depth):
    return start * depth + '"int"' + end * depth


def union(prefix, kind, count=8000):
    return json.dumps(
        [{**RECORD, "name": f"{prefix}{i}", "fields": [{"name": "f", "type": kind}]} for i in range(count)]
    )


def tree(leaf, depth):
    """A union at each level, whose branches both have the rest."""
    return leaf if depth == 0 else '[{{"type":"array","items":{0}}},{{"type":"map","values":{0}}}]'.format(
        tree(leaf, depth - 1)
    )


@pytest.fixture
def registry(millrace):
    process = millrace.run()
    url = millrace.admin_url + "/registry"

    def post(path, schema, **more):
        return requests.post(url + path, json={"schema": schema, **more}, timeout=20)

    post.url = url
    yield post
    with open(f"/proc/{process.pid}/status") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
    print(f"peak {peak:.0f} MB")
    assert peak < 400
    assert requests.get(f"{url}/subjects", timeout=2).status_code == 200


@pytest.mark.parametrize(
    "schema,code",
    [
        (nested('{"type":"array","items":', "}", 10000), 42201),
        (nested('{"type":', "}", 10000), 42201),
        ("[" * 400000 + "]" * 400000, 42201),
        (json.dumps({**RECORD, "name": "a" * 900000}), None),
        (json.dumps({**RECORD, "name": "a" * 1500000}), 42209),
        (json.dumps({**RECORD, "name": "a" * 3000000}), 413),
    ],
    ids=["arrays", "types", "unions", "name", "name over the record's limit", "name over the body's limit"],
)
def test_a_hostile_text(registry, name, schema, code):
    response = registry(f"/subjects/{name}/versions", schema)
    assert response.json().get("error_code") == code, response.text[:300]


@pytest.mark.parametrize(
    "one,other",
    [(union("A", "int"), union("B", "string")), (tree('"int"', 13), tree('"string"', 13))],
    ids=["thousands of records", "a tree of unions"],
)
def test_a_hostile_comparison(registry, name, one, other):
    assert requests.put(f"{registry.url}/config/{name}", json={"compatibility": "FULL"}, timeout=20).ok
    assert registry(f"/subjects/{name}/versions", one).status_code == 200
    verdict = registry(f"/compatibility/subjects/{name}/versions/latest?verbose=true", other).json()
    assert verdict["is_compatible"] is False and len(json.dumps(verdict)) < 2 << 20
    same = registry(f"/compatibility/subjects/{name}/versions/latest?verbose=true", one).json()
    assert same["is_compatible"] or "the schemas are too large to compare" in json.dumps(same)


def test_references_that_double(registry, name):
    for level in range(40):
        before = f"{name}L{level - 1}"
        fields = [{"name": f"f{i}", "type": before if level else "int"} for i in range(10)]
        references = [{"name": before, "subject": before, "version": 1}] if level else []
        schema = json.dumps({**RECORD, "name": f"{name}L{level}", "fields": fields})
        response = registry(f"/subjects/{name}L{level}/versions", schema, references=references)
        assert response.status_code == 200, response.text
    path = f"/subjects/{name}L39/versions/1/schema?format=resolved"
    whole = requests.get(registry.url + path, timeout=20).text
    assert len(whole) < 40 * 1000
    path = f"/compatibility/subjects/{name}L39/versions?verbose=true"
    assert registry(path, whole).json() == {"is_compatible": True, "messages": []}
