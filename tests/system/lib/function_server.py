"""A function to call: an HTTP server that keeps every request and answers as it is told."""

import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from lib.waiting import wait_until


@dataclass
class Answer:
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b"{}"
    delay: float = 0.0  # seconds before the answer, cut short when the server stops
    until: threading.Event = None  # no answer before this is set, or the server stops
    reset: bool = False  # a TCP reset instead of an answer
    cut: bool = False  # promises more body than it sends, then closes


@dataclass
class Call:
    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes
    began: float
    ended: float = None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def key(self):
        """CloudEvents' partitionkey, decoded."""
        return json.loads(unquote(self.headers["ce-partitionkey"]))

    @property
    def id(self):
        return self.headers.get("ce-id")


class FunctionServer:
    """`rule(call) -> Answer | None` decides each answer; None is 200. plan() is short for sequences."""

    def __init__(self, port=0):
        self.calls = []
        self.lock = threading.Lock()
        self.rule = None
        self.stopping = threading.Event()
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.server.owner = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def plan(self, *answers, then=None):
        """The first calls get these answers in turn, all others `then`."""
        left = list(answers)

        def rule(_):
            with self.lock:
                return left.pop(0) if left else then

        self.rule = rule

    def wait_calls(self, count, timeout=30.0, where=lambda call: True):
        """Waits for `count` finished calls and returns all so far."""

        def found():
            calls = [call for call in list(self.calls) if call.ended is not None and where(call)]
            return calls if len(calls) >= count else None

        return wait_until(found, timeout, lambda: f"{count} calls, {len(self.calls)} came")

    def running(self, where=lambda call: True):
        """The calls that wait for their answers."""
        return [call for call in list(self.calls) if call.ended is None and where(call)]

    def clear(self):
        with self.lock:
            self.calls.clear()
        self.rule = None

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # a client that goes away is part of the tests


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *arguments):
        pass

    def _serve(self):
        began = time.monotonic()
        owner = self.server.owner
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, self.path, headers, body, began)
        with owner.lock:
            owner.calls.append(call)
        answer = (owner.rule(call) if owner.rule else None) or Answer()
        if answer.delay:
            owner.stopping.wait(answer.delay)
        while answer.until and not answer.until.wait(0.02) and not owner.stopping.is_set():
            pass
        call.ended = time.monotonic()
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self._answer(answer)

    def _answer(self, answer):
        (self.send_response_only if "Date" in answer.headers else self.send_response)(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body) + (100 if answer.cut else 0)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
        if answer.cut:
            self.close_connection = True

    do_POST = do_PUT = do_GET = _serve
