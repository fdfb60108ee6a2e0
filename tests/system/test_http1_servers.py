"""
Promise: whatever a real HTTP/1.1 server does, a call ends with its response, or with the error that says what
happened; connections are kept where the server keeps them. Node and Go are called by `tests/run.sh long`.
"""

import os
import subprocess

import pytest
from lib import http_calls, node, pki, processes
from lib.http_calls import SERVERS as HERE
from lib.http_calls import good, is_listening
from lib.waiting import wait_until

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_timeout 1s; keepalive_requests 50;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        location /ok {{ return 200 $remote_port; }}
        location /no-content {{ return 204; }}
        location /not-modified {{ return 304; }}
        location /redirect {{ return 302 /elsewhere; }}
        location /throttle {{ add_header Retry-After 7 always; return 429; }}
        location /close {{ keepalive_timeout 0; return 200 bye; }}
        location /early {{ client_max_body_size 1k; root {folder}; error_page 405 =200 $uri; }}
        location /files/ {{ root {folder}; ssi on; error_page 405 =200 $uri; }}
    }}
}}"""


AUTHORITY = {}  # of the server over TLS


def call(url, **options):
    return http_calls.call(url, **(AUTHORITY if url.startswith("https") else {}), **options)


def nginx(folder, port):
    os.makedirs(f"{folder}/files")
    with open(f"{folder}/files/large", "wb") as file:
        file.truncate(1 << 30)
    with open(f"{folder}/files/page.html", "w", encoding="utf-8") as file:
        file.write("<html>\n")
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(NGINX.format(folder=folder, port=port))
    return ["nginx", "-p", folder, "-c", "nginx.conf", "-e", f"{folder}/error.log"]


def python(version):
    return lambda folder, port: ["python3", f"{HERE}/python_server.py", str(port), version]


def python_tls(folder, port):
    authority = pki.Authority(folder, "authority")
    server = authority.issue("server")
    AUTHORITY["ca"] = authority.file
    return ["python3", f"{HERE}/python_server.py", str(port), "1.1", server.file, server.key_file]


def gunicorn(folder, port):
    worker = ["--worker-class", "gthread", "--threads", "8", "--keep-alive", "1", "--worker-tmp-dir", folder]
    return ["gunicorn", "--chdir", HERE, "--bind", f"127.0.0.1:{port}", "--log-level", "error", *worker, "wsgi_app:app"]


def node_http(folder, port):
    return [node.node(), f"{HERE}/node_server.js", str(port)]


def go(folder, port):
    environment = {**os.environ, "GOCACHE": f"{folder}/cache", "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    command = ["go", "build", "-o", f"{folder}/go_server", f"{HERE}/go_server.go"]
    subprocess.run(command, check=True, timeout=300, env=environment)
    return [f"{folder}/go_server", str(port)]


PYTHON = {"python 1.1": python("1.1"), "python 1.0": python("1.0"), "python tls": python_tls}
SERVERS = {"nginx": nginx, **PYTHON, "gunicorn": gunicorn}
LONG = {"node": node_http, "go": go}
HANDMADE = ("python 1.1", "python tls", "node", "go")  # which do all that is asked of them


@pytest.fixture(scope="module", params=[*SERVERS, *(pytest.param(name, marks=pytest.mark.long) for name in LONG)])
def server(request, folder):
    """(name, URL without a path)"""
    folder = f"{folder}/http-{request.param.replace(' ', '-')}"
    os.mkdir(folder)  # not pytest's own: nginx's worker runs as another user
    port = processes.free_port()
    command = {**SERVERS, **LONG}[request.param](folder, port)
    with open(f"{folder}/output", "w", encoding="utf-8") as output:
        process = processes.spawn(command, stdout=output, stderr=output)
    try:
        wait_until(lambda: is_listening(port), 30, request.param)
        yield request.param, f"{'https' if request.param == 'python tls' else 'http'}://127.0.0.1:{port}"
    finally:
        processes.reap(process)


def needs(server, *names):
    if server[0] not in names:
        pytest.skip(f"{server[0]} is not asked for this")
    return server[1]


def test_connections_are_kept(server):
    name, url = server
    ports = good(call(url + "/ok", calls=40))
    assert len(ports) == 40
    assert len(set(ports)) == (40 if name == "python 1.0" else 1)


def test_many_calls_at_once(server):
    name, url = server
    ports = good(call(url + "/ok", calls=2000, at_once=8))
    # nginx closes each connection after 50 requests.
    assert len(set(ports)) <= {"python 1.0": 2000, "nginx": 48}.get(name, 8)


def test_statuses(server):
    url = server[1]
    assert good(call(url + "/no-content", calls=3), 204) == ["", "", ""]
    assert good(call(url + "/not-modified", calls=3), 304) == ["", "", ""]
    (redirect,) = call(url + "/redirect")
    assert (redirect["status"], redirect["location"]) == (302, url + "/elsewhere")
    (throttle,) = call(url + "/throttle")
    assert (throttle["status"], throttle["retry_after_us"]) == (429, 7_000_000)
    assert good(call(url + "/close", calls=3)) == ["bye"] * 3


def test_a_connection_that_the_server_closed_when_idle_harms_no_call(server):
    """
    nginx keeps one for a second, gunicorn for one to two, Go for two. Node says two seconds, so it is not used
    after one.
    """
    pauses_ms = {"nginx": 2500, "gunicorn": 4000, "go": 4000, "node": 1500}
    url = needs(server, *pauses_ms)
    first, second = good(call(url + "/ok", calls=2, pause_ms=pauses_ms[server[0]]))
    assert first != second


def test_chunks(server):
    url = needs(server, "gunicorn", *HANDMADE)
    assert good(call(url + "/chunked", calls=3)) == ["abcde"] * 3


def test_nginx_chunks(server):
    url = needs(server, "nginx")
    assert good(call(url + "/files/page.html", calls=3)) == ["<html>\n"] * 3


def test_trailers(server):
    url = needs(server, *HANDMADE)
    assert good(call(url + "/trailers", calls=3)) == ["abcde"] * 3


def test_informational_responses(server):
    url = needs(server, *HANDMADE)
    ports = good(call(url + "/informational", calls=3))
    assert len(set(ports)) == 1 and ports[0].isdigit()


def test_a_body_that_ends_with_the_connection(server):
    url = needs(server, "python 1.1", "python 1.0")
    assert good(call(url + "/to-end", calls=2)) == ["until the end"] * 2


def test_a_body_that_ends_with_tcp_alone_may_be_cut_short(server):
    """Over TLS its end is told: else anybody on the way could have ended it (RFC 9112, 9.8)."""
    url = needs(server, "python tls")
    for outcome in call(url + "/to-end", calls=2):
        assert "without ending TLS" in outcome["fault"] and outcome["is_sent"], outcome


def test_a_response_before_the_request_is_sent(server):
    url = needs(server, "nginx", *HANDMADE)
    outcomes = call(url + "/early", calls=5, body_bytes=20_000_000)
    assert [outcome["status"] for outcome in outcomes] == [413] * 5, outcomes


def test_garbage_after_a_response_reaches_no_call(server):
    url = needs(server, *HANDMADE)
    assert good(call(url + "/garbage", calls=5)) == ["ok"] * 5


def test_garbage_on_an_idle_connection_reaches_no_call(server):
    url = needs(server, "python 1.1", "python tls")
    assert good(call(url + "/late-garbage", calls=3, pause_ms=200)) == ["ok"] * 3


def test_bodies_that_never_end(server):
    """One that drips is ended by the deadline; one that comes fast is cut off, and its status counts."""
    url = needs(server, *HANDMADE)
    (outcome,) = call(url + "/trickle", timeout_ms=1000)
    assert outcome["is_timeout"] and outcome["is_sent"], outcome
    assert outcome["took_us"] >= 1_000_000
    (outcome,) = call(url + "/endless", timeout_ms=60000)
    assert outcome["status"] == 200 and outcome["is_cut"] and not outcome["fault"], outcome


def test_a_gigabyte(server):
    url = needs(server, "nginx")
    outcomes = call(url + "/files/large", calls=2, response_bytes=10, timeout_ms=60000)
    assert good(outcomes) == ["\0" * 10] * 2
    assert all(outcome["is_cut"] for outcome in outcomes)


@pytest.mark.parametrize("path", ["/reset", "/reset-in-head", "/reset-in-body"])
def test_resets(server, path):
    url = needs(server, *HANDMADE)
    for outcome in call(url + path, calls=3):
        assert outcome["fault"] and outcome["is_sent"] and not outcome["is_timeout"], outcome
