"""Functions for Python's functions-framework; what they get goes into the file EVENTS, a line for each event."""

import json
import os

import functions_framework
from cloudevents.http import CloudEvent, from_http, to_binary, to_structured


def note(line):
    with open(os.environ["EVENTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@functions_framework.http
def reply(request):
    """Responds with an event of the SDK: in binary mode to the first change of a row, in structured mode to others."""
    event = from_http(request.headers, request.get_data())
    answer = CloudEvent({"source": "/python", "type": "python.reply", "level": "3"}, {"of": event["type"], "n": 1.5})
    headers, body = (to_binary if event["type"].endswith("create") else to_structured)(answer)
    note({**answer.get_attributes(), "data": answer.data})
    return body, 200, headers


@functions_framework.cloud_event
def handle(event):
    """Notes the event, and what becomes of it when the SDK writes and reads it again in both modes."""
    again = [from_http(*message) for message in (to_binary(event), to_structured(event))]
    line = {
        "event": {**event.get_attributes(), "data": event.data},
        "again": [{**other.get_attributes(), "data": other.data} for other in again],
    }
    note(line)
