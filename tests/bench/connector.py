"""
The connector beside two readers that only discard: the same backlog of WAL, drained by each in turn.

pg_recvlogical (pgoutput, protocol version 1) writes to /dev/null, woken once a row. discard_reader counts the rows and
throws them away with as few wake-ups as it can: what it reaches is the limit of the server's walsender, with values as
text (as millrace asks for them) and in PostgreSQL's binary form. `millrace connect` publishes Avro to one partition of
a real Kafka and has ended when the broker's end offset is the number of rows.

Rates count from the moment at which the slot becomes active, which is when the server begins to decode, to the end.
Processor time is that of the whole process, start included, over the number of rows. A first round, not counted, warms
the broker up.
"""

import argparse
import statistics
import time
from dataclasses import dataclass, field

import measure
import report
import rig

PEERS = ("pg_recvlogical", "discard text", "discard binary")
OURS = "millrace connect"
# Heading: name in Usage.
COLUMNS = {
    "CPU us/row": "total",
    "loop": "loop",
    "librdkafka": "librdkafka",
    "walsender": "walsender",
    "broker": "broker",
}


@dataclass
class Drain:
    """One run's figures."""

    rows: int
    seconds: float
    cpu_us: dict = field(default_factory=dict)  # per row, see COLUMNS
    peak_pss_mb: float = 0.0
    peak_rss_mb: float = 0.0
    rest_pss_mb: float = 0.0

    @property
    def rate(self):
        return round(self.rows / self.seconds)


def wait_active(bench, slot, process, usage):
    """The moment at which a walsender takes the slot; `usage` follows it from then on."""
    while process.poll() is None:
        pid = bench.walsender(slot)
        if pid:
            usage.add("walsender", pid)
            break
        time.sleep(0.002)
    return time.monotonic()


def drain_peer(bench, kind, slot, end_lsn, rows):
    """One of PEERS, to the end of the backlog."""
    if kind == "pg_recvlogical":
        command = [f"{rig.bin_folder()}/pg_recvlogical", "-d", bench.pg.dsn(), "--slot", slot, "--start", "--no-loop"]
        command += ["--endpos", end_lsn, "-f", "/dev/null", "-o", "proto_version=1", "-o", "publication_names=bench"]
    else:
        command = [rig.tool("discard_reader"), bench.pg.dsn(), slot, "bench", str(rows), kind.split()[1]]
    # The slot may still have the walsender of the run before, whose processor time would be taken for this one's.
    rig.wait_until(lambda: bench.walsender(slot) is None, 60, f"the end of the last walsender of slot {slot}")
    process = rig.processes.spawn(command, stdout=rig.processes.subprocess.DEVNULL)
    with measure.Usage(process.pid, broker=bench.kafka.process.pid) as usage:
        active = wait_active(bench, slot, process, usage)
        code = process.wait()
        seconds = time.monotonic() - active
    rig.processes.reap(process)
    if code != 0:
        raise RuntimeError(f"{kind} ended with {code}")
    return Drain(rows, seconds, usage.cpu_us(rows), usage.peak_pss_mb(), usage.peak_rss_mb())


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


def drain_millrace(bench, name, slot, rows, rest_seconds=0.0):
    topic = f"{name}.public.orders"
    millrace = configure(bench, name, slot)
    with rig.running(millrace, "connect") as process:
        with measure.Usage(process.pid, broker=bench.kafka.process.pid) as usage:
            active = wait_active(bench, slot, process.popen, usage)
            rig.wait_until(lambda: bench.end_offset(topic) >= rows, 600, topic, pause=0.01)
            seconds = time.monotonic() - active
        rest_mb = measure.at_rest_mb(process.pid, rest_seconds)
    if bench.end_offset(topic) != rows:
        raise RuntimeError(f"{topic} has {bench.end_offset(topic)} records, not {rows}")
    return Drain(rows, seconds, usage.cpu_us(rows), usage.peak_pss_mb(), usage.peak_rss_mb(), rest_mb)


