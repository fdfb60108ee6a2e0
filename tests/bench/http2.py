"""
The HTTP/2 client of the bridge beside h2load and a bare libcurl loop: POSTs of 100 bytes to nghttpd, over as many
connections and streams, without TLS and with it. The server runs on one core, each client in turn on another. Ours is
tests/component/core/http/http_calls, which is core/http/http_client with nothing around it.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile

import report
import rig
from lib import pki, processes
from lib.http_calls import is_listening
from lib.waiting import wait_until

SHAPES = ((1, 64), (4, 16))  # connections, streams on each


def on_core(number, command):
    return ["taskset", "-c", str(number % os.cpu_count()), *command]


def run(command, **environment):
    done = subprocess.run(
        on_core(1, command), capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def h2load(url, requests, connections, streams, body):
    said = run(["h2load", "-n", str(requests), "-c", str(connections), "-m", str(streams), "-d", body, url])
    if int(re.search(r"(\d+) succeeded", said)[1]) != requests:
        raise RuntimeError(said)
    return round(float(re.search(r"([\d.]+) req/s", said)[1]))


def ours(url, requests, connections, streams, ca):
    options = [f"calls={requests}", f"at_once={connections * streams}", f"connections={connections}"]
    said = run([rig.tool("http_calls"), url, *options, f"ca={ca}", "version=2", "body_bytes=100", "quiet=1"])
    done = json.loads(said.splitlines()[-1])
    if done["failed"]:
        raise RuntimeError(said[-1000:])
    return done["calls_per_s"]


def libcurl(url, requests, streams, body):
    command = [rig.tool("bare_curl"), url, str(requests), str(streams), body]
    return json.loads(run(command, BARE_CURL_HTTP2="1"))["requests_per_s"]


class Server:
    """nghttpd with one worker; it answers with 100 bytes."""

    def __init__(self, folder, tls, streams):
        self.port = processes.free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/body"
        keys = [f"{folder}/server.key", f"{folder}/server.pem"] if tls else []
        options = ["-n", "1", "-m", str(streams), "-d", folder, *([] if tls else ["--no-tls"])]
        self.command = on_core(0, ["nghttpd", *options, str(self.port), *keys])

    def __enter__(self):
        self.process = processes.spawn(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: is_listening(self.port), 30, "nghttpd")
        return self

    def __exit__(self, *_):
        processes.reap(self.process)


def rates_of(tls, connections, streams, options, folder):
    """Requests a second of each client, a list with a figure for each round."""
    rates = {"h2load": [], "ours": [], "libcurl": []}
    body = f"{folder}/body"
    with Server(folder, tls, streams) as server:
        for _ in range(options.rounds):
            rates["h2load"].append(h2load(server.url, options.requests, connections, streams, body))
            rates["ours"].append(ours(server.url, options.requests, connections, streams, f"{folder}/authority.pem"))
            if tls and connections == 1:
                rates["libcurl"].append(libcurl(server.url, options.requests // 8, streams, body))
    return rates


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rig.end_on_sigterm()
    rows, result = [], {}
    with tempfile.TemporaryDirectory() as folder:
        pki.Authority(folder, "authority").issue("server")
        with open(f"{folder}/body", "w", encoding="utf-8") as file:
            file.write("x" * 100)
        for tls in (False, True):
            for connections, streams in SHAPES:
                rates = rates_of(tls, connections, streams, options, folder)
                name = f"{'https' if tls else 'http'}, {connections} x {streams}"
                ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates["h2load"], strict=True))
                medians = [statistics.median(values) if values else None for values in rates.values()]
                rows.append((name, *medians, round(ratio, 2)))
                result[name] = {**rates, "ratio": round(ratio, 3)}
    report.table(rows, ("connections x streams", "h2load/s", "ours/s", "libcurl/s", "ours over h2load"))
    report.report("http2", result)


if __name__ == "__main__":
    main()
