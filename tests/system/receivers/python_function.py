"""Functions for Python's functions-framework; what they get goes into the file EVENTS, a line for each event."""

import json
import os

import functions_framework
from cloudevents.http import from_http, to_binary, to_structured


@functions_framework.cloud_event
def handle(event):
    """Notes the event, and what becomes of it when the SDK writes and reads it again in both modes."""
    again = [from_http(*message) for message in (to_binary(event), to_structured(event))]
    line = {
        "event": {**event.get_attributes(), "data": event.data},
        "again": [{**other.get_attributes(), "data": other.data} for other in again],
    }
    with open(os.environ["EVENTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
