"""
Two builds side by side in one run: rounds of old, new, old, new … over the connector, latency and the bridge, on the
same servers with the same data.

Each figure is the median over the rounds. `new/old` is the median of the rounds' own ratios, each of two runs that
followed one another, and `from` and `to` are the smallest and largest of them: when they lie on both sides of 1, the
run shows no difference. Nothing is refused or judged: on a loaded machine read processor time, which other programs
disturb least, and repeat. A first run, not counted, warms the servers up. No round begins that would end after
--minutes.
"""

import argparse
import os
import statistics
import time
from dataclasses import dataclass

import bridge
import connector
import latency
import report
import rig

BUILDS = ("old", "new")
PARTS = ("connector", "latency", "single", "batch")


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    unit: str
    is_more_better: bool = False


CONNECTOR = (
    (Figure("connector", "rows/s", True), lambda run: run.rate),
    (Figure("connector CPU", "us/row"), lambda run: run.cpu_us["total"]),
    (Figure("connector CPU, loop", "us/row"), lambda run: run.cpu_us["loop"]),
    (Figure("connector CPU, librdkafka", "us/row"), lambda run: run.cpu_us["librdkafka"]),
    (Figure("walsender CPU", "us/row"), lambda run: run.cpu_us["walsender"]),
    (Figure("broker CPU, connector", "us/row"), lambda run: run.cpu_us["broker"]),
    (Figure("connector peak RSS", "MB"), lambda run: run.peak_rss_mb),
)
LATENCY = (
    (Figure("commit to Kafka p50", "ms"), lambda run: run["kafka"].p50),
    (Figure("commit to Kafka p99", "ms"), lambda run: run["kafka"].p99),
    (Figure("commit to function p50", "ms"), lambda run: run["function"].p50),
    (Figure("commit to function p99", "ms"), lambda run: run["function"].p99),
)
SINGLE = (
    (Figure("bridge, 1 a request", "events/s", True), lambda run: run.rate),
    (Figure("bridge CPU, 1 a request", "us/event"), lambda run: run.cpu_us["total"]),
    (Figure("bridge CPU, loop", "us/event"), lambda run: run.cpu_us["loop"]),
    (Figure("bridge CPU, librdkafka", "us/event"), lambda run: run.cpu_us["librdkafka"]),
    (Figure("bridge peak RSS", "MB"), lambda run: run.peak_rss_mb),
)
BATCH = (
    (Figure("bridge, batches of 100", "events/s", True), lambda run: run.rate),
    (Figure("bridge CPU, batches of 100", "us/event"), lambda run: run.cpu_us["total"]),
)


class Comparison:
    """The servers, the two binaries and what has been measured so far: {Figure: {build: [values]}}."""

    def __init__(self, bench, nginx, options):
        self.bench = bench
        self.nginx = nginx
        self.options = options
        self.binaries = {"old": options.old, "new": options.new}
        self.measured = {}
        self.latency_ids = 1

    def _add(self, figures, build, run):
        for figure, value in figures:
            self.measured.setdefault(figure, {name: [] for name in BUILDS})[build].append(value(run))

    def _connector(self, build, number):
        name = f"{build}-{number}"
        slot = f"{build}_{number}"
        run = connector.drain_millrace(self.bench, name, slot, self.options.rows)
        self.bench.drop_slot(slot)
        return run

    def _latency(self, build, number):
        first = self.latency_ids
        self.latency_ids += self.options.rate * self.options.seconds + 1
        return latency.run(self.bench, f"latency-{build}-{number}", first, self.options)

    def _single(self, build, number):
        name = f"single-{build}-{number}"
        return bridge.run_bridge(self.bench, self.nginx, self.options.events, name, topic=self.topic)

    def _batch(self, build, number):
        more = {"payload": "row", "batch": {"events": 100}}
        name = f"batch-{build}-{number}"
        return bridge.run_bridge(self.bench, self.nginx, self.options.rows, name, topic=self.topic, **more)

    def prepare(self):
        """A slot a run, the rows, and the warm-up, whose topic the bridge reads in every round."""
        slots = ["warm_0"] + [f"{build}_{n}" for n in range(1, self.options.rounds + 1) for build in BUILDS]
        connector.prepare(self.bench, slots, self.options.rows)
        latency.prepare(self.bench)
        self.bench.binary = self.binaries["old"]
        self._connector("warm", 0)
        self.topic = "warm-0.public.orders"

    def round(self, number):
        """Old and new, one after the other, in each part."""
        parts = {
            "connector": (CONNECTOR, self._connector),
            "latency": (LATENCY, self._latency),
            "single": (SINGLE, self._single),
            "batch": (BATCH, self._batch),
        }
        for name in self.options.only:
            figures, part = parts[name]
            for build in BUILDS:
                self.bench.binary = self.binaries[build]
                self._add(figures, build, part(build, number))

    def result(self):
        """{name: {unit, old, new, ratio, ratios}}"""
        found = {}
        for figure, values in self.measured.items():
            ratios = [new / old if old else 1.0 for old, new in zip(values["old"], values["new"])]
            found[figure.name] = {
                "unit": figure.unit,
                "better": "more" if figure.is_more_better else "less",
                **{build: statistics.median(values[build]) for build in BUILDS},
                "ratio": round(statistics.median(ratios), 3),
                "ratios": [round(ratio, 3) for ratio in ratios],
                "runs": values,
            }
        return found


def show(found):
    lines = []
    for name, row in found.items():
        spread = (min(row["ratios"]), max(row["ratios"]))
        lines.append((name, row["unit"], row["old"], row["new"], row["ratio"], *spread, row["better"]))
    report.table(lines, ("median", "", "old", "new", "new/old", "from", "to", "better is"))


def run_rounds(comparison, options, began):
    """Rounds until there are enough or the time is up; how many there were."""
    last = 0.0
    for number in range(1, options.rounds + 1):
        if number > 1 and time.monotonic() + last > began + options.minutes * 60:
            print(f"time is up after {number - 1} of {options.rounds} rounds")
            return number - 1
        start = time.monotonic()
        comparison.round(number)
        last = time.monotonic() - start
        print(f"round {number} took {last:.0f} s, load average {os.getloadavg()[0]:.2f}", flush=True)
    return options.rounds


def main():
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="a millrace binary")
    parser.add_argument("new", help="the other")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=11.0)
    parser.add_argument("--rows", type=int, default=500_000, help="drained by the connector, and sent in batches")
    parser.add_argument("--events", type=int, default=150_000, help="sent one a request")
    parser.add_argument("--rate", type=int, default=150, help="inserts a second for latency")
    parser.add_argument("--seconds", type=int, default=10, help="of latency in each run")
    parser.add_argument("--only", nargs="*", default=PARTS, choices=PARTS, help="parts to run; default all")
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench, rig.Nginx(bench.folder) as nginx:
        comparison = Comparison(bench, nginx, options)
        comparison.prepare()
        rounds = run_rounds(comparison, options, began)
        found = comparison.result()
    show(found)
    sizes = {name: getattr(options, name) for name in ("rows", "events", "rate", "seconds")}
    report.report("compare", {"old": options.old, "new": options.new, "rounds": rounds, **sizes, "figures": found})


if __name__ == "__main__":
    main()
