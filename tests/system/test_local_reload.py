"""
Promise: a change of a function's file starts the processes of a function on this machine again only when it says how
they run; a call that runs then ends in its old process.
"""

import pytest
from lib.local_functions import LocalFunctions, wait_gone


@pytest.fixture(scope="module")
def local(folder, kafka):
    functions = LocalFunctions(f"{folder}/local-reload", kafka)
    yield functions.run()
    functions.end()


def test_only_a_change_of_its_section_starts_new_processes(local):
    command = local.awslambdaric("act.handler")
    function = local.add("kept", command, instances=2)
    function.send({"id": 1, "do": "print", "text": "before"})
    (first,) = function.wait_seen(at="end", id=1)
    local.add("kept", command, instances=2, delivery={"retry": {"attempts": 5}})
    function.wait_event("configuration_changed")
    function.send({"id": 2, "do": "hold"})
    (second,) = function.wait_seen(at="begin", id=2)
    assert second["pid"] == first["pid"]
    local.add("kept", command, instances=2, env={"RELEASE": "2"}, delivery={"retry": {"attempts": 5}})
    function.send({"id": 3, "do": "print", "text": "after"})
    (third,) = function.wait_seen(at="end", id=3)
    assert third["pid"] != first["pid"] and not function.seen(at="end", id=2)
    function.release(2)
    function.wait_seen(at="end", id=2)
    wait_gone([first["pid"]])
    function.wait_committed(3)
    function.remove()
