"""A schema registry as small as can be: registers, looks up, and remembers who asked."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StubRegistry:
    def __init__(self):
        self.subjects = {}  # subject: id
        self.texts = {}  # id: text
        self.credentials = set()
        self.refused = {}  # subject: (status, content) of a refusal to register
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.owner = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def register(self, subject, text):
        known = [number for number, other in self.texts.items() if other == text]
        number = known[0] if known else 100 + len(self.texts)
        self.texts[number] = text
        self.subjects[subject] = number
        return number


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _remember(self):
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            self.server.owner.credentials.add(base64.b64decode(token).decode())

    def do_POST(self):
        self._remember()
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        parts = self.path.split("?")[0].strip("/").split("/")
        if len(parts) == 3 and parts[0] == "subjects" and parts[1] in self.server.owner.refused:
            self._answer(*self.server.owner.refused[parts[1]])
        elif len(parts) == 3 and parts[0] == "subjects" and parts[2] == "versions":
            self._answer(200, {"id": self.server.owner.register(parts[1], content["schema"])})
        else:
            self._answer(404, {"error_code": 40401, "message": "Subject not found."})

    def do_GET(self):
        self._remember()
        parts = self.path.split("?")[0].strip("/").split("/")
        number = int(parts[2]) if parts[:2] == ["schemas", "ids"] and len(parts) == 3 else None
        if number in self.server.owner.texts:
            self._answer(200, {"schema": self.server.owner.texts[number]})
        else:
            self._answer(404, {"error_code": 40403, "message": "Schema not found"})
