"""
A pattern of five clauses on updates of `orders`: ours from a record's Avro bytes to the verdict, AWS's event-ruler from
the same event's JSON. Evaluations a second of processor time on one core, three times; ours should do 2,000,000.
"""

import os
import re
import statistics
import subprocess
import sys

import report
import rig

LINE = re.compile(r"all pass (\d+), half pass (\d+), (\d+) bytes")
RULER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system", "ruler", "Ruler.java")


def ours():
    done = subprocess.run([rig.tool("filter")], capture_output=True, text=True, check=True)
    return [tuple(int(figure) for figure in line) for line in LINE.findall(done.stdout)]


def ruler():
    """Decimals as numbers: event-ruler compares no strings with them."""
    events = subprocess.run([rig.tool("filter"), "events"], capture_output=True, text=True, check=True).stdout
    events = re.sub(r'"amount":"([0-9.]+)"', r'"amount":\1', events)
    command = ["java", "-cp", os.environ["MILLRACE_RULER_LIBS"] + "/*", RULER, "bench"]
    done = subprocess.run(command, input=events, capture_output=True, text=True, check=True)
    figures = [tuple(int(figure) for figure in line.split()) for line in done.stdout.splitlines()]
    if not figures or any(matches == 0 for _, matches in figures):
        sys.exit(f"event-ruler matched nothing:\n{done.stdout}{done.stderr}")
    return [count for count, _ in figures]


def main():
    mine = ours()
    theirs = ruler()
    passing, half = [run[0] for run in mine], [run[1] for run in mine]
    ratio = round(statistics.median(half) / statistics.median(theirs), 1)
    report.table(
        [
            ("bridge/filter, every event passes", *passing),
            ("bridge/filter, half of them pass", *half),
            ("event-ruler, half of them pass", *theirs),
        ],
        (f"evaluations/s ({mine[0][2]} bytes of Avro)", *(f"run {number + 1}" for number in range(len(mine)))),
    )
    print(f"ours over event-ruler {ratio}")
    result = {"all_pass": passing, "half_pass": half, "event_ruler": theirs, "ratio": ratio}
    report.report("filter", {**result, "bytes": mine[0][2]})


if __name__ == "__main__":
    main()
