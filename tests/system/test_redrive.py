"""
Promise: `millrace dlq redrive` delivers waiting letters as they were, in order per key, at a limited rate; what is
settled is not sent again, also after a `kill -9`; what fails again stays and grows no second letter.
"""

import collections
import json
import subprocess
import threading

import pytest
from lib.function_server import Answer
from lib.program import BINARY
from lib.records import read_topic


pytestmark = pytest.mark.sanitized


@pytest.fixture
def shop(database, millrace, function, name):
    """Its function rejects every event, so the dead-letter topic has all of them."""
    database.sql("create table a (id int primary key, v int)")
    millrace.connector(name, database, topics={"partitions": 1})
    retry = {"attempts": 2, "backoff": {"initial": "10ms", "max": "20ms"}}
    millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": retry})
    millrace.run()
    function.rule = lambda call: Answer(422)
    return database


def dlq(millrace, subcommand, *arguments, code=0):
    done = millrace.command("dlq", subcommand, "-c", millrace.folder, *arguments, timeout=100)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def waiting(millrace, name):
    return json.loads(dlq(millrace, "list", name, "--json").stdout)["waiting"]


def refused(kafka, function, name, count):
    """Waits for the letters; returns the first calls and lets the function accept from now on."""
    read_topic(kafka, f"millrace.dlq.{name}", count=count)
    calls = list(function.calls)
    assert len(calls) == count
    function.clear()
    return calls


def as_sent(call):
    mine = {name: value for name, value in call.headers.items() if name.startswith("ce-")}
    return call.path, mine, call.body


def test_letters_are_delivered_as_they_were_in_order(shop, kafka, millrace, function, name):
    for version in range(5):
        shop.sql("insert into a select n, %s from generate_series(1, 4) n"
                 " on conflict (id) do update set v = excluded.v", (version,))
    first = refused(kafka, function, name, 20)
    assert waiting(millrace, name) == 20
    assert "20 of 20 waiting dead letters are selected" in dlq(millrace, "redrive", name, "--dry-run").stdout
    assert not function.calls
    dlq(millrace, "redrive", name, "--rate", "1000/s", "--key", "2")
    assert [call.json["after"]["v"] for call in function.calls] == [0, 1, 2, 3, 4]
    assert {call.key["id"] for call in function.calls} == {2}
    assert waiting(millrace, name) == 15
    said = dlq(millrace, "redrive", name, "--rate", "1000/s").stderr
    assert "15 redriven, 0 failed again, 0 left" in said
    assert waiting(millrace, name) == 0
    key = lambda call: call.id  # noqa: E731
    assert [as_sent(c) for c in sorted(first, key=key)] == [as_sent(c) for c in sorted(function.calls, key=key)]
    orders = collections.defaultdict(list)
    for call in function.calls:
        orders[call.key["id"]].append(call.json["after"]["v"])
    assert dict(orders) == {n: [0, 1, 2, 3, 4] for n in (1, 2, 3, 4)}
    assert "0 of 0 waiting dead letters are selected" in dlq(millrace, "redrive", name).stdout
    assert len(read_topic(kafka, f"millrace.dlq.{name}")) == 20


def test_letters_that_are_read_again_are_delivered_as_they_were(shop, kafka, millrace, function, name):
    """They don't all fit into the memory for events while the first of their key runs."""
    passing = {"headers": {"millrace.dlq.reason": [{"exists": False}]}}
    retry = {"attempts": 1_000_000, "backoff": {"initial": "10ms", "max": "20ms"}}
    millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": retry}, filter=passing)
    shop.sql("alter table a add pad text")
    shop.sql("alter table a alter pad set storage external")
    shop.sql("insert into a select 1, 0")
    shop.sql("alter table a replica identity full")
    for version in range(1, 160):
        shop.sql("update a set v = %s, pad = repeat('x', 100000)", (version,))
    refused(kafka, function, name, 160)
    failing = threading.Event()
    failing.set()
    function.rule = lambda call: Answer(500) if failing.is_set() else None
    redrive = millrace.start("dlq", "redrive", name, "--rate", "1000/s")
    waiting = redrive.wait_event("function_failing", timeout=60)["events_waiting"]
    assert waiting > 100, "they would fit into 12 MiB"
    failing.clear()
    assert redrive.wait_exit(60) == 0, redrive.log()
    done = [call.json["after"]["v"] for call in function.calls if call.ended and call.json["after"]["v"]]
    assert done == list(range(1, 160))


def test_events_of_other_producers_keep_their_origin(shop, kafka, millrace, function, name):
    shop.sql("insert into a values (1, 1)")
    row = refused(kafka, function, name, 1)
    value = read_topic(kafka, f"{name}.public.a", count=1)[0].raw_key  # Avro, and no envelope
    assert row and value
    other = f"{name}-other"
    function.rule = lambda call: Answer(422)
    millrace.function(other, f"{name}.foreign", function.url)
    kafka.produce(f"{name}.foreign", [(b"%d" % n, value, None, 0) for n in range(3)])
    first = refused(kafka, function, other, 3)
    assert {call.headers["ce-id"] for call in first} == {f"{name}.foreign-0-{n}" for n in range(3)}
    dlq(millrace, "redrive", other, "--rate", "1000/s")
    key = lambda call: call.id  # noqa: E731
    assert [as_sent(c) for c in sorted(first, key=key)] == [as_sent(c) for c in sorted(function.calls, key=key)]


