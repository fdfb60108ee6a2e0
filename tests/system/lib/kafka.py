"""A real Apache Kafka: one KRaft node on a free loopback port, up in about a second."""

import glob
import hashlib
import os
import shutil
import subprocess

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from lib import processes
from lib.waiting import wait_until

CLUSTER_ID = "millraceTestsCluster00"
JAVA = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.segment.bytes": "67108864",
    "controlled.shutdown.enable": "false",
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "300",
    "num.partitions": "1",
}


def cache_folder():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "millrace")


def class_path():
    folder = os.environ.get("MILLRACE_KAFKA_LIBS")
    if not folder:
        ready = sorted(glob.glob(os.path.join(cache_folder(), "kafka-*", "ready")))
        assert ready, "Kafka's jars are not there: run tests/run.sh system once"
        folder = os.path.dirname(ready[-1])
    return ":".join(sorted(glob.glob(os.path.join(folder, "*.jar"))))


class Kafka:
    """`properties` go to server.properties; auto_create is off unless asked for."""

    def __init__(self, folder, template, auto_create=False, **properties):
        self.folder = str(folder)
        self.port = processes.free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.process = None
        self.log = os.path.join(self.folder, "kafka.log")
        shutil.copytree(template, os.path.join(self.folder, "data"))
        self.write_properties({"auto.create.topics.enable": str(auto_create).lower(), **properties})
        self._admin = None

    @staticmethod
    def make_template(folder):
        """Formats a log folder once; every broker of the session gets a copy of it."""
        folder = str(folder)
        os.makedirs(folder, exist_ok=True)
        kept = os.path.join(folder, "server.properties")
        with open(kept, "w") as file:
            file.write(_properties(folder, 9092, 9093, {}))
        command = [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            class_path(),
            "kafka.tools.StorageTool",
            "format",
        ]
        subprocess.run([*command, "-t", CLUSTER_ID, "-c", kept], check=True, capture_output=True, timeout=120)
        return os.path.join(folder, "data")

    def write_properties(self, properties):
        self.controller_port = processes.free_port()
        with open(os.path.join(self.folder, "server.properties"), "w") as file:
            file.write(_properties(self.folder, self.port, self.controller_port, properties))

    def start(self):
        classes = class_path()
        archive = os.path.join(
            cache_folder(), f"kafka-{hashlib.sha256(classes.encode()).hexdigest()[:12]}.jsa"
        )
        self.archive_made = None
        if os.path.exists(archive):
            share = f"-XX:SharedArchiveFile={archive}"
        else:
            self.archive_made = archive
            share = f"-XX:ArchiveClassesAtExit={archive}.{os.getpid()}"
        with open(self.log, "ab") as log:
            begin = log.tell()
            self.process = processes.spawn(
                [*JAVA, share, "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-cp", classes, "kafka.Kafka"]
                + [os.path.join(self.folder, "server.properties")],
                stdout=log,
                stderr=log,
            )

        def started():
            assert self.process.poll() is None, self.log_tail()
            with open(self.log, "rb") as file:
                file.seek(begin)
                return b"Kafka Server started" in file.read()

        wait_until(started, 60, lambda: "Kafka: " + self.log_tail())
        return self

    def log_tail(self):
        with open(self.log, errors="replace") as file:
            return file.read()[-3000:]

    def stop(self):
        if self.process:
            processes.terminate(self.process, 60)
            self.process = None
            if self.archive_made and os.path.exists(f"{self.archive_made}.{os.getpid()}"):
                os.replace(f"{self.archive_made}.{os.getpid()}", self.archive_made)

    def kill(self):
        """kill -9."""
        processes.reap(self.process)
        self.process = None

    @property
    def admin(self):
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return self._admin

    def topics(self):
        return set(self.admin.list_topics(timeout=10).topics)

    def partitions(self, topic):
        """Partition numbers, [] when there is no such topic."""
        found = self.admin.list_topics(timeout=10).topics.get(topic)
        return sorted(found.partitions) if found else []

    def create_topic(self, name, partitions=1, **config):
        """`config` with `_` for `.`; returns once a leader serves it."""
        settings = {key.replace("_", "."): str(value) for key, value in config.items()}
        made = self.admin.create_topics([NewTopic(name, partitions, 1, config=settings)])
        try:
            made[name].result(30)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        wait_until(lambda: len(self.partitions(name)) == partitions, 10, f"topic {name}")

    def topic_config(self, topic):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        entries = self.admin.describe_configs([resource])[resource].result(30)
        return {name: entry.value for name, entry in entries.items()}

    def delete_topic(self, name):
        self.admin.delete_topics([name])[name].result(30)

    def committed(self, group, topic):
        """{partition: committed offset} of a group."""
        from confluent_kafka import ConsumerGroupTopicPartitions

        asked = ConsumerGroupTopicPartitions(
            group, [TopicPartition(topic, p) for p in self.partitions(topic)]
        )
        answer = self.admin.list_consumer_group_offsets([asked])[group].result(30)
        return {p.partition: p.offset for p in answer.topic_partitions if p.offset >= 0}

    def produce(self, topic, records):
        """Produces (key, value, headers or None, partition or -1) tuples and waits for all of them."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, "log_level": 0})
        failures = []
        for key, value, headers, partition in records:
            producer.produce(
                topic,
                key=key,
                value=value,
                headers=headers or [],
                partition=partition,
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
            producer.poll(0)
        assert producer.flush(30) == 0 and not failures, failures


def _properties(folder, port, controller_port, more):
    listeners = f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
    settings = {
        **PROPERTIES,
        "listeners": listeners,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": os.path.join(folder, "data"),
        **more,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
