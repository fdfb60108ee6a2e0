"""What a group has committed, asked of the broker itself: the Python client reads beyond the end of a text."""

import socket
import struct

OFFSET_FETCH, VERSION = 9, 1


def _text(text):
    return struct.pack(">h", len(text)) + text.encode()


def _ask(bootstrap, body):
    host, port = bootstrap.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        with connection.makefile("rb") as answer:
            return answer.read(struct.unpack(">i", answer.read(4))[0])


def commits(kafka, group, topic):
    """{partition: (offset, metadata)}; the group's coordinator is the only broker."""
    partitions = kafka.partitions(topic)
    numbers = b"".join(struct.pack(">i", partition) for partition in partitions)
    topics = struct.pack(">i", 1) + _text(topic) + struct.pack(">i", len(partitions)) + numbers
    head = struct.pack(">hhi", OFFSET_FETCH, VERSION, 1) + _text("tests") + _text(group)
    answer = _ask(kafka.bootstrap, head + topics)
    at = 4 + 4 + 2 + len(topic) + 4  # correlation, topics, name, partitions
    found = {}
    for _ in partitions:
        partition, offset, size = struct.unpack_from(">iqh", answer, at)
        at += 14
        metadata = answer[at : at + max(size, 0)].decode()
        (error,) = struct.unpack_from(">h", answer, at + max(size, 0))
        at += max(size, 0) + 2
        assert error == 0, f"offsets of {group}: error {error}"
        if offset >= 0:
            found[partition] = (offset, metadata)
    return found
