"""
A function for AWS Lambda behind Kafka that does what each record says: {"id": 1, "do": "hold"}. It appends what it did
to the file $EVENTS; files in $FOLDER release what holds.
"""

import base64
import json
import logging
import os
import signal
import time


def note(at, what, context, **more):
    line = {"at": at, "id": what["id"], "request": context.aws_request_id, "pid": os.getpid(), **more}
    line["guard"] = os.getppid()  # millrace's log has its number
    with open(os.environ["EVENTS"], "a", encoding="utf-8") as events:
        events.write(json.dumps(line) + "\n")


def is_first(what):
    """Whether no process has been asked for it before."""
    try:
        os.close(os.open(f"{os.environ['FOLDER']}/first-{what['id']}", os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def hold(what):
    while not os.path.exists(f"{os.environ['FOLDER']}/release-{what['id']}"):
        time.sleep(0.01)


def act(what, context):
    match what["do"]:
        case "print":
            print(what["text"])
        case "log":
            logging.warning(what["text"])
        case "raise":
            raise ValueError(what["text"])
        case "exit":
            os._exit(7)
        case "exit once" if is_first(what):
            os._exit(7)
        case "kill once" if is_first(what):
            os.kill(os.getpid(), signal.SIGKILL)
        case "hold":
            hold(what)
        case "hold once" if is_first(what):
            hold(what)
        case "context":
            names = ("function_name", "function_version", "memory_limit_in_mb")
            seen = {name: getattr(context, name) for name in names}
            seen["arn"] = context.invoked_function_arn
            seen["remaining"] = context.get_remaining_time_in_millis()
            seen["directory"], seen["root"] = os.getcwd(), os.environ["LAMBDA_TASK_ROOT"]
            note("context", what, context, **seen)


def handler(event, context):
    for records in event["records"].values():
        for record in records:
            what = json.loads(base64.b64decode(record["value"]))
            note("begin", what, context)
            act(what, context)
            note("end", what, context)
    return {"batchItemFailures": []}
