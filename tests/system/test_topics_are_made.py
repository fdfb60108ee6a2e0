"""
Promise: all topics are made by us, as configured: also where the broker makes none by itself. (The other tests run with
a broker as Kafka ships it, which makes any topic that is asked for by its name.)
"""

import requests

from lib.function_server import Answer
from lib.records import read_topic
from lib.waiting import wait_until


def test_by_us_where_the_broker_makes_none(private_kafka, database, make_millrace, function, name):
    broker = private_kafka(auto_create=False)
    database.sql("create table a (id int primary key); insert into a values (1)")
    millrace = make_millrace(broker)
    millrace.connector(name, database, topics={"partitions": 3})
    millrace.function(name, f"{name}.public.*", function.url)
    function.rule = lambda call: Answer(400) if call.key["id"] == 2 else None
    millrace.run(wait=False)
    function.wait_calls(1, timeout=60)
    database.sql("insert into a values (2), (3)")
    function.wait_calls(3)
    (dead,) = read_topic(broker, f"millrace.dlq.{name}", millrace.registry, count=1)
    assert dead.key["id"] == 2
    assert broker.partitions(f"{name}.public.a") == [0, 1, 2]
    for topic in ("millrace.state", "millrace.schemas"):
        assert broker.topic_config(topic)["cleanup.policy"] == "compact"
    made = {topic for topic in broker.topics() if not topic.startswith("__")}
    assert made == {"millrace.state", "millrace.schemas", f"{name}.public.a", f"millrace.dlq.{name}"}
    wait_until(lambda: sum(broker.committed(f"millrace.{name}", f"{name}.public.a").values()) == 3, 20, "commits")


def test_by_the_first_group_that_matches_their_names(kafka, database, millrace, name):
    database.sql("create table a (id int primary key); create table b (id int primary key); insert into a values (1)")
    groups = [
        {"match": f"{name}.public.a", "partitions": 2, "config": {"cleanup.policy": "compact"}},
        {"match": f"{name}.*", "config": {"retention.ms": 7000000}},
    ]
    topics = {"partitions": 3, "config": {"retention.ms": 9000000, "segment.ms": 8000000}, "groups": groups}
    millrace.connector(name, database, topics=topics)
    millrace.run()
    read_topic(kafka, f"{name}.public.a", millrace.registry, count=1)
    wait_until(lambda: f"{name}.public.b" in kafka.topics(), 30, "the second topic")
    assert [len(kafka.partitions(f"{name}.public.{table}")) for table in "ab"] == [2, 3]
    asked = ("cleanup.policy", "retention.ms", "segment.ms")
    settings = [[kafka.topic_config(f"{name}.public.{table}")[key] for key in asked] for table in "ab"]
    assert settings == [["compact", "9000000", "8000000"], ["delete", "7000000", "8000000"]]


def test_what_an_existing_topic_has_otherwise_is_said_once_and_stays(kafka, database, millrace, name):
    database.sql("create table a (id int primary key, t text); insert into a values (1, 'x')")
    kafka.create_topic(f"{name}.public.a", partitions=1, **{"cleanup.policy": "delete", "max.message.bytes": "9000"})
    kafka.create_topic(f"{name}.transaction", partitions=2, **{"cleanup.policy": "compact"})
    topics = {"partitions": 2, "config": {"cleanup.policy": "compact"}}
    millrace.connector(name, database, topics=topics, transactions={"topic": True})
    process = millrace.run()
    database.sql("insert into a values (2, 'y')")
    read_topic(kafka, f"{name}.public.a", millrace.registry, count=2)

    def said():
        found = [event for event in process.events if event.get("event") == "topic_differs"]
        return sorted((event["topic"], event["setting"], str(event["is"]), str(event["asked"])) for event in found)

    topic = f"{name}.public.a"
    expected = [
        (topic, "cleanup.policy", "delete", "compact"),
        (topic, "max.message.bytes", "9000", "1000000"),
        (topic, "partitions", "1", "2"),
    ]
    wait_until(lambda: len(said()) >= 3, 30, said)
    text = requests.get(f"{millrace.admin_url}/metrics", timeout=20).text
    assert f'millrace_connector_differing_topics{{connector="{name}"}} 1' in text
    assert said() == expected
    assert millrace.get("/api/status").json()["connectors"][0]["differing_topics"] == 1
    settings = kafka.topic_config(topic)
    assert (settings["cleanup.policy"], settings["max.message.bytes"], kafka.partitions(topic)) == (
        "delete",
        "9000",
        [0],
    )
