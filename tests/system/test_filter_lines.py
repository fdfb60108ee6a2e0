"""
Promise: `millrace filter --lines` answers each line in its place, wrong ones too, and needs no server.
"""

import json
import subprocess

import pytest
from lib.program import BINARY


def answers(text):
    done = subprocess.run([BINARY, "filter", "--lines"], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_each_line_is_answered_in_its_place():
    pattern = {"op": ["u"], "after": {"total": [{"numeric": [">", 99.99]}]}}
    lines = [
        json.dumps({"pattern": pattern, "event": {"op": "u", "after": {"total": 100}}}),
        json.dumps({"event": {"op": "u", "after": {"total": 99.99}}, "pattern": pattern}),
        '{"pattern":{"op":[{"prefx":"u"}]},"event":{}}',
        '{"pattern":{},"event":{}}',
        '{"pattern":{"op":["u"]}}',
        '{"pattern":{"op":["u"]},"event":["u"]}',
        '{"pattern":{"op":["u"]},"event":{"op":"u"}',
        "",
        "[]",
        '{"pattern":{"op":["é","u"]},"event":{"op":"u"}}',
    ]
    assert answers("\n".join(lines)) == [
        "true",
        "false",
        'error: 3:20: unknown operator "prefx"; did you mean "prefix"?',
        "error: 4:12: an empty object asks for nothing",
        'error: 5:1: "event" is missing',
        "error: 6:33: an event is an object",
        'error: 7:43: a "," or "}" is missing',
        "error: 8:1: a value is missing",
        'error: 9:1: a line is {"pattern":…,"event":…}',
        "true",
    ]


def test_no_line_no_answer():
    assert answers("") == []


def test_a_line_that_is_too_long_is_refused_and_the_next_one_answered():
    good = '{"pattern":{"a":[1]},"event":{"a":1}}\n'
    long = '{"pattern":{"a":[1]},"event":{"a":"%s"}}\n' % ("x" * (4 * 1024 * 1024))
    assert answers(good + long + good) == ["true", "error: 2:1: the line is longer than 4194304 bytes", "true"]


def test_a_verdict_comes_at_once():
    """Another program may ask, wait for the verdict, and ask again."""
    process = subprocess.Popen([BINARY, "filter", "--lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for value, verdict in ((1, "true\n"), (2, "false\n")):
        process.stdin.write(json.dumps({"pattern": {"a": [1]}, "event": {"a": value}}) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == verdict
    process.stdin.close()
    process.stdout.close()
    assert process.wait(60) == 0


WRONG = [
    ([], "usage: millrace filter --lines"),
    (["--wrong"], "usage: millrace filter --lines"),
    (["--lines", "more"], "usage: millrace filter --lines"),
    (["--last", "0", "f"], '--last takes a number from 1 to 100000, not "0"'),
    (["f", "file", "more"], "usage: millrace filter --lines"),
]


@pytest.mark.parametrize("arguments, said", WRONG)
def test_usage(arguments, said):
    done = subprocess.run([BINARY, "filter", *arguments], input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 64 and said in done.stderr


def test_what_changed_is_known_in_lines_too():
    lines = [
        {"pattern": {"changed": ["a"]}, "event": {"before": {"a": 1}, "after": {"a": 2}}},
        {"pattern": {"changed": ["a", "b"]}, "event": {"before": {"a": 1, "b": [1]}, "after": {"b": [1], "a": 1.0}}},
        {"pattern": {"changed_to": {"a": [2]}}, "event": {"before": None, "after": {"a": 2}}},
        {"pattern": {"changed_from": {"a": [2]}}, "event": {"before": {"a": 2}, "after": {"a": 2}}},
        {"pattern": {"changed": "a"}, "event": {}},
    ]
    assert answers("\n".join(json.dumps(line) for line in lines)) == [
        "true",
        "false",
        "true",
        "false",
        'error: 5:25: "changed" takes an array of column names',
    ]


FUNCTION = """
source: {topics: [shop.public.orders], operations: [create, update]}
filter:
  after: {status: [paid], total: [{numeric: ['>', 100]}]}
  headers: {tenant.name: [shop]}
endpoint: {http: {url: 'http://f.example/'}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "mail.yaml").write_text(FUNCTION, encoding="utf-8")
    return tmp_path


def test_a_file_of_events_is_judged_line_by_line(folder):
    headers = {"tenant.name": "shop"}
    events = [
        {"op": "u", "headers": headers, "after": {"status": "paid", "total": "100.01"}},
        {"op": "u", "headers": headers, "after": {"status": "paid", "total": "100.00"}},
        {"op": "u", "headers": headers, "after": {"status": "open", "total": "100.01"}},
        {"op": "u", "after": {"status": "paid", "total": "100.01"}},
        {"op": "d", "before": {"status": "paid"}},
        {"specversion": "1.0", "data": {"op": "c", "headers": headers, "after": {"status": "paid", "total": 500}}},
    ]
    file = folder / "events"
    file.write_text("\n\n".join(json.dumps(event) for event in events) + "\n{\n", encoding="utf-8")
    arguments = [BINARY, "filter", "-c", folder, "mail", file]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    place = f"{folder}/functions/mail.yaml"
    assert done.stdout.splitlines() == [
        "line 1: passes",
        f"line 3: refused by after.total ({place}:4:27)",
        f"line 5: refused by after.status ({place}:4:11)",
        f"line 7: refused by headers.tenant.name ({place}:5:13)",
        "line 9: operation not wanted: d",
        "line 11: passes",
        "2 of 6 events pass",
        f"  1 refused by after.status ({place}:4:11)",
        f"  1 refused by after.total ({place}:4:27)",
        f"  1 refused by headers.tenant.name ({place}:5:13)",
        "  1 have an operation that source.operations does not name",
    ]
    assert (done.returncode, done.stderr) == (1, f"{file}:12:2: a member's name in quotes is missing\n")


def test_a_function_that_is_not_there_is_named(folder):
    arguments = [BINARY, "filter", "-c", folder, "mial", "-"]
    done = subprocess.run(arguments, input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert 'there is no function "mial"' in done.stderr and "it has: mail" in done.stderr


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [BINARY, "filter", "--lines"], input="{}\n", stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1 and "No space left" in done.stderr
