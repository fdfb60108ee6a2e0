"""
A function for AWS Lambda behind Kafka, with Powertools' BatchProcessor. It fails each record whose offset is
in $FAILS at its first coming, and appends what it has processed to the file $EVENTS.
"""

import json
import os

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.Kafka, raise_on_entire_batch_failure=False)
failed = set()


def process(record):
    place = (record.topic, record.partition, record.offset)
    if record.offset in json.loads(os.environ["FAILS"]) and place not in failed:
        failed.add(place)
        raise ValueError(place)
    seen = {
        "place": place,
        "time": record.timestamp,
        "type": record.timestamp_type,
        "key": list(record.decoded_key),
        "value": list(record.decoded_value),
        "headers": {name: value.decode() for name, value in record.decoded_headers.items()},
    }
    with open(os.environ["EVENTS"], "a", encoding="utf-8") as events:
        events.write(json.dumps(seen) + "\n")


def handler(event, context):
    for place, records in event["records"].items():
        assert {f"{record['topic']}-{record['partition']}" for record in records} == {place}
        offsets = [record["offset"] for record in records]
        assert offsets == sorted(offsets)
    return process_partial_response(event, process, processor, context)
