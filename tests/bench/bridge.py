"""
The bridge beside a bare libcurl loop: a million events of one partition with distinct keys, called at nginx.

millrace's connector publishes the events once. Then, in turn: bare_curl sends copies of one request that the bridge
made (same headers, same body) over 32 connections, and `millrace bridge` with `concurrency: 32` and one event a
request reads the partition from its beginning in a consumer group of its own. Both are counted by nginx, from its
first answer to its last. The batch runs send 100 events a request and are counted by millrace's own metric of
settled events.
"""

import argparse
import json
import socket
import statistics
import subprocess
import time

import rig

CONCURRENCY = 32
TOPIC = "bench.public.orders"


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
        rig.wait_until(lambda: bench.end_offset(TOPIC) >= rows, 300, TOPIC, pause=0.1)


def capture(bench):
    """One request as the bridge sends it: its header lines without those that libcurl makes itself, and its body."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        millrace = bench.millrace()
        millrace.function("capture", TOPIC, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        listener.settimeout(30)
        with rig.running(millrace, "bridge"):
            connection, _ = listener.accept()
            with connection:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, body = data.split(b"\r\n\r\n", 1)
                lines = [line for line in head.decode().split("\r\n")[1:] if line]
                headers = dict(line.split(":", 1) for line in lines)
                length = int({name.lower(): value for name, value in headers.items()}["content-length"])
                while len(body) < length:
                    body += connection.recv(65536)
    own = ("host", "content-length", "accept", "content-type")
    return [line for line in lines if line.split(":")[0].lower() not in own], body


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


def run_bare(nginx, requests, sample, bare_curl):
    headers, body_file = sample
    nginx.reset()
    command = [bare_curl, nginx.url, str(requests), str(CONCURRENCY), body_file, *headers]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    seconds = timed(nginx, lambda count: count >= requests, process)
    said = json.loads(process.communicate()[0])
    if said["failed"]:
        raise RuntimeError(f"bare_curl: {said}")
    return round(requests / seconds)


def run_bridge(bench, nginx, rows, name, **more):
    """A function of that name from the topic's beginning; (events/s, CPU seconds, peak PSS)."""
    millrace = bench.millrace()
    batch = more.pop("batch", {"events": 1})
    delivery = {"concurrency": CONCURRENCY, "batch": batch}
    millrace.function(name, TOPIC, nginx.url, delivery=delivery, **more)

    def is_done(count):
        if batch["events"] == 1:
            return count >= rows
        return count > 0 and (millrace.metric("millrace_function_events_total") or 0) >= rows

    nginx.reset()
    with rig.running(millrace, "bridge") as process, rig.Memory(process.pid) as memory:
        seconds = timed(nginx, is_done, process.popen)
        cpu = rig.cpu_seconds(process.pid)
    committed = bench.kafka.committed(f"millrace.{name}", TOPIC)
    if committed != {0: rows}:
        raise RuntimeError(f"{name} committed {committed}, not {rows}")
    return round(rows / seconds), cpu, memory.peak_mb()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--batch-only", action="store_true")
    parser.add_argument("--bare-curl", required=True, help="the program of bare_curl.c")
    rig.kafka_option(parser)
    options = parser.parse_args()
    with rig.Rig(options.kafka) as bench, rig.Nginx(bench.folder) as nginx:
        load(bench, options.rows)
        result = {"rows": options.rows}
        if not options.batch_only:
            result |= singles(bench, nginx, options)
        result |= batches(bench, nginx, options.rows)
        rig.report("bridge", result)


def singles(bench, nginx, options):
    headers, body = capture(bench)
    body_file = f"{bench.folder}/body"
    with open(body_file, "wb") as file:
        file.write(body)
    pairs, peaks, lines = [], [], []
    for number in range(1, options.pairs + 1):
        bare = run_bare(nginx, options.rows // 2, (headers, body_file), options.bare_curl)
        ours, cpu, peak = run_bridge(bench, nginx, options.rows, f"single-{number}")
        pairs.append((bare, ours))
        peaks.append(peak)
        lines.append((f"pair{number} bare_curl", bare, "", ""))
        lines.append((f"pair{number} millrace bridge", ours, round(cpu, 2), peak))
    rig.table(lines, ("", "requests/s", "CPU s", "peak PSS MB"))
    ratios = [round(ours / bare, 2) for bare, ours in pairs]
    return {
        "request_bytes": len(body) + sum(len(line) + 2 for line in headers),
        "bare_curl_requests_s": [bare for bare, _ in pairs],
        "millrace_requests_s": [ours for _, ours in pairs],
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "peak_pss_mb": max(peaks),
    }


def batches(bench, nginx, rows):
    lines, result = [], {}
    for payload in ("row", "cloudevents-batch"):
        name = f"batch-{payload}"
        ours, cpu, peak = run_bridge(bench, nginx, rows, name, payload=payload, batch={"events": 100})
        lines.append((f"batches of 100, payload {payload}", ours, round(cpu, 2), peak))
        result[f"batch_{payload.replace('-', '_')}_events_s"] = ours
        result[f"batch_{payload.replace('-', '_')}_peak_pss_mb"] = peak
    rig.table(lines, ("", "events/s", "CPU s", "peak PSS MB"))
    return result


if __name__ == "__main__":
    main()
