"""
Promise: installed as docs/operations.md says, the systemd unit starts, tells systemd so, keeps its watchdog fed,
reloads and stops.
"""

import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys

import pytest
from lib import processes, service
from lib.program import BINARY, Process
from lib.waiting import wait_until


def _can_unshare():
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not _can_unshare(), reason="needs the right to make a mount namespace")


class Notifications:
    """systemd's end of NOTIFY_SOCKET."""

    def __init__(self, name):
        self.address = f"@{name}-notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.address[1:])
        self.socket.settimeout(0.05)
        self.seen = []

    def has(self, text, count=1):
        try:
            while True:
                self.seen.append(self.socket.recv(4096).decode())
        except TimeoutError:
            return self.seen.count(text) >= count


class Service(Process):
    """The unit, from its installation on."""

    def __init__(self, folder, files, notifications):
        runner = "unshare", "--mount", "--propagation", "private", sys.executable, service.__file__
        environment = {"NOTIFY_SOCKET": notifications.address, "WATCHDOG_USEC": "3000000"}
        super().__init__(
            [folder, os.path.dirname(BINARY), files], files, environment, program=runner
        )


@pytest.fixture
def unit():
    return service.read_unit()["Service"]


@pytest.fixture
def start(folder, name, unit, millrace):
    made = []

    def start_service():
        # Else systemd hears of neither, whatever the program sends.
        assert unit["Type"] == ["notify"] and unit["WatchdogSec"]
        scratch = os.path.join(folder, f"{name}-scratch")
        os.mkdir(scratch)
        notifications = Notifications(name)
        made.append(notifications)
        process = Service(scratch, millrace.folder, notifications)
        millrace.started.append(process)
        process.notifications = notifications
        return process

    yield start_service
    for notifications in made:
        notifications.socket.close()


def status_of(pid, key):
    with open(f"/proc/{pid}/status") as file:
        return next(line.split()[1:] for line in file if line.startswith(f"{key}:"))


def user_of(pid):
    return status_of(pid, "Uid")


def test_the_unit_is_well_formed():
    done = subprocess.run(["systemd-analyze", "verify", service.UNIT], capture_output=True, text=True)
    not_installed = "/usr/bin/millrace", "Command 'man"
    lines = done.stderr.splitlines()
    complaints = [line for line in lines if not any(word in line for word in not_installed)]
    assert not complaints, complaints
    # What millrace.yaml needs may come later, a mounted secret for instance.
    assert "78" not in service.read_unit()["Service"]["RestartPreventExitStatus"][0].split()


def test_it_starts_reloads_and_stops(start, unit, database, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.write("secret", "hidden\n")
    millrace.connector(name, database, postgres={"password": {"file": "../secret"}})
    millrace.function(name, f"{name}.public.a", function.url)
    process = start()

    def is_ready():
        if process.popen.poll() is not None:
            pytest.fail(f"ended with {process.popen.poll()}:\n{process.log()}")
        return process.notifications.has("READY=1")

    wait_until(is_ready, 60, lambda: f"READY=1 in:\n{process.log()}")
    millrace.wait_ready(process)
    database.sql("insert into a values (1)")
    function.wait_calls(1)

    own = user_of(process.pid)
    assert len(set(own)) == 1 and own[0] != "0", "it runs as root"
    assert own[0] not in [str(entry.pw_uid) for entry in pwd.getpwall()], "not its own user"
    assert all(user_of(pid) == own for pid in processes.children(process.pid))
    assert processes.children(process.pid)
    assert status_of(process.pid, "Seccomp") == ["2"] and status_of(process.pid, "NoNewPrivs") == ["1"]
    assert int(status_of(process.pid, "CapEff")[0], 16) == 0
    for pid in [process.pid, *processes.children(process.pid)]:
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0, "a core dump or a debugger of its user would have its secrets"
    wait_until(lambda: process.notifications.has("WATCHDOG=1", 3), 30, "the watchdog's food")

    inside = f"/proc/{process.pid}/root{service.EDITOR}/millrace"
    with open(f"{inside}/functions/{name}-two.yaml", "w") as file:
        file.write(open(f"{inside}/functions/{name}.yaml").read())
    os.chown(file.name, 0, int(own[0]))
    os.chmod(file.name, 0o640)
    command = [part.replace("$MAINPID", str(process.pid)) for part in shlex.split(unit["ExecReload"][0])]
    subprocess.run(command, check=True)
    wait_until(lambda: f"{name}-two" in millrace.get("/readyz").text, 20, "the function of the new file")

    process.popen.send_signal(signal.SIGTERM)
    assert process.wait_exit() == 0
    assert process.notifications.has("STOPPING=1")

