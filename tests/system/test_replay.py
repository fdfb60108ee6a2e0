"""
Promise: `millrace replay` delivers a stretch of the past again to one function, by time, offset, LSN or key, with the
same ids, beside live delivery whose offsets it does not move; it goes on after it was killed.
"""

import json
import subprocess

import pytest
from lib.function_server import Answer
from lib.program import BINARY
from lib.records import read_topic
from lib.waiting import wait_until

ROWS = 30


pytestmark = pytest.mark.sanitized


@pytest.fixture
def shop(database, millrace, kafka, function, name):
    """30 changes of 10 rows in one partition, delivered. Live delivery then waits in a call."""
    database.sql("create table a (id int primary key, v int)")
    millrace.connector(name, database, topics={"partitions": 1})
    millrace.function(name, f"{name}.public.a", function.url)
    millrace.run()
    for number in range(ROWS):
        database.sql(
            "insert into a values (%s, %s) on conflict (id) do update set v = excluded.v", (number % 10, number)
        )
    function.wait_calls(ROWS)
    wait_until(lambda: kafka.committed(f"millrace.{name}", f"{name}.public.a") == {0: ROWS}, 30, "settled")
    return database


def replay(millrace, name, *arguments, code=0):
    done = millrace.command("replay", name, "-c", millrace.folder, "--rate", "1000/s", *arguments, timeout=100)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def versions(function):
    return sorted(call.json["after"]["v"] for call in function.calls)


def test_a_stretch_is_delivered_again(shop, kafka, millrace, function, name):
    topic = f"{name}.public.a"
    first = {call.id: (call.headers["ce-time"], call.body) for call in function.calls}
    records = read_topic(kafka, topic, count=ROWS)
    function.clear()
    replay(millrace, name, "--from", "10", "--to", "20")
    assert versions(function) == list(range(10, 20))
    assert all(first[call.id] == (call.headers["ce-time"], call.body) for call in function.calls)
    for row in range(10):
        mine = [call.json["after"]["v"] for call in function.calls if call.key["id"] == row]
        assert mine == sorted(mine)
    function.clear()
    lsn = int(records[25].id[:16], 16)
    replay(millrace, name, "--from", f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}")
    assert versions(function) == list(range(25, 30))
    function.clear()
    replay(millrace, name, "--from", "0", "--to", f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}", "--key", "5")
    assert versions(function) == [5, 15, 25]
    function.clear()
    begin = next(r.timestamp for r in records if r.offset == 12)
    moment = f"1970-01-01T00:00:00.{begin % 1000:03}Z"  # only its milliseconds; the seconds follow
    moment = subprocess.run(
        ["date", "-u", "-d", f"@{begin // 1000}", "+%Y-%m-%dT%H:%M:%S"], capture_output=True, text=True, check=True
    ).stdout.strip() + moment[19:]
    wanted = [r.offset for r in records if r.timestamp >= begin]
    replay(millrace, name, "--from", moment, "--key", '{"id": 3}')
    assert versions(function) == [offset for offset in wanted if offset % 10 == 3]
    said = replay(millrace, name, "--from", "0", "--key", "77").stderr
    assert f"none of the {ROWS} records has the key 77" in said
    assert kafka.committed(f"millrace.{name}", topic) == {0: ROWS}


def test_live_delivery_goes_on_beside_it(shop, kafka, millrace, function, name):
    topic = f"{name}.public.a"
    function.clear()
    process = subprocess.Popen(
        [BINARY, "replay", name, "-c", millrace.folder, "--from", "earliest", "--rate", "20/s"], stderr=subprocess.PIPE
    )
    try:
        function.wait_calls(1, timeout=60)
        shop.sql("insert into a values (100, 1000)")
        function.wait_calls(1, timeout=30, where=lambda call: call.json["after"]["v"] == 1000)
        wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: ROWS + 1}, 30, "the live offset")
        assert process.poll() is None, "the replay was over before the live event came"
    finally:
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert versions(function) == [*range(ROWS), 1000]  # not the live one: the end was that of the start


def test_a_killed_replay_goes_on(shop, kafka, millrace, function, name):
    function.clear()
    arguments = ["--from", "earliest", "--name", "again"]
    process = subprocess.Popen(
        [BINARY, "replay", name, "-c", millrace.folder, "--rate", "10/s", *arguments], stderr=subprocess.PIPE
    )
    try:
        function.wait_calls(12, timeout=60)
    finally:
        process.kill()
        process.communicate(timeout=10)
    group = f"millrace.{name}.replay.again"
    settled = kafka.committed(group, f"{name}.public.a")[0]
    called = len(function.calls)
    print("killed with", called, "calls, at offset", settled)
    assert 0 < settled < ROWS
    assert "has other limits" in replay(millrace, name, "--from", "5", "--name", "again", code=78).stderr
    replay(millrace, name, *arguments)
    assert len(function.calls) - called <= ROWS - settled
    assert set(versions(function)) == set(range(ROWS))
    function.clear()
    replay(millrace, name, *arguments)  # it was finished: this is another one
    assert versions(function) == list(range(ROWS))


def test_failures_go_to_the_dead_letters(shop, kafka, millrace, function, name):
    function.clear()
    function.rule = lambda call: Answer(422) if call.json["after"]["v"] == 7 else None
    said = replay(millrace, name, "--from", "5", "--to", "9", code=1).stderr
    assert "3 replayed, 1 dead-lettered" in said
    (letter,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert letter.headers["millrace.dlq.offset"] == "7"
    listed = millrace.command("dlq", "list", name, "-c", millrace.folder, "--json")
    assert json.loads(listed.stdout)["reasons"] == {"rejected": 1}


def test_wrong_command_lines(millrace, function, name):
    millrace.function(name, f"{name}.x", function.url)
    assert "--from says where" in replay(millrace, name, code=64).stderr
    assert "nor an offset" in replay(millrace, name, "--from", "yesterday", code=64).stderr
    assert "no record comes after" in replay(millrace, name, "--from", "latest", code=64).stderr
    for stretch in ("5 3", "16/2 16/1", "2026-01-02T00:00:00Z 2026-01-01T00:00:00Z"):
        begin, end = stretch.split()
        assert "before --from" in replay(millrace, name, "--from", begin, "--to", end, code=64).stderr
    assert "comes before" in replay(millrace, name, "--from", "5", "--to", "earliest", code=64).stderr
    assert "no topic of the function" in replay(millrace, name, "--from", "0", "--topic", "z*", code=78).stderr
    assert "character 2" in replay(millrace, name, "--from", "0", "--key", "{7}", code=64).stderr
    millrace.function(name, f"{name}.x", function.url, paused=True)
    assert "is paused" in replay(millrace, name, "--from", "0", code=78).stderr
