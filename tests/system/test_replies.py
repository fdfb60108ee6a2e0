"""
Promise: what a function responds with is published as an event before its own event is settled, once for each event
or again with the same id, and reaches the next function.
"""

import json
import re
import threading
import uuid

import pytest
from lib import processes
from lib.function_server import Answer
from lib.records import read_topic
from lib.waiting import wait_until

NAMESPACE = uuid.UUID("6d696c6c-7261-4365-8265-706c79000001")
ORDERS = 40
BATCHED = {"specversion": "1.0", "source": "/s", "type": "t"}


def reply_id(function, topic, event_id, index=0):
    """As docs/replies.md says."""
    return str(uuid.uuid5(NAMESPACE, f"{function}\n{topic}\n{event_id}\n{index}"))


def json_answer(value, status=200, content_type="application/json", **headers):
    return Answer(status, {"Content-Type": content_type, **headers}, json.dumps(value).encode())


def structured(source, kind, data, **more):
    event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": source, "type": kind, "data": data, **more}
    return json_answer(event, content_type="application/cloudevents+json")


def binary(source, kind, data, **more):
    attributes = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": source, "type": kind, **more}
    return json_answer(data, **{f"ce-{name}": value for name, value in attributes.items()})


@pytest.fixture
def shop(database, millrace, name):
    database.sql("create table orders (id int primary key, note text)")
    millrace.connector(name, database)
    return database


def letters(kafka, name, count):
    return read_topic(kafka, f"millrace.dlq.{name}", count=count)


def test_every_form_of_a_reply_becomes_a_record(shop, kafka, millrace, function, name):
    forms = {
        1: structured("/shop", "order.reserved", {"n": 1.10}, subject="é", causationid="mine", level=3),
        2: binary("/shop", "order.reserved", [2], subject="%C3%A9%25", correlationid="chain"),
        3: json_answer(
            [
                {**BATCHED, "id": "a", "data_base64": "AP8="},
                {**BATCHED, "id": "b", "datacontenttype": "text/plain", "data": "x"},
                {**BATCHED, "id": "c"},
            ],
            content_type="application/cloudevents-batch+json; charset=utf-8",
        ),
        4: json_answer({"plain": True}),
        5: Answer(200, {"Content-Type": "text/html"}, b"OK"),
        6: Answer(204),
        7: json_answer({"ignored": True}, status=202),
        8: Answer(200, {}, b""),
    }
    function.rule = lambda call: forms[call.key["id"]]
    millrace.function(name, f"{name}.public.orders", function.url, reply={"topic": f"{name}.replies"})
    millrace.run()
    assert kafka.partitions(f"{name}.replies"), "the topic is there before the first reply"
    for number in forms:
        shop.sql("insert into orders values (%s)", (number,))
    calls = {call.key["id"]: call for call in function.wait_calls(len(forms))}
    assert all(call.headers["prefer"] == "reply" for call in calls.values())
    topic = f"{name}.public.orders"
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: len(forms)}, 30, "all settled")
    sources = {record.id: record for record in read_topic(kafka, topic, count=len(forms))}
    records = read_topic(kafka, f"{name}.replies", count=6)
    assert len(records) == 6
    found = {}
    for record in records:
        event_id = next(call.id for call in calls.values() if sources[call.id].raw_key == record.raw_key)
        found.setdefault(json.loads(calls_key(calls, event_id)), []).append((event_id, record))
    assert sorted(found) == [1, 2, 3, 4]
    for same in found.values():
        for index, (event_id, record) in enumerate(same):
            assert record.headers["ce_id"] == record.id == reply_id(name, topic, event_id, index)
            assert record.headers["ce_specversion"] == "1.0"
            assert record.headers["millrace-hop"] == "1"
    event_id, first = found[1][0]
    assert first.raw_value == b'{"n": 1.1}'
    assert first.headers["content-type"] == "application/json"
    assert (first.headers["ce_source"], first.headers["ce_type"]) == ("/shop", "order.reserved")
    assert (first.headers["ce_subject"], first.headers["ce_level"]) == ("é", "3")
    assert (first.headers["ce_causationid"], first.headers["ce_correlationid"]) == ("mine", event_id)
    assert first.headers["ce_replyid"] == json.loads(forms[1].body)["id"]
    event_id, second = found[2][0]
    assert (second.raw_value, second.headers["ce_subject"]) == (b"[2]", "é%")
    assert (second.headers["ce_causationid"], second.headers["ce_correlationid"]) == (event_id, "chain")
    values = [(record.raw_value, record.headers["content-type"]) for _, record in found[3]]
    assert values == [(b"\x00\xff", "application/json"), (b"x", "text/plain"), (b"null", "application/json")]
    plain = found[4][0][1]
    assert plain.raw_value == b'{"plain": true}'
    assert (plain.headers["ce_source"], plain.headers["ce_type"]) == (f"/millrace/function/{name}", "millrace.reply")
    assert millrace.metric("millrace_function_replies_total", function=name) == 6
    assert millrace.metric("millrace_function_foreign_responses_total", function=name) == 1


