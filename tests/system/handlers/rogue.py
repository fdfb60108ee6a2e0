"""
Programs that speak Lambda's Runtime API by hand, or don't, as no client of Lambda's does: rogue.py NAME. What they see
goes to the file $EVENTS.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

API = "/2018-06-01/runtime"
CHUNK = b"x" * (1 << 20)


def note(**what):
    with open(os.environ["EVENTS"], "a", encoding="utf-8") as events:
        events.write(json.dumps({"pid": os.getpid(), "guard": os.getppid(), **what}) + "\n")


def connect():
    return http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def next_call(connection):
    connection.request("GET", f"{API}/invocation/next")
    response = connection.getresponse()
    response.read()
    return response.headers["Lambda-Runtime-Aws-Request-Id"]


def respond(connection, call, body=b"{}", what="response", headers=None):
    connection.request("POST", f"{API}/invocation/{call}/{what}", body, headers or {})
    response = connection.getresponse()
    response.read()
    return response.status


def serve():
    connection = connect()
    while True:
        call = next_call(connection)
        note(call=call, status=respond(connection, call))


def exits():
    print("no licence: it was in the drawer", file=sys.stderr)
    sys.exit(42)


def can_open(path):
    try:
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def shows():
    """What it has, and what it can get."""
    descriptors = [int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
    try:
        os.setuid(0)
        is_root = True
    except OSError:
        is_root = False
    readable = [path for path in json.loads(os.environ["CAN_READ"]) if can_open(path)]
    note(descriptors=sorted(descriptors), root=is_root, read=readable)
    serve()


def silent():
    note(silent=True)
    while True:
        signal.pause()


def floods():
    """Lines, bytes that are no text and lines without an end, without an end; meanwhile it serves."""
    line = b"a line of output that nobody asked for\n"
    parts = (line * 2_000, b"\xff\x00\x1b[31m\n" * 2_000, CHUNK[:100_000], b"\n")

    def flood():
        for round in range(1_000_000):
            for part in parts:
                for stream in (1, 2):
                    left = part
                    while left:
                        left = left[os.write(stream, left) :]
            note(round=round)

    threading.Thread(target=flood, daemon=True).start()
    serve()


def forks():
    """A child, a grandchild, and one that has left its session and its parent."""
    sleeps = ["sleep", "1000000"]
    child = subprocess.Popen(sleeps)
    shell = subprocess.Popen(["sh", "-c", "sleep 1000000 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    script = f"import subprocess as s; print(s.Popen({sleeps}, stdout=s.DEVNULL, start_new_session=True).pid)"
    left = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    note(children=[child.pid, shell.pid, int(shell.stdout.readline()), int(left.stdout)])
    serve()


def answers_another():
    """Its first results are for calls that it never had."""
    connection = connect()
    call = next_call(connection)
    others = ["00000000-0000-4000-8000-000000000000", call[:-1], call + "0", "..%2f" + call]
    statuses = [respond(connection, other, what=what) for other in others for what in ("response", "error")]
    note(others=statuses, own=respond(connection, call), again=respond(connection, call))
    serve()


def gigabyte():
    """The body of its first result is a gigabyte in chunks, and that of the second has its length before it."""
    for headers in ({}, {"Content-Length": str(len(CHUNK) << 10)}):
        connection = connect()
        call = next_call(connection)
        try:
            note(status=respond(connection, call, (CHUNK for _ in range(1024)), headers=headers))
        except OSError as error:
            note(status=repr(error))
        connection.close()
    serve()


def threads():
    """As many calls at the same time as it may have; a call that holds ends once a file is there."""

    def work():
        connection = connect()
        while True:
            call = next_call(connection)
            note(call=call)
            while not os.path.exists(f"{os.environ['FOLDER']}/release"):
                time.sleep(0.01)
            note(call=call, status=respond(connection, call))

    for _ in range(int(os.environ["AWS_LAMBDA_MAX_CONCURRENCY"])):
        threading.Thread(target=work).start()


def stays():
    """Does not end when it is asked to."""
    signal.signal(signal.SIGTERM, lambda *_: note(asked=True))
    serve()


globals()[sys.argv[1]]()