def rest_before(bench):
    """PSS of a connector that streams and has had nothing to do yet."""
    bench.slot("idle")
    millrace = configure(bench, "idle", "idle")
    with rig.running(millrace, "connect") as process:
        rig.wait_until(millrace.is_ready, 60, "readiness")
        size = measure.at_rest_mb(process.pid)
    bench.drop_slot("idle")
    return size


def prepare(bench, slots, rows):
    """The table, the publication, one slot a run before the rows, and the rows; the LSN after them."""
    bench.sql(rig.ORDERS)
    bench.sql("create publication bench for table orders")
    for slot in slots:
        bench.slot(slot)
    bench.insert_orders(rows)
    return bench.lsn()


def run_round(bench, name, end_lsn, options):
    """{kind: Drain}. The discarding reader confirms nothing, so that one slot does for all its runs."""
    drains = {}
    for kind in PEERS:
        slot = f"{name}_peer" if kind == "pg_recvlogical" else "discard"
        drains[kind] = drain_peer(bench, kind, slot, end_lsn, options.rows)
    if not options.peers_only:
        drains[OURS] = drain_millrace(bench, name, f"{name}_millrace", options.rows, rest_seconds=2.0)
    return drains


def show(rounds):
    """Every run's line, then the medians."""
    lines = []
    for name, drains in rounds.items():
        for kind, drain in drains.items():
            lines.append(_line(f"{name} {kind}", drain.rate, drain.cpu_us, drain.peak_pss_mb))
    for kind, median in medians(rounds).items():
        lines.append(_line(f"median {kind}", median["rows_s"], median["cpu_us_per_row"], median["peak_pss_mb"]))
    report.table(lines, ("", "rows/s", *COLUMNS, "peak PSS MB"))


def _line(name, rate, cpu_us, peak_mb):
    is_ours = name.endswith(OURS)
    hidden = () if is_ours else ("loop", "librdkafka", "broker")
    return (name, rate, *(None if key in hidden else cpu_us.get(key) for key in COLUMNS.values()), peak_mb)


def medians(rounds):
    result = {}
    for kind in next(iter(rounds.values())):
        runs = [drains[kind] for drains in rounds.values()]
        result[kind] = {
            "rows_s": round(statistics.median(run.rate for run in runs)),
            "cpu_us_per_row": measure.median_of([run.cpu_us for run in runs]),
            "peak_pss_mb": max(run.peak_pss_mb for run in runs),
            "peak_rss_mb": max(run.peak_rss_mb for run in runs),
        }
    return result


def ratios(rounds):
    """Ours over each peer, the median over the rounds."""
    result = {}
    for peer in PEERS:
        each = [drains[OURS].rate / drains[peer].rate for drains in rounds.values()]
        result[peer] = round(statistics.median(each), 2)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers-only", action="store_true", help="the discarding readers alone")
    rig.kafka_option(parser)
    options = parser.parse_args()
    names = ["warm"] + [f"round{number}" for number in range(1, options.rounds + 1)]
    with rig.Rig(options.kafka) as bench:
        slots = ["discard"] + [f"{name}_{who}" for name in names for who in ("peer", "millrace")]
        end_lsn = prepare(bench, slots, options.rows)
        result = {"rows": options.rows}
        rounds = {name: run_round(bench, name, end_lsn, options) for name in names}
        del rounds["warm"]
        show(rounds)
        result["runs_rows_s"] = {kind: [d[kind].rate for d in rounds.values()] for kind in rounds["round1"]}
        result["medians"] = medians(rounds)
        if not options.peers_only:
            result["ratios"] = ratios(rounds)
            print("millrace connect over " + ", ".join(f"{peer} {ratio}" for peer, ratio in result["ratios"].items()))
            result["rest_pss_mb"] = rest_before(bench)
            result["rest_after_pss_mb"] = max(drains[OURS].rest_pss_mb for drains in rounds.values())
        report.report("connector", result)


if __name__ == "__main__":
    main()
