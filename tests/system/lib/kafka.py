"""A real Apache Kafka: one KRaft node on a free loopback port, up in about a second; or three of them."""

import base64
import contextlib
import glob
import hashlib
import os
import shutil
import subprocess
from collections import namedtuple

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from lib import offset_fetch, processes
from lib.waiting import wait_until

TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
GroupRow = namedtuple("GroupRow", "group topic partition offset end lag")
CLUSTER_ID = "millraceTestsCluster00"
JAVA = ["java", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
PROPERTIES = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.backoff.ms": "500",
    "log.segment.bytes": "67108864",
    "controlled.shutdown.enable": "false",
    # Nobody ends this broker, and on a busy machine its controller must not take it for dead.
    "broker.session.timeout.ms": "30000",
    "num.partitions": "1",
}
# A broker that is killed may register again, and its topics get other leaders, once its session has ended.
MORTAL = {"broker.session.timeout.ms": "1500", "broker.heartbeat.interval.ms": "300"}
# Every topic has three replicas unless asked for otherwise, and so have Kafka's own.
REPLICATED = {
    **MORTAL,
    "broker.session.timeout.ms": "3000",
    "default.replication.factor": "3",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "replica.lag.time.max.ms": "2000",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "replica.fetch.wait.max.ms": "100",
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


class Client:
    """What tests ask of a broker or a cluster at `bootstrap`."""

    bootstrap = None
    replicas = 1  # of a topic that create_topic makes
    _admin = None

    @property
    def admin(self):
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return self._admin

    def metadata(self):
        """Of all topics. A client that has seen no broker for a while may need to be made anew."""
        try:
            return self.admin.list_topics(timeout=20).topics
        except KafkaException as error:
            if error.args[0].code() not in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
                raise
            self._admin = None
            return self.admin.list_topics(timeout=40).topics

    def topics(self):
        return set(self.metadata())

    def partitions(self, topic):
        """Partition numbers, [] when there is no such topic."""
        found = self.metadata().get(topic)
        return sorted(found.partitions) if found else []

    def create_topic(self, name, partitions=1, replicas=0, **config):
        """`config` with `_` for `.`; returns once a leader serves it."""
        settings = {key.replace("_", "."): str(value) for key, value in config.items()}
        made = self.admin.create_topics([NewTopic(name, partitions, replicas or self.replicas, config=settings)])
        try:
            made[name].result(120)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        wait_until(lambda: len(self.partitions(name)) == partitions, 10, f"topic {name}")

    def topic_config(self, topic):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        entries = self.admin.describe_configs([resource])[resource].result(120)
        return {name: entry.value for name, entry in entries.items()}

    def change_topic(self, topic, **config):
        """`config` as in create_topic; the rest of the topic's configuration stays."""
        entries = [
            ConfigEntry(key.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET)
            for key, value in config.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        self.admin.incremental_alter_configs([resource])[resource].result(120)

    def delete_topic(self, name):
        self.admin.delete_topics([name])[name].result(120)

    def committed(self, group, topic):
        """{partition: committed offset} of a group."""
        return {p.partition: p.offset for p in self.commits(group, topic)}

    def commits(self, group, topic):
        """What a group has committed, with the metadata."""
        return offset_fetch.commits(self, group, topic)

    def describe_groups(self, groups):
        """What `kafka-consumer-groups --describe` says: rows of group, topic, partition, offset, end and lag."""
        command = [*JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path(), TOOL]
        command += ["--bootstrap-server", self.bootstrap, "--describe", "--timeout", "120000"]
        command += [word for group in groups for word in ("--group", group)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout + done.stderr
        rows = [line.split() for line in done.stdout.splitlines()]
        return [GroupRow(r[0], r[1], int(r[2]), r[3], r[4], r[5]) for r in rows if r and r[0] in groups]

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
        assert producer.flush(120) == 0 and not failures, failures


class Kafka(Client):
    """One broker. `properties` go to server.properties; auto_create is on, as Kafka ships it, unless told."""

    def __init__(self, folder, template, auto_create=True, node=1, heap="-Xmx512m", **properties):
        self.folder = str(folder)
        self.node = node
        self.heap = heap
        self.port = processes.free_port()
        self.controller_port = processes.free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.process = None
        self.log = os.path.join(self.folder, "kafka.log")
        shutil.copytree(template, os.path.join(self.folder, "data"))
        if node != 1:
            self._renumber()
        self.write_properties({"auto.create.topics.enable": str(auto_create).lower(), **properties})

    @staticmethod
    def make_template(folder):
        """Formats a log folder once; every broker of the session gets a copy of it."""
        folder = str(folder)
        os.makedirs(folder, exist_ok=True)
        kept = os.path.join(folder, "server.properties")
        with open(kept, "w") as file:
            file.write(_properties(folder, 1, 9092, 9093, {}))
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

    def _renumber(self):
        """A copy of the template becomes the folder of another node."""
        number = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "_")
        with open(os.path.join(self.folder, "data", "meta.properties"), "w") as file:
            file.write(f"node.id={self.node}\ndirectory.id={number}\nversion=1\ncluster.id={CLUSTER_ID}\n")

    def write_properties(self, properties):
        with open(os.path.join(self.folder, "server.properties"), "w") as file:
            file.write(_properties(self.folder, self.node, self.port, self.controller_port, properties))

    def start(self):
        self.begin()
        return self.wait_started()

    def begin(self):
        """Starts it, and does not wait."""
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
            self.log_begin = log.tell()
            self.process = processes.spawn(
                [*JAVA, self.heap, share, "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-cp", classes]
                + ["kafka.Kafka", os.path.join(self.folder, "server.properties")],
                stdout=log,
                stderr=log,
            )

    def wait_started(self):
        def started():
            assert self.process.poll() is None, self.log_tail()
            with open(self.log, "rb") as file:
                file.seek(self.log_begin)
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


class Cluster(Client):
    """Three brokers that are controllers too; topics have three replicas, of which two have to be in sync."""

    replicas = 3

    def __init__(self, folder, template, **properties):
        self.nodes = [
            Kafka(f"{folder}-{node}", template, node=node, heap="-Xmx256m") for node in range(1, self.replicas + 1)
        ]
        voters = ",".join(f"{node.node}@127.0.0.1:{node.controller_port}" for node in self.nodes)
        for node in self.nodes:
            node.write_properties({**REPLICATED, "controller.quorum.voters": voters, **properties})
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)

    def start(self):
        """Starts those that are down."""
        down = [node for node in self.nodes if not node.process]
        for node in down:
            node.begin()
        for node in down:
            node.wait_started()
        return self

    def kill(self):
        for node in self.nodes:
            if node.process:
                node.kill()

    def node(self, number):
        return self.nodes[number - 1]

    def partition(self, topic, number=0):
        """Its leader, replicas and in-sync replicas (`isrs`), as the controller has them."""
        return self.admin.list_topics(topic, timeout=40).topics[topic].partitions[number]

    def wait_in_sync(self, topic, count):
        """Until each partition has so many in-sync replicas."""

        def in_sync():
            found = self.admin.list_topics(topic, timeout=40).topics[topic].partitions.values()
            return all(len(partition.isrs) == count and partition.leader >= 0 for partition in found)

        wait_until(in_sync, 60, f"{count} in-sync replicas of {topic}")


def _properties(folder, node, port, controller_port, more):
    listeners = f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
    settings = {
        **PROPERTIES,
        "node.id": str(node),
        "listeners": listeners,
        "controller.quorum.voters": f"{node}@127.0.0.1:{controller_port}",
        "log.dirs": os.path.join(folder, "data"),
        **more,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
