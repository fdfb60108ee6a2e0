"""
Promise: what can't be delivered is in the dead-letter topic, whole and with its reason, before its offset
moves.
"""

import json
import time

import pytest
from lib.function_server import Answer
from lib.records import framed, read_topic
from lib.waiting import wait_until

pytestmark = pytest.mark.sanitized

NAMES = "function reason message attempts topic partition offset timestamp failed_at".split()


@pytest.fixture
def shop(database, millrace, function, name):
    database.sql("create table a (id int primary key, v text)")
    millrace.connector(name, database)
    retry = {"attempts": 2, "backoff": {"initial": "10ms", "max": "20ms"}}
    millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": retry})
    millrace.run()
    return database


def test_attempts_exhausted(shop, kafka, millrace, function, name):
    began = time.time() * 1000 - 1  # their times are whole milliseconds
    function.rule = lambda call: Answer(500, body=b"no luck") if call.key["id"] == 2 else None
    shop.sql("insert into a values (1, 'x'), (2, 'y'), (3, 'z')")
    (dead,) = read_topic(kafka, f"millrace.dlq.{name}", millrace.registry, count=1)
    topic = f"{name}.public.a"
    original = [r for r in read_topic(kafka, topic, millrace.registry, count=3) if r.key["id"] == 2][0]
    assert (dead.raw_key, dead.raw_value) == (original.raw_key, original.raw_value)
    assert dead.headers["millrace.position"] == original.id
    said = {n: dead.headers.get(f"millrace.dlq.{n}") for n in [*NAMES, "status", "event_id"]}
    failed_at = int(said.pop("failed_at"))
    assert began <= failed_at <= time.time() * 1000
    assert said.pop("message")
    assert said == {
        "function": name,
        "reason": "attempts_exhausted",
        "attempts": "2",
        "status": "500",
        "topic": topic,
        "partition": str(original.partition),
        "offset": str(original.offset),
        "timestamp": str(original.timestamp),
        "event_id": original.id,
    }
    assert began <= dead.timestamp <= time.time() * 1000
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 3}, 20, "offset 3 committed")
    assert sum(call.key["id"] == 2 for call in function.calls) == 2
    dead_letters = "millrace_function_dead_letters_total"
    wait_until(lambda: millrace.metric(dead_letters, function=name) == 1, 10, "a dead letter counted")
    settings = kafka.topic_config(f"millrace.dlq.{name}")
    assert (settings["retention.ms"], settings["max.message.bytes"]) == ("-1", "100000000")


def bad_records(good):
    return {
        "not Avro": (b"hello", "undecodable"),
        "empty": (b"", "undecodable"),
        "five bytes": (good[:5], "undecodable"),
        "truncated": (good[:-3], "undecodable"),
        "left-over bytes": (good + b"xx", "undecodable"),
        "unknown schema id": (framed(1073741823, good[5:]), "unknown_schema"),
    }


def test_records_that_cannot_be_read(shop, kafka, millrace, function, name):
    topic = f"{name}.public.a"
    shop.sql("insert into a values (1, 'x')")
    good = read_topic(kafka, topic, count=1)[0]
    bad = bad_records(good.raw_value)
    header = [("x-custom", b"kept"), ("millrace.dlq.reason", b"stale")]
    kafka.produce(topic, [(b"k%d" % i, value, header, 0) for i, (value, _) in enumerate(bad.values())])
    shop.sql("insert into a values (2, 'y')")
    function.wait_calls(1, where=lambda call: call.json["after"]["id"] == 2)
    dead = read_topic(kafka, f"millrace.dlq.{name}", count=len(bad))
    assert len(dead) == len(bad)
    for (what, (value, reason)), record in zip(bad.items(), dead):
        assert record.raw_value == value, what
        assert record.headers["millrace.dlq.reason"] == reason, what
        assert record.headers["x-custom"] == "kept"
        for header_name in NAMES:
            assert f"millrace.dlq.{header_name}" in record.headers, (what, header_name)
    assert {call.json["after"]["id"] for call in function.calls} == {1, 2}


