"""
A systemd unit started without systemd: its user, file system, capabilities, limits and system call filter are applied
by hand, in a mount namespace of its own where /etc and /usr are overlays.

As a program (in that namespace): service.py SCRATCH BUILD FILES [DROP-IN…] prepares and then becomes the unit's
ExecStart.
"""

import ctypes
import grp
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
UNIT = os.path.join(ROOT, "deploy", "systemd", "millrace.service")
DOCUMENT = os.path.join(ROOT, "docs", "operations.md")
STATE = "/var/lib"
EDITOR = "/mnt"  # /etc as its administrator sees it, in the service's namespace
_SCMP_ACT_ALLOW, _SCMP_ACT_ERRNO_EPERM = 0x7FFF0000, 0x00050001
_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN = 65, 1

# What is applied or read by the test, and what is not: any other setting fails the test, so that the unit does not
# grow one that nobody has thought about.
_APPLIED = """Type ExecStart ExecReload Restart RestartSec RestartPreventExitStatus WatchdogSec KillMode TimeoutStopSec
    User Group StateDirectory StateDirectoryMode
    LimitNOFILE LimitCORE NoNewPrivileges CapabilityBoundingSet AmbientCapabilities ProtectSystem ProtectHome
    PrivateTmp SystemCallFilter SystemCallErrorNumber UMask MemoryDenyWriteExecute
    ProtectProc""".split()
_NOT_APPLIED = """MemoryHigh PrivateDevices ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs
    ProtectKernelModules ProtectKernelTunables RestrictAddressFamilies RestrictNamespaces RestrictRealtime
    RestrictSUIDSGID LockPersonality RemoveIPC SystemCallArchitectures""".split()


def read_unit(*drop_ins):
    """{'Service': {'User': ['millrace'], …}, …}; the last value of a setting that has one is that which counts."""
    sections, section = {}, None
    for path in [UNIT, *drop_ins]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                line = line.strip()
                if line.startswith("["):
                    section = sections.setdefault(line.strip("[]"), {})
                elif line and not line.startswith("#"):
                    key, value = line.split("=", 1)
                    section.setdefault(key, []).append(value)
    unknown = set(sections["Service"]) - set(_APPLIED) - set(_NOT_APPLIED)
    assert not unknown, f"settings of the unit that no test applies: {sorted(unknown)}"
    return sections


def document_blocks():
    """The shell blocks of the section "Run it": making folders, then starting."""
    with open(DOCUMENT, encoding="utf-8") as file:
        section = file.read().split("\n## Run it\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


def _filter_names(word):
    """The system calls of a filter set, without the sets in it."""
    names, waiting, seen = set(), [word], set()
    while waiting:
        name = waiting.pop()
        if not name.startswith("@"):
            names.add(name)
        elif name not in seen:
            seen.add(name)
            listed = subprocess.run(
                ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
            ).stdout
            inner = [line.strip() for line in listed.split("\n") if line.startswith("    ")]
            waiting += [line for line in inner if line and not line.startswith("#")]
    return names


def allowed_calls(filters):
    allowed = set()
    for line in filters:
        names = set().union(*map(_filter_names, line.lstrip("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def _apply_filter(names):
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_SCMP_ACT_ERRNO_EPERM))
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            assert seccomp.seccomp_rule_add(context, _SCMP_ACT_ALLOW, number, 0) == 0
    assert seccomp.seccomp_load(context) == 0


def _run(*command):
    subprocess.run(command, check=True)


def _prepare_mounts(scratch):
    """Overlays over what installation changes; nothing of it is seen outside this namespace."""
    _run("mount", "-t", "tmpfs", "tmpfs", scratch)
    for place in ("etc", "usr"):
        upper, work = f"{scratch}/{place}", f"{scratch}/{place}-work"
        os.makedirs(upper)
        os.makedirs(work)
        options = f"lowerdir=/{place},upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "overlay", "-o", options, f"/{place}")


def _install(build, files, service):
    """Types what the document says; systemctl is a program that only agrees."""
    _run("cmake", "--install", build, "--prefix", "/usr")
    with open("/usr/local/bin/systemctl", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexit 0\n")
    os.chmod("/usr/local/bin/systemctl", 0o755)
    make, start = document_blocks()
    subprocess.run(["sh", "-euxc", make], check=True)
    _run("cp", "-r", f"{files}/.", "/etc/millrace")
    if service["User"][-1] == "root":  # the files are checked as the user that the service has
        start = start.replace("setpriv --reuid=millrace --regid=millrace --init-groups", "")
    subprocess.run(["sh", "-euxc", start], check=True)


def _make_state_directory(service):
    """The service's own, the only one below /var/lib that it may write to."""
    place = os.path.join(STATE, service["StateDirectory"][-1])
    _run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", STATE)
    os.mkdir(place)
    os.chmod(place, int(service["StateDirectoryMode"][-1], 8))
    shutil.chown(place, service["User"][-1], service["Group"][-1])
    _run("mount", "--bind", place, place)
    _run("mount", "-o", "bind,remount,ro", STATE)
    os.environ["STATE_DIRECTORY"] = place


def _become(service):
    """The order of systemd: mounts, limits, groups and user, capabilities, filter, exec."""
    _run("mount", "--bind", "/etc", EDITOR)  # /etc itself becomes read-only for the service
    for place in ("/home", "/root", "/tmp", "/var/tmp"):
        _run("mount", "-t", "tmpfs", "-o", "mode=0755" if "tmp" not in place else "mode=1777", "tmpfs", place)
    hidden = {"invisible": "invisible", "default": "off"}[service["ProtectProc"][-1]]
    _make_state_directory(service)
    _run("mount", "-t", "proc", "-o", f"hidepid={hidden}", "proc", "/proc")
    for place in ("/etc", "/usr", "/"):
        _run("mount", "-o", "bind,remount,ro", place)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # a container may not raise it
    files = min(int(service["LimitNOFILE"][0]), hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(int(service["UMask"][0], 8))
    assert service["NoNewPrivileges"] == ["yes"] and service["CapabilityBoundingSet"][0] == ""
    assert service["ProtectSystem"] == ["strict"] and service["SystemCallErrorNumber"] == ["EPERM"]
    command = shlex.split(service["ExecStart"][0])
    names = allowed_calls(service["SystemCallFilter"]) | {"execve"}
    _apply_filter(names | {"setresuid", "setresgid", "setgroups", "capset", "prctl", "seccomp"})
    if service["MemoryDenyWriteExecute"][-1] == "yes":
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0
    capabilities = [f"+{name[4:].lower()}" for line in service["CapabilityBoundingSet"] for name in line.split()]
    user, group = service["User"][-1], service["Group"][-1]
    groups = ",".join(map(str, os.getgrouplist(user, grp.getgrnam(group).gr_gid)))
    os.chdir("/")
    # fmt: off
    os.execv("/usr/bin/setpriv", [
        "setpriv", f"--reuid={user}", f"--regid={group}", f"--groups={groups}",
        "--no-new-privs", "--inh-caps=-all", f"--bounding-set={','.join(['-all', *capabilities])}", *command,
    ])
    # fmt: on


def main(scratch, build, files, *drop_ins):
    service = read_unit(*drop_ins)["Service"]
    _prepare_mounts(scratch)
    _install(build, files, service)
    _become(service)


if __name__ == "__main__":
    main(*sys.argv[1:])
