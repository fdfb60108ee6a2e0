"""Promise: one part that fails harms no other, and everything says what failed: log, status, /readyz and metrics."""

import contextlib
import json
import os
import secrets
import shutil
import signal

import pytest
from lib.waiting import wait_until

BAD = "source: {topics: [x]}\nendpont: {}\n"


@pytest.fixture
def shop(database, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    return database


def entry(millrace, kind, name):
    found = [one for one in millrace.get("/api/status").json()[kind] if one["name"] == name]
    return found[0] if found else None


def test_a_bad_function_file_keeps_nothing_else_from_starting(shop, millrace, function, name):
    bad = millrace.write("functions/bad.yaml", BAD)
    process = millrace.run(wait=False)
    process.wait_event("config_rejected", message=r"bad\.yaml:2:1: error: unknown key")
    shop.sql("insert into a values (1)")
    function.wait_calls(1)

    answer = millrace.get("/readyz")
    assert answer.status_code == 503
    failed = entry(millrace, "functions", "bad")
    assert failed["state"] == "failed" and "endpont" in failed["last_error"] and failed["since"]
    assert "endpont" in answer.json()["rejected"][0]["error"]
    assert millrace.metric("millrace_function_state", function="bad", state="failed") == 1
    assert millrace.metric("millrace_config_rejected_files") == 1
    shown = millrace.command("status", "-c", millrace.folder).stdout
    assert "endpont" in shown and "bad.yaml:2:1" in shown
    assert millrace.check().returncode == 78

    os.unlink(bad)
    wait_until(millrace.is_ready, 20, "readiness without the file")
    assert millrace.metric("millrace_config_rejected_files") == 0


def test_a_bad_file_among_changes_keeps_the_others_from_nothing(shop, millrace, function, name):
    """While one file is wrong, another one that is added is used, and what ran under the wrong one goes on."""
    process = millrace.run()
    millrace.write(f"functions/{name}.yaml", BAD)
    process.wait_event("config_rejected", message="endpont")
    millrace.function(f"{name}-two", f"{name}.public.a", function.url + "/two")
    wait_until(lambda: entry(millrace, "functions", f"{name}-two"), 20, "the added function")
    wait_until(millrace.is_ready, 20, "readiness: all functions are assigned")
    shop.sql("insert into a values (1)")
    function.wait_calls(2)
    assert millrace.get("/readyz").json()["rejected"]


def test_a_bad_millrace_yaml_ends_with_78(shop, millrace):
    millrace.write("millrace.yaml", "kafka: {bootstrap.servers: 'x:1'}\nadmn: {}\n")
    assert millrace.run(wait=False).wait_exit() == 78


def has_in_memory(pid, text):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            begin, end = (int(part, 16) for part in place.split("-"))
            if rights.startswith("rw") and not line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                with contextlib.suppress(OSError):
                    memory.seek(begin)
                    if text.encode() in memory.read(end - begin):
                        return True
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="reads the memory of processes that forbid it")
def test_a_process_has_the_secrets_of_its_own_files_alone(shop, millrace, function, name):
    secret = {word: secrets.token_hex(20) for word in (name, f"{name}-two", "bridge")}
    for word, text in secret.items():
        millrace.write(f"secret-{word}", text)
    for word in (name, f"{name}-two"):
        millrace.connector(word, shop, postgres={"password": {"file": f"../secret-{word}"}})
    bearer = {"bearer": {"file": "../secret-bridge"}}
    millrace.function(name, f"{name}.public.a", function.url, auth=bearer)
    process = millrace.run()
    shop.sql("insert into a values (1)")
    function.wait_calls(1)
    for word in secret:
        child = process.child(word)
        found = [other for other, text in secret.items() if has_in_memory(child, text)]
        assert found == [word]


def test_a_folder_that_vanishes_stops_nothing(shop, millrace, function, name):
    process = millrace.run()
    kept = f"{millrace.folder}/connectors"
    shutil.move(kept, kept + "-away")
    process.wait_event("config_rejected", message="connectors: error: the folder is missing")
    shop.sql("insert into a values (1)")
    function.wait_calls(1)
    assert not process.find("child_left")
    shutil.move(kept + "-away", kept)
    process.wait_event("config_restored")


