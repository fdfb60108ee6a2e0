"""
Promise: installed as docs/operations.md says, the systemd unit starts, tells systemd so, keeps its watchdog fed,
reloads and stops.
"""

import json
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys

import pytest
from lib import processes, service
from lib.program import BINARY, ROOT, Process
from lib.waiting import wait_until


def _can_unshare():
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not _can_unshare(), reason="needs the right to make a mount namespace")


LOCAL = os.path.join(ROOT, "deploy", "systemd", "millrace-local-functions.conf")
USERS = os.path.join(ROOT, "deploy", "systemd", "millrace-function-users.conf")

# A function's program without any client: it makes memory as a JIT compiler does, says who it is, whether it can read
# the configuration, and what its environment has of the service's. From the second call on it has two processes use
# more memory together than the function may.
PROGRAM = """
import json, mmap, os, time, urllib.request
calls = 0
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
while True:
    with urllib.request.urlopen(api + "next") as invocation:
        id, event = invocation.headers["Lambda-Runtime-Aws-Request-Id"], json.load(invocation)
    found = {"uid": os.getuid(), "groups": os.getgroups(), "reads": os.access("/etc/millrace/millrace.yaml", os.R_OK),
             "service": sorted(name for name in os.environ if name in ("NOTIFY_SOCKET", "WATCHDOG_USEC"))}
    print(json.dumps(found), flush=True)
    calls += 1
    if calls > 1 and 0 in (os.fork(), os.fork()):
        taken = os.urandom(100 << 20)
        time.sleep(600)
    urllib.request.urlopen(urllib.request.Request(api + id + "/response", b"{}", method="POST")).read()
"""


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

    def __init__(self, folder, files, notifications, drop_ins):
        runner = "unshare", "--mount", "--propagation", "private", sys.executable, service.__file__
        environment = {"NOTIFY_SOCKET": notifications.address, "WATCHDOG_USEC": "3000000"}
        super().__init__(
            [folder, os.path.dirname(BINARY), files, *drop_ins], files, environment, program=runner
        )


@pytest.fixture
def unit():
    return service.read_unit()["Service"]


@pytest.fixture
def start(folder, name, unit, millrace):
    made = []

    def start_service(*drop_ins):
        # Else systemd hears of neither, whatever the program sends.
        assert unit["Type"] == ["notify"] and unit["WatchdogSec"]
        scratch = os.path.join(folder, f"{name}-scratch")
        os.mkdir(scratch)
        notifications = Notifications(name)
        made.append(notifications)
        process = Service(scratch, millrace.folder, notifications, drop_ins)
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


def test_the_unit_is_well_formed(tmp_path):
    shutil.copy(service.UNIT, tmp_path)
    drop_ins = tmp_path / "millrace.service.d"
    drop_ins.mkdir()
    for path in (LOCAL, USERS):
        shutil.copy(path, drop_ins)
    installed = str(tmp_path / "millrace.service")
    done = subprocess.run(["systemd-analyze", "verify", installed], capture_output=True, text=True)
    not_installed = "/usr/bin/millrace", "Command 'man"
    lines = done.stderr.splitlines()
    complaints = [line for line in lines if not any(word in line for word in not_installed)]
    assert not complaints, complaints
    # What millrace.yaml needs may come later, a mounted secret for instance.
    assert "78" not in service.read_unit()["Service"]["RestartPreventExitStatus"][0].split()


def wait_started(process, millrace):
    def is_ready():
        if process.popen.poll() is not None:
            pytest.fail(f"ended with {process.popen.poll()}:\n{process.log()}")
        return process.notifications.has("READY=1")

    wait_until(is_ready, 60, lambda: f"READY=1 in:\n{process.log()}")
    millrace.wait_ready(process)


def test_it_starts_reloads_and_stops(start, unit, database, millrace, function, name):
    database.sql("create table a (id int primary key)")
    millrace.write("secret", "hidden\n")
    millrace.connector(name, database, postgres={"password": {"file": "../secret"}}, toast="complete")
    millrace.function(name, f"{name}.public.a", function.url)
    process = start()
    wait_started(process, millrace)
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

    kept = f"/proc/{process.pid}/root{service.STATE}/{unit['StateDirectory'][0]}"
    assert os.listdir(kept) and os.stat(kept).st_uid == int(own[0]), "toast: complete keeps its values here"

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


@pytest.mark.parametrize("user", [None, "nobody"])
def test_local_functions_run_with_the_drop_ins(start, database, millrace, name, user):
    """As the service's user with the first, as a user of their own with both."""
    drop_ins = [LOCAL, *([USERS] if user is not None else [])]
    calls = {"setsid", "prlimit64", "prctl", "close_range"}
    if user is not None:
        calls |= {"setresuid", "setgroups", "setfsuid", "setfsgid"}
    assert calls <= service.allowed_calls(service.read_unit(*drop_ins)["Service"]["SystemCallFilter"])
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    process = {"command": ["/usr/bin/python3", "-c", PROGRAM], "directory": "/", "memory": "160MiB", "cpu": "1"}
    if user is not None:
        process["user"] = user
    millrace.local_function(name, f"{name}.public.a", process)
    service_process = start(*drop_ins)
    wait_started(service_process, millrace)
    database.sql("insert into a values (1)")
    line = service_process.wait_event("process_output", message="uid", timeout=60)
    found = json.loads(line["message"])
    own = int(user_of(service_process.pid)[0])
    assert found["uid"] == (own if user is None else pwd.getpwnam(user).pw_uid) != 0
    assert found["reads"] == (user is None) and found["service"] == []
    if user is not None:
        assert own == 0 and int(status_of(service_process.pid, "CapEff")[0], 16) == 1 << 5 | 1 << 6 | 1 << 7
        assert set(found["groups"]) <= {pwd.getpwnam(user).pw_gid}
    wait_until(
        lambda: millrace.metric("millrace_function_events_total", outcome="delivered") == 1, 30, "a delivered event"
    )
    assert not service_process.find("process_client_unknown")
    database.sql("insert into a values (2)")
    service_process.wait_event("process_ended", message="used more memory", timeout=60)
    service_process.popen.send_signal(signal.SIGTERM)
    assert service_process.wait_exit() == 0
