"""
Promise: a function on this machine has no rights, no environment and no open files of millrace; no other user speaks
for it; and it ends with millrace, in order or not, without losing an event.
"""

import json
import os
import pwd
import signal
import subprocess

import pytest
from lib import processes
from lib.local_functions import USER, LocalFunctions, is_running, wait_gone
from lib.memory import environment
from lib.waiting import wait_until

PLANTED = "planted-" + os.urandom(12).hex()
OWN = "own-" + os.urandom(12).hex()
OTHERS = "others-" + os.urandom(12).hex()
# Of Lambda, and the little that every program needs.
VARIABLES = {"PATH", "HOME", "LANG", "TZ", "_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}
as_root = pytest.mark.skipif(USER is None, reason="only root can start a function as another user")


@pytest.fixture(scope="module")
def local(folder, kafka):
    functions = LocalFunctions(f"{folder}/local-isolation", kafka)
    functions.millrace.settings(kafka={"session.timeout.ms": 3000, "heartbeat.interval.ms": 500})
    functions.millrace.write("secret-own", OWN)
    functions.millrace.write("secret-others", OTHERS)
    functions.environment = {"PLANTED": PLANTED}
    functions.others = functions.add(  # the bridge has the variable for this function
        "others",
        functions.rogue("shows"),
        env={"OTHERS": {"file": "../secret-others"}, "GIVEN": {"env": "PLANTED"}, "CAN_READ": "[]"},
    )
    yield functions.run(environment=functions.environment)
    functions.end()


@pytest.fixture(autouse=True)
def log_of_failed_test(request, local):
    yield
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        print(local.process.log(80))


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def test_a_function_has_nothing_of_millrace(local):
    secret = f"{local.millrace.folder}/secret-own"
    function = local.add(
        "shows",
        local.rogue("shows"),
        env={"OWN": {"file": "../secret-own"}, "CAN_READ": json.dumps([secret, f"/proc/{local.bridge()}/environ"])},
    )
    (seen,) = function.wait_seen()
    (given,) = local.others.wait_seen()
    assert environment(given["pid"])[b"GIVEN"] == PLANTED.encode()
    assert seen["descriptors"] == [0, 1, 2], "no open file of millrace"
    assert environment(local.bridge())[b"PLANTED"] == PLANTED.encode(), "this test sees what it looks for"
    for pid in (seen["pid"], seen["guard"]):
        variables = environment(pid)
        assert variables[b"OWN"] == OWN.encode()
        text = repr(variables)
        assert PLANTED not in text and OTHERS not in text
        foreign = {name.decode() for name in variables} - VARIABLES - {"EVENTS", "FOLDER", "OWN", "CAN_READ"}
        assert all(name.startswith("AWS_LAMBDA_") for name in foreign), foreign
        state = status(pid)
        assert state["NoNewPrivs"] == "1"
        with open(f"/proc/{pid}/limits", encoding="utf-8") as limits:
            (core,) = [line.split()[4:6] for line in limits if line.startswith("Max core file size")]
        assert core == ["0", "0"]
        assert PLANTED not in processes.command_line(pid) and OWN not in processes.command_line(pid)
        if USER:
            user = pwd.getpwnam(USER)
            assert state["Uid"].split() == [str(user.pw_uid)] * 4 and state["Gid"].split() == [str(user.pw_gid)] * 4
            assert state["Groups"].split() == [str(user.pw_gid)]
            assert all(int(state[f"Cap{kind}"], 16) == 0 for kind in ("Inh", "Prm", "Eff", "Amb"))
    if USER:
        assert seen["read"] == [] and seen["root"] is False
    log = "".join(local.process.lines)
    variables = {**os.environ, **local.environment}
    shown = local.millrace.command("config", "show", "-c", local.millrace.folder, env=variables).stdout
    assert "secret-own" in shown
    for text in (log, shown, local.millrace.get("/api/status").text, local.millrace.get("/metrics").text):
        assert OWN not in text and OTHERS not in text and PLANTED not in text
    function.remove()
    local.others.remove()


NEXT = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], timeout=100)
try:
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    print(connection.getresponse().status)
except OSError as error:
    print("closed", error)
"""


@as_root
def test_no_other_user_speaks_for_a_function(local):
    """Not even while an event waits for the function itself."""
    function = local.add("alone", local.awslambdaric("act.handler"))
    function.send({"id": 1, "do": "hold"}, {"id": 2, "do": "print", "text": ""}, {"id": 3, "do": "print", "text": ""})
    (begun,) = function.wait_seen(at="begin")
    address = environment(begun["pid"])[b"AWS_LAMBDA_RUNTIME_API"].decode()
    for name in ("daemon", "root"):
        user = pwd.getpwnam(name)
        command = ["/usr/bin/python3", "-I", "-S", "-c", NEXT, address]
        done = subprocess.run(
            command, user=user.pw_uid, group=user.pw_gid, extra_groups=[], capture_output=True, text=True, timeout=200
        )
        assert done.stdout.startswith(("closed", "403")), done.stdout + done.stderr
        function.wait_event("process_client_refused", uid=user.pw_uid)
    function.release(1)
    function.wait_committed(3)
    assert {line["pid"] for line in function.seen()} == {begun["pid"]}
    function.remove()


def test_all_ends_with_the_bridge_and_no_event_is_lost(local):
    """kill -9: processes of functions, and what they have started, don't stay; each event is called at least once."""
    function = local.add("acts", local.awslambdaric("act.handler"), instances=2)
    forks = local.add("forks", local.rogue("forks"))
    started = forks.wait_seen()[0]
    function.send({"id": 1, "do": "hold"}, {"id": 2, "do": "hold"}, {"id": 3, "do": "print", "text": ""})
    begun = function.wait_seen(2, at="begin")
    gone = [line[who] for line in (started, *begun) for who in ("pid", "guard")] + started["children"]
    assert all(map(is_running, gone))
    bridge = local.bridge()
    os.kill(bridge, signal.SIGKILL)
    wait_gone(gone)
    again = function.wait_seen(4, at="begin")[2:]
    assert {line["id"] for line in again} == {line["id"] for line in begun} and local.bridge() != bridge
    function.release(1)
    function.release(2)
    function.wait_committed(3)
    assert {line["id"] for line in function.seen(at="end")} == {1, 2, 3}
    forks.wait_seen(2)
    function.remove()
    forks.remove()


def test_sigterm_lets_the_call_finish_and_ends_all(local):
    function = local.add("finishes", local.awslambdaric("act.handler"))
    forks = local.add("leaves", local.rogue("forks"))
    started = forks.wait_seen()[0]
    function.send({"id": 1, "do": "hold"})
    (begun,) = function.wait_seen(at="begin")
    process = local.process
    process.popen.send_signal(signal.SIGTERM)
    process.wait_event("draining")
    assert is_running(begun["pid"])
    function.release(1)
    assert process.wait_exit() == 0
    assert len(function.seen(at="end")) == 1
    wait_gone([begun["pid"], begun["guard"], started["pid"], started["guard"], *started["children"]])
    assert not process.find("process_killed") and not process.find("drain_abandoned")
    local.run(environment=local.environment)
    function.send({"id": 2, "do": "print", "text": ""})
    function.wait_seen(at="end", id=2)
    wait_until(lambda: function.committed() == 2, 60, "both are settled")
    assert len(function.seen(at="begin", id=1)) == 1, "what was settled is not repeated"
    function.remove()
    forks.remove()
