"""
Promise: a copy of a connector that stood still and wakes up after another one has taken over publishes nothing
more: each key's last record is the row that the database has.
"""

import os
import signal
import threading

from lib.records import read_topic
from lib.waiting import wait_until

KEYS = 10


class Updates:
    """About 100 updates a second, spread over the keys, on a thread of its own."""

    def __init__(self, server, database):
        self.server, self.database = server, database
        self.count = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with self.server.connect(self.database) as connection:
            while not self.stopping.wait(0.01):
                connection.execute(
                    "update a set version = version + 1 where id = %s", [self.count % KEYS + 1]
                )
                connection.commit()
                self.count += 1

    def advance(self, count):
        target = self.count + count
        wait_until(lambda: self.count >= target, 60, f"{count} more updates")

    def stop(self):
        self.stopping.set()
        self.thread.join(30)


def test_a_copy_that_wakes_up_publishes_nothing_stale(postgres, database, kafka, make_millrace, name):
    topic = f"{name}.public.a"
    database.sql("create table a (id int primary key, version int not null)")
    database.sql(f"insert into a select i, 0 from generate_series(1, {KEYS}) i")
    copies = [make_millrace(kafka) for _ in range(2)]
    for millrace in copies:
        millrace.connector(name, database)
    first = copies[0].connect(name)
    other = copies[1].connect(name, wait=False)
    other.wait_event("state_changed", to="waiting_for_slot")
    updates = Updates(postgres, database.name)
    updates.advance(200)
    os.kill(first.pid, signal.SIGSTOP)
    copies[1].wait_ready(other, timeout=60)
    updates.advance(300)
    frozen_at = len(read_topic(kafka, topic))
    os.kill(first.pid, signal.SIGCONT)
    first.wait_event("connection_lost")
    first.wait_event("state_changed", to="waiting_for_slot")
    updates.advance(50)
    updates.stop()
    in_database = dict(database.sql("select id, version from a"))

    def last_records():
        last = {}
        for record in read_topic(kafka, topic):
            copies[1].registry.decode(record)
            last.setdefault(record.key["id"], []).append(record.row["version"])
        return last

    def all_published():
        return {key: max(versions) for key, versions in last_records().items()} == in_database

    wait_until(all_published, 60, "the newest version of each key on Kafka", 0.5)
    last = {key: versions[-1] for key, versions in last_records().items()}
    stale = {key: (last[key], row) for key, row in in_database.items() if last[key] != row}
    backwards = sum(
        1 for versions in last_records().values() for a, b in zip(versions, versions[1:]) if b < a
    )
    print(f"{frozen_at} records when it woke up; {len(stale)} stale keys; {backwards} steps back")
    assert not stale, f"keys whose last record is old (record, row): {stale}"
