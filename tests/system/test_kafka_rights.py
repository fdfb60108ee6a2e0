"""
Promise: where our principal may not make topics, those that are there are used, and one that is missing is named.
"""

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from lib.records import read_topic

pytestmark = pytest.mark.slow


AUTHORIZER = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer"}
EVERYTHING = {"allow.everyone.if.no.acl.found": "true"}


def forbid_making_topics(broker):
    """For everybody, but for the broker's own topics; what the program needs beside is allowed."""
    topic, cluster = ResourceType.TOPIC, ResourceType.BROKER
    used = (AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE)
    served = (AclOperation.CLUSTER_ACTION, AclOperation.DESCRIBE, AclOperation.IDEMPOTENT_WRITE)
    allowed = [(topic, "*", ResourcePatternType.LITERAL, operation) for operation in used]
    allowed += [(cluster, "kafka-cluster", ResourcePatternType.LITERAL, operation) for operation in served]
    allowed += [(topic, "__", ResourcePatternType.PREFIXED, AclOperation.ALL)]
    rules = [
        AclBinding(kind, name, pattern, "User:*", "*", operation, AclPermissionType.ALLOW)
        for kind, name, pattern, operation in allowed
    ]
    for done in broker.admin.create_acls(rules).values():
        done.result(30)


def test_without_the_right_to_make_topics(private_kafka, database, make_millrace, function, name):
    broker = private_kafka(**AUTHORIZER, **EVERYTHING)
    for topic in ("millrace.state", "millrace.schemas"):
        broker.create_topic(topic, cleanup_policy="compact")
    broker.create_topic(f"{name}.public.a")
    broker.create_topic(f"millrace.dlq.{name}")
    forbid_making_topics(broker)
    database.sql("create table a (id int primary key)")
    millrace = make_millrace(broker)
    millrace.settings(kafka={"topic.metadata.propagation.max.ms": "3000"})  # believed to be coming for so long
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url, make_topics=False)
    process = millrace.run()
    database.sql("insert into a values (1)")
    function.wait_calls(1, timeout=30)
    assert read_topic(broker, f"{name}.public.a", count=1)
    database.sql("create table b (id int primary key)")
    process.wait_event(message=rf"topic {name}\.public\.b must exist")
    database.sql("insert into b values (1)")
    event = process.wait_event(message=rf"topic {name}\.public\.b was not delivered", timeout=60)
    assert "make it, or allow CREATE" in event["message"]
