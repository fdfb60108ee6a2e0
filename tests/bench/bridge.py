"""
The bridge beside a bare libcurl loop: events of one partition with distinct keys, called at nginx.

millrace's connector publishes the events once. Then, in turn: bare_curl sends copies of one request that the bridge
made (same headers, same body) over 32 connections, and `millrace bridge` with `concurrency: 32` and one event a
request reads the partition from its beginning in a consumer group of its own. Both are counted by nginx, from its
first answer to its last. The batch runs send 100 events a request and are counted by millrace's own metric of
settled events. Processor time is that of each whole process, start included, over the number of events; the server
is nginx's worker.
"""

import argparse
import json
import socket
import statistics
import time
from dataclasses import dataclass

import measure
import report
import rig

CONCURRENCY = 32
TOPIC = "bench.public.orders"
BATCH_PAYLOADS = ("row", "cloudevents-batch")
# Heading: name in Usage.
COLUMNS = {
    "CPU us/event": "total",
    "loop": "loop",
    "librdkafka": "librdkafka",
    "server": "server",
    "broker": "broker",
}


@dataclass
class Run:
    """One run's figures."""

    rate: int  # events a second
    cpu_us: dict  # per event, see COLUMNS
    peak_pss_mb: float
    peak_rss_mb: float


def load(bench, rows):
    """The rows of `orders`, on Kafka as the connector writes them."""
    bench.sql(rig.ORDERS)
    bench.sql("create publication bench for table orders")
    bench.slot("bench")
    millrace = bench.millrace()
    millrace.connector(
        "load",
        bench.pg.dsn(),
        topic_prefix="bench",
        slot={"name": "bench", "publication": "bench"},
        snapshot="never",
        topics={"partitions": 1},
    )
    bench.insert_orders(rows)
    with rig.running(millrace, "connect"):
        rig.wait_until(lambda: bench.end_offset(TOPIC) >= rows, 600, TOPIC, pause=0.1)


def capture(bench, topic=TOPIC):
    """One request as the bridge sends it: its header lines without those that libcurl makes itself, and its body."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        millrace = bench.millrace()
        millrace.function("capture", topic, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        listener.settimeout(60)
        with rig.running(millrace, "bridge"):
            connection, _ = listener.accept()
            with connection:
                head, body = read_request(connection)
    lines = [line for line in head.decode().split("\r\n")[1:] if line]
    own = ("host", "content-length", "accept", "content-type")
    return [line for line in lines if line.split(":")[0].lower() not in own], body


def read_request(connection):
    """(head, body) of one request with a content length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    lines = [line.split(b":", 1) for line in head.split(b"\r\n")[1:]]
    length = int({name.lower(): value for name, value in lines}[b"content-length"])
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


def timed(nginx, is_done, process):
    """Seconds from nginx's first answer until the end."""
    first = None
    while True:
        count = nginx.requests()
        if count > 0 and first is None:
            first = time.monotonic()
        if is_done(count):
            return time.monotonic() - first
        if process.poll() not in (None, 0):
            raise RuntimeError(f"ended with {process.poll()}")
        time.sleep(0.05)


def run_bare(nginx, requests, sample):
    """bare_curl with copies of the sample, (header lines, path of the body)."""
    headers, body_file = sample
    nginx.reset()
    command = [rig.tool("bare_curl"), nginx.url, str(requests), str(CONCURRENCY), body_file, *headers]
    process = rig.processes.spawn(command, stdout=rig.processes.subprocess.PIPE, text=True)
    with measure.Usage(process.pid, server=nginx.worker) as usage:
        seconds = timed(nginx, lambda count: count >= requests, process)
    said = json.loads(process.communicate()[0])
    rig.processes.reap(process)
    if said["failed"]:
        raise RuntimeError(f"bare_curl: {said}")
    return Run(round(requests / seconds), usage.cpu_us(requests), usage.peak_pss_mb(), usage.peak_rss_mb())


