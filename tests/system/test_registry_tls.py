"""
Promise: a registry behind TLS is reached with the client's certificate that it asks for; an authority of one's own is
found in a file with all public ones (Debian's has 220 KiB), and a server or a client without the right certificate
gets no schema.
"""

import os

import pytest
from lib import pki, processes
from lib.http_calls import is_listening
from lib.records import Registry, read_topic
from lib.stub_registry import StubRegistry
from lib.waiting import wait_until

PUBLIC = "/etc/ssl/certs/ca-certificates.crt"
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log; client_body_temp_path {folder}; proxy_temp_path {folder};
    fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {server.file}; ssl_certificate_key {server.key_file};
        ssl_client_certificate {authority.file}; ssl_verify_client on;
        location / {{ proxy_pass {url}; }}
    }}
}}"""


class Proxy:
    """nginx, which asks for a client's certificate, before a registry."""

    def __init__(self, folder):
        os.mkdir(folder)
        self.folder, self.stub, self.port = folder, StubRegistry(), processes.free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.authority, self.other = pki.Authority(folder, "authority"), pki.Authority(folder, "other")
        self.client, self.stranger = self.authority.issue("client"), self.other.issue("stranger")
        with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(NGINX.format(**vars(self) | {"url": self.stub.url, "server": self.authority.issue("server")}))
        command = ["nginx", "-p", folder, "-c", "nginx.conf", "-e", f"{folder}/error.log"]
        self.process = processes.spawn(command)
        wait_until(lambda: is_listening(self.port), 30, "nginx")

    def stop(self):
        processes.reap(self.process)
        self.stub.stop()

    def settings(self, client, ca=None):
        tls = {"ca": ca or self.authority.file, "certificate": client.file, "key": {"file": client.key_file}}
        return {"url": self.url, "tls": tls}


@pytest.fixture
def proxy(folder, name):
    made = Proxy(f"{folder}/registry-tls-{name}")
    yield made
    made.stop()


def test_mutual_tls_with_a_bundle_of_all_authorities(database, kafka, millrace, name, proxy):
    bundle = f"{proxy.folder}/bundle.pem"
    with open(bundle, "w", encoding="utf-8") as file:
        for path in (PUBLIC, proxy.authority.file):
            with open(path, encoding="utf-8") as part:
                file.write(part.read())
    assert os.path.getsize(bundle) > 128 * 1024
    database.sql("create table a (id int primary key); insert into a values (1)")
    millrace.settings(registry=proxy.settings(proxy.client, bundle))
    millrace.connector(name, database)
    millrace.run()
    topic = f"{name}.public.a"
    assert [record.key for record in read_topic(kafka, topic, Registry(proxy.stub.url), count=1)] == [{"id": 1}]
    assert set(proxy.stub.subjects) == {f"{topic}-key", f"{topic}-value"}


@pytest.mark.parametrize("what", ["server", "client"])
def test_a_wrong_certificate_gets_no_schema_and_is_named(database, kafka, millrace, name, proxy, what):
    settings = {"server": (proxy.client, proxy.other.file), "client": (proxy.stranger, None)}[what]
    says = {"server": "signed by an authority that is not trusted", "client": "HTTP 400"}[what]
    database.sql("create table a (id int primary key); insert into a values (1)")
    millrace.settings(registry=proxy.settings(*settings))
    millrace.connector(name, database)
    millrace.run(wait=False)

    def error():
        return millrace.get("/api/status").json()["connectors"][0]["last_error"] or ""

    wait_until(lambda: says in error(), 60, lambda: f"the status to say so; it says: {error()}")
    assert not proxy.stub.subjects
