"""
What a function that is overloaded gets done, with and without `delivery.target_latency`.

The function (work_server, /fragile) handles CAPACITY calls at once, each in WORK; with n calls at once each takes
(n / CAPACITY)^2 times as long, so that more calls get less done. `calls/s` and the limit are those of the last seconds
of each run.
"""

import argparse
import time

import lanes
import report
import rig

WORK_US, CAPACITY = 20_000, 8
SETTLE_S, MEASURE_S = 15, 10
# Name: concurrency, target latency.
RUNS = {
    "8 at once": (8, None),
    "128 at once": (128, None),
    "128, target_latency 30ms": (128, "30ms"),
    "128, target_latency 40ms": (128, "40ms"),
    "128, target_latency 80ms": (128, "80ms"),
}


def run(bench, server, number, concurrency, target):
    millrace = bench.millrace()
    name = f"overload-{number}"
    delivery = {"concurrency": concurrency, "timeout": "60s"}
    if target:
        delivery["target_latency"] = target
    url = f"{server.url}/fragile?{WORK_US},{CAPACITY}"
    millrace.function(name, lanes.TOPIC.format("single"), url, delivery=delivery)
    server.get("/reset")
    with rig.running(millrace, "bridge"):
        rig.wait_until(lambda: server.stats()["requests"] > 0, 60, "the first request", pause=0.1)
        time.sleep(SETTLE_S)
        before, began = server.stats()["requests"], time.monotonic()
        time.sleep(MEASURE_S)
        calls_s = (server.stats()["requests"] - before) / (time.monotonic() - began)
        limit = millrace.metric("millrace_function_concurrency_limit", function=name)
    rig.wait_until(lambda: server.stats()["running"] == 0, 60, "the last answer", pause=0.1)
    best = CAPACITY / (WORK_US / 1e6)
    return {"calls_s": round(calls_s), "of_the_best": round(calls_s / best, 2), "limit": int(limit)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.kafka_option(parser)
    options = parser.parse_args()
    result = {}
    with rig.Rig(options.kafka) as bench, lanes.WorkServer() as server:
        lanes.load(bench)
        for number, (name, what) in enumerate(RUNS.items()):
            result[name] = run(bench, server, number, *what)
    report.table([(name, *figures.values()) for name, figures in result.items()],
                 ("", "calls/s", "of the best", "limit"))
    report.report("overload", result)


if __name__ == "__main__":
    main()
