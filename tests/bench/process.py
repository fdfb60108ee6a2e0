"""
Local functions beside HTTP: events of one partition with distinct keys, one event an invocation, `instances: 4`.

millrace's connector publishes the events once. Then, in turn, `millrace bridge` reads the partition from its beginning
and calls nginx over as many connections as there are instances, or instances of process_bootstrap: a client of the
Lambda Runtime API in C, whose function does nothing (or sleeps, --sleep-us). Both get the payload `lambda-kafka`. Rates
are from the first event's arrival to the last result.

`overhead` is the time from a function's result to the next event in the same instance, as the instance sees it: all but
the function's own time. While events wait it is more than the bridge's part alone, since the result's way, the next
event's way and what the bridge does between two invocations are in it; `until accepted` is the first part of it.
`duration` is the bridge's own view, the mean of its metric of invocations, with the function's own time taken off.

Python's awslambdaric is measured for orientation, if it is installed.
"""

import argparse
import glob
import importlib.util
import os
import shutil
import statistics
import struct
import sys
import time
from dataclasses import dataclass

import bridge
import measure
import report
import rig

HEAD = struct.Struct("4q")  # struct stats of process_bootstrap.c
BUCKETS = 50_000
COLUMNS = {"CPU us/event": "total", "loop": "loop", "functions": "functions", "nginx": "server"}
HANDLER = "def handler(event, context):\n    return {}\n"


@dataclass
class Run:
    """One run's figures; None where nothing tells."""

    rate: int  # invocations a second
    duration_ms: float  # mean, without the function's own time
    cpu_us: dict  # per event, see COLUMNS
    overhead_ms: tuple = (None, None)  # p50, p99
    accepted_ms: tuple = (None, None)


class Stats:
    """What the instances of process_bootstrap have seen: a file for each, in a folder that they may write to."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        os.chmod(folder, 0o777)

    def _contents(self, size=-1):
        for path in glob.glob(f"{self.folder}/*"):
            with open(path, "rb") as file:
                yield file.read(size)

    def _heads(self):
        """invocations, first and last nanosecond, nanoseconds of its own: of each instance that has begun."""
        heads = [HEAD.unpack(data) for data in self._contents(HEAD.size) if len(data) == HEAD.size]
        return [head for head in heads if head[0] > 0]

    def invocations(self):
        return sum(head[0] for head in self._heads())

    def seconds(self):
        heads = self._heads()
        return (max(head[2] for head in heads) - min(head[1] for head in heads)) / 1e9

    def own_us(self):
        """The function's own time, mean of an invocation."""
        return sum(head[3] for head in self._heads()) / 1e3 / self.invocations()

    def percentiles_ms(self, which):
        """p50 and p99 of the overhead (0) or of its part until the result was accepted (1)."""
        counts = [0] * BUCKETS
        for data in self._contents():
            buckets = memoryview(data)[HEAD.size :].cast("I")[which * BUCKETS : (which + 1) * BUCKETS]
            counts = [a + b for a, b in zip(counts, buckets, strict=True)]
        return tuple(quantile_us(counts, share) / 1e3 for share in (0.5, 0.99))


def quantile_us(counts, share):
    """The first microsecond at which so large a share of the counts is reached."""
    wanted = sum(counts) * share
    seen = 0
    for us, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return us
    return len(counts)


def mean_duration_ms(millrace, own_us):
    name = "millrace_function_invocation_duration_seconds"
    return (millrace.metric(f"{name}_sum") / millrace.metric(f"{name}_count") * 1e6 - own_us) / 1e3


def delivered(millrace):
    return millrace.metric("millrace_function_events_total", outcome="delivered") or 0


def run_http(bench, nginx, options, name):
    """As many connections as instances."""
    millrace = bench.millrace()
    delivery = {"concurrency": options.instances}
    millrace.function(name, bridge.TOPIC, nginx.url, payload="lambda-kafka", delivery=delivery)
    nginx.reset()
    with rig.running(millrace, "bridge") as process:
        with measure.Usage(process.pid, server=nginx.worker) as usage:
            seconds = bridge.timed(nginx, lambda count: count >= options.rows, process.popen)
        duration = mean_duration_ms(millrace, 0)
    return Run(round(options.rows / seconds), duration, usage.cpu_us(options.rows))


def wait_running(process, condition, timeout, what):
    """As wait_until, while the process runs."""

    def is_met():
        if process.popen.poll() is not None:
            raise RuntimeError(f"ended with {process.popen.poll()}")
        return condition()

    rig.wait_until(is_met, timeout, what, pause=0.05)


def watch_instances(process, usage, count):
    """Adds the processor time of the instances as `functions`, once all have started."""
    wait_running(process, lambda: len(rig.local_processes(process.pid)) >= count, 30, "the instances")
    for number, (_, pid) in enumerate(rig.local_processes(process.pid)):
        usage.add(f"instance-{number}", pid)


def cpu_us(usage, count):
    """As Usage.cpu_us, with the sum of the instances."""
    found = usage.cpu_us(count)
    instances = [found.pop(name) for name in list(found) if name.startswith("instance-")]
    return {**found, "functions": round(sum(instances), 3)}


