"""Promise: the embedded registry has a listener of its own, which serves nothing else."""

import pytest
import requests
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

pytestmark = pytest.mark.sanitized


def listening(process):
    return f"http://127.0.0.1:{process.wait_event('registry_listening')['port']}"


def test_the_registry_is_served_at_the_root_of_its_own_port(millrace, name):
    """The same registry as under /registry of the admin port, and none of the admin port's other routes."""
    millrace.settings(registry={"listen": "127.0.0.1:0"})
    process = millrace.run()
    url = listening(process)
    number = SchemaRegistryClient({"url": url}).register_schema(name, Schema('"int"', "AVRO"))
    assert SchemaRegistryClient({"url": millrace.admin_url + "/registry"}).lookup_schema(
        name, Schema('{"type": "int"}', "AVRO")
    ).schema_id == number
    assert requests.get(f"{url}/", timeout=20).json() == {}
    for path in ("/metrics", "/healthz", "/readyz", "/api/status", "/registry/subjects"):
        answer = requests.get(url + path, timeout=20)
        assert answer.status_code == 404 and answer.json()["error_code"] == 404, path
    # A web page whose own name leads to this address gets nothing.
    assert requests.get(f"{url}/subjects", headers={"Host": "page.example"}, timeout=20).status_code == 403
    assert requests.post(f"{url}/subjects/{name}", data="{}", timeout=20).status_code == 415
    assert process.stop() == 0


def test_the_listener_needs_no_admin_port(millrace, name):
    millrace.settings(registry={"listen": "127.0.0.1:0"}, admin={"listen": "off"})
    process = millrace.run(wait=False)
    url = listening(process)
    assert process.find("admin_listening") is None
    assert requests.get(f"{url}/subjects/{name}/versions", timeout=20).json()["error_code"] == 40401
    # The new address is used after a restart, and the log says so.
    millrace.settings(registry={"listen": "127.0.0.1:1"}, admin={"listen": "off"})
    assert "registry addresses" in process.wait_event("restart_needed")["message"]
    assert process.stop() == 0


def test_a_taken_port_is_named_by_its_key(millrace, make_millrace, kafka):
    millrace.settings(registry={"listen": "127.0.0.1:0"}, admin={"listen": "off"})
    port = int(listening(millrace.run(wait=False)).rsplit(":", 1)[1])
    other = make_millrace(kafka)
    other.settings(registry={"listen": f"127.0.0.1:{port}"}, admin={"listen": "off"})
    for command in ("run", "registry"):  # `millrace registry` has the same default address
        process = other.start(command)
        assert process.wait_exit() == 78
        assert "registry.listen" in process.log() and str(port) in process.log()
