"""
Promise: a consumer that moves over from Debezium finds the same records and schemas. What Debezium wrote for the same
changes is kept in tests/golden/debezium; tests/run.sh debezium runs Debezium itself.
"""

import os

import pytest
from lib.program import Millrace
from lib.records import consumer, end_offsets
from lib.waiting import wait_until

from debezium import differences, golden, scenario
from debezium.records import millrace_records, told_neutrally


@pytest.fixture(scope="module")
def decisions():
    return differences.read_decisions()


@pytest.fixture(scope="module")
def millrace(folder, kafka):
    program = Millrace(os.path.join(folder, "debezium-golden"), kafka)
    yield program
    program.end()


@pytest.mark.parametrize("name", scenario.names())
def test_the_same_changes_give_the_records_of_debezium(name, postgres, make_database, kafka, millrace, decisions):
    tale, database = scenario.load(name), make_database(postgres, f"golden_{name}")
    prefix = f"gld{name.replace('_', '')}x"
    scenario.prepare(tale, database)
    path = millrace.connector(prefix, database, **{**scenario.CONNECTOR, **tale.connector})
    process = millrace.connect(prefix)

    reader = consumer(kafka.bootstrap)

    def is_captured(number, _):
        return sum(end_offsets(kafka, f"{prefix}.public.{scenario.MARKER}", reader).values()) >= number

    try:
        scenario.make_changes(tale, database, is_captured)
        end = database.value("select pg_current_wal_lsn() - '0/0'")
        wait_until(lambda: database.slot(f"millrace_{prefix}")[1] >= end, 20, "all of it confirmed")
        found = scenario.without_marker(millrace_records(kafka, prefix, millrace.registry))
    finally:
        reader.close()
        process.stop()
        os.unlink(path)
    ours = told_neutrally(found, database.name, again=True)
    left = differences.undecided(differences.compare(name, golden.read(name), ours), decisions)
    if left:
        pytest.fail("\n".join(map(str, left)), pytrace=False)
