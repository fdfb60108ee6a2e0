"""Promise: handlers that report partial failures to AWS Lambda work unchanged, here those of its Powertools."""

import json
import threading
from collections import defaultdict

import pytest
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    process_partial_response,
)
from lib.function_server import Answer
from lib.waiting import wait_until

ROWS = 60
BATCH = 20


class Handler:
    """Fails each third row once and one row always; has every outcome in order."""

    def __init__(self, processor):
        self.processor = processor
        self.failed = set()
        self.done = defaultdict(list)
        self.sizes = []
        self.lock = threading.Lock()

    def handle(self, record):
        event = json.loads(record.body)
        row = event["data"]["after"]
        if row["id"] == 7 or (row["id"] % 3 == 0 and event["id"] not in self.failed):
            self.failed.add(event["id"])
            raise ValueError(f"row {row['id']}")
        self.done[row["id"]].append(row["n"])

    def rule(self, call):
        with self.lock:
            self.sizes.append(len(call.json))
            records = [{"messageId": event["id"], "body": json.dumps(event), "attributes": {}} for event in call.json]
            answer = process_partial_response({"Records": records}, self.handle, self.processor)
        return Answer(body=json.dumps(answer).encode())


@pytest.fixture
def shop(database, millrace, function, name):
    def start(handler, **batch):
        database.sql("create table a (id int primary key, n int not null)")
        millrace.connector(name, database)
        function.rule = handler.rule
        millrace.function(
            name,
            f"{name}.public.a",
            function.url,
            payload="cloudevents-batch",
            delivery={
                "concurrency": 4,
                "batch": {"events": BATCH, "window": "100ms", "partial_failures": True, **batch},
                "retry": {"attempts": 3, "backoff": {"initial": "10ms", "max": "50ms"}},
            },
        )
        millrace.run()
        database.sql(f"insert into a select generate_series(1, {ROWS}), 0")
        for n in range(1, 4):
            database.sql(f"update a set n = {n}")

    return start


def test_only_reported_events_are_sent_again(shop, function):
    """The processor never stops: it reports what failed. Nothing that it did not report comes again."""
    handler = Handler(BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False))
    shop(handler)
    rows = [row for row in range(1, ROWS + 1) if row != 7]
    wait_until(lambda: all(len(handler.done[row]) >= 4 for row in rows), 60, lambda: f"{dict(handler.done)}")
    for row in rows:
        assert sorted(handler.done[row]) == [0, 1, 2, 3], row
    assert handler.done[7] == []
    assert max(handler.sizes) > 1, "no call carried a batch"


def test_order_per_key_with_a_handler_that_stops(shop, function):
    """The FIFO processor stops at the first failure and reports all behind it: each row's order holds."""
    processor = SqsFifoPartialProcessor()
    processor.raise_on_entire_batch_failure = False  # else it raises where each row's only event fails
    handler = Handler(processor)
    shop(handler, by_key=True)
    rows = [row for row in range(1, ROWS + 1) if row != 7]
    wait_until(lambda: all(len(handler.done[row]) >= 4 for row in rows), 60, lambda: f"{dict(handler.done)}")
    for row in rows:
        assert handler.done[row] == [0, 1, 2, 3], row
