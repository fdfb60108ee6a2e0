"""Calls through core/http/http_client by the program http_calls, for tests with real HTTP servers."""

import json
import os
import socket
import subprocess

from lib.program import BINARY

SERVERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http_servers")
CALLS = os.path.join(os.path.dirname(BINARY), "tests", "component", "http_calls")


def call(url, **options):
    """The outcomes, in the order of their ends."""
    arguments = [f"{name}={value}" for name, value in options.items()]
    done = subprocess.run([CALLS, url, *arguments], capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def is_listening(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def good(outcomes, status=200):
    assert [(outcome["fault"], outcome["status"]) for outcome in outcomes] == [("", status)] * len(outcomes)
    return [outcome["body"] for outcome in outcomes]
