"""
Processor time and memory of a process while it is measured: its own by group of threads, and that of the processes
which work for it (walsender, broker, HTTP server).
"""

import contextlib
import os
import statistics
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
MEMORY_EVERY = 5  # one memory sample for so many of processor time: the kernel walks the page tables for it


def _seconds(path):
    """(name, user and system time) of a process or thread; None when it is gone."""
    with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as file:
        head, fields = file.read().rsplit(")", 1)
        fields = fields.split()
        return head.split("(", 1)[1], (int(fields[11]) + int(fields[12])) / TICKS
    return None


def cpu_seconds(pid):
    """Processor time of all threads so far, those that have ended included; None when the process is gone."""
    found = _seconds(f"/proc/{pid}/stat")
    return found and found[1]


def _group(pid, tid, name):
    if tid == pid:
        return "loop"
    return "librdkafka" if name.startswith("rdk:") else "other"


def cpu_by_group(pid):
    """{'total', 'loop' (the main thread), 'librdkafka', 'other' (the rest)}; None when the process is gone."""
    total = cpu_seconds(pid)
    if total is None:
        return None
    groups = {"total": total, "loop": 0.0, "librdkafka": 0.0, "other": 0.0}
    with contextlib.suppress(OSError):
        for tid in os.listdir(f"/proc/{pid}/task"):
            found = _seconds(f"/proc/{pid}/task/{tid}/stat")
            if found:
                groups[_group(pid, int(tid), found[0])] += found[1]
    return groups


def pss_kib(pid):
    """Proportional set size: private pages and this process's share of the shared ones; None when it is gone."""
    return _kib(f"/proc/{pid}/smaps_rollup", "Pss:")


def peak_rss_kib(pid):
    """The largest resident set so far, as the kernel keeps it; None when it is gone."""
    return _kib(f"/proc/{pid}/status", "VmHWM:")


def _kib(path, name):
    with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(name):
                return int(line.split()[1])
    return None


class Usage:
    """
    Follows one process while a `with` lasts, and others beside it by name. A process that ends before the block
    keeps the last sample, at most 20 ms old.
    """

    def __init__(self, pid, every=0.02, **others):
        self.pid = pid
        self.every = every
        self.others = {}  # name: (process id, processor time when it was added)
        self.seen = {}  # name: processor time since then
        self.groups = {}
        self.pss = []  # (monotonic seconds, KiB)
        self.peak_rss = 0
        self.ended = threading.Event()
        for name, other in others.items():
            self.add(name, other)

    def add(self, name, pid):
        self.others[name] = (pid, cpu_seconds(pid) or 0.0)

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self._sample(with_memory=True)

    def _run(self):
        turn = 0
        while not self.ended.wait(self.every):
            self._sample(with_memory=turn % MEMORY_EVERY == 0)
            turn += 1

    def _sample(self, with_memory):
        groups = cpu_by_group(self.pid)
        if groups and groups["total"] >= self.groups.get("total", 0.0):
            self.groups = groups
        for name, (pid, before) in list(self.others.items()):
            self.seen[name] = max(self.seen.get(name, 0.0), (cpu_seconds(pid) or 0.0) - before)
        size = pss_kib(self.pid) if with_memory else None
        if size:
            self.pss.append((time.monotonic(), size))
        self.peak_rss = max(self.peak_rss, peak_rss_kib(self.pid) or 0)

    def cpu_us(self, count):
        """Microseconds for each of `count` items, by group and by name."""
        return {name: round(seconds * 1e6 / count, 3) for name, seconds in {**self.groups, **self.seen}.items()}

    def peak_pss_mb(self, since=0.0, until=float("inf")):
        return mb(max((size for at, size in self.pss if since <= at <= until), default=0))

    def peak_rss_mb(self):
        return mb(self.peak_rss)


def mb(kib):
    return round(kib * 1024 / 1e6, 1)


def at_rest_mb(pid, seconds=2.0):
    """PSS after a while without work."""
    time.sleep(seconds)
    return mb(pss_kib(pid) or 0)


def percentiles(values):
    """p50 and p99, in the unit that came in."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def median_of(dicts):
    """The median of each value over dictionaries with the same keys."""
    return {name: round(statistics.median(one.get(name, 0.0) for one in dicts), 3) for name in dicts[0]}
