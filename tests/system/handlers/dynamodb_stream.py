"""
A function for AWS Lambda behind a DynamoDB stream, with Powertools' BatchProcessor and models. It fails each row whose
status is `fails once` at its first coming, and appends what it has processed to the file $EVENTS.
"""

import base64
import json
import os

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBStreamEvent
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import DynamoDBStreamModel
from boto3.dynamodb.types import TypeDeserializer

processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
deserializer = TypeDeserializer()
failed = set()


def with_bytes(value):
    """An attribute value as boto3 has it: bytes, where Lambda's JSON has base64."""
    ((tag, content),) = value.items()
    if tag == "B":
        return {tag: base64.b64decode(content, validate=True)}
    if tag == "L":
        return {tag: [with_bytes(item) for item in content]}
    return {tag: {name: with_bytes(item) for name, item in content.items()}} if tag == "M" else value


def plain(image):
    """The image in Python's types, by boto3."""
    return {name: deserializer.deserialize(with_bytes(value)) for name, value in image.items()}


def process(record):
    change = record.dynamodb
    if change.new_image.get("status") == "fails once" and record.event_id not in failed:
        failed.add(record.event_id)
        raise ValueError(record.event_id)
    raw = change.raw_event
    seen = {
        "id": record.event_id,
        "name": record.event_name.name,
        "region": record.aws_region,
        "arn": record.event_source_arn,
        "time": change.approximate_creation_date_time,
        "sequence": change.sequence_number,
        "size": change.size_bytes,
        "view": change.stream_view_type.name,
        "keys": repr(plain(raw["Keys"])),
        "new": repr(plain(raw["NewImage"])) if "NewImage" in raw else None,
        "old": repr(plain(raw["OldImage"])) if "OldImage" in raw else None,
    }
    with open(os.environ["EVENTS"], "a", encoding="utf-8") as events:
        events.write(json.dumps(seen) + "\n")


def handler(event, context):
    parse(event=json.loads(json.dumps(event)), model=DynamoDBStreamModel)  # raises where the shape is wrong
    DynamoDBStreamEvent(event)
    return process_partial_response(event, process, processor, context)


def stops_at_first(event, context):
    """As the example in AWS's documentation: the first failure ends it, and is the only one that is named."""
    for record in DynamoDBStreamEvent(event).records:
        try:
            process(record)
        except ValueError:
            return {"batchItemFailures": [{"itemIdentifier": record.dynamodb.sequence_number}]}
    return {"batchItemFailures": []}