def test_events_of_other_producers_are_delivered(shop, kafka, millrace, function, name):
    """A record without our position header gets an id from its place."""
    topic = f"{name}.public.a"
    shop.sql("insert into a values (1, 'x')")
    good = read_topic(kafka, topic, count=1)[0]
    kafka.produce(topic, [(good.raw_key, good.raw_value, None, 0)])
    calls = function.wait_calls(2)
    assert calls[1].id == f"{topic}-0-1"


def test_keys_that_are_not_avro_are_strings(shop, kafka, millrace, function, name):
    """Java's LongSerializer writes eight bytes, the first of which is 0 as in Confluent's format."""
    topic = f"{name}.public.a"
    shop.sql("insert into a values (1, 'x')")
    good = read_topic(kafka, topic, count=1)[0]
    keys = [b"text", *(n.to_bytes(8, "big") for n in [0, 7, 5 << 24, 1 << 33, 1 << 54])]
    kafka.produce(topic, [(key, good.raw_value, None, 0) for key in keys])
    calls = function.wait_calls(1 + len(keys))
    assert {call.key for call in calls if call.id.startswith(topic)} == {key.decode() for key in keys}
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 1 + len(keys)}, 20, "all committed")


def test_an_oversize_event_leaves_its_neighbours_alone(database, kafka, millrace, function, name):
    """Large and small rows alternate: each small one comes under its own id, each large one goes aside."""
    database.sql("create table a (id int primary key, v text)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url, delivery={"batch": {"bytes": "1KiB"}})
    millrace.run()
    database.sql("insert into a select n, repeat('x', n % 2 * 3000) from generate_series(1, 20) n")
    calls = function.wait_calls(10)
    records = read_topic(kafka, f"{name}.public.a", millrace.registry, count=20)
    ids = {record.id: record.key["id"] for record in records}
    assert sorted(call.json["after"]["id"] for call in calls) == list(range(2, 21, 2))
    for call in calls:
        assert ids[call.id] == call.key["id"] == call.json["after"]["id"]
    dead = read_topic(kafka, f"millrace.dlq.{name}", millrace.registry, count=10)
    assert {d.headers["millrace.dlq.reason"] for d in dead} == {"oversize"}
    assert sorted(d.key["id"] for d in dead) == list(range(1, 20, 2))


def test_too_old_expires(database, kafka, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    retry = {"attempts": 1000, "max_age": "1s", "backoff": {"initial": "50ms", "max": "200ms"}}
    millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": retry})
    function.plan(then=Answer(500))
    millrace.run()
    database.sql("insert into a values (1)")
    (dead,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert dead.headers["millrace.dlq.reason"] == "expired"
    assert int(dead.headers["millrace.dlq.attempts"]) == len(function.calls) > 1


def test_a_topic_of_its_own(database, kafka, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    failure = {"dead_letter": f"{name}.rejects"}
    millrace.function(name, f"{name}.public.a", function.url, delivery={"on_failure": failure})
    function.plan(Answer(400))
    millrace.run()
    database.sql("insert into a values (1)")
    assert read_topic(kafka, f"{name}.rejects", count=1)[0].headers["millrace.dlq.reason"] == "rejected"


def test_its_topic_is_made_again_when_it_was_deleted(shop, kafka, function, name):
    function.rule = lambda call: Answer(400)
    shop.sql("insert into a values (1, 'x')")
    topic = f"millrace.dlq.{name}"
    read_topic(kafka, topic, count=1)
    kafka.delete_topic(topic)
    wait_until(lambda: topic not in kafka.topics(), 30, "the topic to be gone")
    shop.sql("insert into a values (2, 'y')")
    wait_until(lambda: kafka.committed(f"millrace.{name}", f"{name}.public.a") == {0: 2}, 60, "offset 2 committed")
    assert read_topic(kafka, topic, count=1)[0].headers["millrace.dlq.offset"] == "1"
    assert kafka.topic_config(topic)["retention.ms"] == "-1"


LARGE = "(select string_agg(md5(i::text), '') from generate_series(1, 300) i)"  # that hardly compresses


@pytest.fixture
def small_topic(database, kafka, millrace, function, name):
    """small_topic(bytes): a function that rejects id 1, whose dead letters go to a topic of such records."""

    def start(max_bytes):
        database.sql("create table a (id int primary key, v text)")
        millrace.connector(name, database)
        kafka.create_topic(f"{name}.small", **{"max.message.bytes": str(max_bytes)})
        place = {"on_failure": {"dead_letter": f"{name}.small"}}
        millrace.function(name, f"{name}.public.a", function.url, delivery=place)
        function.rule = lambda call: Answer(400) if call.key == {"id": 1} else None
        return millrace.run()

    return start


def test_too_large_for_its_topic(small_topic, database, kafka, millrace, function, name):
    small_topic(2000)
    database.sql(f"insert into a values (1, {LARGE}), (2, 'y')")
    (dead,) = read_topic(kafka, f"{name}.small", millrace.registry, count=1)
    said = {key: dead.headers[f"millrace.dlq.{key}"] for key in ("reason", "topic", "partition", "offset", "status")}
    topic = f"{name}.public.a"
    assert said == {"reason": "oversize", "topic": topic, "partition": "0", "offset": "0", "status": "400"}
    assert dead.raw_value is None and dead.key == {"id": 1}
    assert dead.headers["millrace.dlq.message"].startswith("rejected: ")
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 2}, 20, "offset 2 committed")
    listed = millrace.command("dlq", "list", name, "-c", millrace.folder, "--key", "1", "--json")
    assert [letter["key"] for letter in json.loads(listed.stdout)["letters"]] == [{"id": 1}], listed


def test_a_value_that_cannot_be_read_leaves_its_key_to_select_by(database, kafka, millrace, function, name):
    topic = f"{name}.public.a"
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, topic, function.url)
    millrace.run()
    database.sql("insert into a values (7)")
    (good,) = read_topic(kafka, topic, millrace.registry, count=1)
    kafka.produce(topic, [(good.raw_key, good.raw_value[:7], None, 0)])
    kafka.produce(topic, [(good.raw_key, b"\0\0\0\0\7unknown", None, 0)])
    read_topic(kafka, f"millrace.dlq.{name}", count=2)
    listed = millrace.command("dlq", "list", name, "-c", millrace.folder, "--key", '{"id":7}', "--json")
    found = [(letter["key"], letter["reason"]) for letter in json.loads(listed.stdout)["letters"]]
    assert found == [({"id": 7}, "undecodable"), ({"id": 7}, "unknown_schema")], listed


def test_a_corrected_topic_takes_what_fits_nowhere(small_topic, database, kafka, millrace, function, name):
    process = small_topic(50)
    database.sql("insert into a values (1, 'x'), (2, 'y')")
    function.wait_calls(1, where=lambda call: call.key == {"id": 2})
    process.wait_event("dead_letter_failed", message="without key and value")

    def error():
        return millrace.get("/api/status").json()["functions"][0]["last_error"]

    wait_until(lambda: (error() or "").startswith(f"dead letters wait: {name}.small: "), 10, "the status to say so")
    place = {"on_failure": {"dead_letter": f"{name}.large"}}
    millrace.function(name, f"{name}.public.a", function.url, delivery=place)
    (dead,) = read_topic(kafka, f"{name}.large", millrace.registry, count=1)
    assert dead.headers["millrace.dlq.reason"] == "oversize"
    assert dead.headers["millrace.dlq.offset"] == "0"
    wait_until(lambda: "dead letters" not in (error() or ""), 10, "no error any more")


def test_stopping_waits_for_no_dead_letter_that_fits_nowhere(small_topic, database, kafka, function, name):
    process = small_topic(50)
    database.sql("insert into a values (1, 'x'), (2, 'y')")
    function.wait_calls(1, where=lambda call: call.key == {"id": 2})
    process.wait_event("dead_letter_failed", message="without key and value")
    assert process.stop(timeout=20) == 0
    assert process.find("dead_letter_given_up", offset=0) and not process.find("drain_abandoned")
    assert kafka.committed(f"millrace.{name}", f"{name}.public.a").get(0, 0) == 0
