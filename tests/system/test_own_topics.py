"""
Promise: what we keep on Kafka outlives every process: our own topics are compacted, whatever the broker makes of a
name it hears first.
"""

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from lib.waiting import wait_until

OURS = ("millrace.state", "millrace.schemas")
AUTHORIZER = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer"}
EVERYTHING = {"allow.everyone.if.no.acl.found": "true"}


@pytest.fixture(scope="module")
def broker(folder, kafka_template):
    """As Kafka ships it: a name that is asked for is made, with the broker's defaults."""
    from lib.kafka import Kafka

    broker = Kafka(f"{folder}/kafka-own-topics", kafka_template, auto_create=True)
    broker.start()
    yield broker
    broker.stop()


def delete_topics(broker, *names):
    for name in names:
        if name in broker.topics():
            broker.delete_topic(name)
    # Asking for all topics makes none; asking for one by its name would.
    wait_until(lambda: not set(names) & broker.topics(), 30, "the topics to be gone")


def test_fresh_starts_make_the_topics_as_asked(broker, database, make_millrace, name):
    database.sql("create table a (id int primary key); insert into a values (1)")
    for start in range(6):
        delete_topics(broker, *OURS, f"{name}{start}.public.a")
        millrace = make_millrace(broker)
        millrace.connector(
            f"{name}{start}", database, topics={"partitions": 3}, slot={"name": f"{name}_{start}"}
        )
        process = millrace.connect(f"{name}{start}")
        process.wait_event("topic_created", topic=f"{name}{start}.public.a")
        for topic in OURS:
            assert broker.topic_config(topic)["cleanup.policy"] == "compact", (start, topic)
            assert broker.partitions(topic) == [0]
        assert broker.partitions(f"{name}{start}.public.a") == [0, 1, 2], start
        assert process.stop() == 0
        database.drop_slot(f"{name}_{start}")


def test_a_topic_whose_records_expire_is_repaired(broker, database, make_millrace, name):
    database.sql("create table a (id int primary key); insert into a values (1)")
    delete_topics(broker, *OURS)
    for topic in OURS:
        broker.create_topic(topic, cleanup_policy="delete", min_insync_replicas=1, max_message_bytes=2000000)
    millrace = make_millrace(broker)
    millrace.connector(name, database)
    process = millrace.connect()
    for topic in OURS:
        assert process.wait_event("topic_repaired", topic=topic)
        assert broker.topic_config(topic)["cleanup.policy"] == "compact"
        assert broker.topic_config(topic)["max.message.bytes"] == "2000000"
    assert process.stop() == 0


def test_a_topic_that_may_not_be_repaired_is_refused(private_kafka, make_millrace, function, name):
    broker = private_kafka(auto_create=True, **AUTHORIZER, **EVERYTHING)
    broker.create_topic("millrace.state", cleanup_policy="delete")
    millrace = make_millrace(broker)
    millrace.function(name, f"{name}.public.a", function.url)
    allowed = [AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS]
    rules = [
        AclBinding(
            ResourceType.TOPIC,
            "millrace.state",
            ResourcePatternType.LITERAL,
            "User:*",
            "*",
            operation,
            AclPermissionType.ALLOW,
        )
        for operation in allowed
    ]
    for done in broker.admin.create_acls(rules).values():
        done.result(30)
    process = millrace.bridge(wait=False)
    event = process.wait_event("function_state", to="failed")
    assert "kafka-configs.sh --bootstrap-server" in event["message"]
    assert "--add-config cleanup.policy=compact" in event["message"]
    assert broker.topic_config("millrace.state")["cleanup.policy"] == "delete"
