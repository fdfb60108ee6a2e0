"""
The procedure of docs/debezium.md: Debezium captures, is stopped while changes are made, and millrace goes on with its
topics at its position. tests/run.sh debezium runs it.
"""

import itertools
import json
import os
import threading

import pytest
import requests
from debezium.connect import Connect
from debezium.records import raw_records
from lib.waiting import wait_until

pytestmark = pytest.mark.debezium
TABLES = """
create table accounts (id int primary key, v int not null);
create table entries (id serial primary key, account int not null, v int not null);
insert into accounts select i, 0 from generate_series(1, 10) i;
"""


@pytest.fixture
def connect(folder, kafka, name):
    # Debezium's position is stored, and the slot moves, once a minute as Kafka Connect does by default.
    worker = Connect(os.path.join(folder, f"connect-{name}"), kafka, **{"offset.flush.interval.ms": "60000"}).start()
    yield worker
    worker.stop()


class Writer:
    """One transaction after the other, each of which raises one account's version and enters it."""

    def __init__(self, database):
        self.count = database.value("select coalesce(max(v), 0) from entries")
        self.database = database
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self):
        with self.database.server.connect(self.database.name) as connection:
            for number in itertools.count(self.count + 1):
                if self.ends.is_set():
                    return
                with connection.transaction():
                    account = 1 + number % 10
                    connection.execute("update accounts set v = %s where id = %s", [number, account])
                    connection.execute("insert into entries (account, v) values (%s, %s)", [account, number])
                self.count = number

    def stop(self):
        self.ends.set()
        self.thread.join(60)


def rows(kafka, prefix, registry):
    """[(by millrace, account, version)] of each topic, in the order in which they were written."""
    found = {}
    for topic, messages in raw_records(kafka, prefix).items():
        found[topic.removeprefix(f"{prefix}.public.")] = changes = []
        for message in messages:
            is_ours = message.value()[0] == 0
            value = registry.decode_bytes(message.value())[0] if is_ours else json.loads(message.value())["payload"]
            changes.append((is_ours, value["after"].get("account") or value["after"]["id"], value["after"]["v"]))
    return found


@pytest.mark.parametrize("slot", ["the same slot", "a copy of the slot", "the same slot, writes paused"])
def test_millrace_goes_on_where_debezium_stopped(database, kafka, make_millrace, connect, name, slot):
    database.sql(TABLES)
    connect.make(name, database)
    connect.wait_streaming(name)
    writer = Writer(database)
    stopped_at = 0
    try:
        wait_until(lambda: sum(map(len, raw_records(kafka, name).values())) > 400, 60, "Debezium to be at it")
        if "paused" in slot:
            writer.stop()
            wait_until(lambda: len(raw_records(kafka, name)[f"{name}.public.entries"]) == writer.count, 60, "the rest")
        requests.put(f"{connect.url}/{name}/stop", timeout=60)
        wait_until(lambda: not database.slot(name)[0], 60, "Debezium to stop")
        stopped_at = writer.count
        settings = {"name": name, "publication": name}
        if "paused" in slot:
            database.sql("select pg_replication_slot_advance(%s, pg_current_wal_lsn())", [name])
            writer = Writer(database)
        elif "copy" in slot:
            settings["name"] = f"millrace_{name}"
            database.sql("select pg_copy_logical_replication_slot(%s, %s)", [name, settings["name"]])
        millrace = make_millrace(kafka)
        millrace.connector(name, database, slot=settings, snapshot="never")
        process = millrace.connect(name)
        wait_until(lambda: writer.count > stopped_at + 100, 60, "some more writes")
    finally:
        writer.stop()
    last = writer.count
    end = database.value("select pg_current_wal_lsn() - '0/0'")
    wait_until(lambda: database.slot(settings["name"])[1] >= end, 60, "all of it captured")

    found = rows(kafka, name, millrace.registry)
    assert process.stop() == 0
    repeated = []
    for table, changes in found.items():
        theirs, ours = ([change[1:] for change in changes if change[0] == side] for side in (False, True))
        assert [change[0] for change in changes] == [False] * len(theirs) + [True] * len(ours)
        assert theirs and ours
        repeated.append([change for change in theirs if change in ours])
        both = theirs + [change for change in ours if change not in theirs]
        first = [(account, 0) for account in range(1, 11)] if table == "accounts" else []
        assert both == first + [(1 + number % 10, number) for number in range(1, last + 1)], "none lost, in order"
    # Debezium stores its position with the last row that it has sent, and the slot is where that transaction begins.
    assert len(set(itertools.chain(*repeated))) <= (0 if "paused" in slot else 1)