def calls_key(calls, event_id):
    return next(json.dumps(number) for number, call in calls.items() if call.id == event_id)


@pytest.mark.sanitized
def test_a_reply_that_can_t_be_published_is_a_dead_letter_and_is_not_called_for_again(
    shop, kafka, millrace, function, name
):
    big = "x" * 3000
    forms = {
        1: structured("", "t", 1),
        2: Answer(200, {"Content-Type": "application/json"}, b"{"),
        3: json_answer({"big": big * 2}),
        4: json_answer({"big": big}),
        5: json_answer("fits"),
    }
    function.rule = lambda call: forms[call.key["id"]]
    kafka.create_topic(f"{name}.replies", max_message_bytes=2000)
    reply = {"topic": f"{name}.replies", "max_bytes": 5000}
    millrace.settings(kafka={"compression.type": "none"})
    millrace.function(name, f"{name}.public.orders", function.url, reply=reply)
    millrace.run()
    for number in forms:
        shop.sql("insert into orders values (%s)", (number,))
    topic = f"{name}.public.orders"
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: len(forms)}, 60, "all settled")
    assert len(function.calls) == len(forms)
    by_key = {call.id: call.key["id"] for call in function.calls}
    why = {by_key[record.id]: record.headers for record in letters(kafka, name, 4)}
    assert {key: headers["millrace.dlq.reason"] for key, headers in why.items()} == {
        1: "reply_invalid",
        2: "reply_invalid",
        3: "reply_oversize",
        4: "reply_oversize",
    }
    assert "has no source" in why[1]["millrace.dlq.message"]
    assert "1:2: " in why[2]["millrace.dlq.message"]
    assert "larger than reply.max_bytes, 5000" in why[3]["millrace.dlq.message"]
    assert f"too large for the topic {name}.replies" in why[4]["millrace.dlq.message"]
    assert [record.raw_value for record in read_topic(kafka, f"{name}.replies", count=1)] == [b'"fits"']

    # A redrive calls again, and what is valid now is published, with the id of the event's reply.
    function.rule = lambda call: json_answer("valid")
    selected = ("--reason", "reply_invalid", "--rate", "100/s")
    done = millrace.command("dlq", "redrive", name, "-c", millrace.folder, *selected)
    assert done.returncode == 0, done.stderr
    records = read_topic(kafka, f"{name}.replies", count=3)[1:]
    assert [record.raw_value for record in records] == [b'"valid"'] * 2
    ids = {key: event_id for event_id, key in by_key.items()}
    assert {record.id for record in records} == {reply_id(name, topic, ids[key]) for key in (1, 2)}


