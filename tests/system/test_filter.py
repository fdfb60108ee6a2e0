"""
Promise: a function gets the events that its filter lets pass, by their values and by what changed; a new version of
a table without a column of the filter, and a new filter, are taken while it runs; a dry run says what refused an event.
"""

import json

import pytest
from lib.waiting import wait_until

pytestmark = pytest.mark.sanitized

FILTER = {"after": {"status": ["paid"], "total": [{"numeric": [">", 100]}]}, "changed": ["status"]}


@pytest.fixture
def shop(database, millrace, function, name):
    database.sql("create table orders (id int primary key, status text, total numeric(12,2), note text)")
    database.sql("alter table orders replica identity full")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.orders", function.url, filter=FILTER)
    database.process = millrace.run()
    return database


def settled(millrace, name):
    return millrace.metric("millrace_function_events_total", function=name, outcome="filtered") or 0


def wait_settled(millrace, name, count):
    wait_until(lambda: settled(millrace, name) >= count, 30, f"{count} filtered events")


def calls_of(function):
    return [(call.json["op"], call.json["after"]["id"]) for call in function.calls]


def test_only_what_the_filter_lets_pass_is_called(shop, millrace, function, name):
    shop.sql("insert into orders values (1, 'open', 100.01, 'x'), (2, 'open', 100.00, 'x'), (3, 'paid', 1000000, 'x')")
    shop.sql("update orders set status = 'paid' where id = 1")  # passes
    shop.sql("update orders set status = 'paid' where id = 2")  # is not above 100
    shop.sql("update orders set note = 'y'")  # changes no status
    shop.sql("delete from orders where id = 1")  # and its tombstone
    wait_settled(millrace, name, 2 + 1 + 3 + 2)
    function.wait_calls(2)
    assert sorted(calls_of(function)) == [("c", 3), ("u", 1)]  # of two keys, in any order


def test_a_column_that_is_dropped_counts_as_absent(shop, millrace, function, name):
    shop.sql("insert into orders values (1, 'paid', 500, 'x')")
    function.wait_calls(1)
    shop.sql("alter table orders drop column total")
    shop.sql("insert into orders values (2, 'paid', 'x')")
    missing = shop.process.wait_event("filter_field_missing", field="after.total")
    assert missing["line"] > 0
    shop.sql("insert into orders values (3, 'paid', 'x')")
    wait_settled(millrace, name, 2)
    assert millrace.metric("millrace_function_filter_fields_missing_total", function=name) == 2
    assert len([e for e in shop.process.events if e.get("event") == "filter_field_missing"]) == 1
    after_drop = {"after": {"status": ["paid"]}, "changed": ["status"]}
    process = millrace.started[-1]
    after = len(process.events)
    millrace.function(name, f"{name}.public.orders", function.url, filter=after_drop)
    number = 10

    def passes():
        nonlocal number
        number += 1
        shop.sql("insert into orders values (%s, 'paid', 'x')", [number])
        return len(function.calls) > 1

    wait_until(passes, 30, "calls under the new filter", 0.2)
    assert not [e for e in process.events[after:] if e.get("event") == "partitions_revoked"]
    assert calls_of(function)[0] == ("c", 1)


def test_a_dry_run_names_what_refused_each_event(shop, millrace, function, name):
    shop.sql("insert into orders values (1, 'open', 500, 'x'), (2, 'paid', 50, 'x'), (3, 'paid', 500, 'x')")
    shop.sql("update orders set note = 'y' where id = 3")
    wait_settled(millrace, name, 3)
    function.wait_calls(1)
    done = millrace.command("filter", "-c", millrace.folder, "--json", name, "--last", "10")
    assert done.returncode == 0, done.stderr
    *events, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e.get("refused_by", {}).get("path") for e in events] == ["after.status", "after.total", None, "changed"]
    assert all(e["refused_by"]["line"] > 0 for e in events if "refused_by" in e)
    topic = f"{name}.public.orders"
    assert [(e["topic"], e["partition"], e["key"]) for e in events] == [
        (topic, 0, {"id": number}) for number in (1, 2, 3, 3)
    ]
    assert [e["offset"] for e in events] == sorted({e["offset"] for e in events})
    assert (summary["events"], summary["passed"]) == (4, 1)
    assert {r["path"]: r["count"] for r in summary["refused"]} == {
        "after.status": 1,
        "after.total": 1,
        "changed": 1,
    }
    last = millrace.command("filter", "-c", millrace.folder, name, "--last", "1", "--topic", f"{name}.public.orders")
    assert last.stdout.splitlines()[-2] == "0 of 1 events pass"
    assert f"functions/{name}.yaml:" in last.stdout.splitlines()[0]
    folder = millrace.command("filter", "-c", millrace.folder, name, millrace.folder)
    assert (folder.returncode, folder.stdout) == (1, "") and "Is a directory" in folder.stderr


def test_a_dry_run_reads_records_of_several_schemas(shop, millrace, function, name):
    shop.sql("insert into orders values (1, 'open', 500, 'x')")
    for number in (2, 3):
        shop.sql(f"alter table orders add column more{number} int")
        shop.sql("insert into orders values (%s, 'open', 500, 'x')", [number])
    wait_settled(millrace, name, 3)
    done = millrace.command("filter", "-c", millrace.folder, name)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "0 of 3 events pass" in done.stdout


def test_without_the_row_before_every_column_counts_as_changed(shop, millrace, function, name):
    shop.sql("alter table orders replica identity default")
    shop.sql("insert into orders values (1, 'paid', 500, 'x')")
    function.wait_calls(1)
    shop.sql("update orders set note = 'y'")
    function.wait_calls(2)
    shop.process.wait_event("filter_without_before")


def test_a_bad_filter_is_refused_with_its_place(millrace, name):
    millrace.settings()
    millrace.write(
        f"functions/{name}.yaml",
        "source: {topics: [a]}\nfilter:\n  after:\n    status: [{prefx: p}]\nendpoint: {http: {url: 'http://f/'}}\n",
    )
    done = millrace.check()
    assert done.returncode == 78
    assert f'functions/{name}.yaml:4:15: error: filter: unknown operator "prefx"; did you mean "prefix"?' in done.stdout
