"""Promise: the database server can stop at any time: a connector holds it up neither with Kafka down nor frozen."""

import os
import signal
import subprocess

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("connector", ["running", "frozen"])
def test_a_fast_shutdown_ends(private_postgres, private_kafka, make_database, make_millrace, name, connector):
    """Nothing is confirmed any more; a walsender would wait for it for ever."""
    server, broker = private_postgres(), private_kafka()
    database = make_database(server, name)
    database.sql("create table t (id int primary key, v text)")
    millrace = make_millrace(broker)
    millrace.connector(name, database)
    process = millrace.connect(name)
    broker.kill()
    database.sql("insert into t select i, repeat('x', 1000) from generate_series(1, 50000) i")
    unconfirmed = "select confirmed_flush_lsn < pg_current_wal_lsn() - 1000000 from pg_replication_slots"
    assert database.value(unconfirmed), "all was confirmed before the server stopped"
    assert database.slot(f"millrace_{name}")[0], "the connector does not stream"
    if connector == "frozen":
        os.kill(process.pid, signal.SIGSTOP)
    database.connection.close()
    server.process.send_signal(signal.SIGINT)  # as pg_ctl stop -m fast does
    try:
        server.process.wait(60)  # wal_sender_timeout of our own connections is 15 s
    except subprocess.TimeoutExpired:
        pytest.fail(f"the server does not stop: {server.log_tail()}")
    finally:
        os.kill(process.pid, signal.SIGCONT)
    server.restart()
    # A frozen process may find out first that it stood still, and connect to a server that is up again by then.
    process.wait_event("connection_lost", message="PostgreSQL|this process stood still")