def test_a_loop_ends(shop, kafka, millrace, function, name):
    function.rule = lambda call: binary("/loop", "again", {"from": call.headers["ce-id"]})
    topics = [f"{name}.public.orders", f"{name}.loop"]
    reply = {"topic": f"{name}.loop", "max_hops": 3}
    path = millrace.function(name, topics, function.url, reply=reply)
    check = millrace.check()
    assert check.returncode == 0
    assert f"{path}:" in check.stdout and "warning: topic: the function reads its own replies" in check.stdout
    millrace.run()
    shop.sql("insert into orders values (1)")
    letter = letters(kafka, name, 1)[0]
    assert letter.headers["millrace.dlq.reason"] == "too_many_hops"
    assert "3 replies have led to it" in letter.headers["millrace.dlq.message"]
    assert letter.headers["millrace-hop"] == "3"
    records = read_topic(kafka, f"{name}.loop", count=3)
    assert [record.headers["millrace-hop"] for record in records] == ["1", "2", "3"]
    assert {record.headers["ce_correlationid"] for record in records} == {function.calls[0].id}
    chain = [function.calls[0].id, *(record.headers["ce_id"] for record in records)]
    assert [record.headers["ce_causationid"] for record in records] == chain[:-1]
    assert [call.headers["ce-id"] for call in function.calls] == chain[:-1]
    assert [call.headers["ce-type"] for call in function.calls][1:] == ["again", "again"]


