"""
How long a change travels: 150 inserts a second, each its own transaction, through `millrace run`.

Two clocks give the beginning. `source.ts_us` is PostgreSQL's commit time, taken before the commit is flushed to disk;
`returned` is the wall time at which COMMIT came back to the client. The end is the wall time at which a Python Kafka
consumer has the record, and at which an HTTP server of one thread has read the whole call, before it answers. Reader,
server and writer are processes of their own. Fsync is on. The first two seconds are left out.
"""

import argparse
import json
import multiprocessing
import selectors
import signal
import socket
import time
from dataclasses import dataclass

import measure
import report
import rig

TABLE = "trips"  # beside `orders`: other benchmarks count the rows of that
ENDS = ("kafka", "function")


@dataclass
class Latency:
    """Milliseconds, from the commit and from its return."""

    p50: float
    p99: float
    returned_p50: float
    returned_p99: float


def serve(listener, pipe):
    """The function: keeps arrival time and body, answers 200. Ends when the pipe has something."""
    arrivals, buffers = [], {}
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(pipe, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is pipe:
                pipe.send(arrivals)
                return
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                buffers[connection] = b""
                selector.register(connection, selectors.EVENT_READ)
                continue
            data = key.fileobj.recv(65536)
            now_us = time.time_ns() // 1000
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                continue
            buffers[key.fileobj] += data
            body = whole_body(buffers[key.fileobj])
            if body is not None:
                key.fileobj.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                buffers[key.fileobj] = b""
                arrivals.append((now_us, body))


def whole_body(data):
    """The body once all of it is there."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return None
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and len(body) >= int(value):
            return body
    return None


def consume(bootstrap, topic, pipe):
    """The Kafka consumer: keeps arrival time and value."""
    consumer = rig.records.consumer(bootstrap, **{"group.id": "bench.latency", "fetch.wait.max.ms": 500})
    consumer.assign([rig.records.TopicPartition(topic, 0, rig.records.OFFSET_END)])
    arrivals = []
    consumer.poll(0.5)
    pipe.send("ready")
    while not pipe.poll():
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            arrivals.append((time.time_ns() // 1000, message.value()))
    consumer.close()
    pipe.send(arrivals)


def child(target, *arguments):
    """The body of a process that ends with us, whatever ends us."""
    rig.processes._die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    target(*arguments)


class Beside:
    """A process of its own and the pipe to it."""

    def __init__(self, target, *arguments):
        self.pipe, theirs = multiprocessing.Pipe()
        fork = multiprocessing.get_context("fork")
        self.process = fork.Process(target=child, args=(target, *arguments, theirs), daemon=True)
        self.process.start()

    def __enter__(self):
        return self.pipe

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()


def prepare(bench):
    bench.sql(rig.ORDERS.replace("orders", TABLE, 1))


def write(bench, first, count, per_second):
    """Inserts at an even pace; {id: wall time of COMMIT's return}."""
    returned = {}
    connection = bench.sql_connection
    connection.prepare_threshold = 1
    values = rig.ORDER_VALUES.replace("%", "%%")
    insert = f"insert into {TABLE} select {values} from (select %s::int as i) row"
    begin = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begin + number / per_second - time.monotonic()))
        connection.execute(insert, (first + number,))
        returned[first + number] = time.time_ns() // 1000
    return returned


def carry(bench, name, first, options, listener):
    """Runs `millrace run` under the writer; ({id: return of COMMIT}, [(arrival, event)] on Kafka, the same called)."""
    topic = f"{name}.public.{TABLE}"
    count = options.rate * options.seconds
    millrace = bench.millrace()
    tables = {"include": [f"public.{TABLE}"]}
    millrace.connector(name, bench.pg.dsn(), tables=tables, snapshot="never", topics={"partitions": 1})
    millrace.function(name, topic, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    with Beside(serve, listener) as server, rig.running(millrace, "run"):
        rig.wait_until(millrace.is_ready, 60, "readiness")
        write(bench, first, 1, options.rate)
        rig.wait_until(lambda: bench.end_offset(topic) == 1, 30, "the first record")
        with Beside(consume, bench.kafka.bootstrap, topic) as reader:
            reader.recv()
            returned = write(bench, first + 1, count, options.rate)
            rig.wait_until(lambda: bench.end_offset(topic) >= count + 1, 60, "the last record")
            time.sleep(1)
            reader.send("end")
            server.send("end")
            registry = millrace.registry
            records = [(at, registry.decode_bytes(value)[0]) for at, value in reader.recv()]
        calls = [(at, json.loads(body)) for at, body in server.recv()]
    if len(records) < count or len(calls) < count:
        raise RuntimeError(f"{count} inserts, {len(records)} records, {len(calls)} calls")
    return returned, records, calls


def figures(arrivals, returned, warm_ids):
    """p50 and p99 in milliseconds, by both clocks."""
    kept = [(at, event) for at, event in arrivals if event["after"]["id"] > warm_ids]
    by_commit = measure.percentiles([(at - event["source"]["ts_us"]) / 1000 for at, event in kept])
    by_return = measure.percentiles([(at - returned[event["after"]["id"]]) / 1000 for at, event in kept])
    return Latency(*(round(value, 2) for value in (*by_commit, *by_return)))


def run(bench, name, first, options):
    """One connector and function of that name, ids from `first` on; {end: Latency}. Leaves no slot behind."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        returned, records, calls = carry(bench, name, first, options, listener)
    slot = f"millrace_{name.replace('-', '_')}"
    bench.drop_slot(slot)
    bench.sql(f"drop publication {slot}")
    warm_ids = first + 2 * options.rate
    return {end: figures(arrivals, returned, warm_ids) for end, arrivals in zip(ENDS, (records, calls))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=150)
    parser.add_argument("--seconds", type=int, default=25)
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench:
        prepare(bench)
        found = run(bench, "latency", 1, options)
    result = {"rate": options.rate, "seconds": options.seconds}
    for end, latency in found.items():
        result |= {f"{end}_{name}_ms": value for name, value in vars(latency).items()}
    lines = [(f"commit to {end}", *vars(latency).values()) for end, latency in found.items()]
    report.table(lines, ("ms", "p50", "p99", "p50 from return", "p99 from return"))
    report.report("latency", result)


if __name__ == "__main__":
    main()
