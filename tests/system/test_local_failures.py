"""
Promise: a function on this machine that fails, crashes, hangs, does not start, floods its output, forks, answers for
others or without end harms none but its own calls, and the log, the metrics and the dead letters say what happened.
"""

import os

import pytest
from lib import processes
from lib.local_functions import LocalFunctions, is_running, wait_gone
from lib.waiting import wait_until

MEMORY_MAX = 64 << 20  # of the bridge


@pytest.fixture(scope="module")
def local(folder, kafka):
    functions = LocalFunctions(f"{folder}/local-failures", kafka)
    functions.millrace.settings(log={"format": "json", "level": "info"})  # lines of debug are not counted
    yield functions.run()
    functions.end()


@pytest.fixture(autouse=True)
def log_of_failed_test(request, local):
    yield
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        print(local.process.log(80))


def test_a_crash_repeats_only_what_its_process_ran(local):
    function = local.add("crashes", local.awslambdaric("act.handler"), instances=3, warm_instances=3)
    function.send({"id": 1, "do": "hold"}, {"id": 2, "do": "hold once"})
    (kept,) = function.wait_seen(at="begin", id=1)
    (shot,) = function.wait_seen(at="begin", id=2)
    function.send({"id": 3, "do": "exit once"}, {"id": 4, "do": "kill once"}, {"id": 5, "do": "exit"})
    function.wait_event("process_ended", "exited with code 7", pid=function.wait_seen(at="begin", id=3)[0]["guard"])
    function.wait_event("process_ended", "was ended by SIGKILL", pid=function.wait_seen(at="begin", id=4)[0]["guard"])
    os.kill(shot["pid"], 9)
    function.wait_event("process_ended", "was ended by SIGKILL", pid=shot["guard"])
    for id in (2, 3, 4):
        function.wait_seen(at="end", id=id)
    (letter,) = function.letters()
    assert letter.raw_key == b"5" and letter.headers["millrace.dlq.reason"] == "attempts_exhausted"
    assert letter.headers["millrace.dlq.attempts"] == "3"
    assert "the function's process exited with code 7" in letter.headers["millrace.dlq.message"]
    function.release(1)
    function.wait_committed(5)
    counts = [len(function.seen(at="begin", id=id)) for id in (1, 2, 3, 4, 5)]
    assert counts == [1, 2, 2, 2, 3]
    assert function.seen(at="end", id=1)[0]["pid"] == kept["pid"]
    function.wait_metric(6, "retries_total", reason="crashed")
    function.remove()


def test_a_call_that_takes_too_long_ends_with_its_process(local):
    """It is repeated in the next one, and only when the first can't go on with it."""
    function = local.add("slow", local.awslambdaric("act.handler"), delivery={"timeout": "500ms"})
    function.send({"id": 1, "do": "hold once"}, {"id": 2, "do": "print", "text": "after"})
    function.wait_seen(at="end", id=1)
    first, second = function.seen(at="begin", id=1)
    assert first["pid"] != second["pid"] and not is_running(first["pid"])
    function.wait_event("process_killed", pid=first["guard"], reason="timeout")
    function.wait_seen(at="end", id=2)
    assert len(function.seen(at="begin", id=2)) == 1
    function.wait_metric(1, "retries_total", reason="timeout")
    function.send({"id": 3, "do": "hold"})
    (letter,) = function.letters()
    assert "timed out after 500ms" in letter.headers["millrace.dlq.message"]
    assert "millrace.dlq.status" not in letter.headers  # no result came
    function.remove()


def test_a_function_that_does_not_start_says_why_and_loses_nothing(local):
    """No attempt is used up: once it is mended, its event has all of them."""
    gone = f"{local.folder}/program"
    with open(gone, "w", encoding="utf-8") as script:
        script.write("#!/bin/sh\n")
    os.chmod(gone, 0o755)
    cases = {
        "gone": ([gone], {"warm_instances": 0}, "exited with code 127: millrace: can't run /.*/program: No such file"),
        "exits": (local.rogue("exits"), {}, "exited with code 42: no licence: it was in the drawer"),
        "silent": (local.rogue("silent"), {"init_timeout": "300ms"}, "asked for no invocation within init_timeout"),
        "imports": (local.awslambdaric("missing.handler"), {}, "Runtime.ImportModuleError: Unable to import module"),
    }
    functions = {name: local.add(name, command, **more) for name, (command, more, _) in cases.items()}
    for name in cases:
        wait_until(lambda name=name: local.process.find("function_registered", component=f"function/{name}"), 60, name)
    os.unlink(gone)
    for name, function in functions.items():
        function.send({"id": 1, "do": "raise", "text": "as it should"})
        function.wait_event("process_init_failed", cases[name][2])
    for name, function in functions.items():
        calls = lambda f=function: f.metric("retries_total", reason="init_failed")  # noqa: E731
        wait_until(lambda calls=calls: calls() >= 3, 60, f"three calls of {name}")
        shown = wait_until(lambda f=function: f.state().get("last_error"), 60, f"the reason of {name} in the status")
        assert cases[name][2].split(":")[0] in str(shown)
        assert function.metric("dead_letters_total") == 0 and function.committed() <= 0
        local.add(name, local.awslambdaric("act.handler"))
    for function in functions.values():
        (letter,) = function.letters()
        assert letter.headers["millrace.dlq.message"].endswith("ValueError: as it should")
        assert letter.headers["millrace.dlq.attempts"] == "3" and len(function.seen(at="begin")) == 3
        function.wait_committed(1)
        function.remove()
    wait_gone({line["pid"] for line in functions["silent"].seen(silent=True)})