def test_a_saga_loses_no_step_when_the_bridge_is_killed(shop, kafka, millrace, function, name):
    """orders -> reserve -> (replies) -> charge -> (replies): each answer is an event of the next function."""
    steps, lock = {"reserve": [], "charge": []}, threading.Lock()
    held = threading.Event()

    def rule(call):
        step = call.path.strip("/")
        with lock:
            steps[step].append(call)
            is_late = step == "reserve" and len(steps[step]) > ORDERS // 2
        if step == "reserve":
            answer = structured("/shop", "order.reserved", {"order": call.json["after"]["id"]})
            answer.until = held if is_late else None
            return answer
        return binary("/shop", "order.charged", {"order": call.json["order"], "paid": True})

    function.rule = rule
    reserved, charged = f"{name}.reserved", f"{name}.charged"
    millrace.function(f"{name}-reserve", f"{name}.public.orders", function.url + "/reserve", reply={"topic": reserved})
    millrace.function(
        f"{name}-charge",
        reserved,
        function.url + "/charge",
        filter={"after": {"order": [{"numeric": [">", 0]}]}, "headers": {"ce_type": ["order.reserved"]}},
        reply={"topic": charged},
    )
    millrace.settings(kafka={"session.timeout.ms": 3000, "heartbeat.interval.ms": 500})
    process = millrace.run()
    shop.sql("insert into orders select i from generate_series(0, %s) i", (ORDERS,))
    # It is killed while calls run whose answers come after its end, and others have just been answered.
    wait_until(lambda: function.running(lambda call: call.path == "/reserve"), 30, "a running call")
    wait_until(lambda: len(steps["charge"]) >= ORDERS // 4, 30, "second steps")
    called_before = len(steps["reserve"])
    processes.kill_and_wait(process.child("bridge"))
    held.set()
    topic = f"{name}.public.orders"

    keys = {record.raw_key for record in read_topic(kafka, topic, count=ORDERS + 1)} - {zero(kafka, topic)}

    def done():
        arrived = {record.raw_key for record in read_topic(kafka, charged)}
        return arrived == keys and kafka.committed(f"millrace.{name}-reserve", topic) == {0: ORDERS + 1}

    wait_until(
        done,
        30,
        lambda: f"{len(keys)} charges of {len(read_topic(kafka, reserved))} reservations, "
        f"{len(read_topic(kafka, charged))} came, {kafka.committed(f'millrace.{name}-reserve', topic)}",
    )
    assert len(steps["reserve"]) > called_before, "no call was repeated, and none began after the kill"
    sources = read_topic(kafka, topic, count=ORDERS + 1)
    first = {record.raw_key: reply_id(f"{name}-reserve", topic, record.id) for record in sources}
    for record in read_topic(kafka, reserved):
        assert record.headers["ce_id"] == first[record.raw_key]
        assert record.headers["millrace-hop"] == "1"
    for record in read_topic(kafka, charged):
        assert record.headers["ce_id"] == reply_id(f"{name}-charge", reserved, first[record.raw_key])
        assert (record.headers["millrace-hop"], record.headers["ce_type"]) == ("2", "order.charged")
        assert record.headers["ce_correlationid"] in {source.id for source in sources}
    tried = millrace.command("filter", "-c", millrace.folder, f"{name}-charge", "--last", "1000")
    counts = re.search(r"(\d+) of (\d+) events pass\n +(\d+) refused by after.order", tried.stdout)
    assert counts and int(counts[1]) + int(counts[3]) == int(counts[2]), tried.stdout + tried.stderr
    assert {call.headers["ce-type"] for call in steps["charge"]} == {"order.reserved"}
    assert {call.id for call in steps["charge"]} <= set(first.values())


def zero(kafka, topic):
    """The key of order 0, which the second function's filter leaves out."""
    return next(record.raw_key for record in read_topic(kafka, topic, count=ORDERS + 1) if record.offset == 0)


def test_an_event_is_settled_only_when_its_reply_is_stored(kafka, millrace, function, name):
    """
    A compacted topic refuses replies without a key. The offset stands still until the topic takes them, and a stop does
    not wait for that: the function is called again, and its replies have the ids that they would have had.
    """
    topic, replies = f"{name}.json", f"{name}.replies"
    function.rule = lambda call: json_answer({"of": call.json["after"]})
    kafka.create_topic(replies, cleanup_policy="compact")
    millrace.function(name, topic, function.url, reply={"topic": replies})
    process = millrace.run()
    headers = [("content-type", b"application/json")]
    kafka.produce(topic, [(None, b"1", headers, 0), (None, b"2", headers, 0)])
    process.wait_event("reply_failed")
    function.wait_calls(2)
    wait_until(lambda: f"replies wait: {replies}" in millrace.get("/readyz").text, 20, "the status to say so")
    assert kafka.committed(f"millrace.{name}", topic) == {0: 0}
    assert process.stop() == 0
    assert process.find("reply_given_up")
    assert kafka.committed(f"millrace.{name}", topic) == {0: 0}
    process = millrace.run()
    process.wait_event("reply_failed")
    kafka.change_topic(replies, cleanup_policy="delete")
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 2}, 30, "both settled")
    assert len(function.calls) == 4
    records = read_topic(kafka, replies, count=2)
    assert sorted(record.raw_value for record in records) == [b'{"of": 1}', b'{"of": 2}']
    assert {record.id for record in records} == {reply_id(name, topic, f"{topic}-0-{offset}") for offset in (0, 1)}
    assert {call.headers["ce-type"] for call in function.calls} == {"millrace.change.create"}


def test_replies_that_are_not_wanted_any_more_hold_up_nothing(kafka, millrace, function, name):
    """Whoever removes `reply` because its topic takes nothing has settled events at once, without a restart."""
    topic, replies = f"{name}.json", f"{name}.replies"
    function.rule = lambda call: json_answer({"of": call.json["after"]})
    kafka.create_topic(replies, cleanup_policy="compact")  # it refuses what has no key
    millrace.function(name, topic, function.url, reply={"topic": replies})
    process = millrace.run()
    headers = [("content-type", b"application/json")]
    kafka.produce(topic, [(None, b"%d" % i, headers, 0) for i in range(3)])
    process.wait_event("reply_failed")
    function.wait_calls(3)
    assert kafka.committed(f"millrace.{name}", topic) == {0: 0}
    millrace.function(name, topic, function.url, make_topics=False)
    assert process.wait_event("replies_withdrawn")["topic"] == replies
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 3}, 30, "all are settled")
    kafka.produce(topic, [(None, b"3", headers, 0)])
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 4}, 30, "the next one, too")
    assert len(function.calls) == 4
    assert read_topic(kafka, replies) == []
