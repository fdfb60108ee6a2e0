"""
Promise: calls over TLS, in HTTP/2 and through a proxy end with their response or with the error that says what is
wrong, with real servers; a proxy is used only when it is configured; no redirect leads to another host.
"""

import collections
import os
import subprocess

import pytest
from lib import node, pki, processes
from lib.http_calls import SERVERS as HERE
from lib.http_calls import call, good, is_listening
from lib.waiting import wait_until

NGINX = """
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_timeout 1s; keepalive_requests 1000000;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    {servers}
}}"""
LOCATIONS = """
        location /ok { return 200 "$server_protocol $connection"; }
        location /echo { client_body_buffer_size 1m; echo_read_request_body; echo_request_body; }
        location /large { root FOLDER; error_page 405 =200 $uri; }
        location /no-content { return 204; }
        location /throttle { add_header Retry-After 7 always; return 429; }
        location /gone { return 444; }
        location /moved { return 307 /ok; }
        location /moved-for-good { return 308 /moved; }
        location /see { return 302 /ok; }
        location /elsewhere { return 307 $scheme://127.0.0.1:ELSEWHERE/ok; }
        location /down { return 307 http://127.0.0.1:$server_port/ok; }
        location /round { return 307 /round; }
"""

Servers = collections.namedtuple("Servers", "ports authority other client stranger folder")


def server_block(listen, certificate, more=""):
    tls = f"ssl_certificate {certificate.file}; ssl_certificate_key {certificate.key_file};" if certificate else ""
    return f"server {{ listen 127.0.0.1:{listen}; {tls} {more} {LOCATIONS} }}\n"


@pytest.fixture(scope="module")
def servers(folder):
    folder = f"{folder}/http-tls"
    os.mkdir(folder)
    with open(f"{folder}/large", "wb") as file:
        file.truncate(1 << 28)
    authority, other = pki.Authority(folder, "authority"), pki.Authority(folder, "other-authority")
    names = ["both", "http1", "expired", "wrong", "unknown", "client", "plain2", "few", "short", "py12", "py13"]
    ports = {name: processes.free_port() for name in [*names, "proxy"]}
    good_one = authority.issue("server")
    client, stranger = authority.issue("client"), other.issue("stranger")
    verify = f"ssl_client_certificate {authority.file}; ssl_verify_client on;"
    blocks = [
        server_block(f"{ports['both']} ssl http2", good_one),
        server_block(f"{ports['http1']} ssl", good_one),
        server_block(f"{ports['expired']} ssl", authority.issue("expired", days=-1)),
        server_block(f"{ports['wrong']} ssl", authority.issue("wrong", ["other.example", "*.other.example"])),
        server_block(f"{ports['unknown']} ssl", other.issue("unknown")),
        server_block(f"{ports['client']} ssl http2", good_one, verify),
        server_block(f"{ports['plain2']} http2", None),
        server_block(f"{ports['few']} http2", None, "http2_max_concurrent_streams 4;"),
        server_block(f"{ports['short']} http2", None, "keepalive_requests 20;"),
    ]
    text = "".join(blocks).replace("FOLDER", folder).replace("ELSEWHERE", str(ports["http1"]))
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(NGINX.format(folder=folder, servers=text))
    started = [["nginx", "-p", folder, "-c", "nginx.conf", "-e", f"{folder}/error.log"]]
    for version in ("1.2", "1.3"):
        arguments = [good_one.file, good_one.key_file, authority.file, version]
        started.append(["python3", f"{HERE}/tls_server.py", str(ports["py" + version.replace(".", "")]), *arguments])
    with open(f"{folder}/tinyproxy.conf", "w", encoding="utf-8") as file:
        file.write(f'Port {ports["proxy"]}\nListen 127.0.0.1\nTimeout 30\nLogFile "{folder}/proxy.log"\n')
        file.write('LogLevel Connect\nMaxClients 100\nBasicAuth miller secret\nViaProxyName "test"\n')
    started.append(["tinyproxy", "-d", "-c", f"{folder}/tinyproxy.conf"])
    with open(f"{folder}/output", "w", encoding="utf-8") as output:
        running = [processes.spawn(command, stdout=output, stderr=output) for command in started]
    try:
        for name, port in ports.items():
            wait_until(lambda port=port: is_listening(port), 30, name)
        yield Servers(ports, authority, other, client, stranger, folder)
    finally:
        for process in running:
            processes.reap(process)


