"""
Promise: a consumer that moves over from Debezium finds the same records and schemas. What Debezium wrote for the same
changes is kept in tests/golden/debezium; tests/run.sh debezium runs Debezium itself. Avro for Java parses each of the
schemas as strictly as it does by default, reads each record to its end, and writes it again, the same.
"""

import os

import pytest
from lib.program import Millrace

from debezium import differences, replay, scenario


@pytest.fixture(scope="module")
def millrace(folder, kafka):
    program = Millrace(os.path.join(folder, "debezium-golden"), kafka)
    yield program
    program.end()


@pytest.mark.parametrize("name", scenario.names())
def test_the_same_changes_give_the_records_of_debezium(name, postgres, make_database, kafka, millrace):
    left = replay.differing(name, make_database(postgres, f"golden_{name}"), kafka, millrace)
    if left:
        pytest.fail("\n".join(map(str, left)), pytrace=False)


def test_a_text_stream_gives_the_same_records(postgres, make_database, kafka, make_millrace):
    def make(name):
        return make_database(postgres, f"text_{name}")

    left = replay.differing_of_all(scenario.names(), make, kafka, make_millrace, binary_stream="off")
    if left:
        pytest.fail("\n".join(left), pytrace=False)


@pytest.mark.parametrize("name", ["defaults", "wide"])
def test_null_as_default_gives_debezium_s_default_in_place_of_null(name, postgres, make_database, kafka, millrace):
    database = make_database(postgres, f"as_default_{name}")
    found = replay.compared(name, database, kafka, millrace, {"null_as_default": True})
    decisions = [decision for decision in differences.read_decisions() if decision.millrace != "null"]
    left = differences.undecided(found, decisions)
    if left:
        pytest.fail("\n".join(map(str, left)), pytrace=False)
