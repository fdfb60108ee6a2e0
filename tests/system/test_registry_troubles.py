"""
Promise: a registry that hangs, throttles, refuses the credentials, or sends garbage or 100 MB holds up the tables that
need a new schema alone, says so, and is left alone as long as it asks.
"""

import pytest
from lib import stub_registry
from lib.records import read_topic
from lib.waiting import wait_until

TROUBLES = {
    stub_registry.hang: "no response in time",
    stub_registry.garbage: "the response is not a schema registry's",
    stub_registry.endless: "the response is too large for a schema registry's",
    stub_registry.throttled: "HTTP 429: slow down; Retry-After: 4 s",
    stub_registry.unauthorized: "HTTP 401: Unauthorized; check registry.auth",
    stub_registry.forbidden: "HTTP 403: User is denied operation Write; the credentials of registry.auth",
}


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_only_new_schemas_wait_for_a_registry_in_trouble(database, kafka, make_millrace, name, stub, trouble):
    millrace = make_millrace(kafka)
    millrace.settings(registry={"url": stub.url, "auth": {"username": "u", "password": "p"}})
    known, new = f"{name}.public.a", f"{name}.public.b"
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database, snapshot="never")
    process = millrace.run()
    database.sql("insert into a values (1)")
    assert stub.keys(kafka, known, 1) == [1]
    stub.trouble = trouble
    database.sql("create table b (id int primary key)")
    for number in (1, 2, 3):
        database.sql(f"insert into b values ({number}); insert into a values ({number + 1})")

    def error():
        return millrace.get("/api/status").json()["connectors"][0]["last_error"] or ""

    assert len(read_topic(kafka, known, count=4)) == 4
    wait_until(lambda: TROUBLES[trouble] in error(), 60, lambda: f"the status to say so; it says: {error()}")
    wait_until(lambda: len(stub.troubled) > 2, 60, "the registry to be asked again")
    database.sql("insert into a values (5)")
    assert len(read_topic(kafka, known, count=5)) == 5
    assert not millrace.is_ready()
    print(f"{trouble.__name__}: asked {len(stub.troubled)} times; {stub.sent_bytes >> 20} MB sent")
    stub.trouble = None
    assert stub.keys(kafka, new, 3) == [1, 2, 3]
    assert stub.keys(kafka, known, 5) == [1, 2, 3, 4, 5]
    wait_until(millrace.is_ready, 30, "readiness")
    assert stub.credentials == {"u:p"}
    assert peak_mb(process.child("connect")) < 100


def test_a_registry_that_throttles_is_asked_when_it_wants(database, kafka, make_millrace, name, stub):
    """With the schemas of ten tables: the first requests go out together, then none within the four seconds."""
    millrace = make_millrace(kafka)
    millrace.settings(registry={"url": stub.url})
    for number in range(10):
        database.sql(f"create table t{number} (id int primary key); insert into t{number} values ({number})")
    stub.trouble = stub_registry.throttled
    millrace.connector(name, database)
    millrace.run(wait=False)
    wait_until(lambda: stub.troubled and stub.troubled[-1] - stub.troubled[0] > 8, 60, "a third round")
    rounds = [[stub.troubled[0]]]
    for at in stub.troubled[1:]:
        if at - rounds[-1][-1] > 2:
            rounds.append([])
        rounds[-1].append(at)
    print([len(one) for one in rounds])
    assert all(len(one) <= 4 for one in rounds), "no more than there are connections"
    assert all(after[0] - before[0] > 3.8 for before, after in zip(rounds, rounds[1:]))
    stub.trouble = None
    for number in range(10):
        assert stub.keys(kafka, f"{name}.public.t{number}", 1) == [number]