def https(servers, name, path="/ok", host="127.0.0.1", **options):
    return call(f"https://{host}:{servers.ports[name]}{path}", **{"ca": servers.authority.file, **options})


def http2(servers, name, path="/ok", **options):
    return call(f"http://127.0.0.1:{servers.ports[name]}{path}", version="2", **options)


def refused(outcomes, *says):
    """No call was sent, and each says why."""
    assert outcomes
    for outcome in outcomes:
        assert outcome["fault"] and not outcome["is_sent"] and not outcome["is_timeout"], outcome
        for part in says:
            assert part in outcome["fault"], outcome["fault"]


@pytest.mark.parametrize(
    "server,version,protocol",
    [
        ("both", "auto", "HTTP/2.0"),
        ("both", "1.1", "HTTP/1.1"),
        ("both", "2", "HTTP/2.0"),
        ("http1", "auto", "HTTP/1.1"),
        ("http1", "1.1", "HTTP/1.1"),
    ],
)
def test_the_server_chooses_the_protocol(servers, server, version, protocol):
    answers = good(https(servers, server, version=version, calls=40, host="localhost"))
    assert {answer.split()[0] for answer in answers} == {protocol}
    assert len(set(answers)) == 1, "one connection serves all"


def test_a_server_without_http2_is_refused_where_http2_is_asked_for(servers):
    refused(https(servers, "http1", version="2"), "HTTP/2")


def test_many_calls_share_one_connection_in_http2(servers):
    for outcomes in (https(servers, "both", calls=2000, at_once=64), http2(servers, "plain2", calls=2000, at_once=64)):
        assert len(set(good(outcomes))) == 1


def test_certificates_that_do_not_match(servers):
    refused(https(servers, "expired"), "has expired", "valid until")
    refused(https(servers, "wrong"), "is not for 127.0.0.1", "other.example")
    refused(https(servers, "wrong", host="localhost"), "is not for localhost", "other.example")
    refused(https(servers, "unknown"), "authority that is not trusted", "issuer CN=other-authority")
    refused(call(f"https://127.0.0.1:{servers.ports['both']}/ok"), "authority that is not trusted", "tls.ca")
    refused(https(servers, "plain2"), "does not speak TLS")


def test_server_name(servers):
    """It is asked for and checked in place of the host, with wildcards as the certificate has them."""
    assert good(https(servers, "wrong", server_name="other.example"))
    assert good(https(servers, "wrong", server_name="a.other.example"))
    refused(https(servers, "wrong", server_name="a.b.other.example"), "is not for a.b.other.example")
    refused(https(servers, "both", server_name="else.example"), "is not for else.example")


def test_a_client_certificate(servers):
    own = {"certificate": servers.client.file, "key": servers.client.key_file}
    stranger = {"certificate": servers.stranger.file, "key": servers.stranger.key_file}
    assert good(https(servers, "client", **own))
    (without,) = https(servers, "client")
    assert without["status"] == 400, without  # nginx says it in HTTP
    for server in ("py12", "py13"):
        assert good(https(servers, server, calls=3, **own)) == ["client 5"] * 3
        refused(https(servers, server), "client certificate" if server == "py13" else "TLS: ")
        refused(https(servers, server, **stranger), "the server refused the client certificate")


