"""Promise: a process holds only the secrets that it uses, and leaves none behind."""

import os

import pytest
from lib import processes
from lib.function_server import FunctionServer
from lib.memory import OPEN, environment, holds
from lib.waiting import wait_until

@pytest.fixture
def shop(database, millrace, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database, postgres={"password": {"env": "SHOP_PASSWORD"}})
    return database


@pytest.fixture
def second():
    server = FunctionServer()
    yield server
    server.stop()


def test_a_child_gets_the_variables_that_its_files_name_and_no_others(shop, millrace, function, second, name):
    token = {"bearer": {"env": "TOKEN"}}
    millrace.function(name, f"{name}.public.a", function.url, auth=token)
    process = millrace.run(
        environment={**OPEN, "SHOP_PASSWORD": "shop", "TOKEN": "token", "LATER": "later", "FOREIGN": "foreign"}
    )
    shop.sql("insert into a values (1)")
    assert function.wait_calls(1)[0].headers["authorization"] == "Bearer token"
    connector, bridge = environment(process.child("connect")), environment(process.child("bridge"))
    ours = {b"SHOP_PASSWORD", b"TOKEN", b"LATER", b"FOREIGN", b"MILLRACE_CORE_DUMPS"}
    assert ours & set(connector) == {b"SHOP_PASSWORD", b"MILLRACE_CORE_DUMPS"}
    assert ours & set(bridge) == {b"TOKEN", b"MILLRACE_CORE_DUMPS"}
    assert connector[b"PATH"] == bridge[b"PATH"] == os.environb[b"PATH"]
    # A function that comes later brings its variable along: the bridge is started again with it.
    millrace.function(f"{name}-2", f"{name}.public.a", second.url, auth={"bearer": {"env": "LATER"}})
    assert second.wait_calls(1)[0].headers["authorization"] == "Bearer later"
    assert process.find("child_restarting", "environment variable", child="bridge-1")
    assert ours & set(environment(process.child("bridge"))) == {b"TOKEN", b"LATER", b"MILLRACE_CORE_DUMPS"}
    shop.sql("insert into a values (2)")
    function.wait_calls(2)
    assert process.stop() == 0


def test_a_process_holds_no_secret_of_another(database, millrace, function, name):
    """{file: PATH}: read, hashed to notice a change, and wiped."""
    database.sql("create table a (id int primary key)")
    secrets = {part: f"{part}-{os.urandom(12).hex()}" for part in ("password", "bearer", "header", "later")}
    paths = {part: millrace.write(f"secret-{part}", secret) for part, secret in secrets.items()}
    millrace.connector(name, database, postgres={"password": {"file": paths["password"]}})
    millrace.function(
        name,
        f"{name}.public.a",
        function.url,
        headers={"X-Key": {"file": paths["header"]}},
        auth={"bearer": {"file": paths["bearer"]}},
    )
    process = millrace.run(environment=OPEN)
    database.sql("insert into a values (1)")
    function.wait_calls(1)
    connector, bridge = process.child("connect"), process.child("bridge")
    assert holds(connector, secrets["password"]), "this test sees nothing"
    assert holds(bridge, secrets["bearer"]) and holds(bridge, secrets["header"]), "this test sees nothing"
    assert not holds(connector, secrets["bearer"]) and not holds(connector, secrets["header"])
    assert not holds(bridge, secrets["password"])
    # A look at the files, every 5 s, has them for a moment.
    for part in ("password", "bearer", "header"):
        wait_until(lambda part=part: not holds(process.pid, secrets[part]), 20, f"a supervisor without the {part}")
    seen = len(process.events)
    millrace.write("secret-bearer", secrets["later"])
    process.wait_event("config_changed", component="supervisor", after=seen)
    wait_until(lambda: holds(bridge, secrets["later"]), 20, "the new token")
    wait_until(lambda: not holds(process.pid, secrets["later"]), 20, "a supervisor without the new token")
    assert process.stop() == 0


def test_core_dumps_are_off_in_every_process(shop, millrace, function, name):
    millrace.function(name, f"{name}.public.a", function.url)
    process = millrace.run(environment={"SHOP_PASSWORD": "shop"})
    pids = [process.pid, *processes.children(process.pid)]
    assert len(pids) == 3
    for pid in pids:
        with open(f"/proc/{pid}/limits") as limits:
            line = next(line for line in limits if line.startswith("Max core file size"))
        assert line.split()[4:6] == ["0", "0"], line


def test_config_show_hides_what_headers_and_urls_hold(shop, millrace, name):
    millrace.function(
        name,
        f"{name}.public.a",
        "http://127.0.0.1:1/f?code=in-the-query",
        headers={"X-Key": "in-a-header", "Accept": "text/plain"},
        auth={"bearer": "the-token"},
        make_topics=False,
    )
    headers = {"Authorization": "in-authorization"}
    millrace.function(f"{name}-2", f"{name}.public.a", "http://127.0.0.1:1/f", headers=headers, make_topics=False)
    done = millrace.command("config", "show", "-c", millrace.folder, env={**os.environ, "SHOP_PASSWORD": "of-env"})
    assert done.returncode == 0, done.stderr
    for secret in ("in-the-query", "in-a-header", "in-authorization", "the-token", "of-env"):
        assert secret not in done.stdout
    assert "Accept: text/plain" in done.stdout and done.stdout.count("***") >= 5
