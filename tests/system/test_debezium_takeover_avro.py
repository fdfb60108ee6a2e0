"""
The procedure of docs/debezium.md with Avro and a registry that goes on to be used: millrace's schemas are the ones that
are there, byte by byte, so that ids, keys and partitions stay. tests/run.sh debezium runs it.
"""

import itertools
import os

import pytest
import requests
from confluent_kafka.admin import AdminClient, NewTopic
from debezium.apicurio import SharedRegistry
from debezium.connect import Connect
from debezium.records import raw_records
from lib.records import Registry
from lib.waiting import wait_until
from test_debezium_takeover import Writer

pytestmark = pytest.mark.debezium
PARTITIONS = 4
TABLES = """
create type mood as enum ('good', 'bad');
create table accounts (id int primary key, v int not null, balance numeric(10,2) default 1.5, big bigint default 7,
    small smallint not null default 3, name varchar(20) default 'x', at timestamptz default '2026-01-01', day date,
    made timestamp(3), is_open boolean not null default true, doc jsonb, uid uuid, tags text[], raw bytea, rate float8,
    mood mood default 'good', free numeric, span interval, place point, bits bit(10), clock time);
create table entries (id bigserial, account int not null, v int not null, primary key (account, id));
insert into accounts (id, v) select i, 0 from generate_series(1, 10) i;
"""


@pytest.fixture
def registry():
    made = SharedRegistry()
    yield made
    made.stop()


@pytest.fixture
def connect(folder, kafka, name, registry):
    worker = Connect(os.path.join(folder, f"connect-{name}"), kafka, **registry.worker_settings()).start()
    yield worker
    worker.stop()


def make_topics(kafka, name):
    topics = [NewTopic(f"{name}.public.{table}", PARTITIONS, 1) for table in ("accounts", "entries")]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for future in admin.create_topics(topics).values():
        future.result(60)


def count(kafka, name):
    return sum(map(len, raw_records(kafka, name).values()))


def is_of_millrace(message):
    return any(name == "millrace.position" for name, _ in message.headers() or [])


def test_a_registry_gets_no_new_version_and_keys_stay_in_their_partitions(
    database, kafka, make_millrace, connect, registry, name
):
    database.sql(TABLES)
    make_topics(kafka, name)
    connect.make(name, database)
    connect.wait_streaming(name)
    writer = Writer(database)
    try:
        wait_until(lambda: count(kafka, name) > 400, 60, "Debezium to be at it")
        requests.put(f"{connect.url}/{name}/stop", timeout=60)
        wait_until(lambda: not database.slot(name)[0], 60, "Debezium to stop")
        stopped_at = writer.count
        texts, subjects = dict(registry.texts), dict(registry.subjects)
        assert {f"{name}.public.{table}-{side}" for table in ("accounts", "entries") for side in ("key", "value")} == {
            *subjects
        }
        millrace = make_millrace(kafka)
        millrace.settings(registry={"url": registry.url})
        slot = {"name": name, "publication": name}
        millrace.connector(name, database, slot=slot, snapshot="never", null_as_default=True)
        process = millrace.connect(name)
        wait_until(lambda: writer.count > stopped_at + 100, 60, "some more writes")
    finally:
        writer.stop()
    end = database.value("select pg_current_wal_lsn() - '0/0'")
    wait_until(lambda: database.slot(name)[1] >= end, 60, "all of it captured")
    assert process.stop() == 0
    assert (registry.texts, registry.subjects) == (texts, subjects), "nothing was registered"

    reader = Registry(registry.url)
    for topic, messages in raw_records(kafka, name).items():
        sides, places, seen = set(), {}, {}
        for message in messages:
            assert message.value()[:5] == b"\0" + subjects[f"{topic}-value"].to_bytes(4, "big")
            sides.add(is_of_millrace(message))
            places.setdefault(message.key(), set()).add(message.partition())
            row = reader.decode_bytes(message.value())[0]["after"]
            seen.setdefault(row.get("account") or row["id"], []).append(row["v"])
        assert sides == {False, True}, "both programs wrote"
        assert all(len(partitions) == 1 for partitions in places.values()), "each key stays in its partition"
        assert len(places) == 10 or topic.endswith("entries"), "both programs write the same keys"
        assert len(set(itertools.chain(*places.values()))) > 1, "there are several"
        assert sorted({v for versions in seen.values() for v in versions if v}) == list(range(1, writer.count + 1))