def test_bodies_and_statuses(servers):
    for url, options in (
        (f"http://127.0.0.1:{servers.ports['plain2']}", {"version": "2"}),
        (f"https://127.0.0.1:{servers.ports['both']}", {"ca": servers.authority.file}),
        (f"https://127.0.0.1:{servers.ports['http1']}", {"ca": servers.authority.file}),
    ):
        (echo,) = good(call(url + "/echo", body_bytes=700_000, response_bytes=1_000_000, **options))
        assert echo == "x" * 700_000
        assert good(call(url + "/no-content", calls=3, **options), 204) == [""] * 3
        (throttle,) = call(url + "/throttle", **options)
        assert (throttle["status"], throttle["retry_after_us"]) == (429, 7_000_000)
        assert ["retry-after", "7"] in [[name.lower(), value] for name, value in throttle["fields"]]
        first, second = call(url + "/large", calls=2, response_bytes=10, timeout_ms=60000, **options)
        assert first["is_cut"] and second["is_cut"] and first["body"] == "\0" * 10, first
        for outcome in call(url + "/gone", calls=3, **options):
            assert outcome["fault"] and outcome["is_sent"], outcome


def test_a_limit_of_streams(servers):
    """Four streams at most on a connection: others are opened, or calls wait; none fails."""
    answers = good(http2(servers, "few", calls=500, at_once=32, connections=2))
    assert len(set(answers)) == 2
    assert len(set(good(http2(servers, "few", calls=500, at_once=16, connections=16)))) <= 6


def test_goaway_in_the_middle_loses_no_call(servers):
    """nginx ends each connection after 20 requests, while others are on their way to it."""
    answers = good(http2(servers, "short", calls=3000, at_once=32))
    assert len(answers) == 3000 and len(set(answers)) >= 3000 // 32


def test_a_connection_closed_between_requests_harms_no_call(servers):
    """nginx closes idle ones after a second."""
    first, second = good(http2(servers, "plain2", calls=2, pause_ms=2500))
    assert first != second


def test_redirects(servers):
    (unfollowed,) = http2(servers, "plain2", "/moved")
    assert (unfollowed["status"], unfollowed["location"][-3:]) == (307, "/ok")
    for url, options in (
        (f"http://127.0.0.1:{servers.ports['plain2']}", {"version": "2"}),
        (f"https://127.0.0.1:{servers.ports['http1']}", {"ca": servers.authority.file}),
    ):
        assert len(good(call(url + "/moved", redirects=1, **options))) == 1
        assert len(good(call(url + "/moved-for-good", redirects=2, calls=3, **options))) == 3
        for path, redirects, status in (
            ("/moved-for-good", 1, 307),  # too many
            ("/round", 5, 307),
            ("/see", 5, 302),  # would become GET
        ):
            (outcome,) = call(url + path, redirects=redirects, **options)
            assert outcome["status"] == status, outcome
    for path in ("/elsewhere", "/down"):  # another port, TLS given up
        (outcome,) = https(servers, "both", path, redirects=5)
        assert outcome["status"] == 307, outcome


def proxied(servers):
    with open(f"{servers.folder}/proxy.log", encoding="utf-8") as file:
        return file.read().count("): CONNECT ")


def test_a_proxy_is_used_only_when_it_is_configured(servers, monkeypatch):
    proxy = f"http://127.0.0.1:{servers.ports['proxy']}"
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    assert good(https(servers, "both")) and good(http2(servers, "plain2"))
    assert proxied(servers) == 0
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", "*")
    own = {"proxy": proxy, "proxy_user": "miller", "proxy_password": "secret"}
    assert len(set(good(https(servers, "both", calls=20, at_once=4, **own)))) == 1
    assert good(http2(servers, "plain2", **own)) and good(https(servers, "http1", host="localhost", **own))
    assert proxied(servers) == 3


def test_a_proxy_that_refuses(servers):
    proxy = f"http://127.0.0.1:{servers.ports['proxy']}"
    refused(https(servers, "both", proxy=proxy), "the proxy opened no tunnel", "credentials", "407")
    wrong = {"proxy": proxy, "proxy_user": "miller", "proxy_password": "wrong"}
    refused(https(servers, "both", **wrong), "the proxy opened no tunnel")
    refused(https(servers, "both", proxy="http://127.0.0.1:1"), "proxy: can't connect to 127.0.0.1 port 1")
    own = {"proxy": proxy, "proxy_user": "miller", "proxy_password": "secret"}
    refused(call("http://127.0.0.1:1/", **own), "the proxy opened no tunnel to 127.0.0.1 port 1")


