"""Promise: a database without changes never pins the server's WAL."""

from lib.waiting import wait_until


def test_the_slot_of_an_idle_database_moves(postgres, database, kafka, make_database, millrace, name):
    database.sql("create table a (id int primary key)")
    busy = make_database(postgres, f"{name}_busy")
    busy.sql("create table noise (t text)")
    millrace.connector(name, database)
    millrace.run()
    slot = f"millrace_{name}"
    before = wait_until(lambda: database.slot(slot), 10)[1]
    busy.sql("insert into noise select md5(i::text) from generate_series(1, 20000) i")
    target = busy.value("select pg_current_wal_lsn() - '0/0'")
    assert target > before
    wait_until(lambda: database.slot(slot)[1] >= target, 45, lambda: f"{slot} at {int(target):x}")
    # What the server keeps is from restart_lsn on; it follows with the next record of running transactions.
    busy.sql("checkpoint")
    wait_until(lambda: database.slot(slot)[2] >= target, 45, lambda: f"{slot}: {database.slot(slot)}")
    # The metric is looked at once a second.
    lag = lambda: millrace.metric("millrace_connector_slot_lag_bytes", connector=name)  # noqa: E731
    wait_until(lambda: lag() is not None and lag() < 1_000_000, 30, "a small lag")
