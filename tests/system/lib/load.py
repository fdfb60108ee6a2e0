"""
Writes under faults, and the judgement afterwards: nothing lost, nothing out of order, nothing confirmed
early.
"""

import random
import threading
import time
from collections import defaultdict

import psycopg

from lib.waiting import wait_until

TABLES = """
create table items (id int primary key, version bigint not null, note text);
alter table items replica identity full;
create table journal (id bigint primary key);
"""


class Load:
    """
    Transactions of one to five changes (now and then two hundred) over a few keys, on a thread of its own.
    Every change of a key has a higher version than the one before. A commit whose answer was lost is looked
    up in the journal, which each transaction writes too and no connector captures.
    """

    def __init__(self, server, database, keys=60, pause=0.003, seed=1):
        self.server = server
        self.database = database
        self.keys = keys
        self.pause = pause
        self.random = random.Random(seed)
        self.version = 0
        self.expected = defaultdict(list)  # key: [(op, version)] of what is committed
        self.changes = 0
        self.failure = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def advance(self, count, timeout=30):
        """Waits until `count` more changes are committed."""
        target = self.changes + count
        wait_until(lambda: self.changes >= target, timeout, f"{count} more changes")

    def stop(self):
        """Ends it; every transaction's fate is known afterwards."""
        self.stopping.set()
        self.thread.join(240)
        assert not self.thread.is_alive(), "the load does not end: is PostgreSQL down?"
        if self.failure:
            raise self.failure
        return self

    def _run(self):
        connection = None
        number = 0
        try:
            while not self.stopping.is_set():
                number += 1
                changes = self._choose()
                connection = self._commit(connection, number, changes)
                self.stopping.wait(self.pause)
        except BaseException as error:  # told by stop()
            self.failure = error

    def _choose(self):
        count = 200 if self.random.random() < 0.01 else self.random.randrange(1, 6)
        changes, rows = [], {key: past[-1] for key, past in self.expected.items()}
        for _ in range(count):
            key = self.random.randrange(self.keys)
            past = rows.get(key)
            self.version += 1
            if past is None or past[0] == "d":
                change = ("c", self.version)
            elif self.random.random() < 0.15:
                change = ("d", past[1])
            else:
                change = ("u", self.version)
            rows[key] = change
            changes.append((key, *change))
        return changes

    def _commit(self, connection, number, changes):
        """Returns the connection to go on with; the transaction is committed once when this returns."""
        while True:
            try:
                if connection is None:
                    connection = self.server.connect(self.database)
                    done = connection.execute("select 1 from journal where id = %s", [number]).fetchone()
                    if done:
                        break
                with connection.transaction():
                    for key, op, version in changes:
                        self._write(connection, key, op, version)
                    connection.execute("insert into journal values (%s)", [number])
                break
            except (psycopg.OperationalError, psycopg.InterfaceError):
                connection = None
                if self.stopping.wait(0.05) and not self.server.process:
                    raise
        for key, op, version in changes:
            self.expected[key].append((op, version))
        self.changes += len(changes)
        return connection

    @staticmethod
    def _write(connection, key, op, version):
        if op == "c":
            connection.execute("insert into items values (%s, %s, repeat('x', 40))", [key, version])
        elif op == "u":
            connection.execute("update items set version = %s where id = %s", [version, key])
        else:
            connection.execute("delete from items where id = %s", [key])


def first_deliveries(events):
    """{key: [(op, version)]} of (id, key, op, version) in the order they came; repeats must say the same."""
    seen, order = {}, defaultdict(list)
    for identity, key, op, version in events:
        if identity in seen:
            assert seen[identity] == (key, op, version), f"{identity} means two things"
            continue
        seen[identity] = (key, op, version)
        order[key].append((op, version))
    return order


def judge(load, events):
    """Every committed change came, and per key the first deliveries are in the order of the commits."""
    order = first_deliveries(events)
    missing = {
        key: [change for change in past if change not in order[key]] for key, past in load.expected.items()
    }
    missing = {key: changes for key, changes in missing.items() if changes}
    assert not missing, f"lost: {missing}"
    for key, past in load.expected.items():
        assert order[key] == past, f"key {key}: committed {past}, first delivered {order[key]}"


def record_events(records):
    """(id, key, op, version) of decoded records, by offset; tombstones left out."""
    changes = [record for record in records if record.value is not None]
    return [(record.id, record.key["id"], record.op, record.row["version"]) for record in changes]


def call_events(calls):
    """The same of CloudEvents calls, in the order they came."""
    letter = {"create": "c", "read": "r", "update": "u", "delete": "d"}
    events = []
    for call in calls:
        data = call.json
        row = data["after"] or data["before"]
        operation = letter[call.headers["ce-type"].rsplit(".", 1)[1]]
        events.append((call.id, row["id"], operation, row["version"]))
    return events


# Settings of a topic that a SlotWatch judges: a record's timestamp is the time when the broker appended it.
WATCHED = {"message_timestamp_type": "LogAppendTime"}


class SlotWatch:
    """
    Samples the slot's confirmed position, also while Kafka is down. judge() then finds any change below a
    confirmed position that was appended later. Everything runs on one machine, with one clock.
    """

    def __init__(self, server, slot, pause=0.02):
        self.server, self.slot, self.pause = server, slot, pause
        self.samples = []  # (confirmed position, milliseconds since 1970)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        """After a first move was seen."""
        wait_until(lambda: len(self.samples) > 1, 60, "the slot's first move")
        self.stopping.set()
        self.thread.join(240)

    def _run(self):
        connection = None
        query = "select confirmed_flush_lsn - '0/0' from pg_replication_slots where slot_name = %s"
        while not self.stopping.wait(self.pause):
            try:
                if connection is None:
                    connection = self.server.connect()
                row = connection.execute(query, [self.slot]).fetchone()
                if row and row[0] is not None and (not self.samples or int(row[0]) != self.samples[-1][0]):
                    self.samples.append((int(row[0]), int(time.time() * 1000)))
            except psycopg.Error:
                connection = None

    def judge(self, records):
        appended = {}
        for record in records:
            if record.id is not None and record.value is not None:
                appended[record.id] = min(appended.get(record.id, record.timestamp), record.timestamp)
        assert len(self.samples) > 1, "the slot never moved"
        for confirmed, seen in self.samples:
            for identity, when in appended.items():
                commit_lsn = int(identity.split("-")[0], 16)
                assert commit_lsn >= confirmed or when <= seen, (
                    f"{identity} was confirmed ({confirmed:x}) {when - seen} ms before it was on Kafka"
                )
