"""Promise: calls of one key never overlap and come in order; one slow key holds nobody else up."""

import threading
from collections import defaultdict

import pytest
from confluent_kafka import Producer
from lib.function_server import Answer
from lib.records import end_offsets, read_topic
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
    """The first call is not answered before another key's has come: keys run side by side."""
    database = shop(concurrency=8)
    another = threading.Event()

    def rule(call):
        if len({other.json["after"]["id"] for other in list(function.calls)}) > 1:
            another.set()
        return Answer(until=another, delay=0.005)

    function.rule = rule
    write(database, keys=20, times=10)
    calls = function.wait_calls(200)
    keys = by_key(calls)
    for key, mine in keys.items():
        assert [call.json["after"]["n"] for call in mine] == list(range(10)), key
        assert overlaps(mine) == 0, f"calls of key {key} overlap"


def test_concurrency_is_a_limit(shop, function):
    """Calls are held, and let go one by one: three wait at any time, and never a fourth."""
    database = shop(concurrency=3)
    holds = []

    def rule(_):
        with function.lock:
            holds.append(threading.Event())
            return Answer(until=holds[-1])

    function.rule = rule
    write(database, keys=60, times=1)
    for done in range(60):
        expected = min(done + 3, 60)
        wait_until(lambda: len(holds) >= expected, 30, f"{expected} calls")
        assert len(function.running()) <= 3
        holds[done].set()
    calls = function.wait_calls(60)
    edges = sorted([(call.ended, -1) for call in calls] + [(call.began, 1) for call in calls])
    running = most = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    assert most == 3


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
    hold = threading.Event()
    function.rule = lambda call: Answer(until=hold) if call.json["after"]["id"] == 1 else None
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
    hold = threading.Event()
    function.rule = lambda call: Answer(until=hold)
    write(database, keys=1, times=40)
    wait_until(lambda: len(function.running()) == 8, 30, "eight calls side by side")
    hold.set()
    function.wait_calls(40)


def test_the_offset_waits_for_the_slowest(shop, kafka, function, name):
    """Progress is the settled prefix: what is behind a stuck call is not committed, however much more is settled."""
    database = shop(concurrency=4)
    hold = threading.Event()
    function.rule = lambda call: Answer(until=hold) if call.json["after"]["id"] == 10 else None
    topic, group = f"{name}.public.a", f"millrace.{name}"
    seen = OffsetWatch(kafka, group, topic).start()
    write(database, keys=40, times=1)
    function.wait_calls(39)
    wait_until(lambda: seen.last == 9, 20, lambda: f"offset 9, have {seen.last}")
    samples = seen.count
    database.sql("insert into a select generate_series(41, 80), 0")
    function.wait_calls(79)
    wait_until(lambda: seen.count > samples + 20, 20, "more samples")
    assert seen.stop() == 9, "an offset behind the stuck call was committed"
    hold.set()
    wait_until(lambda: kafka.committed(group, topic) == {0: 80}, 20, "offset 80 committed")


class OffsetWatch:
    """The group's committed offset of partition 0, asked for again and again."""

    def __init__(self, kafka, group, topic):
        self.kafka, self.group, self.topic = kafka, group, topic
        self.last = self.most = -1
        self.count = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def _run(self):
        while not self.stopping.wait(0.02):
            self.last = self.kafka.committed(self.group, self.topic).get(0, -1)
            self.most = max(self.most, self.last)
            self.count += 1

    def stop(self):
        """The highest offset ever seen."""
        self.stopping.set()
        self.thread.join(30)
        return self.most


def test_the_end_of_a_transaction_is_no_lag(shop, kafka, millrace, function, name):
    """Its marker takes an offset and is no record: the group is at the log's end all the same."""
    database = shop()
    topic = f"{name}.public.a"
    write(database, keys=1, times=1)
    function.wait_calls(1)
    good = read_topic(kafka, topic, count=1)[0]
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": name, "log_level": 0})
    producer.init_transactions(60)
    for value in (good.raw_value, good.raw_value):
        producer.begin_transaction()
        producer.produce(topic, key=good.raw_key, value=value, partition=0)
        producer.commit_transaction(60)
    function.wait_calls(3)
    assert end_offsets(kafka, topic) == {0: 5}
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 5}, 30, "the end committed")
    wait_until(lambda: millrace.metric("millrace_function_lag_records", function=name) == 0, 10, "no lag")
