"""What a group has committed, asked of the broker itself: the Python client reads beyond the end of a text."""

import contextlib
import socket
import struct
import time
from collections import namedtuple

FIND_COORDINATOR, OFFSET_FETCH = 10, 9

Commit = namedtuple("Commit", "partition offset metadata")


class Refused(Exception):
    """The broker's error code: mostly that the group's coordinator is not there yet."""


def _text(text):
    return struct.pack(">h", len(text)) + text.encode()


def _ask(bootstrap, api, version, body):
    host, port = bootstrap.rsplit(":", 1)
    request = struct.pack(">hhi", api, version, 1) + _text("tests") + body
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answer:
            return answer.read(struct.unpack(">i", answer.read(4))[0])[4:]


def _coordinator(bootstrap, group):
    answer = _ask(bootstrap, FIND_COORDINATOR, 0, _text(group))
    error, _, size = struct.unpack_from(">hih", answer)
    if error:
        raise Refused(error)
    (port,) = struct.unpack_from(">i", answer, 8 + size)
    return f"{answer[8 : 8 + size].decode()}:{port}"


def _fetch(kafka, group, topic):
    partitions = kafka.partitions(topic)
    numbers = b"".join(struct.pack(">i", partition) for partition in partitions)
    topics = struct.pack(">i", 1) + _text(topic) + struct.pack(">i", len(partitions)) + numbers
    answer = _ask(_coordinator(kafka.bootstrap.split(",")[0], group), OFFSET_FETCH, 1, _text(group) + topics)
    at = 4 + 2 + len(topic) + 4  # topics, name, partitions
    found = []
    for _ in partitions:
        partition, offset, size = struct.unpack_from(">iqh", answer, at)
        at += 14
        metadata = answer[at : at + max(size, 0)].decode()
        (error,) = struct.unpack_from(">h", answer, at + max(size, 0))
        at += max(size, 0) + 2
        if error:
            raise Refused(error)
        if offset >= 0:
            found.append(Commit(partition, offset, metadata))
    return found


def commits(kafka, group, topic):
    """The commits of the topic's partitions that have one; waits for a coordinator that is only starting."""
    for _ in range(120):
        with contextlib.suppress(Refused):
            return _fetch(kafka, group, topic)
        time.sleep(0.25)
    return _fetch(kafka, group, topic)
