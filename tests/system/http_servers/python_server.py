"""Python's http.server as a function that does odd things: PORT, 1.0 or 1.1, and for TLS a certificate and its key."""

import os
import socket
import ssl
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = f"HTTP/{sys.argv[2]}"
    disable_nagle_algorithm = True

    def do_POST(self):
        if self.path != "/early":
            self.rfile.read(int(self.headers["Content-Length"]))
        getattr(self, self.path.strip("/").replace("-", "_"))()

    def respond(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def raw(self, text):
        self.wfile.write(text)
        self.wfile.flush()

    def ok(self):
        self.respond(200, b"%d" % self.client_address[1])

    def no_content(self):
        self.respond(204)

    def not_modified(self):
        self.respond(304)

    def redirect(self):
        self.respond(302, Location="/elsewhere")

    def throttle(self):
        self.respond(429, Retry_After="7")

    def close(self):
        self.respond(200, b"bye", Connection="close")
        self.close_connection = True

    def to_end(self):
        self.send_response(200)
        self.end_headers()
        self.raw(b"until the end")
        self.close_connection = True

    def informational(self):
        self.send_response_only(100)
        self.end_headers()
        self.send_response_only(103)
        self.send_header("Link", "</style.css>; rel=preload")
        self.end_headers()
        self.ok()

    def chunked(self):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")

    def trailers(self):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\nX-Sum: 1\r\n\r\n")

    def early(self):
        self.respond(413, b"too large", Connection="close")
        self.close_connection = True

    def garbage(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n")
        self.close_connection = True

    def late_garbage(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        time.sleep(0.05)
        self.raw(b"HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n")

    def trickle(self):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(60):
            self.raw(b"1\r\nx\r\n")
            time.sleep(0.2)

    def endless(self):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            self.raw(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def reset_in_head(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-")
        self.reset()

    def reset_in_body(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        self.reset()

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass  # it was reset

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def get_request(self):
        client, address = super().get_request()
        if CONTEXT is not None:
            client = CONTEXT.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        return client, address

    def handle_error(self, *_):
        pass  # a client that has gone

    def shutdown_request(self, request):
        try:
            super().shutdown_request(request)
        except OSError:
            pass


CONTEXT = None
if len(sys.argv) > 3:
    CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CONTEXT.load_cert_chain(sys.argv[3], sys.argv[4])
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
