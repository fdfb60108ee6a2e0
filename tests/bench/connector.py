"""
The connector beside pg_recvlogical: the same backlog of WAL, drained by each in turn.

One slot per run is made before the rows are written, so every run decodes the same WAL on the server's side.
pg_recvlogical (pgoutput, protocol version 1) discards into /dev/null and ends by itself at the last commit; millrace
publishes Avro to one partition of a real Kafka and has ended when the broker's end offset is the number of rows.
Clocks run from the moment the slot becomes active, which is when the server begins to decode, and, second figure,
from the process's start. A first pair, not counted, warms the broker up.
"""

import argparse
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

import rig


@dataclass
class Drain:
    """One run's figures; times are monotonic seconds."""

    rows: int
    started: float
    active: float
    ended: float
    cpu: float
    peak_mb: float
    rest_mb: float = 0.0

    @property
    def rate(self):
        return round(self.rows / (self.ended - self.active))

    @property
    def rate_from_start(self):
        return round(self.rows / (self.ended - self.started))


def wait_active(bench, slot, process):
    """The moment a walsender takes the slot."""
    query = "select 1 from pg_replication_slots where slot_name = %s and active"
    while not bench.sql(query, slot) and process.poll() is None:
        time.sleep(0.002)
    return time.monotonic()


def drain_pg_recvlogical(bench, slot, end_lsn, rows):
    command = [
        f"{rig.bin_folder()}/pg_recvlogical",
        "-h",
        "127.0.0.1",
        "-p",
        str(bench.pg.port),
        "-U",
        "postgres",
    ]
    command += [
        "-d",
        "postgres",
        "--slot",
        slot,
        "--start",
        "--no-loop",
        "--endpos",
        end_lsn,
        "-f",
        "/dev/null",
    ]
    command += ["-o", "proto_version=1", "-o", "publication_names=bench"]
    started = time.monotonic()
    process = subprocess.Popen(command)
    with rig.Memory(process.pid) as memory:
        active = wait_active(bench, slot, process)
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"pg_recvlogical ended with {process.returncode}")
    return Drain(rows, started, active, ended, usage.ru_utime + usage.ru_stime, memory.peak_mb())


def configure(bench, name, slot):
    millrace = bench.millrace()
    millrace.connector(
        name,
        bench.pg.dsn(),
        tables={"include": ["public.orders"]},
        slot={"name": slot, "publication": "bench"},
        snapshot="never",
        topics={"partitions": 1},
    )
    return millrace


def drain_millrace(bench, name, slot, rows):
    topic = f"{name}.public.orders"
    millrace = configure(bench, name, slot)
    started = time.monotonic()
    with rig.running(millrace, "connect") as process:
        with rig.Memory(process.pid) as memory:
            active = wait_active(bench, slot, process.popen)
            rig.wait_until(lambda: bench.end_offset(topic) >= rows, 300, topic, pause=0.01)
            ended = time.monotonic()
        cpu = rig.cpu_seconds(process.pid)
        rest_mb = rig.at_rest_mb(process.pid)
    if bench.end_offset(topic) != rows:
        raise RuntimeError(f"{topic} has {bench.end_offset(topic)} records, not {rows}")
    return Drain(rows, started, active, ended, cpu, memory.peak_mb(), rest_mb)


def rest_before(bench):
    """PSS of a connector that streams and has had nothing to do yet."""
    bench.slot("idle")
    millrace = configure(bench, "idle", "idle")
    with rig.running(millrace, "connect") as process:
        rig.wait_until(millrace.is_ready, 30, "readiness")
        size = rig.at_rest_mb(process.pid)
    bench.drop_slot("idle")
    return size


def show(rows, pairs, rest_mb):
    lines = []
    for name, peer, ours in pairs:
        for who, run in (("pg_recvlogical", peer), ("millrace connect", ours)):
            lines.append((f"{name} {who}", run.rate, run.rate_from_start, round(run.cpu, 2), run.peak_mb))
    rig.table(lines, ("", "rows/s", "from process start", "CPU s", "peak PSS MB"))
    ratios = [round(ours.rate / peer.rate, 2) for _, peer, ours in pairs]
    from_start = [round(ours.rate_from_start / peer.rate_from_start, 2) for _, peer, ours in pairs]
    result = {
        "rows": rows,
        "pg_recvlogical_rows_s": [peer.rate for _, peer, _ in pairs],
        "millrace_rows_s": [ours.rate for _, _, ours in pairs],
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "ratio_from_process_start": statistics.median(from_start),
        "cpu_s_per_million": round(statistics.median(ours.cpu for _, _, ours in pairs) * 1e6 / rows, 2),
        "peak_pss_mb": max(ours.peak_mb for _, _, ours in pairs),
        "rest_pss_mb": rest_mb,
        "rest_after_pss_mb": max(ours.rest_mb for _, _, ours in pairs),
    }
    rig.report("connector", result)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--peer-only", action="store_true", help="pg_recvlogical alone")
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench:
        bench.sql(rig.ORDERS)
        bench.sql("create publication bench for table orders")
        rest_mb = 0.0 if options.peer_only else rest_before(bench)
        names = ["warm"] + [f"pair{n}" for n in range(1, options.pairs + 1)]
        for name in names:
            bench.slot(f"{name}_peer")
            bench.slot(f"{name}_millrace")
        bench.insert_orders(options.rows)
        end_lsn = bench.lsn()
        pairs = []
        for name in names:
            peer = drain_pg_recvlogical(bench, f"{name}_peer", end_lsn, options.rows)
            ours = peer
            if not options.peer_only:
                ours = drain_millrace(bench, name, f"{name}_millrace", options.rows)
            pairs.append((name, peer, ours))
        show(options.rows, pairs[1:], rest_mb)


if __name__ == "__main__":
    main()
