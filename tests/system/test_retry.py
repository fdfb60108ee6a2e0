"""
Promise: a function that fails is called again with the same id, patiently, and then dead-lettered with
its reason.
"""

import threading
from collections import Counter

import pytest
from lib import processes
from lib.function_server import Answer, FunctionServer
from lib.records import read_topic
from lib.waiting import wait_until

FAST = {"attempts": 4, "backoff": {"initial": "10ms", "max": "100ms"}}


@pytest.fixture
def shop(database, millrace, function, name):
    """shop(delivery): a table with a function on it; returns the database and its dead-letter topic."""

    def start(**delivery):
        database.sql("create table a (id int primary key)")
        millrace.connector(name, database)
        millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": FAST, **delivery})
        millrace.run()
        return database, f"millrace.dlq.{name}"

    return start


STATUSES = [500, 502, 503, 401, 403, 404, 408, 409, 425, 429]


def test_statuses_that_are_retried_with_the_same_id(shop, function, millrace, name):
    database, _ = shop()
    tries = Counter()

    def rule(call):
        key = call.key["id"]
        tries[key] += 1
        return Answer(STATUSES[key]) if tries[key] < 3 else None

    function.rule = rule
    for key in range(len(STATUSES)):
        database.sql("insert into a values (%s)", [key])
    calls = function.wait_calls(3 * len(STATUSES))
    for key, status in enumerate(STATUSES):
        mine = [call for call in calls if call.key["id"] == key]
        assert len(mine) == 3 and len({(call.id, call.body) for call in mine}) == 1, status
    retries = "millrace_function_retries_total"
    wait_until(lambda: (millrace.metric(retries, function=name) or 0) >= 20, 10, "retries counted")


DEAD = {301: "redirect", 302: "redirect", 307: "redirect", 400: "rejected", 410: "rejected", 422: "rejected"}


def test_statuses_that_are_dead_at_once(shop, kafka, function):
    database, dead_letters = shop()
    function.rule = lambda call: Answer(call.key["id"], {"Location": function.url + "/elsewhere"})
    for status in DEAD:
        database.sql("insert into a values (%s)", [status])
    dead = read_topic(kafka, dead_letters, count=len(DEAD))
    said = {int(d.headers["millrace.dlq.status"]): d.headers["millrace.dlq.reason"] for d in dead}
    assert said == DEAD
    assert {d.headers["millrace.dlq.attempts"] for d in dead} == {"1"}
    assert [call.path for call in function.calls] == ["/"] * len(DEAD)


def test_retry_after_is_obeyed_and_consumes_no_attempt(shop, function):
    database, _ = shop()
    function.plan(*[Answer(429, {"Retry-After": "1"})] * 2, *[Answer(500)] * 3)
    database.sql("insert into a values (1)")
    calls = function.wait_calls(6)
    assert calls[1].began - calls[0].began >= 0.9 and calls[2].began - calls[1].began >= 0.9


SENSELESS = ["0", "Thu, 01 Jan 1970 00:00:00 GMT", "soon"]


def test_senseless_retry_after_counts_as_absent(shop, kafka, function):
    database, dead_letters = shop()
    function.rule = lambda call: Answer(503, {"Retry-After": SENSELESS[call.key["id"]]})
    for key in range(len(SENSELESS)):
        database.sql("insert into a values (%s)", [key])
    dead = read_topic(kafka, dead_letters, count=len(SENSELESS))
    assert {d.headers["millrace.dlq.reason"] for d in dead} == {"attempts_exhausted"}
    assert {d.headers["millrace.dlq.attempts"] for d in dead} == {"4"}


def test_reset_connections_are_retried(shop, function):
    database, _ = shop()
    function.plan(Answer(reset=True), Answer(reset=True))
    database.sql("insert into a values (1)")
    calls = function.wait_calls(3)
    assert len({call.id for call in calls}) == 1


def test_a_body_cut_short_is_retried(shop, function):
    database, _ = shop()
    function.plan(Answer(200, body=b"abc", cut=True))
    database.sql("insert into a values (1)")
    assert len(function.wait_calls(2)) == 2


def test_a_hanging_function_times_out(shop, function):
    """It is called again while the first call still has no answer."""
    database, _ = shop(timeout="300ms")
    function.plan(Answer(until=threading.Event()))
    database.sql("insert into a values (1)")
    function.wait_calls(1)
    first, second = function.calls
    assert first.ended is None and first.id == second.id


