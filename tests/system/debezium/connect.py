"""Kafka Connect with Debezium's PostgreSQL connector: one process for all scenarios, a connector for each."""

import glob
import os
import subprocess

import pytest
import requests
from lib import processes
from lib.kafka import cache_folder
from lib.waiting import wait_until

MAIN = "org.apache.kafka.connect.cli.ConnectStandalone"
JSON = "org.apache.kafka.connect.json.JsonConverter"
JAVA = ["java", "-Xms96m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
LOGGER = "-Dorg.slf4j.simpleLogger"
COORDINATOR = "io.debezium.pipeline.ChangeEventSourceCoordinator"  # says where a connector is
WORKER = {
    "offset.flush.interval.ms": "100",
    "plugin.discovery": "service_load",
    "key.converter": JSON,
    "value.converter": JSON,
    "producer.linger.ms": "0",
}
CONNECTOR = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "plugin.name": "pgoutput",
    "publication.autocreate.mode": "all_tables",
    "slot.drop.on.stop": "false",
    # What a user of Avro needs, so that names that Avro does not allow are adjusted.
    "schema.name.adjustment.mode": "avro",
    "field.name.adjustment.mode": "avro",
    "extended.headers.enabled": "false",  # else __debezium.context.* in each record
    "skipped.operations": "none",
    "poll.interval.ms": "10",
    "status.update.interval.ms": "200",
    "errors.max.retries": "0",
}


def class_path():
    folder = os.environ.get("MILLRACE_DEBEZIUM_LIBS")
    if not folder:
        ready = sorted(glob.glob(os.path.join(cache_folder(), "debezium-*", "ready")))
        assert ready, "Debezium's jars are not there: run tests/run.sh debezium once"
        folder = os.path.dirname(ready[-1])
    return os.path.join(folder, "*")


class Connect:
    """A standalone worker; its connectors are made and removed over its REST port."""

    def __init__(self, folder, kafka, **more):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}/connectors"
        self.log = os.path.join(self.folder, "connect.log")
        self.process = None
        settings = {
            **WORKER,
            **more,
            "bootstrap.servers": kafka.bootstrap,
            "listeners": f"http://127.0.0.1:{self.port}",
            "offset.storage.file.filename": os.path.join(self.folder, "offsets"),
        }
        self.properties = os.path.join(self.folder, "worker.properties")
        with open(self.properties, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def start(self):
        levels = [f"{LOGGER}.defaultLogLevel=warn", f"{LOGGER}.log.{COORDINATOR}=info"]
        command = [*JAVA, *levels, "-cp", class_path(), MAIN]
        with open(self.log, "ab") as log:
            self.process = processes.spawn(
                [*command, self.properties], stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        wait_until(self.answers, 60, lambda: "Kafka Connect: " + self.log_tail())
        return self

    def answers(self):
        assert self.process.poll() is None, self.log_tail()
        return requests.get(self.url, timeout=20).status_code == 200

    def log_tail(self, size=4000):
        with open(self.log, errors="replace") as file:
            return file.read()[-size:]

    def stop(self):
        if self.process:
            processes.terminate(self.process, 60)
            self.process = None

    def make(self, name, database, **settings):
        """A connector of the name, with slot, publication and topic prefix of that name, unless told otherwise."""
        server = database.server
        self.made_at = os.path.getsize(self.log)
        config = {
            **CONNECTOR,
            "database.hostname": "127.0.0.1",
            "database.port": str(server.port),
            "database.user": "postgres",
            "database.password": "none",
            "database.dbname": database.name,
            "topic.prefix": name,
            "slot.name": name,
            "publication.name": name,
            **settings,
        }
        made = requests.post(self.url, json={"name": name, "config": config}, timeout=60)
        assert made.status_code == 201, made.text

    def wait_streaming(self, name):
        """Until the connector made last has read its first snapshot, and all that changes now comes as a change."""

        def is_streaming():
            failure = self.failure(name)
            assert not failure or pytest.fail(f"Debezium failed: {failure}")
            with open(self.log, errors="replace") as file:
                file.seek(self.made_at)
                return "Starting streaming" in file.read()

        wait_until(is_streaming, 40, lambda: f"Debezium to stream:\n{self.log_tail()}")

    def failure(self, name):
        """Why the connector's task has failed, or None."""
        answer = requests.get(f"{self.url}/{name}/status", timeout=20)
        if answer.status_code != 200:
            return None
        status = answer.json()
        failed = [part for part in (status["connector"], *status["tasks"]) if part["state"] == "FAILED"]
        return failed[0].get("trace", "it gave no reason") if failed else None

    def remove(self, name, database=None):
        """Returns once it has let its slot go, if the database is given."""
        requests.delete(f"{self.url}/{name}", timeout=60)
        if database is not None:
            slot = database.slot(name)
            assert slot, f"{name} has no slot"
            wait_until(lambda: not database.slot(name)[0], 30, f"the slot {name} to be free")
