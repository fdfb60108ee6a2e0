"""
Promise: secrets appear nowhere but in requests: not in `config show`, logs, status, metrics, dead letters, process
arguments or environments, and one that was replaced is in no process's memory.
"""

import base64
import json
import os

import pytest
from lib import pki, processes
from lib.function_server import Answer, FunctionServer
from lib.http_calls import is_listening
from lib.memory import OPEN, environment, found
from lib.records import read_topic
from lib.waiting import wait_until

# With TLS and HTTP/2, whose libraries have buffers of their own: a function, which writes what it gets into a file,
# and the token endpoint.
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    log_format given "$server_protocol $http_authorization $http_x_api_key"; access_log {folder}/given given;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key};
        location /token {{ access_log off; proxy_pass http://127.0.0.1:{tokens}; }}
        location / {{ return 204; }}
    }}
}}"""


class TlsServer:
    def __init__(self, folder, tokens):
        self.folder = f"{folder}/hunt"
        os.mkdir(self.folder)
        authority = pki.Authority(self.folder, "authority")
        certificate = authority.issue("server")
        self.ca, port = authority.file, processes.free_port()
        self.url = f"https://127.0.0.1:{port}"
        with open(f"{self.folder}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(
                NGINX.format(
                    folder=self.folder,
                    port=port,
                    certificate=certificate.file,
                    key=certificate.key_file,
                    tokens=tokens.port,
                )
            )
        with open(f"{self.folder}/output", "w", encoding="utf-8") as output:
            command = ["nginx", "-p", self.folder, "-c", "nginx.conf", "-e", f"{self.folder}/error.log"]
            self.popen = processes.spawn(command, stdout=output, stderr=output)
        wait_until(lambda: is_listening(port), 30, "nginx")

    def given(self):
        with open(f"{self.folder}/given", encoding="utf-8") as file:
            return file.read()

    def stop(self):
        processes.reap(self.popen)


@pytest.fixture
def tokens():
    """A token endpoint that hands out the tokens of `left`, and answers with the request's secrets without one."""
    server = FunctionServer()
    server.left = []

    def rule(call):
        if server.left:
            token = {"access_token": server.left.pop(0), "token_type": "Bearer", "expires_in": 3600}
            return Answer(200, {}, json.dumps(token).encode())
        said = f"wrong: {call.headers.get('authorization')} {call.body.decode()}"
        return Answer(401, {}, json.dumps({"error": "invalid_client", "error_description": said}).encode())

    server.rule = rule
    yield server
    server.stop()


@pytest.fixture
def tls(folder, tokens):
    server = TlsServer(folder, tokens)
    yield server
    server.stop()


def repeat_headers(call):
    """A function that refuses events and says what it got."""
    return Answer(400, {"X-Seen": "1"}, json.dumps(call.headers).encode())


def plant(generation):
    """Secrets, and the forms in which they are sent or kept."""
    text = lambda: f"{generation}-{os.urandom(12).hex()}"  # noqa: E731
    raw = {"webhook": os.urandom(32), "key": os.urandom(32)}
    secrets = {name: text() for name in ("bearer", "password", "api", "client", "header", "http2", "token")}
    secrets["webhook"] = "whsec_" + base64.b64encode(raw["webhook"]).decode()
    secrets["key"] = "whsk_" + base64.b64encode(raw["key"]).decode()
    forms = {name: [secret.encode()] for name, secret in secrets.items()}
    forms["password"].append(base64.b64encode(f"user:{secrets['password']}".encode()))
    forms["client"].append(base64.b64encode(f"shop:{secrets['client']}".encode()))
    forms["webhook"].append(raw["webhook"])
    forms["key"].append(raw["key"])
    return secrets, forms


