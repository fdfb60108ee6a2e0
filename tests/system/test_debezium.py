"""
Both programs capture the same changes, and every record and schema is compared: what is not equal is a decision of
decisions.yaml, or a defect. tests/run.sh debezium runs it; with --write-golden it keeps what Debezium wrote.
"""

import itertools
import os

import pytest
from lib.program import Millrace

from debezium import differences, golden, scenario
from debezium.connect import Connect
from debezium.records import debezium_records, millrace_records, told_neutrally

pytestmark = pytest.mark.debezium
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def decisions():
    return differences.read_decisions()


@pytest.fixture(scope="module")
def connect(folder, kafka):
    worker = Connect(os.path.join(folder, "connect"), kafka).start()
    yield worker
    worker.stop()


@pytest.fixture
def millrace(folder, kafka):
    """One whose log is shown only when it ends by itself, not when a record differs."""
    program = Millrace(os.path.join(folder, f"debezium-{next(_numbers)}"), kafka)
    yield program
    program.end()


def captured_by_both(name, database, kafka, millrace, connect):
    """The records of both, {topic: [record]} each."""
    tale = scenario.load(name)
    theirs, ours = (f"{side}{os.getpid()}x{next(_numbers)}x" for side in ("dbz", "mlr"))
    scenario.prepare(tale, database)
    millrace.connector(ours, database, **tale.keys(ours))
    process = millrace.connect(ours)
    connect.make(theirs, database, **tale.settings(theirs))

    connect.wait_streaming(theirs)

    def has_passed(slot, lsn):
        failure = connect.failure(theirs)
        assert not failure or pytest.fail(f"Debezium failed: {failure}")
        return database.slot(slot)[1] >= lsn

    slots = theirs, f"millrace_{ours}"
    scenario.make_changes(tale, database, lambda number, lsn: all(has_passed(slot, lsn) for slot in slots))
    connect.remove(theirs, database)
    registry = millrace.registry
    found = debezium_records(kafka, theirs, tale.plain), millrace_records(kafka, ours, registry, tale.plain)
    assert process.stop() == 0
    return tuple(scenario.without_marker(topics) for topics in found)


@pytest.mark.parametrize("name", scenario.names())
def test_records_and_schemas_are_equal(name, database, kafka, millrace, connect, decisions, pytestconfig):
    theirs, ours = captured_by_both(name, database, kafka, millrace, connect)
    if pytestconfig.getoption("write_golden"):
        golden.write(name, told_neutrally(theirs, database.name, again=True))
    found = differences.compare(name, told_neutrally(theirs, database.name), told_neutrally(ours, database.name))
    left = differences.undecided(found, decisions)
    count = sum(len(records) for records in theirs.values())
    print(f"{name}: {count} records of Debezium, {len(found)} differences, {len(left)} of them undecided")
    if left:
        pytest.fail("\n".join(map(str, left)), pytrace=False)


def test_no_decision_is_out_of_date(decisions, request):
    """Each one was used by a scenario of this run, unless only some scenarios were run."""
    tests = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    ran = {item.callspec.params["name"] for item in tests}
    if ran != set(scenario.names()):
        pytest.skip("not all scenarios were run")
    unused = [f"{d.scenario} {d.topic} {d.path}: {d.why}" for d in decisions if not d.used]
    assert not unused, "nothing differs here any more:\n" + "\n".join(unused)