def test_what_fails_again_stays_and_holds_its_key(shop, kafka, millrace, function, name):
    for version in range(3):
        shop.sql("insert into a select n, %s from generate_series(1, 3) n"
                 " on conflict (id) do update set v = excluded.v", (version,))
    refused(kafka, function, name, 9)
    before = read_topic(kafka, f"millrace.dlq.{name}")
    function.rule = lambda call: Answer(500) if call.key["id"] == 2 and call.json["after"]["v"] == 1 else None
    for _ in range(2):  # each redrive has all attempts anew
        said = dlq(millrace, "redrive", name, "--rate", "1000/s", code=1).stderr
        assert "1 failed again" in said and "attempts_exhausted: the function answered 500" in said
    tries = [call for call in function.calls if call.key["id"] == 2 and call.json["after"]["v"] == 1]
    assert len(tries) == 4
    assert waiting(millrace, name) == 2  # and the one behind it
    after = read_topic(kafka, f"millrace.dlq.{name}")
    assert [(r.offset, r.headers) for r in before] == [(r.offset, r.headers) for r in after]
    function.clear()
    dlq(millrace, "redrive", name, "--rate", "1000/s")
    assert [call.json["after"]["v"] for call in function.calls] == [1, 2]


def test_drop(shop, kafka, millrace, function, name):
    shop.sql("insert into a select n, n from generate_series(1, 6) n")
    refused(kafka, function, name, 6)
    assert "nothing was dropped" in dlq(millrace, "drop", name, "--limit", "2", code=1).stderr
    assert "2 dropped" in dlq(millrace, "drop", name, "--limit", "2", "--yes").stderr
    assert (waiting(millrace, name), function.calls) == (4, [])
    listed = json.loads(dlq(millrace, "list", name, "--json").stdout)["letters"]
    keys = [letter["key"]["id"] for letter in listed]  # calls of different keys end in any order
    retry = {"attempts": 2, "backoff": {"initial": "10ms", "max": "20ms"}}
    millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": retry}, paused=True)
    assert "is paused" in dlq(millrace, "redrive", name, code=78).stderr
    assert "1 dropped" in dlq(millrace, "drop", name, "--key", f'{{"id": {keys[2]}}}', "--yes").stderr
    millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": retry})
    dlq(millrace, "redrive", name, "--rate", "100/s")
    assert sorted(call.key["id"] for call in function.calls) == sorted(keys[:2] + keys[3:])
    assert waiting(millrace, name) == 0


def test_the_rate_is_kept(shop, kafka, millrace, function, name):
    shop.sql("insert into a select n, n from generate_series(1, 40) n")
    refused(kafka, function, name, 40)
    dlq(millrace, "redrive", name, "--rate", "10/s")
    began = sorted(call.began for call in function.calls)
    assert len(began) == 40
    # Any window has at most its share, and what half a second saves up.
    for first in range(40):
        for last in range(first + 1, 40):
            assert last - first + 1 <= 10 * (began[last] - began[first]) + 5 + 1.5


def test_a_killed_redrive_goes_on(shop, kafka, millrace, function, name):
    shop.sql("insert into a select n, n from generate_series(1, 200) n")
    refused(kafka, function, name, 200)
    settled, phases, said = 0, [], []
    for target in (20, 60, 120):
        process = subprocess.Popen(
            [BINARY, "dlq", "redrive", name, "-c", millrace.folder, "--rate", "100/s"], stderr=subprocess.PIPE
        )
        try:
            function.wait_calls(target, timeout=60)
        finally:
            process.kill()
            said.append(process.communicate(timeout=10)[1].decode())
        left = waiting(millrace, name)
        phases.append((target, len(function.calls), 200 - left))
        assert 200 - left >= settled
        settled = 200 - left
    print("killed at (target, calls, settled):", phases)
    assert 0 < settled < 200
    before_last = len(function.calls)
    said.append(dlq(millrace, "redrive", name, "--rate", "1000/s").stderr)
    assert any(f"waits for group millrace.{name}.dlq" in text for text in said[1:]), said
    assert len(function.calls) - before_last == 200 - settled  # the settled ones are not sent again
    assert {call.key["id"] for call in function.calls} == set(range(1, 201))
    assert waiting(millrace, name) == 0


def test_an_interrupted_redrive_repeats_nothing(shop, kafka, millrace, function, name):
    shop.sql("insert into a select n, n from generate_series(1, 100) n")
    refused(kafka, function, name, 100)
    process = subprocess.Popen(
        [BINARY, "dlq", "redrive", name, "-c", millrace.folder, "--rate", "50/s"], stderr=subprocess.PIPE, text=True
    )
    function.wait_calls(20, timeout=60)
    process.terminate()
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1 and "interrupted" in said
    dlq(millrace, "redrive", name, "--rate", "1000/s")
    assert sorted(call.key["id"] for call in function.calls) == list(range(1, 101))


def test_the_second_of_two_at_once_refuses(shop, kafka, millrace, function, name):
    """The dead-letter topic has one partition here: there is nothing to share."""
    shop.sql("insert into a select n, n from generate_series(1, 200) n")
    refused(kafka, function, name, 200)
    first = subprocess.Popen(
        [BINARY, "dlq", "redrive", name, "-c", millrace.folder, "--rate", "2/s"], stderr=subprocess.PIPE
    )
    try:
        function.wait_calls(1, timeout=60)
        said = dlq(millrace, "redrive", name, "--rate", "1000/s", code=1).stderr
        assert "another process does this and has all partitions" in said
    finally:
        first.terminate()
        first.communicate(timeout=30)
    assert len({call.id for call in function.calls}) == len(function.calls)
