"""
Promise: a copy of a connector whose network drops all packets gives up before PostgreSQL gives its slot to another
one. When its network is back, nothing that it had read or sent reaches Kafka any more.
"""

import pytest
from lib.kafka import MORTAL
from lib.network import Network, NotPossible
from lib.records import end_offsets, read_topic
from lib.waiting import wait_until
from test_frozen_copy import KEYS, Updates

UNREAD_BYTES = 64 * 1024  # of a socket; how many more fit is the kernel's choice


@pytest.fixture
def network():
    try:
        made = Network()
    except NotPossible as error:
        pytest.skip(f"NOT TESTED: this machine makes no network namespaces ({error})")
    yield made
    made.end_all()


@pytest.fixture
def far_kafka(network, private_kafka):
    """A broker that the far side can reach."""
    broker = private_kafka(start=False)
    broker.bootstrap = f"{network.hosts[1]}:{broker.port}"
    listeners = f"PLAINTEXT://{broker.bootstrap},CONTROLLER://127.0.0.1:{broker.controller_port}"
    broker.write_properties({**MORTAL, "listeners": listeners})
    return broker.start()


@pytest.fixture
def far_postgres(network, private_postgres):
    return private_postgres(listen_addresses=f"127.0.0.1,{network.hosts[0]}")


@pytest.mark.slow
@pytest.mark.parametrize("state", ["reading", "waiting for room"])
def test_a_copy_that_is_cut_off_publishes_nothing_late(
    network, far_postgres, far_kafka, make_database, make_millrace, name, state
):
    topic = f"{name}.public.a"
    database = make_database(far_postgres, name)
    database.sql("create table a (id int primary key, version int not null)")
    database.sql("create table large (id int primary key, content text)")
    database.sql("alter table large alter content set storage external")
    database.sql(f"insert into a select i, 0 from generate_series(1, {KEYS}) i")
    copies = [make_millrace(far_kafka) for _ in range(2)]
    copies[0].far_side(network)
    copies[0].connector(name, database.dsn(host=network.hosts[0]))
    copies[1].connector(name, database)
    first = copies[0].connect(name)
    other = copies[1].connect(name, wait=False)
    other.wait_event("state_changed", to="waiting_for_slot")
    updates = Updates(far_postgres, database.name)
    updates.advance(200)
    network.drop(network.hosts[1])
    updates.advance(100)
    if state == "waiting for room":
        database.sql("insert into large select i, repeat('x', 10000) from generate_series(1, 3000) i")
        unread = []

        def stands_still():
            unread.append(network.queued(far_postgres.port)[1])
            return len(unread) >= 20 and unread[-1] > UNREAD_BYTES and len(set(unread[-20:])) == 1

        wait_until(stands_still, 30, lambda: f"a socket that is not read; unread {unread[-20:]}")
    network.cut()
    copies[1].wait_ready(other, timeout=60)
    updates.advance(100)
    updates.stop()
    in_database = dict(database.sql("select id, version from a"))

    def versions():
        found = {}
        for record in read_topic(far_kafka, topic, copies[1].registry):
            found.setdefault(record.key["id"], []).append(record.row["version"])
        return found

    wait_until(
        lambda: {key: max(seen) for key, seen in versions().items()} == in_database, 60, "all that was written", 0.5
    )
    count = sum(end_offsets(far_kafka, topic).values())
    healed = len(first.events)
    network.heal()
    first.wait_event("state_changed", to="waiting_for_slot", timeout=60, after=healed)
    wait_until(lambda: network.queued(far_kafka.port)[0] == 0, 60, "what the first copy's kernel still sends")
    late = sum(end_offsets(far_kafka, topic).values()) - count
    last = {key: seen[-1] for key, seen in versions().items()}
    stale = {key: (last[key], row) for key, row in in_database.items() if last[key] != row}
    assert not stale, f"{late} records came late, {len(stale)} of {KEYS} keys end stale: {stale}"
    assert late == 0, f"{late} records came late"
