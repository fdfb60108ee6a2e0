"""
What many functions cost: start-up, memory, threads, descriptors, processor time at rest and at load, of millrace and
of the broker.

`--functions` functions share `--topics` topics evenly, each topic with one partition. After the start-up and a while
at rest, `--events` records are written to each topic, and each of its functions delivers all of them to nginx. Then a
second process joins all groups.
"""

import argparse
import os
import time

import measure
import report
import rig
from backlog import one_record, zigzag
from confluent_kafka import Producer

TOPIC = "bench.fanout.{}"


def produce(bench, record, topics, events):
    producer = Producer({"bootstrap.servers": bench.kafka.bootstrap, "linger.ms": 20, "compression.type": "lz4",
                         "queue.buffering.max.messages": 1_000_000})
    for number in range(events):
        for topic in range(topics):
            producer.produce(TOPIC.format(topic), key=record.raw_key[:5] + zigzag(number), value=record.raw_value)
        producer.poll(0)
    if producer.flush(300) != 0:
        raise RuntimeError("Kafka did not take all events")


def count(pid, what):
    return len(os.listdir(f"/proc/{pid}/{what}"))


def at_rest(process, broker, seconds):
    """Processor time is in percent of one core."""
    before = measure.cpu_by_group(process.pid)
    broker_before = measure.cpu_seconds(broker)
    time.sleep(seconds)
    after = measure.cpu_by_group(process.pid)
    return {
        "pss_mb": measure.mb(measure.pss_kib(process.pid)),
        "threads": count(process.pid, "task"),
        "descriptors": count(process.pid, "fd"),
        "cpu_percent": round((after["total"] - before["total"]) / seconds * 100, 2),
        "loop_cpu_percent": round((after["loop"] - before["loop"]) / seconds * 100, 2),
        "broker_cpu_percent": round((measure.cpu_seconds(broker) - broker_before) / seconds * 100, 2),
    }


def configure(bench, options, url, **more):
    millrace = bench.millrace()
    for number in range(options.functions):
        millrace.function(f"fanout-{number}", TOPIC.format(number % options.topics), url, make_topics=False,
                          delivery={"concurrency": 4}, **more)
    return millrace


def is_ready(millrace):
    try:
        return millrace.get("/readyz").status_code == 200
    except OSError:
        return False


def wait_ready(millrace, since):
    """Seconds until all functions are assigned."""
    rig.wait_until(lambda: is_ready(millrace), 600, "all functions", pause=0.1)
    return round(time.monotonic() - since, 2)


def deliver(bench, options, process, nginx, record):
    deliveries = options.events * options.functions
    produce(bench, record, options.topics, options.events // 10)  # warms up: schemas, connections
    rig.wait_until(lambda: nginx.requests() >= deliveries // 10, 600, "the first deliveries", pause=0.1)
    nginx.reset()
    before = measure.cpu_by_group(process.pid)
    broker_before = measure.cpu_seconds(bench.kafka.process.pid)
    with measure.Usage(process.pid, every=0.2) as usage:
        begun = time.monotonic()
        produce(bench, record, options.topics, options.events)
        rig.wait_until(lambda: nginx.requests() >= deliveries, 600, f"{deliveries} deliveries", pause=0.1)
        seconds = time.monotonic() - begun
        peak = usage.peak_pss_mb()
    after = measure.cpu_by_group(process.pid)
    each = 1e6 / deliveries
    return {
        "deliveries": deliveries,
        "deliveries_s": round(deliveries / seconds),
        "cpu_us": round((after["total"] - before["total"]) * each, 2),
        "loop_cpu_us": round((after["loop"] - before["loop"]) * each, 2),
        "librdkafka_cpu_us": round((after["librdkafka"] - before["librdkafka"]) * each, 2),
        "broker_cpu_us": round((measure.cpu_seconds(bench.kafka.process.pid) - broker_before) * each, 2),
        "peak_pss_mb": peak,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=20)
    parser.add_argument("--topics", type=int, default=1)
    parser.add_argument("--events", type=int, default=20_000, help="for each topic")
    parser.add_argument("--rest", type=float, default=10.0, help="seconds at rest")
    parser.add_argument("--no-join", action="store_true", help="start no second process")
    parser.add_argument("--start-only", action="store_true", help="deliver nothing: the start, and the cost at rest")
    rig.kafka_option(parser)
    options = parser.parse_args()
    result = {"functions": options.functions, "topics": options.topics}
    with rig.Rig(options.kafka) as bench, rig.Nginx(bench.folder) as nginx:
        record = one_record(bench)
        for topic in range(options.topics):
            bench.kafka.create_topic(TOPIC.format(topic))
        millrace = configure(bench, options, nginx.url)
        begun = time.monotonic()
        with rig.running(millrace, "bridge") as process:
            result["start_s"] = wait_ready(millrace, begun)
            result["start_cpu_s"] = round(measure.cpu_by_group(process.pid)["total"], 2)
            time.sleep(2)
            result["rest"] = at_rest(process, bench.kafka.process.pid, options.rest)
            begun = time.monotonic()
            result["metrics_bytes"] = len(millrace.get("/metrics").content)
            result["metrics_s"] = round(time.monotonic() - begun, 3)
            if not options.start_only:
                result["load"] = deliver(bench, options, process, nginx, record)
            if not options.no_join and not options.start_only:
                second = configure(bench, options, nginx.url)
                begun = time.monotonic()
                with rig.running(second, "bridge"):
                    result["join_s"] = wait_ready(second, begun)
                result["leave_s"] = wait_ready(millrace, begun)
            begun = time.monotonic()
            process.stop(120)
            result["stop_s"] = round(time.monotonic() - begun, 2)
    for what in ("rest", "load"):
        if what in result:
            report.table([(f"at {what}", *result[what].values())], ("", *result[what]))
    report.report("fanout", result)


if __name__ == "__main__":
    main()
