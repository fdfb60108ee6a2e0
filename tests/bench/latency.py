"""
How long a change travels: 150 inserts a second, each its own transaction, through `millrace run`.

Two clocks give the beginning. `source.ts_us` is PostgreSQL's commit time, taken before the commit is flushed to disk;
`returned` is the wall time at which COMMIT came back to the client. The end is the wall time at which a Python Kafka
consumer has the record, and at which an HTTP server of one thread has read the whole call, before it answers. Reader,
server and writer are processes of their own. Fsync is on.
"""

import argparse
import json
import multiprocessing
import selectors
import socket
import time

import rig

TOPIC = "bench.public.orders"


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


def consume(bootstrap, pipe):
    """The Kafka consumer: keeps arrival time and value."""
    consumer = rig.records.consumer(bootstrap, **{"group.id": "bench.latency", "fetch.wait.max.ms": 500})
    consumer.assign([rig.records.TopicPartition(TOPIC, 0, rig.records.OFFSET_END)])
    arrivals = []
    consumer.poll(0.5)
    pipe.send("ready")
    while not pipe.poll():
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            arrivals.append((time.time_ns() // 1000, message.value()))
    consumer.close()
    pipe.send(arrivals)


def beside(target, *arguments):
    """A process of its own and the pipe to it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    return ours


def write(bench, per_second, seconds):
    """Inserts at an even pace; {id: wall time of COMMIT's return}."""
    returned = {}
    connection = bench.sql_connection
    connection.prepare_threshold = 1
    values = rig.ORDER_VALUES.replace("%", "%%")
    insert = f"insert into orders select {values} from (select %s::int as i) row"
    begin = time.monotonic()
    for number in range(1, int(per_second * seconds) + 1):
        time.sleep(max(0.0, begin + number / per_second - time.monotonic()))
        connection.execute(insert, (number,))
        returned[number] = time.time_ns() // 1000
    return returned


def measure(bench, options, listener):
    millrace = bench.millrace()
    millrace.connector("bench", bench.pg.dsn(), snapshot="never", topics={"partitions": 1})
    millrace.function("latency", TOPIC, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    bench.kafka.create_topic(TOPIC)
    server = beside(serve, listener)
    with rig.running(millrace, "run"):
        rig.wait_until(millrace.is_ready, 60, "readiness")
        bench.sql(f"insert into orders select {rig.ORDER_VALUES} from (select 0 as i) row")
        rig.wait_until(lambda: bench.end_offset(TOPIC) == 1, 30, "the first record")
        reader = beside(consume, bench.kafka.bootstrap)
        reader.recv()
        returned = write(bench, options.rate, options.seconds)
        rig.wait_until(lambda: bench.end_offset(TOPIC) >= len(returned) + 1, 30, "the last record")
        time.sleep(1)
        reader.send("end")
        server.send("end")
        registry = millrace.registry
        records = [(at, registry.decode_bytes(value)[0]) for at, value in reader.recv()]
    calls = [(at, json.loads(body)) for at, body in server.recv()]
    return returned, records, calls


def figures(arrivals, returned, warm_ids):
    """p50 and p99 in milliseconds, by both clocks."""
    kept = [(at, event) for at, event in arrivals if event["after"]["id"] > warm_ids]
    by_commit = rig.percentiles([(at - event["source"]["ts_us"]) / 1000 for at, event in kept])
    by_return = rig.percentiles([(at - returned[event["after"]["id"]]) / 1000 for at, event in kept])
    return [round(value, 2) for value in (*by_commit, *by_return)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=150)
    parser.add_argument("--seconds", type=int, default=25)
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench, socket.create_server(("127.0.0.1", 0)) as listener:
        bench.sql(rig.ORDERS)
        returned, records, calls = measure(bench, options, listener)
    result = {"rate": options.rate, "records": len(records), "calls": len(calls)}
    if len(records) < len(returned) or len(calls) < len(returned):
        raise RuntimeError(f"{len(returned)} inserts, {result}")
    lines = []
    for name, arrivals in (("kafka", records), ("function", calls)):
        p50, p99, returned_p50, returned_p99 = figures(arrivals, returned, 2 * options.rate)
        lines.append((f"commit to {name}", p50, p99, returned_p50, returned_p99))
        result |= {f"{name}_p50_ms": p50, f"{name}_p99_ms": p99}
        result |= {f"{name}_returned_p50_ms": returned_p50, f"{name}_returned_p99_ms": returned_p99}
    rig.table(lines, ("ms", "p50", "p99", "p50 from return", "p99 from return"))
    rig.report("latency", result)


if __name__ == "__main__":
    main()