def test_an_edit_of_the_shared_file_is_told_once(shop, millrace, function, name):
    process = millrace.run()
    millrace.settings(bridge={"processes": 2})
    process.wait_event("restart_needed", component="supervisor")
    after = len(process.events)
    millrace.function(f"{name}-two", f"{name}.public.a", function.url + "/two")
    process.wait_event("config_changed", component="supervisor", after=after)
    wait_until(lambda: entry(millrace, "functions", f"{name}-two"), 20, "the added function")
    assert not process.find("restart_needed", after=after)


def test_a_failed_connector_keeps_its_series(shop, postgres, millrace, name):
    millrace.connector(f"{name}-no", postgres.dsn(f"{name}_missing"))
    process = millrace.run(wait=False)
    process.wait_event("child_failed", component=f"connector/{name}-no")
    wait_until(lambda: millrace.metric("millrace_connector_state", connector=f"{name}-no") == 8, 10, "state 8")
    wait_until(lambda: millrace.metric("millrace_connector_state", connector=name) == 4, 30, "streaming")
    assert millrace.metric("millrace_process_up", process=f"connector/{name}-no") == 0
    failed = entry(millrace, "connectors", f"{name}-no")
    assert failed["state"] == "failed" and "does not exist" in failed["last_error"]
    said = [event for event in process.events if event["level"] != "debug" and "does not exist" in event["message"]]
    assert len(said) == 1, "one failure is one line"


def test_counters_go_on_when_a_process_is_killed(shop, millrace, function, name):
    process = millrace.run()
    shop.sql("insert into a select generate_series(1, 10)")
    function.wait_calls(10)
    changes = dict(connector=name, operation="create")
    wait_until(lambda: millrace.metric("millrace_connector_changes_total", **changes) == 10, 20, "10 changes")
    delivered = dict(function=name, outcome="delivered")
    wait_until(lambda: millrace.metric("millrace_function_events_total", **delivered) == 10, 20, "10 events")
    for word in (name, "bridge"):
        os.kill(process.child(word), signal.SIGKILL)
    up = "millrace_process_up"
    wait_until(lambda: millrace.metric(up, process=f"connector/{name}") == 0, 10, "the connector is down")
    assert millrace.metric("millrace_connector_changes_total", **changes) == 10
    assert millrace.metric("millrace_connector_state", connector=name) == 5
    assert millrace.metric("millrace_connector_slot_lag_bytes", connector=name) is not None
    assert millrace.metric("millrace_function_events_total", **delivered) == 10
    wait_until(millrace.is_ready, 40, "readiness again")
    shop.sql("insert into a values (11)")
    wait_until(lambda: millrace.metric("millrace_connector_changes_total", **changes) >= 11, 20, "11 changes")
    assert millrace.metric("millrace_process_restarts_total", process=f"connector/{name}") == 1


def test_a_loop_that_stands_still_makes_it_unhealthy(shop, millrace, name):
    process = millrace.run()
    child = process.child(name)
    os.kill(child, signal.SIGSTOP)
    try:
        wait_until(lambda: millrace.get("/healthz").status_code == 503, 25, "/healthz 503")
        stuck = [one for one in millrace.get("/healthz").json()["processes"] if not one["alive"]]
        assert [one["name"] for one in stuck] == [name] and "has not reported for" in stuck[0]["detail"]
    finally:
        os.kill(child, signal.SIGCONT)
    wait_until(lambda: millrace.get("/healthz").status_code == 200, 20, "/healthz 200")
    assert process.child(name) == child, "it was restarted though it came back"


@pytest.mark.long
def test_a_loop_that_stands_still_for_long_is_started_again(shop, millrace, name):
    process = millrace.run()
    child = process.child(name)
    os.kill(child, signal.SIGSTOP)
    process.wait_event("child_hung", timeout=60, component=f"connector/{name}")
    wait_until(lambda: process.child(name) not in (None, child), 30, "another process")
    millrace.wait_ready(process)
    assert "did not turn" in json.dumps(process.find("child_ended"))