def test_a_flood_of_output_harms_nobody(local):
    """It waits in its write; the log has some of its lines and counts the others."""
    function = local.add("floods", local.rogue("floods"))
    other = local.add("beside", local.awslambdaric("act.handler"))
    function.wait_seen(round=0)
    for id in range(10):
        function.send({"id": id})
        other.send({"id": id, "do": "print", "text": f"line {id}"})
        function.wait_committed(id + 1)
        other.wait_committed(id + 1)
        other.wait_event("process_output", f"^line {id}$")
        assert local.millrace.get("/healthz").status_code == 200
    function.wait_seen(round=1)
    rows = function.log("process_output")
    assert any(row["message"] == "a line of output that nobody asked for" for row in rows)
    assert max(len(row["message"]) for row in rows) <= 4100  # characters
    assert not any("\x1b" in row["message"] for row in rows)
    # Two hundred lines in ten seconds, and one that counts the others.
    windows = 1 + sum("suppressed" in row for row in rows)
    assert len(rows) <= windows * 201
    function.remove()
    other.remove()


def test_what_a_function_started_ends_with_it(local):
    """A child, a grandchild, and one that has left its session and its parent."""
    function = local.add("forks", local.rogue("forks"))
    (first,) = function.wait_seen()
    assert all(map(is_running, first["children"]))
    function.send({"id": 1})
    function.wait_committed(1)
    function.wait_seen(2)  # it notes a call after its answer
    os.kill(first["pid"], 9)
    wait_gone(first["children"])
    second = function.wait_seen(3)[-1]
    assert all(map(is_running, second["children"]))
    function.remove()
    wait_gone([second["pid"], *second["children"]])


def test_a_process_that_does_not_end_when_it_is_asked_is_killed(local):
    function = local.add("stays", local.rogue("stays"))
    function.send({"id": 1})
    (call,) = function.wait_seen()
    function.remove()
    function.wait_event("process_killed", pid=call["guard"], reason="stop_timeout")
    wait_gone([call["pid"]])
    assert function.seen(asked=True)


def test_an_answer_for_another_call_is_refused(local):
    function = local.add("answers-another", local.rogue("answers_another"))
    function.send({"id": 1}, {"id": 2})
    (line,) = wait_until(lambda: function.seen(own=202), 60, function.seen)
    assert line["others"] == [400] * 6 + [404, 404] and line["again"] == 400
    function.wait_event("process_unknown_request")
    function.wait_committed(2)
    assert len(function.seen(status=202)) == 1 and not function.log("process_ended")
    assert function.metric("retries_total") == 0
    function.remove()


def test_an_answer_of_a_gigabyte_is_cut_off(local):
    function = local.add("gigabyte", local.rogue("gigabyte"), delivery={"retry": {"attempts": 2}})
    function.send({"id": 1})
    (letter,) = function.letters()
    assert letter.headers["millrace.dlq.attempts"] == "2"
    assert "the result is larger than 6291456 bytes" in letter.headers["millrace.dlq.message"]
    function.send({"id": 2})
    function.wait_committed(2)
    with open(f"/proc/{local.bridge()}/status", encoding="utf-8") as status:
        peak = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
    assert peak < MEMORY_MAX
    function.wait_metric(2, "retries_total", reason="response_too_large")
    function.remove()


def test_a_crash_fails_only_the_calls_of_its_process(local):
    """Several calls in one process, here of threads."""
    function = local.add("threads", local.rogue("threads"), instances=2, concurrency_per_instance=4)
    function.send(*({"id": id} for id in range(8)))
    begun = function.wait_seen(8)
    pids = [line["pid"] for line in begun]
    assert sorted(map(pids.count, set(pids))) == [4, 4]
    ended = pids[0]
    os.kill(ended, 9)
    again = function.wait_seen(12)[8:]
    assert {line["pid"] for line in again}.isdisjoint({ended})
    function.release()
    function.wait_committed(8)
    answered = function.seen(status=202)
    assert {line["call"] for line in answered} == {line["call"] for line in [*begun, *again] if line["pid"] != ended}
    function.wait_metric(4, "retries_total", reason="crashed")
    function.remove()
    assert processes.state(local.bridge()) != "Z"
