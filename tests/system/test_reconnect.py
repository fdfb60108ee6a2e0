"""Promise: after any loss of PostgreSQL or Kafka the connector comes back by itself and loses nothing."""

import pytest
from lib.load import TABLES, Load, judge, record_events
from lib.records import read_topic
from lib.waiting import wait_until


@pytest.fixture
def setting(private_postgres, private_kafka, make_database, make_millrace, name):
    server, broker = private_postgres(), private_kafka()
    database = make_database(server, name)
    database.sql(TABLES)
    millrace = make_millrace(broker)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    return server, broker, database, millrace, f"{name}.public.items"


def all_records(load, broker, topic, registry):
    """What is on Kafka once all the load's changes are there."""

    def complete():
        records = read_topic(broker, topic, registry)
        return records if len({r.id for r in records if r.value}) >= load.changes else None

    return wait_until(complete, 60, f"{load.changes} changes", 0.2)


def test_postgres_restarts(setting):
    server, broker, database, millrace, topic = setting
    process = millrace.run()
    load = Load(server, database.name).start()
    load.advance(200)
    server.restart()
    load.advance(200)
    load.stop()
    judge(load, record_events(all_records(load, broker, topic, millrace.registry)))
    assert process.popen.poll() is None
    wait_until(lambda: millrace.metric("millrace_connector_reconnects_total", peer="postgres") >= 1, 10, "the metric")


def test_the_connection_is_cut(setting):
    server, broker, database, millrace, topic = setting
    millrace.run()
    load = Load(server, database.name).start()
    for _ in range(3):
        load.advance(100)
        database.sql("select pg_terminate_backend(active_pid) from pg_replication_slots where active")
    load.stop()
    judge(load, record_events(all_records(load, broker, topic, millrace.registry)))


def test_kafka_goes_away_and_comes_back(setting):
    server, broker, database, millrace, topic = setting
    process = millrace.run()
    load = Load(server, database.name).start()
    load.advance(200)
    broker.stop()
    load.advance(500)
    broker.start()
    load.stop()
    judge(load, record_events(all_records(load, broker, topic, millrace.registry)))
    assert process.popen.poll() is None