BAD = {
    "hangs": Answer(until=threading.Event()),
    "resets": Answer(reset=True),
    "is cut off": Answer(body=b"abc", cut=True),
    "talks": Answer(500, body=bytes(range(256)) * 4096),
    "throttles": Answer(429, {"Retry-After": "300"}),
}


def test_bad_functions_harm_no_other(database, millrace, function, name):
    """All read the same topic in the same process; the good one gets all, each change while the bad ones fail."""
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    bad = [FunctionServer() for _ in BAD]
    try:
        for number, (server, answer) in enumerate(zip(bad, BAD.values())):
            server.plan(then=answer)
            millrace.function(f"{name}bad{number}", f"{name}.public.a", server.url, delivery={"timeout": "60s"})
        millrace.function(name, f"{name}.public.a", function.url)
        millrace.run()
        database.sql("insert into a values (0)")
        for server, what in zip(bad, BAD):
            wait_until(lambda: server.calls, 30, f"a call of the one that {what}")
        database.sql("insert into a select generate_series(1, 2000)")
        calls = function.wait_calls(2001)
        assert sorted(call.key["id"] for call in calls) == list(range(2001))
        assert not bad[0].calls[0].ended, "the one that hangs still hangs"
    finally:
        for server in bad:
            server.stop()


def test_a_megabyte_of_garbage_is_an_answer_like_any_other(shop, function):
    database, _ = shop()
    garbage = bytes(range(256)) * 4096
    function.plan(Answer(500, body=garbage), then=Answer(200, body=garbage))
    database.sql("insert into a select generate_series(1, 20)")
    calls = function.wait_calls(21)
    assert len({call.id for call in calls}) == 20


def test_a_refused_connection_consumes_no_attempt(database, kafka, millrace, name):
    port = processes.free_port()
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", f"http://127.0.0.1:{port}", delivery={"retry": FAST})
    millrace.run()
    database.sql("insert into a values (1)")
    retried = "millrace_function_retries_total"
    wait_until(lambda: (millrace.metric(retried, function=name) or 0) > 8, 20, "more tries than attempts")
    late = FunctionServer(port)
    try:
        assert late.wait_calls(1)[0].key == {"id": 1}
    finally:
        late.stop()


def test_a_function_that_fails_says_so_until_it_works(shop, millrace, function, name):
    """In status, /readyz, metrics and log: the last error, since when, and what waits."""
    database, _ = shop(retry={"attempts": 1_000_000, "backoff": {"initial": "10ms", "max": "50ms"}})
    process = millrace.started[-1]
    function.rule = lambda call: Answer(401)
    database.sql("insert into a values (1), (2)")

    def entry():
        return millrace.get("/api/status").json()["functions"][0]

    def error():
        return next(f for f in millrace.get("/readyz").json()["functions"] if f["name"] == name)["last_error"]

    failing = process.wait_event("function_failing", message="401")
    assert failing["events_failing"] <= 2 and failing["events_waiting"] == 2 and failing["seconds"] >= 10
    wait_until(lambda: (entry()["last_error"] or "").endswith("401"), 10, "the error in the status")
    assert "401" in error() and entry()["since"] and entry()["held_events"] == 2
    wait_until(lambda: (millrace.metric("millrace_function_error_seconds", function=name) or 0) >= 10, 10, "metric")
    printed = millrace.command("status", "-c", millrace.folder).stdout
    assert "401 (since " in printed
    function.rule = None
    process.wait_event("function_recovered")
    wait_until(lambda: entry()["last_error"] is None and error() is None, 10, "no error any more")


def test_status_counts_dead_letters(shop, millrace, function, name):
    database, dead_letters = shop()
    function.rule = lambda call: Answer(400)
    database.sql("insert into a values (1), (2)")
    status = lambda: millrace.get("/api/status").json()["functions"][0]  # noqa: E731
    wait_until(lambda: status().get("dead_letters") == 2, 20, "two dead letters in the status")
    printed = millrace.command("status", "-c", millrace.folder).stdout.split("\n")
    line = [line for line in printed if line.startswith(name)][-1]  # connectors come first
    assert "running" in line and " 2 " in line
