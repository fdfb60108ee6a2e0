"""Promise: slow, flooding and cross-site clients get nothing from the admin port, and all others are served."""

import contextlib
import json
import socket

import pytest
import requests
from lib.waiting import wait_until

SCHEMA = {"schema": json.dumps({"type": "record", "name": "r", "fields": []})}


@pytest.fixture
def served(millrace):
    millrace.process = millrace.run()
    return millrace


def dial(millrace, text):
    connection = socket.create_connection(("127.0.0.1", millrace.port), 10)
    with contextlib.suppress(ConnectionError):  # it may be cut off at once
        connection.sendall(text)
    return connection


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def unread_bytes(port):
    """What the kernel has received for the port's connections, and the program has not read."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file][1:]
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01")


def test_half_requests_leave_room(served):
    held = [dial(served, b"GET /healthz HTTP/1.1\r\nHo") for _ in range(300)]
    try:
        for _ in range(5):
            assert served.get("/healthz").status_code == 200
    finally:
        for connection in held:
            connection.close()


def test_bodies_take_no_memory(served):
    before = resident_bytes(served.process.pid)
    held = []
    try:
        for kind in (b"Content-Length: 15728640\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n200000\r\n"):
            head = b"POST /registry/subjects/s/versions HTTP/1.1\r\nHost: localhost\r\n"
            held += [dial(served, head + b"Content-Type: application/json\r\n" + kind) for _ in range(60)]
        for connection in held:
            connection.settimeout(5)
            with contextlib.suppress(OSError):  # what is refused may be cut off
                connection.sendall(b"x" * 1_900_000)  # no body is whole, and none too large yet
        assert served.get("/healthz").status_code == 200
        wait_until(lambda: unread_bytes(served.port) == 0, 30, "all bytes read")
        after = resident_bytes(served.process.pid)
        print(f"resident: {before / 2**20:.1f} MiB before, {after / 2**20:.1f} MiB after")
        assert after - before < 32 * 2**20, "all bodies together may have 16 MiB"
    finally:
        for connection in held:
            connection.close()


def test_a_web_page_registers_nothing(served):
    subject = served.admin_url + "/registry/subjects/s/versions"
    right = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    refused = [
        ({"Content-Type": "text/plain", "Origin": "http://evil.example", "Host": "evil.example"}, 403),
        ({**right, "Origin": "http://evil.example"}, 403),
        ({**right, "Host": "evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ]
    for headers, status in refused:
        assert requests.post(subject, json.dumps(SCHEMA), headers=headers, timeout=10).status_code == status
    listed = served.admin_url + "/registry/subjects"
    wait_until(lambda: requests.get(listed, timeout=10).status_code == 200, 20, "the registry")
    assert requests.get(listed, timeout=10).json().count("s") == 0
    assert requests.post(subject, json.dumps(SCHEMA), headers=right, timeout=20).status_code == 200


def test_a_configured_name_is_known(served):
    asked = {"Host": "millrace.ops.example"}
    assert requests.get(served.admin_url + "/readyz", headers=asked, timeout=5).status_code == 403
    served.process.stop()
    served.settings(admin={"listen": f"127.0.0.1:{served.port}", "hosts": ["millrace.*.example"]})
    served.run()
    assert requests.get(served.admin_url + "/readyz", headers=asked, timeout=5).status_code == 200


def test_it_can_be_off(millrace):
    millrace.settings(admin={"listen": "off"})
    process = millrace.run(wait=False)
    process.wait_event("started", component="supervisor")
    assert not process.find("admin_listening")
    assert "listen: off" in millrace.command("config", "show", "-c", millrace.folder).stdout
    assert process.stop() == 0


def test_every_address_is_not_meant_by_none(millrace):
    millrace.settings(admin={"listen": ":7070"})
    done = millrace.check()
    assert done.returncode == 78 and "0.0.0.0" in done.stdout
