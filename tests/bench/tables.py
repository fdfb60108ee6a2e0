"""
Many tables: how long the connector takes to start, and what it holds in memory.

The first start finds none of the topics and schemas: `topics` is when all of them are there. The second finds them
all. Each table has eight columns and no row; the clock runs from the start of the process to readiness (streaming).
"""

import argparse
import time

import measure
import report
import rig


def make_tables(bench, tables):
    bench.sql(rig.ORDERS)
    for start in range(0, tables, 500):
        batch = range(start, min(start + 500, tables))
        bench.sql("".join(f"create table t{n} (like orders including all);" for n in batch))


def topics(bench):
    return sum(1 for topic in bench.kafka.topics() if topic.startswith("many.public.t"))


def start(bench, millrace, tables):
    """(seconds until ready, seconds until all topics are there, peak PSS MB, PSS MB at rest, CPU seconds)."""
    began = time.monotonic()
    with rig.running(millrace, "connect") as process, measure.Usage(process.pid) as usage:
        rig.wait_until(millrace.is_ready, 600, "readiness", pause=0.02)
        ready = time.monotonic() - began
        peak = usage.peak_pss_mb()
        rig.wait_until(lambda: topics(bench) >= tables, 600, "all topics", pause=0.5)
        made = time.monotonic() - began
        rig.wait_until(lambda: measure.cpu_seconds(process.pid) == _later(process.pid), 600, "rest")
        quiet = time.monotonic() - began
        rest = measure.at_rest_mb(process.pid)
        return ready, made, quiet, peak, usage.peak_pss_mb(), rest, usage.cpu_us(1)["total"] / 1e6


def _later(pid):
    time.sleep(1.0)
    return measure.cpu_seconds(pid)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, nargs="*", default=[1000, 10000])
    parser.add_argument("--snapshot", default="initial")
    rig.kafka_option(parser)
    options = parser.parse_args()
    lines, result = [], {}
    for tables in options.tables:
        with rig.Rig(options.kafka) as bench:
            make_tables(bench, tables)
            millrace = bench.millrace()
            millrace.connector(
                "many",
                bench.pg.dsn(),
                tables={"include": ["public.t*"]},
                snapshot=options.snapshot,
                topics={"partitions": 1},
            )
            for turn in ("first", "second"):
                figures = [round(figure, 2) for figure in start(bench, millrace, tables)]
                lines.append((f"{tables} tables, {turn} start", *figures))
                names = ("ready_s", "topics_s", "quiet_s", "ready_pss_mb", "peak_pss_mb", "rest_pss_mb", "cpu_s")
                result |= {f"tables_{tables}_{turn}_{name}": figure for name, figure in zip(names, figures)}
    report.table(lines, ("", "ready s", "topics s", "quiet s", "PSS MB at ready", "peak PSS MB", "at rest", "CPU s"))
    report.report("tables", result)


if __name__ == "__main__":
    main()
