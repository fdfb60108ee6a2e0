"""A schema registry as small as can be: registers, looks up, remembers who asked, and has troubles."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib.records import Registry, read_topic


class StubRegistry:
    def __init__(self):
        self.subjects = {}  # subject: id
        self.texts = {}  # id: text
        self.credentials = set()
        self.refused = {}  # subject: (status, content) of a refusal to register
        self.trouble = None  # a function of the handler that responds in place of all else
        self.troubled = []  # when such a request came, in monotonic seconds
        self.released = threading.Event()  # ends what hangs
        self.sent_bytes = 0  # by `endless`
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.owner = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def keys(self, kafka, topic, count):
        """The column `id` of the keys of the topic's records, which have schemas of this registry."""
        return [record.key["id"] for record in read_topic(kafka, topic, Registry(self.url), count=count)]

    def register(self, subject, text):
        known = [number for number, other in self.texts.items() if other == text]
        number = known[0] if known else 100 + len(self.texts)
        self.texts[number] = text
        self.subjects[subject] = number
        return number


def hang(handler):
    handler.server.owner.released.wait(120)
    handler.close_connection = True


def garbage(handler):
    handler.answer(200, ["no", {"registry": True}])


def endless(handler):
    """Promises 100 MB."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(100 << 20))
    handler.end_headers()
    handler.close_connection = True
    try:
        for _ in range(100):
            handler.wfile.write(b" " * (1 << 20))
            handler.server.owner.sent_bytes += 1 << 20
    except OSError:
        pass


def throttled(handler):
    handler.answer(429, {"error_code": 42901, "message": "slow down"}, {"Retry-After": "4"})


def unauthorized(handler):
    handler.answer(401, {"error_code": 401, "message": "Unauthorized"})


def forbidden(handler):
    handler.answer(403, {"error_code": 40301, "message": "User is denied operation Write"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, content, headers=None):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _has_trouble(self):
        owner = self.server.owner
        if owner.trouble:
            owner.troubled.append(time.monotonic())
            owner.trouble(self)
            return True
        return False

    def _remember(self):
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            self.server.owner.credentials.add(base64.b64decode(token).decode())

    def do_POST(self):
        self._remember()
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self._has_trouble():
            return
        parts = self.path.split("?")[0].strip("/").split("/")
        if len(parts) == 3 and parts[0] == "subjects" and parts[1] in self.server.owner.refused:
            self.answer(*self.server.owner.refused[parts[1]])
        elif len(parts) == 3 and parts[0] == "subjects" and parts[2] == "versions":
            self.answer(200, {"id": self.server.owner.register(parts[1], content["schema"])})
        else:
            self.answer(404, {"error_code": 40401, "message": "Subject not found."})

    def do_GET(self):
        self._remember()
        if self._has_trouble():
            return
        parts = self.path.split("?")[0].strip("/").split("/")
        number = int(parts[2]) if parts[:2] == ["schemas", "ids"] and len(parts) == 3 else None
        if number in self.server.owner.texts:
            self.answer(200, {"schema": self.server.owner.texts[number]})
        else:
            self.answer(404, {"error_code": 40403, "message": "Schema not found"})
