"""
How close the bridge comes to a perfect scheduler, on one partition, with a function that works for a while.

The function (work_server) knows how long each request takes, so it also knows the least time that any scheduler needs
with order per key: max(the longest key's chain, all work / concurrency). `over ideal` is the time from the first
request to the last answer over that. `side by side` is the average number of requests that were being worked on, over
`concurrency`.
"""

import argparse
import json
import urllib.request

import report
import rig

TOPIC = "bench.public.{}"
TABLES = {"keys": (100, 100), "single": (20_000, 1)}  # rows, changes of each
# Name: topic, least and most microseconds of work, concurrency.
RUNS = {
    "100 keys, 0-5 ms, 16 lanes": ("keys", 0, 5_000, 16),
    "100 keys, 0-5 ms, 100 lanes": ("keys", 0, 5_000, 100),
    "distinct keys, 50 ms, 128 lanes": ("single", 50_000, 50_000, 128),
    "distinct keys, 100 ms, 16 lanes": ("single", 100_000, 100_000, 16),
    "distinct keys, 100 ms, 256 lanes": ("single", 100_000, 100_000, 256),
}
EVENTS = {("single", 16): 1_600}  # instead of all, for what takes long


class WorkServer:
    def __enter__(self):
        port = rig.processes.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = rig.processes.spawn([rig.tool("work_server"), str(port)])
        rig.wait_until(self.stats, 10, "work_server")
        return self

    def __exit__(self, *_):
        rig.processes.reap(self.process)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return answer.read()

    def stats(self):
        return json.loads(self.get("/stats"))


def load(bench):
    """On Kafka as the connector writes them: the changes of a table take turns."""
    millrace = bench.millrace()
    for name, (rows, times) in TABLES.items():
        bench.sql(f"create table {name} (id int primary key, n int not null)")
    bench.sql("create publication bench for table " + ", ".join(TABLES))
    bench.slot("bench")
    slot = {"name": "bench", "publication": "bench"}
    millrace.connector("load", bench.pg.dsn(), topic_prefix="bench", slot=slot, snapshot="never",
                       topics={"partitions": 1})
    for name, (rows, times) in TABLES.items():
        bench.sql(f"insert into {name} select generate_series(1, {rows}), 0")
        for n in range(1, times):
            bench.sql(f"update {name} set n = {n}")
    with rig.running(millrace, "connect"):
        for name, (rows, times) in TABLES.items():
            topic = TOPIC.format(name)
            rig.wait_until(lambda: bench.end_offset(topic) >= rows * times, 600, topic, pause=0.1)


def run(bench, server, number, what, round_number):
    table, least, most, concurrency = what
    rows, times = TABLES[table]
    events = EVENTS.get((table, concurrency), rows * times)
    millrace = bench.millrace()
    name = f"lanes-{number}-{round_number}"
    millrace.function(name, TOPIC.format(table), f"{server.url}/work?{least},{most}",
                      delivery={"concurrency": concurrency})
    server.get("/reset")
    with rig.running(millrace, "bridge"):
        rig.wait_until(lambda: server.stats()["requests"] >= events, 300, f"{events} requests", pause=0.1)
        if events == rows * times:
            rig.wait_until(lambda: bench.kafka.committed(f"millrace.{name}", TOPIC.format(table)) == {0: events},
                           60, "the end committed", pause=0.2)
        stats = server.stats()
    ideal = max(stats["chain_s"], stats["work_s"] / concurrency)
    return {
        "events_s": round(stats["requests"] / stats["seconds"]),
        "ideal_s": round(ideal, 3),
        "seconds": round(stats["seconds"], 3),
        "over_ideal": round(stats["seconds"] / ideal, 3),
        "side_by_side": round(stats["busy_s"] / stats["seconds"] / concurrency, 3),
        "most": stats["running_max"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rig.kafka_option(parser)
    options = parser.parse_args()
    result = {}
    lines = []
    with rig.Rig(options.kafka) as bench, WorkServer() as server:
        load(bench)
        for number, (name, what) in enumerate(RUNS.items()):
            runs = [run(bench, server, number, what, turn) for turn in range(options.rounds)]
            middle = sorted(runs, key=lambda figures: figures["over_ideal"])[len(runs) // 2]
            result[name] = {**middle, "over_ideal_of_rounds": [figures["over_ideal"] for figures in runs]}
            lines.append((name, *middle.values()))
    report.table(lines, ("", "events/s", "ideal s", "seconds", "over ideal", "side by side", "most"))
    report.report("lanes", result)


if __name__ == "__main__":
    main()
