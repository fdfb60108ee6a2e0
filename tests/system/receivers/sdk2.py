"""Reads requests with the second version of the CloudEvents SDK: PYTHONPATH has it before the first version."""

import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event, to_structured_event


def members(event):
    return {**{name: str(value) for name, value in event.get_attributes().items()}, "data": event.get_data()}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        event = from_http_event(HTTPMessage(request["headers"], request["body"].encode()))
        for write in (to_binary_event, to_structured_event):
            assert members(from_http_event(write(event))) == members(event)
        print(json.dumps(members(event)))


main()
