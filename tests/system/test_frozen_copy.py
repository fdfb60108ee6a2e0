"""
Promise: a copy of a connector that stood still and wakes up after another one has taken over publishes nothing that
it had not sent: only what librdkafka was sending when it stopped may still come.
"""

import os
import signal
import threading

from lib.records import end_offsets, read_topic
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


def test_a_copy_that_wakes_up_drops_what_it_had_not_sent(postgres, database, kafka, make_millrace, name):
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
    at_freeze = dict(database.sql("select id, version from a"))
    copies[1].wait_ready(other, timeout=60)
    updates.advance(300)
    updates.stop()
    in_database = dict(database.sql("select id, version from a"))
    registry = copies[1].registry

    def versions():
        found = {}
        for record in read_topic(kafka, topic):
            registry.decode(record)
            found.setdefault(record.key["id"], []).append(record.row["version"])
        return found

    wait_until(
        lambda: {key: max(seen) for key, seen in versions().items()} == in_database, 60, "all that was written", 0.5
    )
    count = sum(end_offsets(kafka, topic).values())
    os.kill(first.pid, signal.SIGCONT)
    first.wait_event("connection_lost")
    first.wait_event("state_changed", to="waiting_for_slot")
    # Its sink is gone once the next session begins: what was on its way has arrived.
    late = read_topic(kafka, topic)[count:]
    for record in late:
        registry.decode(record)
    last = {key: seen[-1] for key, seen in versions().items()}
    stale = {key: (last[key], row) for key, row in in_database.items() if last[key] != row}
    print(f"{count} records when it woke up, {len(late)} after that, {len(stale)} of {KEYS} keys end stale")
    read_later = [r.row["version"] for r in late if r.row["version"] > at_freeze[r.key["id"]]]
    assert not read_later, f"it published what it read after it woke up: {len(read_later)} records"
    assert len(late) < 2 * KEYS, f"{len(late)} records came late"
