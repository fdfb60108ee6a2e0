"""Promise: SIGTERM drains, a second one ends at once; what was settled is not repeated."""

import signal
import threading

import pytest
from lib.function_server import Answer
from lib.waiting import wait_until

pytestmark = pytest.mark.sanitized

COUNT = 20
LAST = {"id": COUNT}


@pytest.fixture
def hanging(database, kafka, millrace, make_millrace, function, name):
    """Everything is settled but the last change, whose call hangs."""
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database, snapshot="never")
    millrace.connect(name)
    caller = make_millrace(kafka)
    caller.settings(kafka={"session.timeout.ms": 3000, "heartbeat.interval.ms": 500})
    caller.function(name, f"{name}.public.a", function.url)
    hold = threading.Event()
    function.rule = lambda call: Answer(until=hold) if call.key == LAST else None

    def fill():
        database.sql(f"insert into a select generate_series(1, {COUNT})")
        function.wait_calls(COUNT - 1)
        wait_committed(kafka, name, COUNT - 1)

    caller.fill = fill
    return caller


def wait_committed(kafka, name, offset):
    wait_until(
        lambda: kafka.committed(f"millrace.{name}", f"{name}.public.a") == {0: offset},
        20,
        lambda: f"offset {offset}, have {kafka.committed(f'millrace.{name}', f'{name}.public.a')}",
    )


def calls_about(function, key):
    return [call for call in list(function.calls) if call.key == key]


@pytest.mark.parametrize("command", ["bridge", "run"])
def test_a_second_sigterm_ends_at_once(hanging, function, command):
    process = getattr(hanging, command)()
    hanging.fill()
    process.popen.send_signal(signal.SIGTERM)
    process.wait_event("draining")
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait_exit() == 0
    assert process.find("stopped_at_once") and not process.find("drain_abandoned")
    assert len(function.running()) == 1, "the call still hangs"
    function.rule = None
    process = getattr(hanging, command)()
    wait_until(lambda: len(calls_about(function, LAST)) == 2, 20, "the call that hung comes again")
    assert process.stop() == 0
    assert len(function.calls) == COUNT + 1


@pytest.mark.slow
def test_a_call_that_hangs_is_given_up_in_time(hanging, database, kafka, function, name):
    """What settles during the drain is committed while the last call is waited for; then all leave in order."""
    slow = {"id": COUNT - 1}
    process = hanging.run()
    database.sql(f"insert into a select generate_series(1, {COUNT - 2})")
    function.wait_calls(COUNT - 2)
    holds = {COUNT - 1: threading.Event(), COUNT: threading.Event()}
    function.rule = lambda call: Answer(until=holds[call.key["id"]])
    database.sql(f"insert into a values ({COUNT - 1}), ({COUNT})")
    wait_until(lambda: calls_about(function, slow) and calls_about(function, LAST), 20, "two calls that wait")
    process.popen.send_signal(signal.SIGTERM)
    process.wait_event("draining")
    holds[COUNT - 1].set()
    wait_committed(kafka, name, COUNT - 1)
    assert process.popen.poll() is None, "it waits for the last call"
    assert process.wait_exit() == 0
    assert process.find("drain_abandoned") and not process.find("child_killed")
    group = f"millrace.{name}"
    assert not kafka.admin.describe_consumer_groups([group])[group].result(10).members
