"""
Promise: whatever is killed, frozen, stopped or joins, every event is settled, order per key holds, and only what no
commit knew of is called again.
"""

import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass

import pytest
from lib.function_server import Answer
from lib.load import TABLES, Load
from lib.progress import is_settled, settled_beyond
from lib.records import end_offsets, read_topic
from lib.waiting import wait_until

pytestmark = pytest.mark.slow

ATTEMPTS = 4
PARTITIONS = 6
SESSION = {"session.timeout.ms": 3000, "heartbeat.interval.ms": 500}


class Flaky:
    """Fails one call in ten, and some events each time; each call takes up to 20 ms. Keeps what it answered."""

    def __init__(self, server, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.is_well = False
        server.rule = self._rule

    def _rule(self, call):
        with self.lock:
            fails, delay = self.random.random() < 0.1, self.random.random() * 0.02
        fails = fails and not self.is_well or is_poisoned(call.id)
        call.status = 500 if fails else 200
        return Answer(call.status, delay=delay)


def is_poisoned(identity):
    return int(identity.split("-")[0], 16) // 8 % 61 == 0 and identity.endswith("0")


@dataclass
class Fault:
    """A bridge lost what it had not committed."""

    kind: str
    at: float  # monotonic seconds
    seen: float  # when `settled` was read: while the group rebalances that takes a while
    running: int  # calls
    settled: dict  # partition: (committed offset, settled ranges beyond it)

    def forgot(self, record, calls):
        """Whether no commit knew that this event was settled, so that it may be called again."""
        known = record.partition in self.settled and is_settled(*self.settled[record.partition], record.offset)
        return not known or any(self.at < call.began <= self.seen for call in calls[1:])


class Herd:
    """Three bridges of one function, each with its own folder."""

    def __init__(self, make_millrace, kafka, name, topic, url, function, seed):
        self.kafka, self.group, self.topic, self.function = kafka, f"millrace.{name}", topic, function
        self.random = random.Random(seed)
        self.faults = []
        self.phases = Counter()
        self.folders = []
        for _ in range(4):
            millrace = make_millrace(kafka)
            millrace.settings(kafka=SESSION, log={"format": "json", "level": "info"})
            retry = {"attempts": ATTEMPTS, "backoff": {"initial": "10ms", "max": "100ms"}}
            millrace.function(name, topic, url, delivery={"concurrency": 8, "retry": retry})
            self.folders.append(millrace)
        self.bridges = [folder.bridge() for folder in self.folders[:3]]

    def note(self, kind, running):
        at = time.monotonic()
        commits = self.kafka.commits(self.group, self.topic)
        settled = {p.partition: (p.offset, settled_beyond(p.offset, p.metadata)) for p in commits}
        self.faults.append(Fault(kind, at, time.monotonic(), running, settled))

    def go_on(self):
        self.function.wait_calls(len(self.function.calls) + self.random.randrange(20, 150), 60)

    def members(self):
        return len(self.kafka.admin.describe_consumer_groups([self.group])[self.group].result(60).members)

    def strike(self, kind=None):
        waits = kind is not None or self.random.random() < 0.8
        kind = kind or self.random.choices(["kill", "stop", "freeze", "join"], [6, 2, 1, 1])[0]
        number = self.random.randrange(3)
        if waits:
            wait_until(lambda: len(self.function.running()) > 0, 60, "a running call")
        running = len(self.function.running())
        self.phases[kind, "calls were running" if running else "idle"] += 1
        getattr(self, "_" + kind)(number, running)

    def _kill(self, number, running):
        self.bridges[number].kill()
        self.note("kill", running)
        if self.random.random() < 0.5:
            self.go_on()  # with two
        self.bridges[number] = self.folders[number].bridge(wait=self.random.random() < 0.3)

    def _stop(self, number, _):
        """Gives its partitions back: nothing is called again for it, so no fault is noted."""
        assert self.bridges[number].stop(60) == 0, self.bridges[number].log()
        self.bridges[number] = self.folders[number].bridge(wait=False)

    def _freeze(self, number, running):
        process = self.bridges[number]
        wait_until(lambda: self.members() >= 3, 60, "three members")
        before = self.members()
        os.kill(process.pid, signal.SIGSTOP)
        self.note("freeze", running)
        try:
            wait_until(lambda: self.members() < before, 60, "the group without the frozen one")
            self.go_on()
        finally:
            os.kill(process.pid, signal.SIGCONT)
        self.note("thaw", running)

    def _join(self, *_):
        fourth = self.folders[3].bridge(wait=False)
        fourth.wait_event("partitions_assigned", timeout=60)
        self.go_on()
        assert fourth.stop(60) == 0, fourth.log()


def calls_by_event(calls):
    found = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.began):
        found[call.id].append(call)
    return found


def repeats_allowed(faults, record, calls):
    """By how many faults this event was forgotten after its first call (or while it was on its way there)."""
    return sum(fault.at > calls[0].began - 1 and fault.forgot(record, calls) for fault in faults)


def place(record):
    return f"{record.id} (partition {record.partition}, offset {record.offset})"


def around(faults, calls):
    """The faults about the time of these calls."""
    return [(f.kind, f.at, f.seen) for f in faults if calls[0].began - 10 < f.at < calls[-1].began + 10]