def run_bridge(bench, nginx, events, name, topic=TOPIC, **more):
    """A function of that name, from the topic's beginning until so many events are done."""
    millrace = bench.millrace()
    batch = more.pop("batch", {"events": 1})
    delivery = {"concurrency": CONCURRENCY, "batch": batch}
    millrace.function(name, topic, nginx.url, delivery=delivery, **more)

    def is_done(count):
        if batch["events"] == 1:
            return count >= events
        return count > 0 and (millrace.metric("millrace_function_events_total") or 0) >= events

    nginx.reset()
    others = {"server": nginx.worker, "broker": bench.kafka.process.pid}
    with rig.running(millrace, "bridge") as process:
        with measure.Usage(process.pid, **others) as usage:
            seconds = timed(nginx, is_done, process.popen)
    if events == bench.end_offset(topic):
        committed = bench.kafka.committed(f"millrace.{name}", topic)
        if committed != {0: events}:
            raise RuntimeError(f"{name} committed {committed}, not {events}")
    return Run(round(events / seconds), usage.cpu_us(events), usage.peak_pss_mb(), usage.peak_rss_mb())


def save_sample(bench, topic=TOPIC):
    """One of the bridge's requests for run_bare, and its size in bytes."""
    headers, body = capture(bench, topic)
    body_file = f"{bench.folder}/body"
    with open(body_file, "wb") as file:
        file.write(body)
    return (headers, body_file), len(body) + sum(len(line) + 2 for line in headers)


def line(name, run):
    """bare_curl has one thread and knows no broker."""
    hidden = ("loop", "librdkafka", "broker") if "bare" in name else ()
    return (name, run.rate, *(None if key in hidden else run.cpu_us.get(key) for key in COLUMNS.values()),
            run.peak_pss_mb)


def singles(bench, nginx, options):
    """One event a request beside bare libcurl."""
    sample, size = save_sample(bench)
    pairs, lines = [], []
    for number in range(1, options.rounds + 1):
        bare = run_bare(nginx, options.rows // 2, sample)
        ours = run_bridge(bench, nginx, options.rows, f"single-{number}")
        pairs.append((bare, ours))
        lines += [line(f"round{number} bare libcurl", bare), line(f"round{number} millrace bridge", ours)]
    ratios = [round(ours.rate / bare.rate, 2) for bare, ours in pairs]
    costs = [measure.median_of([run.cpu_us for run in runs]) for runs in zip(*pairs)]
    result = {
        "request_bytes": size,
        "bare_curl_requests_s": [bare.rate for bare, _ in pairs],
        "millrace_requests_s": [ours.rate for _, ours in pairs],
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "bare_curl_cpu_us_per_event": costs[0],
        "millrace_cpu_us_per_event": costs[1],
        "cpu_ratio": round(costs[1]["total"] / costs[0]["total"], 2),
        "peak_pss_mb": max(ours.peak_pss_mb for _, ours in pairs),
        "peak_rss_mb": max(ours.peak_rss_mb for _, ours in pairs),
    }
    return lines, result


def batches(bench, nginx, rows):
    """A hundred events a request."""
    lines, result = [], {}
    for payload in BATCH_PAYLOADS:
        ours = run_bridge(bench, nginx, rows, f"batch-{payload}", payload=payload, batch={"events": 100})
        lines.append(line(f"batches of 100, payload {payload}", ours))
        name = f"batch_{payload.replace('-', '_')}"
        result |= {f"{name}_events_s": ours.rate, f"{name}_cpu_us_per_event": ours.cpu_us}
        result[f"{name}_peak_pss_mb"] = ours.peak_pss_mb
    return lines, result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-only", action="store_true")
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench, rig.Nginx(bench.folder) as nginx:
        load(bench, options.rows)
        lines, result = [], {"rows": options.rows}
        if not options.batch_only:
            lines, result = singles(bench, nginx, options)
        more_lines, more = batches(bench, nginx, options.rows)
        report.table(lines + more_lines, ("", "events/s", *COLUMNS, "peak PSS MB"))
        if not options.batch_only:
            print(f"millrace bridge over bare libcurl: events/s {result['ratio']}, CPU {result['cpu_ratio']}")
        report.report("bridge", {"rows": options.rows, **result, **more})


if __name__ == "__main__":
    main()
