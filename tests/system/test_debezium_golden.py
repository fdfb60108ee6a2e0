"""
Promise: a consumer that moves over from Debezium finds the same records and schemas. What Debezium wrote for the same
changes is kept in tests/golden/debezium; tests/run.sh debezium runs Debezium itself.
"""

import os

import pytest
from lib.program import Millrace

from debezium import replay, scenario


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
