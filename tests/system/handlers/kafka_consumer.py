"""
Functions for AWS Lambda behind Kafka and a schema registry, with Powertools' KafkaConsumer: one takes decoded JSON, the
other Avro. They append what they got to the file $EVENTS.
"""

import json
import os

from aws_lambda_powertools.utilities.kafka import SchemaConfig, kafka_consumer
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import KafkaSelfManagedEventModel


def note(kind, event):
    with open(os.environ["EVENTS"], "a", encoding="utf-8") as events:
        for record in event.records:
            seen = {
                "kind": kind,
                "key": record.key,
                "value": record.value,
                "headers": {name: value.decode() for name, value in record.headers.items()},
                "schema": record.value_schema_metadata.schema_id,
            }
            events.write(json.dumps(seen, default=str) + "\n")


@kafka_consumer(schema_config=SchemaConfig(key_schema_type="JSON", value_schema_type="JSON"))
def decoded(event, context):
    note("json", event)
    return {"batchItemFailures": []}


def handler(event, context):
    parse(event=json.loads(json.dumps(event)), model=KafkaSelfManagedEventModel)  # raises where the shape is wrong
    return decoded(event, context)


def avro(key_schema, value_schema):
    """The handler for these schemas, which a function has compiled in."""
    config = SchemaConfig(
        key_schema_type="AVRO", key_schema=key_schema, value_schema_type="AVRO", value_schema=value_schema
    )

    @kafka_consumer(schema_config=config)
    def source(event, context):
        note("avro", event)
        return {"batchItemFailures": []}

    return source