class Hunt:
    def __init__(self, millrace, function, tls, name):
        self.millrace, self.function, self.tls, self.name = millrace, function, tls, name

    def write(self, secrets):
        for part, secret in secrets.items():
            if part != "token":
                self.millrace.write(f"secret-{part}", secret + "\n")

    def configure(self):
        def file(part):
            return {"file": f"../secret-{part}"}

        bearer = {"bearer": file("bearer"), "api_key": {"header": "x-api-key", "value": file("api")}}
        signed = {"secret": file("webhook"), "private_key": file("key")}
        basic = {"basic": {"user": "user", "password": file("password")}, "standard_webhooks": signed}
        oauth2 = {
            "oauth2": {
                "token_url": f"{self.tls.url}/token",
                "tls": {"ca": self.tls.ca},
                "client_id": "shop",
                "client_secret": file("client"),
            }
        }
        http2 = {"bearer": file("http2"), "api_key": {"header": "x-api-key", "value": file("api")}}
        for kind, auth in (("bearer", bearer), ("basic", basic), ("oauth2", oauth2)):
            self.millrace.function(
                f"{self.name}-{kind}",
                f"{self.name}.public.a",
                f"{self.function.url}/{kind}",
                auth=auth,
                headers={"x-header": file("header")},
            )
        path = self.millrace.function(f"{self.name}-http2", f"{self.name}.public.a", self.tls.url, auth=http2)
        with open(path, encoding="utf-8") as written:
            text = json.load(written)
        text["endpoint"]["http"]["tls"] = {"ca": self.tls.ca}
        self.millrace.write(f"functions/{self.name}-http2.yaml", json.dumps(text))

    def wait_sent(self, secrets):
        """Until each function was called with the new ones."""

        def seen(kind, header, value):
            return any(call.path == f"/{kind}" and call.headers.get(header) == value for call in self.function.calls)

        pair = base64.b64encode(f"user:{secrets['password']}".encode()).decode()
        wait_until(lambda: seen("bearer", "authorization", f"Bearer {secrets['bearer']}"), 60, "the bearer token")
        wait_until(lambda: seen("basic", "authorization", f"Basic {pair}"), 60, "the password")
        wait_until(lambda: seen("oauth2", "authorization", f"Bearer {secrets['token']}"), 60, "the OAuth token")
        line = f"HTTP/2.0 Bearer {secrets['http2']} {secrets['api']}"
        wait_until(lambda: line in self.tls.given(), 60, lambda: f"{line} in {self.tls.given()}")


def test_secrets_are_shown_nowhere_and_gone_when_they_are_replaced(
    database, millrace, function, tokens, tls, kafka, name
):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    old, old_forms = plant("old")
    new, new_forms = plant("new")
    hunt = Hunt(millrace, function, tls, name)
    hunt.write(old)
    hunt.configure()
    function.rule = repeat_headers
    process = millrace.run(environment=OPEN)
    bridge = process.child("bridge")
    pids = {"supervisor": process.pid, "connector": process.child("connect"), "bridge": bridge}
    database.sql("insert into a values (1)")
    # The token endpoint has no token at first, and repeats the secrets in its answer.
    wait_until(lambda: process.find("token_failed", component="oauth2"), 60, "the refusal")
    tokens.left = [old["token"]]
    hunt.wait_sent(old)
    every_old = {form for forms in old_forms.values() for form in forms}
    unseen = [part for part, forms in old_forms.items() if not found(bridge, forms)]
    assert not unseen, "this test sees nothing of them"

    # All secrets change; the new token comes with the new client secret.
    tokens.left = [new["token"]]
    hunt.write(new)
    every_new = {form for forms in new_forms.values() for form in forms}
    for kind in ("bearer", "basic", "oauth2", "http2"):
        process.wait_event("configuration_changed", component=f"function/{name}-{kind}")
    database.sql("insert into a values (2)")
    hunt.wait_sent(new)
    for place, pid in pids.items():
        wait_until(
            lambda pid=pid: not found(pid, every_old), 30, lambda pid=pid: f"nothing old, still {found(pid, every_old)}"
        )
        if place != "bridge":
            wait_until(lambda pid=pid: not found(pid, every_new), 30, f"a {place} without the functions' secrets")

    shown = [
        millrace.command("config", "show", "-c", millrace.folder).stdout,
        millrace.check().stdout,
        millrace.get("/readyz").text,
        millrace.get("/metrics").text,
        millrace.command("status", "-c", millrace.folder).stdout,
    ]
    letters = read_topic(kafka, f"millrace.dlq.{name}-bearer", count=2)
    shown += [str(letter.headers) for letter in letters]
    assert "rejected" in shown[-1], "there are dead letters"
    for pid in pids.values():
        shown.append(processes.command_line(pid))
        shown.append(str(environment(pid)))
    assert process.stop() == 0
    shown.append("".join(process.lines))
    assert '"level":"debug"' in shown[-1]
    for text in shown:
        for form in every_old | every_new:
            assert form.decode("latin-1") not in text, text
