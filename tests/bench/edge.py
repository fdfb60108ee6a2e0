"""
Memory and size beside a PostgreSQL, with the broker elsewhere: the proportional set sizes of `millrace run`, its
connector, its bridge and one local function, at rest, at a steady load and while a backlog is worked off.

A table, then the size of the stripped program. Processes are sampled ten times a second; `together` is the largest
sum of one moment, not the sum of the columns. The function is a process that the bridge has started, with its guard, or
with --http a server that the bridge calls; both are in C.
"""

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import threading
import time

import measure
import report
import rig
from lib import processes

LIMIT_MB = 40
SIZE_LIMIT_MB = 2


class Sampler:
    """The PSS of several processes, from when it is made until stop()."""

    def __init__(self, pids):
        self.pids = pids
        self.samples = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended.wait(0.1):
            self.samples.append({name: measure.pss_kib(pid) or 0 for name, pid in self.pids.items()})

    def stop(self):
        """{name: the largest, MB}, with `together`."""
        self.ended.set()
        self.thread.join()
        largest = {name: measure.mb(max(sample[name] for sample in self.samples)) for name in self.pids}
        return {**largest, "together": measure.mb(max(sum(sample.values()) for sample in self.samples))}


@contextlib.contextmanager
def http_function():
    """(its URL, its process id)"""
    port = processes.free_port()
    process = processes.spawn([rig.tool("work_server"), str(port)])
    try:
        yield f"http://127.0.0.1:{port}/work?100,300", process.pid
    finally:
        processes.reap(process)


def stripped_bytes(folder):
    path = f"{folder}/millrace-stripped"
    shutil.copy(rig.BINARY, path)
    subprocess.run(["strip", path], check=True)
    return os.path.getsize(path)


def delivered(millrace):
    return millrace.metric("millrace_function_events_total", outcome="delivered") or 0


def insert(bench, first, count):
    bench.sql(f"insert into orders select {rig.ORDER_VALUES} from generate_series({first}, {first + count - 1}) i")


def steadily(bench, first, rate, seconds):
    """`rate` rows a second, in ten transactions a second."""
    began = time.monotonic()
    for turn in range(seconds * 10):
        insert(bench, first + turn * (rate // 10), rate // 10)
        time.sleep(max(0.0, began + (turn + 1) / 10 - time.monotonic()))
    return rate // 10 * seconds * 10


def phases(bench, millrace, pids, options):
    """{phase: {process: MB}}"""
    found = {}
    sampler = Sampler(pids)
    time.sleep(options.seconds / 2)
    found["at rest"] = sampler.stop()
    sampler = Sampler(pids)
    sent = steadily(bench, 1, options.rate, options.seconds)
    rig.wait_until(lambda: delivered(millrace) >= sent, 120, "the steady rows")
    found[f"{options.rate:,} rows/s"] = sampler.stop()
    sampler = Sampler(pids)
    for first in range(sent + 1, sent + 1 + options.rows, 5000):
        insert(bench, first, min(5000, sent + 1 + options.rows - first))
    rig.wait_until(lambda: delivered(millrace) >= sent + options.rows, 300, "the backlog")
    found[f"{options.rows:,} rows at once"] = sampler.stop()
    sampler = Sampler(pids)
    time.sleep(options.seconds / 2)
    found["at rest again"] = sampler.stop()
    return found


@contextlib.contextmanager
def function_process(bench, millrace, options):
    """Configures the function; what finds its processes' ids by name, given the bridge's."""
    topic = "edge.public.orders"
    bench.kafka.create_topic(topic)
    if options.http:
        with http_function() as (url, pid):
            millrace.function("edge-fn", topic, url)
            yield lambda bridge_pid: {"function": pid}
    else:
        rig.local_function(millrace, "edge-fn", topic, [rig.tool("process_bootstrap")])
        yield started_function


def started_function(bridge_pid):
    ((guard, function),) = rig.wait_until(lambda: rig.local_processes(bridge_pid), 30, "the function")
    return {"guard": guard, "function": function}


def run(bench, options):
    millrace = bench.millrace()
    millrace.settings(log={"level": "info"}, kafka={"topic.metadata.refresh.interval.ms": None, **bench.properties})
    millrace.connector("edge", bench.pg.dsn(), snapshot="never", tables={"include": ["public.orders"]})
    with function_process(bench, millrace, options) as find_function:
        with rig.running(millrace, "run") as process:
            rig.wait_until(millrace.is_ready, 60, "readiness")
            bridge_pid = process.child("bridge")
            pids = {
                "supervisor": process.pid,
                "connector": process.child("connect"),
                "bridge": bridge_pid,
                **find_function(bridge_pid),
            }
            return phases(bench, millrace, pids, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=1000, help="rows a second of the steady load")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=100_000, help="of the backlog")
    parser.add_argument("--http", action="store_true", help="the function is an HTTP server of its own")
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench:
        bench.sql(rig.ORDERS)
        found = run(bench, options)
        size = stripped_bytes(bench.folder)
    names = list(next(iter(found.values())))
    report.table(
        [(phase, *(sizes[name] for name in names)) for phase, sizes in found.items()],
        (f"{platform.machine()}, PSS in MB", *names),
    )
    worst = max(sizes["together"] for sizes in found.values())
    print(f"together at most {worst:.1f} MB of {LIMIT_MB}; stripped program {size / 1e6:.2f} MB of {SIZE_LIMIT_MB}")
    said = {"http": options.http, "machine": platform.machine(), "pss_mb": found, "stripped_bytes": size}
    report.report("edge", said)


if __name__ == "__main__":
    main()
