"""
HTTP/1.1 over TLS by Python's ssl, which refuses clients without a certificate by an alert: with TLS 1.3 after the
client believes the handshake to be over. Usage: tls_server.py PORT CERTIFICATE KEY CLIENTS-CA 1.2|1.3
"""

import contextlib
import http.server
import os
import socket
import ssl
import sys

port, certificate, key, clients, version = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        subject = dict(pair for part in self.connection.getpeercert()["subject"] for pair in part)
        answer = f"{subject['commonName']} {len(body)}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def get_request(self):
        client, address = super().get_request()
        client.settimeout(10)
        return context.wrap_socket(client, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        """Reads on until the client closes: else the kernel resets the connection, and the alert with it."""
        with socket.socket(fileno=os.dup(request.fileno())) as plain, contextlib.suppress(OSError):
            plain.settimeout(5)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65536):
                pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.load_verify_locations(clients)
context.verify_mode = ssl.CERT_REQUIRED
context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[
    version
]
Server(("127.0.0.1", int(port)), Handler).serve_forever()
