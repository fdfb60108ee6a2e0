"""
Promise: rates, also shared ones, are never exceeded; a function pauses and resumes by its file; coalesced events give
way to the latest of their key.
"""

import time

from lib.waiting import wait_until

RATE = 50
BURST = 5
EVENTS = 60  # of each function


def assert_rate(calls, start):
    """A call is received after it was sent, so the receiver's clock can only be late."""
    for count, began in enumerate(sorted(call.began for call in calls), 1):
        assert count <= BURST + RATE * (began - start)


def test_functions_share_a_rate(database, kafka, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.settings(limits={"crm": {"concurrency": 2, "rate": f"{RATE}/s", "burst": BURST}})
    names = [f"{name}-{n}" for n in range(2)]
    for n in names:
        millrace.function(n, f"{name}.public.a", f"{function.url}/{n}", delivery={"limit": "crm"})
    start = time.monotonic()
    millrace.run()
    database.sql("insert into a select generate_series(1, %s)", [EVENTS])
    calls = function.wait_calls(2 * EVENTS)
    assert_rate(calls, start)
    for n in names:
        mine = [call for call in calls if call.path == f"/{n}"]
        assert sorted(call.json["after"]["id"] for call in mine) == list(range(1, EVENTS + 1))
    wait_until(lambda: all(millrace.metric("millrace_function_throttled_seconds_total", function=n, reason="limit")
                           for n in names), 20, "the wait in the metrics of both")


def test_pause_and_resume(database, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    millrace.run()
    database.sql("insert into a values (1)")
    function.wait_calls(1)
    millrace.function(name, f"{name}.public.a", function.url, paused=True)
    wait_until(lambda: millrace.metric("millrace_function_state", function=name, state="paused"), 20, "the pause")
    database.sql("insert into a select generate_series(2, 100)")
    wait_until(lambda: millrace.metric("millrace_function_lag_records", function=name) == 99, 20, "the lag")
    assert millrace.is_ready()
    assert len(function.calls) == 1
    millrace.function(name, f"{name}.public.a", function.url)
    calls = function.wait_calls(100)
    assert sorted(call.json["after"]["id"] for call in calls) == list(range(1, 101))


def test_the_latest_event_of_a_key_is_sent(database, millrace, function, name):
    database.sql("create table a (id int primary key, n int)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url, delivery={"coalesce": "2s"})
    millrace.run()
    database.sql("insert into a values (1, 0), (2, 0)")
    for n in range(1, 21):
        database.sql("update a set n = %s", [n])
    wait_until(lambda: len(function.calls) >= 2 and {call.json["after"]["n"] for call in function.calls} == {20}, 40,
               "the last state of both rows")
    sent = len(function.calls)
    wait_until(lambda: millrace.metric("millrace_function_events_total", function=name, outcome="coalesced")
               == 42 - sent, 20, "all others coalesced")
