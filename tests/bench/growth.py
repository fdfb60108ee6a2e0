"""
What grows and what does not: rows/s with the changes interleaved over 1,000 tables beside 10 tables, and memory over
one transaction of 5 million rows.

The connector has its defaults, one partition a topic. Each set of tables has had one row a table published before the
measurement, so topics and schemas exist; then the connector is stopped, the backlog is written, one row a table in
turn, and the connector drains it, twice: the first time, not counted, warms the broker up. The clock runs from the
start of streaming; `steady` leaves out the first tenth.
"""

import argparse
import time

import measure
import report
import rig
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec


def interleave(bench, tables, rows, first, per_transaction=5000):
    """Row after row into the next table, in transactions."""
    for begin in range(first, first + rows, per_transaction):
        end = min(begin + per_transaction, first + rows) - 1
        bench.sql(
            f"""do $$ begin for n in {begin}..{end} loop
                execute 'insert into t' || n % {tables} || ' select {rig.ORDER_VALUES.replace("'", "''")}
                         from (select $1 as i) row' using n;
            end loop; end $$"""
        )


def end_of(found):
    try:
        return found.result().offset
    except KafkaException:  # the partition has just been made and has no leader
        return 0


def on_kafka(bench, topics):
    """Records on these topics, of one partition each: one request. The connector's own gauges are set once a second."""
    latest = {TopicPartition(topic, 0): OffsetSpec.latest() for topic in topics}
    return sum(end_of(found) for found in bench.kafka.admin.list_offsets(latest, request_timeout=30).values())


def drain(bench, millrace, topics, rows):
    """Starts the connector on its backlog; (rows/s, steady rows/s, [(rows, PSS MB)], CPU us a row)."""
    before = on_kafka(bench, topics)
    with rig.running(millrace, "connect") as process, measure.Usage(process.pid) as usage:
        progress = []
        began = None
        while not progress or progress[-1][1] < rows:
            if began is None and bench.sql("select 1 from pg_replication_slots where active"):
                began = time.monotonic()
            progress.append((time.monotonic(), on_kafka(bench, topics) - before))
            if process.popen.poll() is not None:
                raise RuntimeError("millrace ended")
            time.sleep(0.05)
    ended = progress[-1][0]
    tenth = next(point for point in progress if point[1] >= rows / 10)
    sizes = [(share, usage.peak_pss_mb(until=at_share(progress, rows, share))) for share in (10, 25, 50, 75, 100)]
    steady = (rows - tenth[1]) / max(ended - tenth[0], 1e-3)
    return round(rows / (ended - began)), round(steady), sizes, usage.cpu_us(rows)["total"]


def at_share(progress, rows, percent):
    return next(at for at, done in progress if done >= rows * percent / 100)


def many_tables(bench, tables, rows):
    for start in range(0, tables, 100):
        batch = range(start, min(start + 100, tables))
        bench.sql("".join(f"create table t{n} (like orders including all);" for n in batch))
    name = f"many{tables}"
    millrace = bench.millrace()
    millrace.connector(
        name,
        bench.pg.dsn(),
        tables={"include": ["public.t*"]},
        snapshot="never",
        topics={"partitions": 1},
    )
    with rig.running(millrace, "connect"):
        rig.wait_until(millrace.is_ready, 60, "readiness")
        interleave(bench, tables, tables, 0)
        topics = [f"{name}.public.t{n}" for n in range(tables)]
        rig.wait_until(lambda: bench.kafka.topics().issuperset(topics), 300, "the topics", pause=1.0)
        rig.wait_until(lambda: on_kafka(bench, topics) >= tables, 300, "the first rows", pause=0.2)
    for turn in range(2):
        interleave(bench, tables, rows, tables + turn * rows)
        figures = drain(bench, millrace, topics, rows)
    got = on_kafka(bench, topics)
    if got != 2 * rows + tables:
        raise RuntimeError(f"{got} records on Kafka, not {2 * rows + tables}")
    bench.drop_slot(f"millrace_{name}")
    bench.sql(f"drop publication millrace_{name}")
    for start in range(0, tables, 100):
        bench.sql("".join(f"drop table t{n};" for n in range(start, min(start + 100, tables))))
    return figures


def one_transaction(bench, rows):
    millrace = bench.millrace()
    millrace.connector(
        "big",
        bench.pg.dsn(),
        tables={"include": ["public.orders"]},
        snapshot="never",
        topics={"partitions": 1},
    )
    with rig.running(millrace, "connect"):
        rig.wait_until(lambda: "big.public.orders" in bench.kafka.topics(), 60, "the topic")
    bench.insert_orders(rows, per_transaction=rows)
    return drain(bench, millrace, ["big.public.orders"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000, help="interleaved")
    parser.add_argument("--tables", type=int, nargs="*", default=[10, 1000])
    rig.kafka_option(parser)
    parser.add_argument("--big-rows", type=int, default=5_000_000, help="in one transaction; 0: leave out")
    options = parser.parse_args()
    lines, result = [], {"rows": options.rows, "big_rows": options.big_rows}
    with rig.Rig(options.kafka) as bench:
        bench.sql(rig.ORDERS)
        for tables in options.tables:
            rate, steady, sizes, cpu = many_tables(bench, tables, options.rows)
            lines.append((f"{tables} tables", rate, steady, cpu, sizes[-1][1]))
            result |= {f"tables_{tables}_rows_s": rate, f"tables_{tables}_steady_rows_s": steady}
            result[f"tables_{tables}_peak_pss_mb"] = sizes[-1][1]
        if len(options.tables) == 2:
            few, many = (f"tables_{n}_" for n in options.tables)
            result["ratio"] = round(result[many + "rows_s"] / result[few + "rows_s"], 2)
            result["ratio_steady"] = round(result[many + "steady_rows_s"] / result[few + "steady_rows_s"], 2)
        if options.big_rows:
            rate, steady, sizes, cpu = one_transaction(bench, options.big_rows)
            lines.append(("one transaction", rate, steady, cpu, sizes[-1][1]))
            result |= {"big_rows_s": rate, "big_peak_pss_mb_until_percent": dict(sizes)}
    report.table(lines, ("", "rows/s", "steady", "CPU us/row", "peak PSS MB"))
    report.report("growth", result)


if __name__ == "__main__":
    main()
