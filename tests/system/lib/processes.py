"""
Child processes that never outlive the tests: the kernel kills them with us, and we end them by their ids.
"""

import atexit
import collections
import contextlib
import ctypes
import os
import random
import select
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running = {}
_given = collections.deque(maxlen=1000)  # ports: who was given one may not have bound it yet


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command, **options):
    """A Popen in a process group of its own."""
    process = subprocess.Popen(command, preexec_fn=_die_with_parent, process_group=0, **options)
    _running[process.pid] = process
    return process


def kill_group(process, number=signal.SIGKILL):
    """Signals the process and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def has_ended(process):
    """Whether it ended; its number stays its own until reap()."""
    if process.returncode is None:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return True


def reap(process):
    """
    Kills whatever is left of the group, and waits for the process. The number of one that was waited for before may be
    another's by now, a server's of ours even.
    """
    if process.returncode is None:
        kill_group(process)
        process.wait()
    if _running.get(process.pid) is process:
        del _running[process.pid]


def hold(pid):
    """A handle of a process that is not our child; None: it is gone. Its number may be another's soon."""
    with contextlib.suppress(ProcessLookupError):
        return os.pidfd_open(pid)


def kill_held(handle):
    """kill -9, until it is gone."""
    try:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])
    finally:
        os.close(handle)


def kill_and_wait(pid):
    """kill -9 of a process that is not our child, until it is gone."""
    handle = hold(pid)
    if handle is not None:
        kill_held(handle)


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def terminate(process, timeout=30):
    """SIGTERM to the process alone, then reaps; its exit code."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
    reap(process)
    return process.returncode


def children(pid):
    """Process ids of the direct children."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    return found


def command_line(pid):
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().replace(b"\0", b" ").decode().strip()
    return ""


def free_port():
    """A free loopback port below those of outgoing connections, so that a restarted server finds it free."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    while True:
        port = random.choice(range(15000 + worker, 32000, 8))  # each worker has ports of its own
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.append(port)
            return port


def unprivileged():
    """Popen options for servers that refuse root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {}


@atexit.register
def _end_all():
    for process in list(_running.values()):
        reap(process)
