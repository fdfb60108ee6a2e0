"""
Two builds by the instructions that their loop thread executes for a row and for an event: a figure that a busy machine
does not change by more than a percent or two. It counts no waiting and no time in the kernel.

Each build drains a backlog under valgrind's callgrind, once with few rows and once with more, and so does the bridge
with one event a request and with batches of 100. The difference of the two counts over the difference of the rows
leaves the start out.
"""

import argparse
import glob
import re

import bridge
import connector
import report
import rig

PARTS = ("connector", "bridge, 1 a request", "bridge, batches of 100")
_NAME = re.compile(r"\((\d+)\)(?: (.*))?")
_COMMIT = re.compile(r"-[0-9a-f]{40}$")  # of a binary that run.sh has built
_COST = re.compile(r"[-+*\d]")


def count(path):
    """{object file: instructions of its own code} in one thread's output of callgrind."""
    names, counts, current, is_call = {}, {}, None, False
    with open(path, encoding="utf-8") as file:
        for text in file:
            kind, found, value = text.rstrip().partition("=")
            if found and kind in ("ob", "cob"):
                number, name = _NAME.match(value).groups()
                names.setdefault(number, name)
                current = names[number] if kind == "ob" else current
            elif kind == "calls":
                is_call = True  # the next line is the callee's cost
            elif _COST.match(text):
                if not is_call:
                    name = _COMMIT.sub("", current.rsplit("/", 1)[-1])
                    counts[name] = counts.get(name, 0) + int(text.split()[1])
                is_call = False
    return counts


class Counter:
    """Runs builds under callgrind, on servers that are there."""

    def __init__(self, bench, nginx):
        self.bench = bench
        self.nginx = nginx
        self.runs = 0

    def _under_callgrind(self, binary, run):
        """run(number) with the binary under callgrind; what its main thread executed."""
        self.runs += 1
        out = f"{self.bench.folder}/callgrind-{self.runs}"
        tool = ("valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}")
        self.bench.binary = (*tool, binary)
        run(self.runs)
        (main_thread,) = glob.glob(f"{out}-01")
        return count(main_thread)

    def drain(self, binary, rows):
        slot = f"rows_{rows}_{self.runs + 1}"
        self.bench.sql("truncate orders")
        self.bench.slot(slot)
        self.bench.insert_orders(rows)
        found = self._under_callgrind(
            binary, lambda number: connector.drain_millrace(self.bench, f"run-{number}", slot, rows)
        )
        self.bench.drop_slot(slot)
        self.topic = f"run-{self.runs}.public.orders"
        return found

    def deliver(self, binary, events, **more):
        def run(number):
            bridge.run_bridge(self.bench, self.nginx, events, f"run-{number}", topic=self.topic, **more)

        return self._under_callgrind(binary, run)


def measure_build(counter, binary, few, many):
    """{part: {object: instructions an item}}"""
    batch = {"payload": "row", "batch": {"events": 100}}
    counts = {}
    for rows in (few, many):
        counts[rows] = (
            counter.drain(binary, rows),
            counter.deliver(binary, rows),
            counter.deliver(binary, rows, **batch),
        )
    return {part: _slope(*pair, many - few) for part, *pair in zip(PARTS, counts[few], counts[many])}


def _slope(few, many, difference):
    each = {name: (total - few.get(name, 0)) / difference for name, total in many.items()}
    return {"all": round(sum(each.values())), **{name: round(value) for name, value in each.items() if value >= 20}}


def show(found):
    lines = []
    for part in PARTS:
        old, new = found["old"][part], found["new"][part]
        for name in sorted({*old, *new}, key=lambda name: -old.get(name, 0)):
            before, after = old.get(name, 0), new.get(name, 0)
            label = part if name == "all" else f"  {name}"
            lines.append((label, before, after, after / before if before else None))
    report.table(lines, ("instructions an item, loop thread", "old", "new", "new/old"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="a millrace binary")
    parser.add_argument("new", help="the other")
    parser.add_argument("--few", type=int, default=4_000, help="rows of the short run")
    parser.add_argument("--many", type=int, default=16_000, help="rows of the long run")
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench, rig.Nginx(bench.folder) as nginx:
        connector.prepare(bench, [], 0)
        counter = Counter(bench, nginx)
        builds = {"old": options.old, "new": options.new}
        found = {name: measure_build(counter, binary, options.few, options.many) for name, binary in builds.items()}
    show(found)
    report.report("instructions", {**builds, "few": options.few, "many": options.many, "instructions": found})


if __name__ == "__main__":
    main()
