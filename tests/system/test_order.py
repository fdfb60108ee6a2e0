"""Promise: calls of one key never overlap and come in order; one slow key holds nobody else up."""

from collections import defaultdict

import pytest
from lib.function_server import Answer
from lib.waiting import wait_until


@pytest.fixture
def shop(database, millrace, function, name):
    def start(**delivery):
        database.sql("create table a (id int primary key, n int not null)")
        millrace.connector(name, database)
        millrace.function(name, f"{name}.public.a", function.url, delivery=delivery)
        millrace.run()
        return database

    return start


def by_key(calls):
    keys = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.began):
        keys[call.json["after"]["id"]].append(call)
    return keys


def overlaps(calls):
    calls = sorted(calls, key=lambda call: call.began)
    return sum(later.began < earlier.ended for earlier, later in zip(calls, calls[1:]))


def write(database, keys, times):
    database.sql(f"insert into a select generate_series(1, {keys}), 0")
    for n in range(1, times):
        database.sql(f"update a set n = {n}")


def test_order_per_key_with_concurrency(shop, function):
    database = shop(concurrency=8)
    function.rule = lambda call: Answer(delay=0.01)
    write(database, keys=20, times=10)
    calls = function.wait_calls(200)
    keys = by_key(calls)
    for key, mine in keys.items():
        assert [call.json["after"]["n"] for call in mine] == list(range(10)), key
        assert overlaps(mine) == 0, f"calls of key {key} overlap"
    assert overlaps(calls) > 20, "different keys do not run side by side"


def test_concurrency_is_a_limit(shop, function):
    database = shop(concurrency=3)
    function.rule = lambda call: Answer(delay=0.02)
    write(database, keys=60, times=1)
    calls = function.wait_calls(60)
    edges = sorted([(c.began, 1) for c in calls] + [(c.ended, -1) for c in calls])
    running = most = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    # A finished call's answer may still be on its way when the next one begins.
    assert 2 <= most <= 4


def test_a_failing_key_keeps_its_order(shop, function):
    database = shop(concurrency=8, retry={"backoff": {"initial": "10ms", "max": "50ms"}})
    failed = defaultdict(int)

    def rule(call):
        row = call.json["after"]
        failed[row["id"], row["n"]] += 1
        return Answer(500) if row["id"] % 3 == 0 and failed[row["id"], row["n"]] < 3 else None

    function.rule = rule
    write(database, keys=9, times=5)
    calls = function.wait_calls(9 * 5 + 3 * 5 * 2)
    for mine in by_key(calls).values():
        versions = [call.json["after"]["n"] for call in mine]
        assert versions == sorted(versions) and set(versions) == set(range(5))


def test_a_slow_key_does_not_block_the_others(shop, function):
    database = shop(concurrency=4)
    function.rule = lambda call: Answer(delay=60) if call.json["after"]["id"] == 1 else None
    write(database, keys=50, times=6)
    others = function.wait_calls(49 * 6, where=lambda call: call.json["after"]["id"] != 1)
    assert len(others) == 49 * 6
    assert sum(call.json["after"]["id"] == 1 for call in function.calls) == 1


def test_order_by_partition(shop, function):
    database = shop(order="partition", concurrency=8)
    function.rule = lambda call: Answer(delay=0.002)
    write(database, keys=20, times=3)
    calls = function.wait_calls(60)
    assert overlaps(calls) == 0
    assert [call.json["after"]["n"] for call in sorted(calls, key=lambda c: c.began)] == [0] * 20 + [
        1
    ] * 20 + [2] * 20


def test_no_order_runs_one_key_side_by_side(shop, function):
    database = shop(order="none", concurrency=8)
    function.rule = lambda call: Answer(delay=0.05)
    write(database, keys=1, times=40)
    calls = function.wait_calls(40)
    assert overlaps(calls) > 5


def test_the_offset_waits_for_the_slowest(shop, kafka, function, name):
    """Progress is the settled prefix: what is behind a stuck call is not committed."""
    database = shop(concurrency=4)
    function.rule = lambda call: Answer(delay=3) if call.json["after"]["id"] == 10 else None
    write(database, keys=40, times=1)
    topic, group = f"{name}.public.a", f"millrace.{name}"
    function.wait_calls(39)
    committed = kafka.committed(group, topic).get(0, 0)
    stuck = [call for call in function.calls if call.json["after"]["id"] == 10]
    assert committed <= 9 or stuck[0].ended is not None
    wait_until(lambda: kafka.committed(group, topic) == {0: 40}, 20, "offset 40 committed")
