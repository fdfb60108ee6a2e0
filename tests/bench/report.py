"""How figures are shown: a table for the reader, a line of JSON for scripts, which is also kept in results/."""

import json
import os
import platform
import time

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")
LOAD_AT_START = os.getloadavg()[0]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{len(models)} cores ({models[0] if models else platform.machine()}), Linux {platform.release()}"


def load():
    """One minute's load average, when the benchmark began and now."""
    return [round(LOAD_AT_START, 2), round(os.getloadavg()[0], 2)]


def _cell(value):
    if isinstance(value, float) and abs(value) < 1000:
        return f"{value:.2f}"
    return f"{value:,.0f}" if isinstance(value, (int, float)) else str(value)


def table(rows, headings):
    """Prints columns, numbers to the right; None is an empty cell."""
    cells = [list(headings)]
    cells += [["" if c is None else _cell(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        print("  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]), flush=True)


def report(name, result):
    """The one line for scripts; also results/NAME-TIME.json."""
    began, now = load()
    print(f"load average {began} at the start, {now} at the end; {machine()}")
    said = {"benchmark": name, **result, "load_average": [began, now], "machine": machine()}
    os.makedirs(RESULTS, exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    with open(os.path.join(RESULTS, f"{name}-{stamp}.json"), "w", encoding="utf-8") as file:
        json.dump({"at": stamp, **said}, file, indent=2)
    print(json.dumps(said), flush=True)
