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


@pytest.mark.parametrize("arguments", [[], ["--wrong"], ["--lines", "more"], ["mail"]])
def test_usage(arguments):
    done = subprocess.run([BINARY, "filter", *arguments], input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 64 and "usage: millrace filter --lines" in done.stderr


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [BINARY, "filter", "--lines"], input="{}\n", stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1 and "No space left" in done.stderr
