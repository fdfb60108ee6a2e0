"""
A table with a column of every type and an array of each, drained by pg_recvlogical into /dev/null and by the connector
into Kafka, with the same options of the plugin: the same backlog, in turn, with values in binary form and as text.

Rates count as in connector.py. A first round, not counted, warms the broker up.
"""

import argparse
import statistics

import connector
import measure
import report
import rig
from lib.type_values import EXTREMES, IN_ARRAYS, MADE

FORMS = ("binary", "text")


def prepare(bench, rows):
    """The table, the publication, and the rows after the slot `base`; the LSN after them."""
    kinds = [*EXTREMES, *(f"{kind}[]" for kind in IN_ARRAYS)]
    values = {kind: f"({values[0]})::{kind}" for kind, values in EXTREMES.items()}
    model = [*values.values(), *(f"array[{values[kind]}, null]::{kind}[]" for kind in IN_ARRAYS)]
    columns = [f"c{i}" for i in range(len(kinds))]
    bench.sql(MADE)
    bench.sql(f"create table forms (id int primary key, {', '.join(f'{c} {k}' for c, k in zip(columns, kinds))})")
    bench.sql(f"insert into forms values (0, {', '.join(model)})")
    bench.sql("create publication bench for table forms")
    bench.slot("base")
    for first in range(1, rows + 1, 1000):
        series = f"generate_series({first}, {min(first + 999, rows)}) i"
        bench.sql(f"insert into forms select i, {', '.join(columns)} from {series}, forms where id = 0")
    return bench.lsn()


def copy_slot(bench, name):
    bench.sql("select pg_copy_logical_replication_slot('base', %s)", name)
    return name


def drain_peer(bench, form, slot, end_lsn, rows):
    command = [f"{rig.bin_folder()}/pg_recvlogical", "-d", bench.pg.dsn(), "--slot", slot, "--start", "--no-loop"]
    command += ["--endpos", end_lsn, "-f", "/dev/null", "-o", "proto_version=1", "-o", "publication_names=bench"]
    command += ["-o", "binary=true"] if form == "binary" else []
    process = rig.processes.spawn(command, stdout=rig.processes.subprocess.DEVNULL)
    with measure.Usage(process.pid) as usage:
        active = connector.wait_active(bench, slot, process, usage)
        code = process.wait()
        seconds = connector.time.monotonic() - active
    rig.processes.reap(process)
    if code != 0:
        raise RuntimeError(f"pg_recvlogical ended with {code}")
    return connector.Drain(rows, seconds, usage.cpu_us(rows), usage.peak_pss_mb(), usage.peak_rss_mb())


def drain_millrace(bench, form, slot, rows):
    name = slot.replace("_", "-")
    topic = f"{name}.public.forms"
    millrace = bench.millrace()
    millrace.connector(
        name,
        bench.pg.dsn(),
        tables={"include": ["public.forms"]},
        slot={"name": slot, "publication": "bench"},
        snapshot="never",
        topics={"partitions": 1},
        binary_stream="auto" if form == "binary" else "off",
    )
    with rig.running(millrace, "connect") as process:
        process.wait_event("stream_format", format=form)
        with measure.Usage(process.pid, broker=bench.kafka.process.pid) as usage:
            active = connector.wait_active(bench, slot, process.popen, usage)
            rig.wait_until(lambda: bench.end_offset(topic) >= rows, 600, topic, pause=0.01)
            seconds = connector.time.monotonic() - active
    return connector.Drain(rows, seconds, usage.cpu_us(rows), usage.peak_pss_mb(), usage.peak_rss_mb())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    rig.kafka_option(parser)
    options = parser.parse_args()
    runs = {form: {"pg_recvlogical": [], connector.OURS: []} for form in FORMS}
    with rig.Rig(options.kafka) as bench:
        end_lsn = prepare(bench, options.rows)
        for number in range(options.rounds + 1):
            for form in FORMS:
                slots = [copy_slot(bench, f"{form}_{number}_{who}") for who in ("peer", "ours")]
                peer = drain_peer(bench, form, slots[0], end_lsn, options.rows)
                ours = drain_millrace(bench, form, slots[1], options.rows)
                for slot in slots:
                    bench.drop_slot(slot)
                if number > 0:
                    runs[form]["pg_recvlogical"].append(peer)
                    runs[form][connector.OURS].append(ours)
    lines, result = [], {"rows": options.rows}
    for form, kinds in runs.items():
        for kind, drains in kinds.items():
            rate = round(statistics.median(drain.rate for drain in drains))
            cpu = measure.median_of([drain.cpu_us for drain in drains])
            lines.append((f"{kind}, {form}", rate, cpu["total"], cpu.get("walsender"), cpu.get("broker")))
            result[f"{form} {kind}"] = {"runs_rows_s": [drain.rate for drain in drains], "cpu_us_per_row": cpu}
        each = [ours.rate / peer.rate for ours, peer in zip(kinds[connector.OURS], kinds["pg_recvlogical"])]
        result[f"{form} ratio"] = round(statistics.median(each), 2)
    report.table(lines, ("", "rows/s", "CPU us/row", "walsender", "broker"))
    print(f"millrace connect over pg_recvlogical: binary {result['binary ratio']}, text {result['text ratio']}")
    report.report("every_type", result)


if __name__ == "__main__":
    main()