def run_process(bench, options, name, sleep_us):
    """Instances of process_bootstrap."""
    millrace = bench.millrace()
    stats = Stats(f"{bench.folder}/stats-{name}")
    rig.local_function(
        millrace,
        name,
        bridge.TOPIC,
        [rig.tool("process_bootstrap"), stats.folder],
        env={"BENCH_WORK_US": str(sleep_us)},
        instances=options.instances,
        warm_instances=options.instances,
    )
    with rig.running(millrace, "bridge") as process:
        with measure.Usage(process.pid) as usage:
            watch_instances(process, usage, options.instances)
            wait_running(process, lambda: stats.invocations() >= options.rows, 300, "the invocations")
        wait_running(process, lambda: delivered(millrace) >= options.rows, 20, "the last results")
        duration = mean_duration_ms(millrace, stats.own_us())
    return Run(
        round(options.rows / stats.seconds()),
        duration,
        cpu_us(usage, options.rows),
        stats.percentiles_ms(0),
        stats.percentiles_ms(1),
    )


def python_folder(bench):
    """A copy of the Python packages for any user, and a handler; None: no awslambdaric, or no Python for it."""
    found = importlib.util.find_spec("awslambdaric")
    if found is None or not is_for_all(python_program()):
        return None
    folder = f"{bench.folder}/python"
    packages = os.path.dirname(os.path.dirname(found.origin))
    shutil.copytree(packages, folder, ignore=shutil.ignore_patterns("pip*", "boto*", "__pycache__"))
    with open(f"{folder}/bench_app.py", "w", encoding="utf-8") as file:
        file.write(HANDLER)
    return folder


def is_for_all(path):
    """Whether another user may run it."""
    path = os.path.realpath(path)
    while os.path.exists(path) and os.stat(path).st_mode & 0o001:
        if path == "/":
            return True
        path = os.path.dirname(path)
    return False


def python_program():
    """This Python, or the system's of the same version: another user must be able to run it."""
    own = os.path.realpath(sys.executable)
    return own if is_for_all(own) else f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"


def run_python(bench, folder, options, name):
    """Instances of awslambdaric: the rate alone, by the bridge's metrics."""
    millrace = bench.millrace()
    rig.local_function(
        millrace,
        name,
        bridge.TOPIC,
        [python_program(), "-m", "awslambdaric", "bench_app.handler"],
        env={"PYTHONPATH": folder},
        directory=folder,
        instances=options.instances,
        warm_instances=options.instances,
    )
    with rig.running(millrace, "bridge") as process:
        with measure.Usage(process.pid) as usage:
            watch_instances(process, usage, options.instances)
            wait_running(process, lambda: delivered(millrace) > 0, 30, "the first result")
            began, first = time.monotonic(), delivered(millrace)
            wait_running(process, lambda: delivered(millrace) >= options.python_rows, 300, "the invocations")
            count, seconds = delivered(millrace) - first, time.monotonic() - began
        duration = mean_duration_ms(millrace, 0)
    return Run(round(count / seconds), duration, cpu_us(usage, count + first))


def line(name, run):
    return (
        name,
        run.rate,
        run.duration_ms,
        *run.overhead_ms,
        *run.accepted_ms,
        *(run.cpu_us.get(key) for key in COLUMNS.values()),
    )


def rounds(bench, nginx, options):
    """[(name, [Run])], the runs interleaved."""
    kinds = {"HTTP, nginx": lambda name: run_http(bench, nginx, options, f"http-{name}")}
    for sleep_us in options.sleep_us:
        said = f"process, sleeps {sleep_us} us" if sleep_us else "process"
        kinds[said] = lambda name, us=sleep_us: run_process(bench, options, f"process-{us}-{name}", us)
    runs = {kind: [] for kind in kinds}
    for number in range(1, options.rounds + 1):
        for kind, run in kinds.items():
            runs[kind].append(run(number))
    return runs


def summary(runs):
    """The medians of each kind, for the line of JSON."""
    return {
        kind: {
            "invocations_s": [run.rate for run in found],
            "mean_ms": statistics.median(run.duration_ms for run in found),
            "overhead_ms": [run.overhead_ms for run in found],
            "until_accepted_ms": [run.accepted_ms for run in found],
            "cpu_us_per_event": measure.median_of([run.cpu_us for run in found]),
        }
        for kind, found in runs.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--python-rows", type=int, default=20_000, help="for awslambdaric; 0: not at all")
    parser.add_argument("--instances", type=int, default=4)
    parser.add_argument("--sleep-us", type=int, nargs="*", default=[0, 500], help="the function's own time")
    parser.add_argument("--rounds", type=int, default=3)
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench, rig.Nginx(bench.folder) as nginx:
        bridge.load(bench, options.rows)
        runs = rounds(bench, nginx, options)
        ratios = [ours.rate / http.rate for ours, http in zip(runs["process"], runs["HTTP, nginx"], strict=True)]
        folder = python_folder(bench) if options.python_rows else None
        if folder:
            runs["awslambdaric (Python)"] = [run_python(bench, folder, options, "python")]
    report.table(
        [line(kind, run) for kind, found in runs.items() for run in found],
        (f"instances: {options.instances}", "invocations/s", "duration ms", "overhead p50 ms", "p99 ms",
         "until accepted p50", "p99", *COLUMNS),
    )
    print(f"local processes over HTTP: {statistics.median(ratios):.2f} of its invocations/s")
    report.report("process", {"rows": options.rows, "instances": options.instances, "ratios": ratios, **summary(runs)})


if __name__ == "__main__":
    main()
