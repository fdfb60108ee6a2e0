"""Promise: the admin port says whether it works, why not, and how fast."""

import os
import re

import pytest
from lib.function_server import Answer
from lib.program import ROOT
from lib.waiting import wait_until

pytestmark = pytest.mark.sanitized

CONNECTOR = """state slot_lag_bytes slot_retained_bytes lag_seconds changes_total in_flight_records
    commit_to_ack_seconds_count commit_to_ack_seconds_bucket""".split()
FUNCTION = """state lag_records lag_seconds events_total in_flight_invocations
    invocation_duration_seconds_count event_latency_seconds_count""".split()


@pytest.fixture
def running(database, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    process = millrace.run()
    database.sql("insert into a select generate_series(1, 10)")
    database.sql("delete from a where id = 10")
    function.wait_calls(11)
    return process


def test_health_and_readiness(running, millrace):
    for path in ("/healthz", "/readyz"):
        answer = millrace.get(path)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")
        assert answer.json()
    assert millrace.get("/nowhere").status_code == 404


def test_metrics(running, millrace, name):
    def complete():
        for metric in CONNECTOR:
            assert millrace.metric(f"millrace_connector_{metric}", connector=name) is not None, metric
        for metric in FUNCTION:
            assert millrace.metric(f"millrace_function_{metric}", function=name) is not None, metric
        assert millrace.metric("millrace_connector_changes_total", connector=name, operation="create") == 10
        assert millrace.metric("millrace_connector_changes_total", connector=name, operation="delete") == 1
        assert millrace.metric("millrace_connector_commit_to_ack_seconds_count", connector=name) >= 1
        assert millrace.metric("millrace_function_events_total", function=name, outcome="delivered") == 11
        assert millrace.metric("millrace_function_event_latency_seconds_count", function=name) == 11
        assert millrace.metric("millrace_function_lag_records", function=name) == 0
        # Counters are there before their first event: increase() would not see it otherwise.
        for reason in ("attempts_exhausted", "rejected", "oversize"):
            labels = {"function": name, "reason": reason}
            assert millrace.metric("millrace_function_dead_letters_total", **labels) == 0, reason
        return True

    wait_until(complete, 20, "metrics")


def test_the_document_has_every_metric_and_no_other(running, millrace):
    with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as file:
        documented = set(re.findall(r"^\| `(millrace_\w+)", file.read(), re.M))
    lines = millrace.get("/metrics").text.split("\n")
    exposed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    # Retries are there once there was one, spans with `tracing`.
    assert documented == exposed | {"millrace_function_retries_total", "millrace_spans_total"}


def test_the_exposition_is_well_formed(running, millrace):
    answer = millrace.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    names = [line.split()[2] for line in answer.text.split("\n") if line.startswith("# TYPE")]
    assert len(names) == len(set(names)), "TYPE given twice"
    assert all(value == value for value in millrace.metrics().values())


def test_a_failing_function_shows(running, database, millrace, function, name):
    function.plan(then=Answer(500))
    database.sql("insert into a values (100)")

    def shows():
        assert millrace.metric("millrace_function_lag_records", function=name) >= 1
        assert millrace.metric("millrace_function_retries_total", function=name) >= 1
        return True

    wait_until(shows, 20, "lag and retries")


def test_not_ready_says_why(postgres, database, millrace, name):
    """One connector can't run; the other one goes on."""
    millrace.connector(f"{name}good", database)
    millrace.connector(name, postgres.dsn(f"{name}_missing"))
    process = millrace.run(wait=False)
    process.wait_event(message="does not exist")
    answer = millrace.get("/readyz")
    assert answer.status_code == 503 and name in answer.text
    assert millrace.get("/healthz").status_code == 200


def test_logs_are_structured(running):
    for event in running.events:
        for key in ("time", "level", "event", "component", "message"):
            assert event.get(key), event
