"""
Memory of the bridge with much to do: millions of events wait on Kafka, thousands of keys fail again and again, and a
million events wait behind one of them.

Copies of one record that millrace's connector made, with other keys, in one partition: first one event for each of
`--stuck` keys, then `--behind` events of key 1, which is one of them, then all others, each with a key of its own. The
function (work_server) answers 500 for the stuck keys and 200 for all others. The run ends when so many of the others
(`--done`) were answered; meanwhile every stuck key is retried.

With `--hold` the first failure of a stuck key is final: its dead letter is stored, and the key is held
(`on_failure.hold_key`).
"""

import argparse
import json
import os

import measure
import report
import rig
from confluent_kafka import Producer
from lanes import WorkServer
from lib.records import read_topic

SOURCE = "bench.public.one"
TOPIC = "bench.waiting"
NOTE = b"x" * 100
# As many failures as a day of retries has, and none that ends in the dead-letter topic meanwhile.
RETRY = {"attempts": 1_000_000, "backoff": {"initial": "1s", "max": "5s"}}

HOLD = {"retry": {"statuses": {500: "dead"}}, "on_failure": {"hold_key": True}}


def zigzag(number):
    """A long in Avro."""
    value, out = number << 1, b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def one_record(bench):
    """A record of a table with the key {"id": 1}, as the connector writes it."""
    bench.sql("create table one (id bigint primary key, note text)")
    millrace = bench.millrace()
    millrace.connector("load", bench.pg.dsn(), topic_prefix="bench", topics={"partitions": 1})
    bench.sql("insert into one values (1, %s)", NOTE.decode())
    with rig.running(millrace, "connect"):
        rig.wait_until(lambda: bench.end_offset(SOURCE) == 1, 60, SOURCE)
    return read_topic(bench.kafka, SOURCE, count=1)[0]


def produce(bench, record, options):
    bench.kafka.create_topic(TOPIC)
    settings = {"bootstrap.servers": bench.kafka.bootstrap, "linger.ms": 20, "compression.type": "lz4",
                "queue.buffering.max.messages": 1_000_000}
    producer = Producer(settings)
    head = record.raw_key[:5]  # the frame; the rest of this key is its long
    total = options.events

    before, after = record.raw_value.split(NOTE)

    def send(key):
        value = before + os.urandom(len(NOTE) // 2).hex().encode() + after  # so that it is not all one to compress
        while True:
            try:
                return producer.produce(TOPIC, key=head + zigzag(key), value=value)
            except BufferError:
                producer.poll(0.1)

    for number in range(total):
        behind = options.stuck <= number < options.stuck + options.behind
        send(1 if behind else number + 1)
        if number % 10_000 == 0:
            producer.poll(0)
        if number % 1_000_000 == 999_999:
            print(f"{number + 1} of {total} events on Kafka", flush=True)
    if producer.flush(300) != 0:
        raise RuntimeError("Kafka did not take all events")


def status(millrace):
    found = json.loads(millrace.get("/readyz").text)
    return next(f for f in found["functions"] if f["name"] == "backlog")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--stuck", type=int, default=10_000)
    parser.add_argument("--behind", type=int, default=1_000_000)
    parser.add_argument("--done", type=int, default=200_000)
    parser.add_argument("--hold", action="store_true")
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench, WorkServer() as server:
        produce(bench, one_record(bench), options)
        server.get("/reset")
        millrace = bench.millrace()
        delivery = HOLD if options.hold else {"retry": RETRY}
        millrace.function("backlog", TOPIC, f"{server.url}/fail?{options.stuck}", delivery=delivery)

        def done():
            stats = server.stats()
            return stats["requests"] - stats["failed"] >= options.done

        with rig.running(millrace, "bridge") as process, measure.Usage(process.pid) as usage:
            rig.wait_until(done, 600, f"{options.done} events done", pause=0.2)
            if options.hold:
                rig.wait_until(lambda: status(millrace)["parked_keys"] == options.stuck, 600, "held keys", pause=0.2)
            stats, said = server.stats(), status(millrace)
    result = {
        "events": options.events,
        "hold_key": options.hold,
        "stuck_keys": options.stuck,
        "behind_one": options.behind,
        "done": stats["requests"] - stats["failed"],
        "failed_calls": stats["failed"],
        "status": said,
        "peak_pss_mb": usage.peak_pss_mb(),
        "peak_rss_mb": usage.peak_rss_mb(),
    }
    report.table([("bridge", result["done"], result["failed_calls"], result["peak_pss_mb"], result["peak_rss_mb"])],
                 ("", "done", "failed calls", "peak PSS MB", "peak RSS MB"))
    report.report("backlog", result)


if __name__ == "__main__":
    main()