def test_the_policy_holds_for_names_addresses_and_proxies(servers):
    port = servers.ports["plain2"]
    url = f"http://localhost:{port}/ok"
    assert good(call(url, version="2", policy="private"))
    refused(call(url, version="2", policy="public"), "endpoint_policy public refuses localhost", "loopback")
    assert good(call(url, version="2", policy="public", allow="localhost"))
    refused(call(url, version="2", policy="list"), "not in endpoint_allow")
    assert good(http2(servers, "plain2", policy="list", allow="127.0.0.0/8"))
    for host in ("169.254.169.254", "0xa9fea9fe", "2852039166", "[::ffff:169.254.169.254]", "[::]", "0"):
        refused(call(f"http://{host}:{port}/", policy="private", timeout_ms=3000), "endpoint_policy private refuses")
    proxy = {
        "proxy": f"http://127.0.0.1:{servers.ports['proxy']}",
        "proxy_user": "miller",
        "proxy_password": "secret",
    }
    refused(call(f"https://localhost:{servers.ports['both']}/ok", policy="public", **proxy), "refuses 127.0.0.1")
    refused(call("http://169.254.169.254/", policy="private", **proxy), "refuses 169.254.169.254")
    refused(call("http://a.example/", policy="list", allow="127.0.0.1", **proxy), "which the proxy would look up")


def test_nghttpd(servers):
    """Another implementation of HTTP/2, without TLS and with it."""
    for tls in (False, True):
        port = processes.free_port()
        keys = [f"{servers.folder}/server.key", f"{servers.folder}/server.pem"] if tls else []
        command = ["nghttpd", "-d", servers.folder, *([] if tls else ["--no-tls"]), str(port), *keys]
        process = processes.spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda port=port: is_listening(port), 30, "nghttpd")
            url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/server.pem"
            options = {"ca": servers.authority.file} if tls else {}
            outcomes = call(url, version="2", calls=1000, at_once=50, **options)
            assert good(outcomes)[0].startswith("-----BEGIN CERTIFICATE")
        finally:
            processes.reap(process)


@pytest.fixture(scope="module")
def node_url():
    """Node's http2, which takes eight streams on a connection."""
    port = processes.free_port()
    command = [node.node(), f"{HERE}/http2_server.js", str(port)]
    process = processes.spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_listening(port), 30, "node")
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.reap(process)


def test_streams_that_are_refused_are_sent_again(node_url):
    answers = good(call(node_url + "/refuse-some", version="2", calls=300, at_once=8))
    assert len(set(answers)) == 1


def test_streams_that_are_reset_may_have_been_carried_out(node_url):
    for outcome in call(node_url + "/reset", version="2", calls=5, at_once=2):
        assert outcome["is_sent"] and "ended the stream without a response: INTERNAL_ERROR" in outcome["fault"], outcome
    for outcome in call(node_url + "/reset-in-body", version="2", calls=5):
        assert outcome["is_sent"] and "before the response was complete" in outcome["fault"], outcome
    for outcome in call(node_url + "/destroy", version="2", calls=5):
        assert outcome["is_sent"] and outcome["fault"], outcome


def test_goaway_of_node_loses_no_call(node_url):
    answers = good(call(node_url + "/goaway-some", version="2", calls=1000, at_once=8))
    assert len(set(answers)) > 20


def test_heads_before_and_behind_a_response(node_url):
    assert len(good(call(node_url + "/informational", version="2", calls=3))) == 3
    for outcome in call(node_url + "/trailers", version="2", calls=3):
        names = [name for name, _ in outcome["fields"]]
        assert (outcome["body"], "x-own" in names, "x-sum" in names) == ("body", True, False)
