"""
Promise: a function's file comes, changes or goes without touching the others; a secret rotates by itself.
"""

import threading

import pytest
from lib.function_server import Answer, FunctionServer
from lib.waiting import wait_until

pytestmark = pytest.mark.sanitized


@pytest.fixture
def second():
    server = FunctionServer()
    yield server
    server.stop()


@pytest.fixture
def shop(database, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url + "/one")
    database.process = millrace.run()
    database.sql("insert into a values (1)")
    function.wait_calls(1)
    return database


def test_a_function_is_added_and_removed(shop, kafka, millrace, function, second, name):
    other = f"{name}-two"
    millrace.function(other, f"{name}.public.a", second.url)
    second.wait_calls(1)
    shop.sql("insert into a values (2)")
    second.wait_calls(2)
    function.wait_calls(2)
    process = millrace.started[-1]
    after = len(process.events)
    millrace.remove(f"functions/{other}.yaml")
    process.wait_event(component=f"function/{other}", message="stop|remov|gone", after=after)
    shop.sql("insert into a values (3)")
    function.wait_calls(3)
    wait_until(lambda: not has_members(kafka, f"millrace.{other}"), 20, "an empty group")
    assert len(second.calls) == 2
    assert len(function.calls) == 3, "the other function was called again"


def has_members(kafka, group):
    return kafka.admin.describe_consumer_groups([group])[group].result(10).members


def test_a_changed_endpoint_is_used(shop, millrace, function, second, name):
    millrace.function(name, f"{name}.public.a", second.url + "/two")
    number = 10

    def arrives():
        nonlocal number
        number += 1
        shop.sql("insert into a values (%s)", [number])
        return second.calls

    wait_until(arrives, 20, "calls at the new address", 0.2)
    assert second.calls[0].path == "/two"
    wait_until(lambda: len(function.calls) + len(second.calls) == 1 + number - 10, 20, "each event once")


def test_a_new_endpoint_is_tried_at_once(database, millrace, function, second, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    function.rule = lambda call: Answer(429, {"Retry-After": "300"})
    millrace.run()
    database.sql("insert into a select generate_series(1, 50)")
    function.wait_calls(1)
    millrace.function(name, f"{name}.public.a", second.url)
    calls = second.wait_calls(50)
    assert sorted(call.json["after"]["id"] for call in calls) == list(range(1, 51))


def test_a_batch_that_failed_is_called_as_the_new_file_says(database, millrace, function, second, name):
    """A batch of rows becomes single events: each comes once, under its own id, and a key's in order."""
    database.sql("create table a (id int primary key, n int)")
    millrace.connector(name, database)
    rows = {"payload": "row", "delivery": {"batch": {"events": 100, "window": "60s"}}}
    millrace.function(name, f"{name}.public.a", function.url, **rows)
    function.rule = lambda call: Answer(500, delay=1)
    millrace.run()
    database.sql("insert into a select generate_series(1, 20), 0")
    for n in range(1, 5):
        database.sql(f"update a set n = {n}")
    function.wait_calls(1)
    assert len(function.calls[0].json) == 100
    second.rule = lambda call: Answer(delay=0.01)
    millrace.function(name, f"{name}.public.a", second.url)
    calls = sorted(second.wait_calls(100), key=lambda call: call.began)
    assert len({call.id for call in calls}) == len(calls) == 100
    for key in range(1, 21):
        mine = [call for call in calls if call.json["after"]["id"] == key]
        assert [call.json["after"]["n"] for call in mine] == list(range(5))
        assert [call.id for call in mine] == sorted(call.id for call in mine)
        assert all(later.began >= earlier.ended for earlier, later in zip(mine, mine[1:]))


def test_a_broken_file_keeps_the_old_function(shop, millrace, function, name):
    process = millrace.started[-1]
    good = open(f"{millrace.folder}/functions/{name}.yaml").read()
    millrace.write(f"functions/{name}.yaml", "source: {topics: [x]\n")
    process.wait_event(message=rf"{name}\.yaml:\d+:\d+")
    shop.sql("insert into a values (2)")
    function.wait_calls(2)
    millrace.write(f"functions/{name}.yaml", good)
    shop.sql("insert into a values (3)")
    function.wait_calls(3)
    assert len(function.calls) == 3


def test_a_secret_rotates(database, millrace, function, name):
    """A call that runs ends with the old one; the next one has the new one."""
    database.sql("create table a (id int primary key)")
    secret = millrace.write("token", "old")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url, auth={"bearer": {"file": secret}})
    process = millrace.run()
    hold = threading.Event()
    function.rule = lambda call: Answer(until=hold) if call.key == {"id": 1} else None
    database.sql("insert into a values (1)")
    wait_until(lambda: len(function.calls) == 1, 30, "a call that runs")
    millrace.write("token", "new")
    process.wait_event("configuration_changed", component=f"function/{name}")
    database.sql("insert into a values (2)")
    assert function.wait_calls(1)[0].headers["authorization"] == "Bearer new"
    hold.set()
    database.sql("insert into a values (3)")
    calls = function.wait_calls(3)
    assert [call.headers["authorization"] for call in calls] == ["Bearer old", "Bearer new", "Bearer new"]
    assert process.stop() == 0
    assert sorted(call.key["id"] for call in function.calls) == [1, 2, 3], "none is repeated"
