"""What is in a process's memory and environment. Its core dumps must be allowed: MILLRACE_CORE_DUMPS=1."""

import re

# A process whose core dumps are allowed may be looked into, by root at least.
OPEN = {"MILLRACE_CORE_DUMPS": "1"}


def environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return dict(one.split(b"=", 1) for one in file.read().split(b"\0") if b"=" in one)


def found(pid, secrets):
    """Those of the byte strings that are in memory that it may write, the stack included."""
    with open(f"/proc/{pid}/maps") as maps:
        regions = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ \S+ *(\S*)$", maps.read(), re.M)
    ret = set()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end, place in regions:
            if place == "[vvar]":
                continue
            memory.seek(int(start, 16))
            try:
                data = memory.read(int(end, 16) - int(start, 16))
            except OSError:  # a guard page
                continue
            ret.update(secret for secret in secrets if secret in data)
    return ret


def holds(pid, secret):
    return bool(found(pid, [secret.encode()]))