def judge(records, dead, calls, faults):
    """`records`: of the topic, with ids; `dead`: the ids that have a dead letter."""
    events = calls_by_event(calls)
    lost = [r.id for r in records if r.id not in dead and not any(c.status == 200 for c in events[r.id])]
    assert not lost, f"lost: {lost}"
    repeats = 0
    for record in records:
        mine = events[record.id]
        good = [call for call in mine if call.status == 200]
        bad = [call for call in mine if call.status != 200]
        allowed = repeats_allowed(faults, record, mine)
        repeats += max(0, len(good) - 1)
        assert len(good) <= 1 + allowed, (
            f"{place(record)}: {len(good)} times done, forgotten {allowed} times; began {[c.began for c in good]}, "
            f"faults {around(faults, good)}"
        )
        assert len(bad) <= ATTEMPTS + allowed, (
            f"{place(record)}: attempts began {[c.began for c in bad]}, forgotten {allowed} times, "
            f"faults {around(faults, bad)}"
        )
    by_key = defaultdict(list)
    for record in records:
        by_key[record.raw_key].append(record)
    for mine in by_key.values():
        judge_order([events[record.id] for record in mine], [record.id in dead for record in mine])
        judge_overlaps([call for record in mine for call in events[record.id]], faults)
    return repeats


def judge_order(calls, is_dead):
    """No event of a key is called before the one ahead of it was done or had all of its attempts."""
    for ahead, dead, behind in zip(calls, is_dead, calls[1:]):
        first = behind[0].began
        done = [call for call in ahead if call.status == 200 and call.ended <= first]
        failed = [call for call in ahead if call.status != 200 and call.ended <= first]
        assert done or dead and len(failed) >= ATTEMPTS, (
            f"{behind[0].id} was called before {ahead[0].id} was settled: {[(c.began, c.status) for c in ahead]}"
        )


def judge_overlaps(calls, faults):
    calls = sorted(calls, key=lambda call: call.began)
    for earlier, later in zip(calls, calls[1:]):
        if later.began < earlier.ended:
            assert any(earlier.began - 1 < fault.at <= later.began for fault in faults), (
                f"calls of one key overlap: {earlier.id} {earlier.began}-{earlier.ended}, {later.id} {later.began}"
            )


def run(kafka, postgres, database, millrace, make_millrace, function, name, rounds, seed, kinds=None):
    """`kinds`: what happens in each round; otherwise by chance."""
    database.sql(TABLES)
    topic = f"{name}.public.items"
    kafka.create_topic(topic, PARTITIONS)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    millrace.connect(name)
    flaky = Flaky(function, seed)
    herd = Herd(make_millrace, kafka, name, topic, function.url, function, seed)
    load = Load(postgres, database.name, pause=0.015, seed=seed).start()
    try:
        for number in range(rounds):
            herd.go_on()
            herd.strike(kinds[number % len(kinds)] if kinds else None)
            if number % 20 == 19:
                print(f"{number + 1} faults, {len(function.calls)} calls", flush=True)
    finally:
        load.stop()
    flaky.is_well = True
    wait_until(
        lambda: kafka.committed(herd.group, topic) == end_offsets(kafka, topic),
        120,
        lambda: f"the ends {end_offsets(kafka, topic)}, have {kafka.committed(herd.group, topic)}",
    )
    for bridge in herd.bridges:
        assert bridge.stop(60) == 0
    records = [record for record in read_topic(kafka, topic) if record.raw_value is not None]
    letters = f"millrace.dlq.{name}"
    dead = [r.headers["millrace.dlq.event_id"] for r in read_topic(kafka, letters)] if kafka.partitions(letters) else []
    print("struck:", dict(herd.phases), "running at a kill:", [f.running for f in herd.faults if f.kind == "kill"])
    kills = [fault for fault in herd.faults if fault.kind == "kill"]
    struck = [kind for (kind, when), count in herd.phases.items() if when != "idle" and count > 0]
    assert "kill" in struck or kinds and set(struck) == set(kinds), "none struck while a call was running"
    assert dead, "no event was out of attempts"
    repeats = judge(records, set(dead), function.calls, herd.faults)
    assert herd.faults or repeats == 0 and len(dead) == len(set(dead)), "repeated without a fault"
    print(
        f"{len(records)} events, {len(function.calls)} calls, {len(set(dead))} dead letters "
        f"({len(dead) - len(set(dead))} repeated), {repeats} repeats of done events, {len(kills)} kills"
    )


def test_some(kafka, postgres, database, millrace, make_millrace, function, name):
    run(kafka, postgres, database, millrace, make_millrace, function, name, rounds=8, seed=3)


def test_who_joins_and_leaves_in_order_repeats_nothing(
    kafka, postgres, database, millrace, make_millrace, function, name
):
    kinds = ["stop", "join"]
    run(kafka, postgres, database, millrace, make_millrace, function, name, rounds=8, seed=5, kinds=kinds)


@pytest.mark.long
def test_two_hundred(kafka, postgres, database, millrace, make_millrace, function, name):
    run(kafka, postgres, database, millrace, make_millrace, function, name, rounds=200, seed=int(time.time()))
