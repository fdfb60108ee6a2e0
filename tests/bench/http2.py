"""
The HTTP/2 client of the bridge beside h2load and a bare libcurl loop: POSTs of 100 bytes to nghttpd, over as many
connections and streams, without TLS and with it. The server runs on one core, each client in turn on another. Ours is
tests/component/core/http/http_calls, which is core/http/http_client with nothing around it.

On a machine with other work the rates of one round differ by half; the processor time of each client for a request,
user and system, start included, differs less.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import tempfile
from dataclasses import dataclass

import report
import rig
from lib import pki, processes
from lib.http_calls import is_listening
from lib.waiting import wait_until

SHAPES = ((1, 64), (4, 16))  # connections, streams on each


def on_core(number, command):
    return ["taskset", "-c", str(number % os.cpu_count()), *command]


@dataclass
class Run:
    """One run of a client."""

    rate: float  # requests a second
    cpu_us: float  # of the client, for a request


def client_seconds():
    """Processor time of the clients that have ended; the server has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(run_client, requests, *arguments):
    before = client_seconds()
    rate = run_client(*arguments)
    return Run(rate, (client_seconds() - before) * 1e6 / requests)


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


def runs_of(tls, connections, streams, options, folder):
    """{client: [Run]}, one for each round."""
    runs = {"h2load": [], "ours": [], "libcurl": []}
    body = f"{folder}/body"
    count = options.requests
    with Server(folder, tls, streams) as server:
        for _ in range(options.rounds):
            runs["h2load"].append(measured(h2load, count, server.url, count, connections, streams, body))
            ca = f"{folder}/authority.pem"
            runs["ours"].append(measured(ours, count, server.url, count, connections, streams, ca))
            if tls and connections == 1:
                few = count // 8
                runs["libcurl"].append(measured(libcurl, few, server.url, few, streams, body))
    return runs


def medians(runs, figure):
    """Of each client's rounds; None: it did not run."""
    return [statistics.median(getattr(run, figure) for run in rounds) if rounds else None for rounds in runs.values()]


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
                runs = runs_of(tls, connections, streams, options, folder)
                name = f"{'https' if tls else 'http'}, {connections} x {streams}"
                pairs = list(zip(runs["ours"], runs["h2load"], strict=True))
                ratio = statistics.median(a.rate / b.rate for a, b in pairs)
                cpu_ratio = statistics.median(a.cpu_us / b.cpu_us for a, b in pairs)
                rates, times = medians(runs, "rate"), medians(runs, "cpu_us")
                rows.append((name, *rates, round(ratio, 2), *times, round(cpu_ratio, 2)))
                said = {client: [vars(run) for run in rounds] for client, rounds in runs.items()}
                result[name] = {**said, "ratio": round(ratio, 3), "cpu_ratio": round(cpu_ratio, 3)}
    clients = ("h2load", "ours", "libcurl")
    rates = [f"{client}/s" for client in clients]
    times = [f"{client} CPU us" for client in clients]
    report.table(rows, ("connections x streams", *rates, "ours over h2load", *times, "ours over h2load"))
    report.report("http2", result)


if __name__ == "__main__":
    main()
