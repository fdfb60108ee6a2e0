"""
Promise: a function is called over TLS with its certificate, compressed, in HTTP/2, as its file says; a certificate that
is rotated takes effect without a restart; a URL that leads to a forbidden address uses up no attempt.
"""

import itertools
import os
import re

import pytest
from lib import pki, processes
from lib.http_calls import is_listening
from lib.waiting import wait_until

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    log_format seen '$ssl_client_s_dn $request_method $server_protocol $http_content_encoding $uri';
    access_log {folder}/seen seen;
    server {{
        listen 127.0.0.1:{port} ssl http2; ssl_certificate {server}.pem; ssl_certificate_key {server}.key;
        ssl_client_certificate {folder}/authority.pem; ssl_verify_client on;
        location / {{ return 204; }}
    }}
}}"""


class Receiver:
    """nginx, which asks for a client's certificate; seen() has a line for each request."""

    def __init__(self, folder):
        self.folder, self.port = folder, processes.free_port()
        self.authority = pki.Authority(folder, "authority")
        self.authority.issue("server")
        with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(NGINX.format(folder=folder, port=self.port, server=f"{folder}/server"))
        command = ["nginx", "-p", folder, "-c", "nginx.conf", "-e", f"{folder}/error.log"]
        self.process = processes.spawn(command)
        wait_until(lambda: is_listening(self.port), 30, "nginx")

    def seen(self):
        with open(f"{self.folder}/seen", encoding="utf-8") as file:
            return [line.strip() for line in file if "/orders" in line]

    def wait(self, count, timeout=30):
        wait_until(lambda: len(self.seen()) >= count, timeout, f"{count} requests, not {self.seen()}")
        return self.seen()


@pytest.fixture
def receiver(folder, name):
    folder = f"{folder}/http-endpoint-{name}"
    os.mkdir(folder)
    receiver = Receiver(folder)
    yield receiver
    processes.reap(receiver.process)


def use(millrace, client, parts=("certificate", "key")):
    """Puts the client's files where the function's file says."""
    os.makedirs(f"{millrace.folder}/tls", exist_ok=True)
    for part in parts:
        path = client.file if part == "certificate" else client.key_file
        with open(path, encoding="utf-8") as file:
            millrace.write(f"tls/client.{part}", file.read())


def function(millrace, name, receiver, **more):
    url = f"https://localhost:{receiver.port}/orders"
    tls = {"ca": receiver.authority.file, "certificate": "../tls/client.certificate"}
    tls["key"] = {"file": "../tls/client.key"}
    http = {"url": url, "tls": tls, "method": "PUT", "gzip": 1, "http_version": 2}
    millrace.function(name, f"{name}.public.orders", url, endpoint={"http": http}, **more)


@pytest.fixture
def shop(database, millrace, name):
    database.sql("create table orders (id int primary key, note text)")
    millrace.connector(name, database)
    return database


def test_a_rotated_certificate_takes_effect_without_a_restart(shop, millrace, receiver, name):
    first, second = receiver.authority.issue("first"), receiver.authority.issue("second")
    use(millrace, first)
    function(millrace, name, receiver)
    process = millrace.run()
    bridge = process.child("bridge")
    shop.sql("insert into orders values (1, repeat('x', 1000))")
    (line,) = receiver.wait(1)
    assert re.fullmatch(r"CN=first PUT HTTP/2.0 gzip /orders", line)
    # The certificate alone is not the key's: what runs goes on.
    use(millrace, second, ["certificate"])
    process.wait_event("config_rejected", "key: it is not the key of the certificate")
    shop.sql("insert into orders values (2, repeat('x', 1000))")
    assert receiver.wait(2)[1].startswith("CN=first ")
    use(millrace, second, ["key"])
    numbers = itertools.count(3)

    def calls_as_second():
        number = next(numbers)
        shop.sql(f"insert into orders values ({number}, repeat('x', 1000))")
        return receiver.wait(number)[-1].startswith("CN=second ")

    wait_until(calls_as_second, 60, "calls with the second certificate")
    assert process.child("bridge") == bridge
    assert process.stop() == 0


def test_a_forbidden_address_uses_up_no_attempt(shop, millrace, receiver, name):
    """`localhost` is no address that `check` could judge."""
    use(millrace, receiver.authority.issue("client"))
    function(millrace, name, receiver, delivery={"retry": {"attempts": 1}})
    millrace.settings(endpoint_policy="public")
    assert millrace.check().returncode == 0
    process = millrace.run()
    shop.sql("insert into orders values (1, repeat('x', 1000))")
    labels = {"function": name, "reason": "refused_address"}
    wait_until(lambda: millrace.metric("millrace_function_retries_total", **labels), 30, "a refusal")
    refusal = process.wait_event(message="endpoint_policy public refuses localhost")
    assert "endpoint_allow in millrace.yaml" in str(refusal)
    assert process.stop() == 0
    assert receiver.seen() == []
    millrace.settings(endpoint_policy="public", endpoint_allow=["localhost"])
    process = millrace.run()
    assert receiver.wait(1)[0].startswith("CN=client PUT HTTP/2.0 gzip")
    assert process.stop() == 0
