"""
Promise: whatever a partition's log ends with, the end offset itself is committed once all is settled: lag is 0.
"""

import json
import time
from collections import Counter
from contextlib import closing

import pytest
from confluent_kafka import Producer, TopicPartition
from lib.records import consumer, end_offsets, read_topic
from lib.waiting import wait_until

BASE = 3  # records that each topic begins with
WANTED = {"key": [{"anything-but": ["filtered"]}]}


class Endings:
    """What comes after records that were delivered. Each returns how many events of it are wanted."""

    def __init__(self, kafka, value):
        self.kafka = kafka
        self.value = value

    def put(self, topic, *keys, value=None):
        self.kafka.produce(topic, [(key, value or self.value, None, 0) for key in keys])

    def transaction(self, topic, *keys, is_committed=True):
        """Its records are older than its marker: with `segment.ms` 1 each begins a segment."""
        producer = Producer(
            {"bootstrap.servers": self.kafka.bootstrap, "transactional.id": f"{topic}-ending", "log_level": 0}
        )
        producer.init_transactions(120)
        producer.begin_transaction()
        for number, key in enumerate(keys):
            at = int(time.time() * 1000) - 60_000 + 1000 * number
            producer.produce(topic, key=key, value=self.value, partition=0, timestamp=at)
            assert producer.flush(120) == 0
        if is_committed:
            producer.commit_transaction(120)
        else:
            producer.abort_transaction(120)

    def nothing(self, _):
        return 0

    def committed_transaction(self, topic):
        self.transaction(topic, b"a", b"b")
        return 2

    def aborted_transaction(self, topic):
        self.put(topic, b"a")
        self.transaction(topic, b"b", b"c", is_committed=False)
        return 1

    def filtered(self, topic):
        self.put(topic, b"a", b"filtered")
        return 1

    def tombstone(self, topic):
        self.kafka.produce(topic, [(b"a", self.value, None, 0), (b"a", None, None, 0)])
        return 1

    def deleted_records(self, topic):
        self.put(topic, b"filtered", b"filtered")
        ends = [TopicPartition(topic, number, end) for number, end in log_ends(self.kafka, topic).items()]
        for done in self.kafka.admin.delete_records(ends).values():
            done.result(120)
        return 0

    def compacted(self, topic):
        """The cleaner leaves of all these the last record of the key and the markers that are newer."""
        first = log_ends(self.kafka, topic)[0]
        self.transaction(topic, b"filtered", b"filtered")
        self.transaction(topic, b"aborted", b"aborted", is_committed=False)
        self.transaction(topic, b"filtered", b"filtered")
        last = first + 7  # three transactions of two records and a marker

        def cleaned():
            return [offset for offset in offsets(self.kafka, topic) if offset >= first] == [last]

        wait_until(cleaned, 60, lambda: f"only {last} from {first} on in {topic}: {offsets(self.kafka, topic)}")
        return 0


CONFIGS = {
    "compacted": {
        "cleanup_policy": "compact",
        "segment_ms": 1,
        "min_cleanable_dirty_ratio": 0,
        "delete_retention_ms": 0,
    }
}
ENDINGS = [name for name in vars(Endings) if name[0] != "_" and name not in ("put", "transaction")]


def reader(kafka):
    """Reads transactions that are open or aborted, too."""
    return consumer(kafka.bootstrap, **{"isolation.level": "read_uncommitted", "enable.partition.eof": True})


def log_ends(kafka, topic):
    with closing(reader(kafka)) as mine:
        return end_offsets(kafka, topic, mine)


def offsets(kafka, topic):
    """The offsets of all records that are there."""
    found = []
    with closing(reader(kafka)) as mine:
        mine.assign([TopicPartition(topic, 0, 0)])
        while (message := mine.poll(40)) is not None and not message.error():
            found.append(message.offset())
    return found


class Case:
    """Functions of `topics`, and what their calls should be in the end."""

    def __init__(self, kafka, millrace, function):
        self.kafka, self.millrace, self.function = kafka, millrace, function
        self.topics = {}  # by function
        self.calls = Counter()

    def add(self, name, topic):
        self.topics[name] = topic
        self.millrace.function(name, topic, f"{self.function.url}/{name}", filter=WANTED)

    def expect(self, topic, count):
        self.calls.update({f"/{name}": count for name, of in self.topics.items() if of == topic})

    def committed(self):
        return {name: self.kafka.committed(f"millrace.{name}", topic) for name, topic in self.topics.items()}

    def ended(self):
        """Whether each function has committed the end of all partitions."""
        return self.committed() == {name: log_ends(self.kafka, topic) for name, topic in self.topics.items()}

    def check(self):
        wait_until(self.ended, 30, lambda: f"the ends, have {self.committed()}")
        for name in self.topics:
            wait_until(lambda: self.millrace.metric("millrace_function_lag_records", function=name) == 0, 10, name)
        status = json.loads(self.millrace.command("status", "--json", "-c", self.millrace.folder).stdout)
        assert {f["name"]: f["lag_records"] for f in status["functions"]} == dict.fromkeys(self.topics, 0)
        assert Counter(call.path for call in self.function.calls) == +self.calls
        assert max(Counter((call.path, call.id) for call in self.function.calls).values()) == 1, "called twice"

    def check_described(self):
        described = self.kafka.describe_groups([f"millrace.{name}" for name in self.topics])
        assert {(row.group, row.topic, row.partition): row.lag for row in described} == {
            (f"millrace.{name}", topic, number): "0" for name, topic in self.topics.items() for number in (0, 1)
        }


@pytest.mark.parametrize("ending", ENDINGS)
def test_lag_is_0(database, kafka, millrace, function, name, ending):
    """For a function alone, and for functions that share a feed; while they run, after a stop, and new ones."""
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    process = millrace.run()
    database.sql("insert into a values (1)")
    endings = Endings(kafka, read_topic(kafka, f"{name}.public.a", count=1)[0].raw_value)
    process.stop()
    case = Case(kafka, millrace, function)
    topics = [f"{name}.alone", f"{name}.shared"]
    for topic in topics:
        kafka.create_topic(topic, 2, **CONFIGS.get(ending, {}))
        endings.put(topic, *[b"%d" % n for n in range(BASE)])
    for which, topic in (("alone", 0), ("one", 1), ("two", 1)):
        case.add(f"{name}-{which}", topics[topic])
    for topic in topics:
        case.expect(topic, BASE)
    process = millrace.run()
    case.check()
    for topic in topics:
        case.expect(topic, getattr(endings, ending)(topic))
    case.check()
    assert process.stop() == 0
    for topic in topics:
        case.expect(topic, getattr(endings, ending)(topic))
    process = millrace.run()
    case.check()
    for which, topic in (("late", 0), ("later", 1)):
        case.add(f"{name}-{which}", topics[topic])
        case.calls[f"/{name}-{which}"] = sum(key not in (b"filtered", None) for key in keys(kafka, topics[topic]))
    case.check()
    case.check_described()
    assert process.stop() == 0
    process = millrace.run()
    case.check()  # nothing is new
    assert process.stop() == 0


def keys(kafka, topic):
    """The keys of the events that are there."""
    return [record.raw_key for record in read_topic(kafka, topic) if record.raw_value is not None]
