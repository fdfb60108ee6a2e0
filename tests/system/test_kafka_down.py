"""
Promise: with Kafka gone or silent nothing is confirmed, and the connector says so: its state, readiness, metrics
and log tell when Kafka was lost and when it came back.
"""

import os
import signal

from lib.records import read_topic
from lib.waiting import wait_until


def status(millrace, name):
    (entry,) = [c for c in millrace.get("/api/status").json()["connectors"] if c["name"] == name]
    return entry


def confirmed(database, name):
    return database.slot(f"millrace_{name}")[1]


def prepared(database, broker, make_millrace, name):
    database.sql("create table a (id int primary key)")
    broker.create_topic(f"{name}.public.a")
    millrace = make_millrace(broker)
    millrace.connector(name, database)
    process = millrace.connect(name)
    database.sql("insert into a values (1)")
    read_topic(broker, f"{name}.public.a", count=1)
    end = int(database.value("select pg_current_wal_lsn() - '0/0'"))
    wait_until(lambda: confirmed(database, name) >= end, 30, "the first row confirmed")
    return millrace, process


def test_nothing_is_confirmed_while_an_acknowledgement_is_held(database, private_kafka, make_millrace, name):
    """The broker stands still: it has the connection, and answers nothing."""
    broker = private_kafka()
    millrace, process = prepared(database, broker, make_millrace, name)
    before = confirmed(database, name)
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        database.sql("insert into a select generate_series(2, 50)")
        committed = int(database.value("select pg_current_wal_lsn() - '0/0'"))
        event = process.wait_event("connection_lost", peer="kafka", timeout=60)
        assert "Kafka does not answer" in event["message"]
        wait_until(lambda: not millrace.is_ready(), 10, "not ready")
        # Keepalives go on meanwhile, and the server's own statistics tell that the connection lives.
        seen = database.value("select max(reply_time) from pg_stat_replication")
        wait_until(
            lambda: (database.value("select max(reply_time) from pg_stat_replication") or seen) > seen,
            30,
            "a status update of the connector",
        )
        assert confirmed(database, name) == before < committed
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    process.wait_event("connection_restored", peer="kafka", timeout=60)
    wait_until(lambda: confirmed(database, name) >= committed, 60, "the rows confirmed")
    assert len(read_topic(broker, f"{name}.public.a", count=50)) >= 50
    millrace.wait_ready(process)


def test_it_is_said_that_kafka_is_down_and_when_it_is_back(database, private_kafka, make_millrace, name):
    broker = private_kafka()
    millrace, process = prepared(database, broker, make_millrace, name)
    broker.kill()
    process.wait_event("connection_lost", peer="kafka", timeout=60)
    wait_until(lambda: not millrace.is_ready(), 10, "not ready")
    said = status(millrace, name)
    assert said["state"] == "backing_off" and "Kafka" in said["last_error"] and said["since"]

    def is_in_the_metrics():
        assert millrace.metric("millrace_connector_reconnects_total", connector=name, peer="kafka") >= 1
        return millrace.metric("millrace_connector_state", connector=name) == 5

    wait_until(is_in_the_metrics, 10, "the metrics")
    before = confirmed(database, name)
    database.sql("insert into a values (2)")
    committed = int(database.value("select pg_current_wal_lsn() - '0/0'"))
    broker.start()
    process.wait_event("connection_restored", peer="kafka", timeout=60)
    wait_until(lambda: confirmed(database, name) >= committed, 60, "the row confirmed")
    assert before < committed
    millrace.wait_ready(process)
    assert status(millrace, name)["last_error"] is None
    assert len(read_topic(broker, f"{name}.public.a", count=2)) == 2


def test_the_server_stops_while_kafka_is_silent(private_postgres, private_kafka, make_database, make_millrace, name):
    """A server that is told to stop waits for its senders: the connector lets go, also with Kafka held."""
    server = private_postgres()
    database = make_database(server, name)
    broker = private_kafka()
    millrace, process = prepared(database, broker, make_millrace, name)
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        database.sql("insert into a select generate_series(2, 50)")
        process.wait_event("connection_lost", peer="kafka", timeout=60)
        server.stop()
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    process.wait_event("connection_lost", peer="postgres", timeout=30)
