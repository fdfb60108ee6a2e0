"""
Promise: `millrace dlq` shows what could not be delivered, decoded, and finds it by reason, key, status, topic and time.
"""

import json
import re

import pytest
from lib import processes
from lib.function_server import Answer
from lib.records import read_topic
from lib.waiting import wait_until


pytestmark = pytest.mark.sanitized


@pytest.fixture
def shop(database, millrace, function, name):
    database.sql("create table a (id int primary key, v text)")
    millrace.connector(name, database)
    retry = {"attempts": 2, "backoff": {"initial": "10ms", "max": "20ms"}}
    millrace.function(name, f"{name}.public.a", function.url, delivery={"retry": retry})
    millrace.run()
    return database


def dlq(millrace, subcommand, *arguments, code=0):
    done = millrace.command("dlq", subcommand, "-c", millrace.folder, *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def listed(millrace, name, *arguments):
    return json.loads(dlq(millrace, "list", name, "--json", *arguments).stdout)


def ids(found):
    return sorted(letter["key"]["id"] for letter in found["letters"])


def test_list_and_show(shop, kafka, millrace, function, name):
    assert listed(millrace, name) == {"waiting": 0, "reasons": {}, "letters": []}
    function.rule = lambda call: Answer(500 if call.key["id"] % 2 else 422)
    shop.sql("insert into a select n, 'v' || n from generate_series(1, 6) n")
    read_topic(kafka, f"millrace.dlq.{name}", count=6)
    kafka.produce(f"{name}.public.a", [(b"bad", b"\x1b[31mnonsense", None, 0)])
    letters = read_topic(kafka, f"millrace.dlq.{name}", count=7)
    found = listed(millrace, name)
    assert found["waiting"] == 7
    assert found["reasons"] == {"attempts_exhausted": 3, "rejected": 3, "undecodable": 1}
    by_place = {f"{r.partition}:{r.offset}": r for r in letters}
    for letter in found["letters"]:
        record = by_place[letter["place"]]
        assert letter["id"] == record.headers["millrace.dlq.event_id"]
        assert str(letter["offset"]) == record.headers["millrace.dlq.offset"]
        assert letter["topic"] == f"{name}.public.a"
    assert ids(listed(millrace, name, "--reason", "rejected")) == [2, 4, 6]
    assert ids(listed(millrace, name, "--status", "500")) == [1, 3, 5]
    assert ids(listed(millrace, name, "--key", '{"id": 4}')) == [4]
    assert ids(listed(millrace, name, "--key", "5", "--topic", f"{name}.*", "--since", "1h")) == [5]
    assert listed(millrace, name, "--since", "2099-01-01T00:00:00Z")["waiting"] == 0
    assert listed(millrace, name, "--until", "1h")["waiting"] == 0
    limited = listed(millrace, name, "--limit", "2")
    assert (limited["waiting"], len(limited["letters"])) == (7, 2)
    none = dlq(millrace, "list", name, "--key", "77")
    assert none.stderr == "millrace dlq list: none of the 7 waiting letters is selected\n"
    assert "0 of 7 waiting" in dlq(millrace, "redrive", name, "--key", "77").stdout
    text = dlq(millrace, "list", name).stdout
    assert "         3 rejected\n" in text and "         7 waiting\n" in text and "\x1b" not in text
    one = next(letter for letter in found["letters"] if letter["reason"] == "rejected")
    for place in (one["place"], one["id"]):
        shown = json.loads(dlq(millrace, "show", name, place).stdout)
        assert shown["value"]["after"] == {"id": one["key"]["id"], "v": f"v{one['key']['id']}"}
        assert shown["key"] == one["key"]
        assert shown["headers"]["millrace.dlq.reason"] == one["reason"]
        assert shown["original"] == f"offset {one['offset']} of partition 0 of topic {name}.public.a"
    (bad,) = listed(millrace, name, "--reason", "undecodable")["letters"]
    shown = json.loads(dlq(millrace, "show", name, bad["place"]).stdout)
    assert (shown["value"], shown["key"]) == ("\x1b[31mnonsense", "bad")
    assert "wire format" in shown["undecoded"]
    assert "has no dead letter 0:99" in dlq(millrace, "show", name, "0:99", code=1).stderr
    wait_until(lambda: kafka.committed(f"millrace.{name}", f"{name}.public.a") == {0: 7}, 20, "settled")


def test_wrong_command_lines(millrace, function, name):
    millrace.function(name, f"{name}.x", function.url)
    assert f'did you mean "{name}"?' in dlq(millrace, "list", name + "x", code=78).stderr
    assert 'did you mean "list"?' in dlq(millrace, "lst", name, code=64).stderr
    assert "name the function" in dlq(millrace, "list", code=64).stderr
    assert "neither an RFC 3339" in dlq(millrace, "list", name, "--since", "yesterday", code=64).stderr
    assert "is not a number" in dlq(millrace, "list", name, "--status", "bad", code=64).stderr
    refused = dlq(millrace, "list", name, "--key", '{"id":4', code=64).stderr
    assert """--key {"id":4: character 7: '}' expected""" in refused
    assert f"{millrace.folder}/functions has no file {name}x.yaml" in dlq(millrace, "list", name + "x", code=78).stderr
    assert 'unknown option "--kee"; did you mean "--key"?' in dlq(millrace, "list", name, "--kee", code=64).stderr
    unknown = dlq(millrace, "drop", name, "--reason", "reject", "--yes", code=64).stderr
    assert '"reject" is none of attempts_exhausted, expired, rejected,' in unknown


def test_an_unreachable_kafka_ends_the_command(kafka, make_millrace, function, name):
    """With the place of the setting that names the brokers, and a line while it waits."""
    absent = f"127.0.0.1:{processes.free_port()}"
    other = make_millrace(kafka)
    other.function(name, f"{name}.x", function.url, make_topics=False)
    other.settings(kafka={"bootstrap.servers": absent})
    commands = [other.start("dlq", "list", name), other.start("replay", name, "--from", "0")]
    dry_run = other.start("filter", name)
    for command, word in zip(commands, ("dlq list", "replay")):
        command.wait_event(message=f"millrace {word}: waits for Kafka at {absent}, 30 s at most")
    for command in commands:
        assert command.wait_exit(timeout=60) == 1
        error = command.find(message="Kafka does not respond")["message"]
        place, line, column = re.search(r": (\S+):(\d+):(\d+): Kafka does not respond at " + absent, error).groups()
        assert place == f"{other.folder}/millrace.yaml"
        with open(place) as file:
            assert file.read().splitlines()[int(line) - 1][int(column) - 1 :].startswith(f'"{absent}"')
    assert dry_run.wait_exit(timeout=60) == 1
    assert dry_run.find(message=f"Kafka does not respond at {absent} .bootstrap.servers in millrace.yaml.: ")


def test_what_is_settled_may_alternate_with_what_waits(kafka, millrace, function, name):
    """More of it than fits into the metadata of an offset."""
    topic = f"millrace.dlq.{name}"
    kafka.create_topic(topic)
    millrace.function(name, f"{name}.x", function.url)
    headers = [
        [("millrace.dlq.reason", reason), ("millrace.dlq.event_id", b"%d" % n)]
        for n in range(6000)
        for reason in [(b"redirect", b"rejected")[n % 2]]
    ]
    kafka.produce(topic, [(b"%d" % n, b"x", head, 0) for n, head in enumerate(headers)])
    reasons = listed(millrace, name)["reasons"]
    dlq(millrace, "drop", name, "--reason", "rejected", "--yes")
    dropped = reasons.pop("rejected")
    assert (dropped, reasons) == (3000, {"redirect": 3000})
    (commit,) = kafka.commits(f"millrace.{name}.dlq", topic)
    print(len(commit.metadata), "characters of metadata")
    assert listed(millrace, name)["reasons"] == reasons
    said = dlq(millrace, "drop", name, "--reason", "rejected", "--yes").stdout
    assert "0 of 3000 waiting dead letters are selected" in said
