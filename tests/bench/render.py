"""
An insert of `orders` as each kind of payload, from the record's Avro bytes to the request's body, and avro-c's own JSON
of the same record. Events a second of processor time on one core, three times; `row` should do 400,000 and
`cloudevents-structured` 250,000.
"""

import re
import statistics
import subprocess
import sys

import report
import rig

LINE = re.compile(r"(.+): (\d+) events/s, (\d+) bytes")


def main():
    done = subprocess.run([rig.tool("render")], capture_output=True, text=True, check=True)
    runs = {}
    for kind, rate, size in LINE.findall(done.stdout):
        runs.setdefault((kind, int(size)), []).append(int(rate))
    if not runs:
        sys.exit(f"nothing was measured:\n{done.stdout}")
    count = len(next(iter(runs.values())))
    report.table(
        [(f"{kind} ({size} bytes)", *rates) for (kind, size), rates in runs.items()],
        ("events/s", *(f"run {number + 1}" for number in range(count))),
    )
    report.report("render", {kind: statistics.median(rates) for (kind, _), rates in runs.items()})


if __name__ == "__main__":
    main()
