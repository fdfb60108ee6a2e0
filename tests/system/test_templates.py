"""
Promise: the values of a row fill the body, the URL and the headers of its request, each encoded for its place, the same
ones on a retry; a value that can't stand in the URL makes a dead letter; columns that were left out are in no request.
"""

import pytest
from lib.function_server import Answer
from lib.records import read_topic
from lib.waiting import wait_until

pytestmark = pytest.mark.sanitized

BODY = """{"order": ${after.id}, "total": ${after.total}, "at": ${after.at}, "data": ${after.data},
 "blob": ${after.blob}, "text": "${op} ${after.tenant}: ${after.note:-none}", "note": ${after.note},
 "row": ${row}, "missing": ${after.missing}}"""
TABLE = """create table orders (id int primary key, tenant text, note text, total numeric(10,2) default 12.30,
 at timestamptz default '2024-01-02T03:04:05.678Z', data jsonb default '{"a": [1, "x"]}',
 blob bytea default '\\x0102ff', secret text default 'hunter2')"""
HOSTILE = "a/b?c#d e\r\nx-evil: 1\"\\%2f\u00eb\U0001f600"
ENCODED = "a%2Fb%3Fc%23d%20e%0D%0Ax-evil%3A%201%22%5C%252f%C3%AB%F0%9F%98%80"
IN_HEADER = 'a/b?c#d e%0D%0Ax-evil: 1"\\%252f%C3%AB%F0%9F%98%80'


@pytest.fixture
def shop(database, millrace, function, name):
    database.sql(TABLE)
    millrace.connector(name, database)
    http = {
        "url": f"{function.url}/v1/${{after.tenant}}/orders/${{key.id}}?tenant=${{after.tenant}}&op=${{operation}}",
        "method": "PUT",
        "headers": {"x-tenant": "t=${after.tenant}", "x-note": "${after.note}", "x-plain": "$5"},
    }
    millrace.function(
        name,
        f"{name}.public.orders",
        function.url,
        endpoint={"http": http},
        payload="template",
        template={"body": BODY},
        columns={"exclude": ["secret", "data", "blob"]},
        delivery={"batch": {"events": 10}, "retry": {"backoff": {"initial": "10ms", "max": "20ms"}}},
    )
    millrace.run()
    return database


def insert(shop, number, tenant, note):
    shop.sql("insert into orders (id, tenant, note) values (%s, %s, %s)" % (number, quoted(tenant), quoted(note)))


def quoted(text):
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def test_rows_fill_their_requests(shop, kafka, millrace, function, name):
    failed = []

    def rule(call):
        if "/orders/2?" in call.path and not failed:
            failed.append(call)
            return Answer(500)
        return None

    function.rule = rule
    rows = [(1, "acme", "hi"), (2, HOSTILE, HOSTILE), (3, None, "x"), (4, "../admin", "x"), (5, "acme", None)]
    for row in rows:
        insert(shop, *row)
    wait_until(lambda: len(function.calls) >= 4, 30, "three rows, one of them twice")
    calls = {call.path.split("?")[0].rsplit("/", 1)[1]: call for call in function.calls}
    assert sorted(calls) == ["1", "2", "5"]
    assert {call.method for call in function.calls} == {"PUT"}
    assert calls["1"].path == "/v1/acme/orders/1?tenant=acme&op=create"
    assert calls["2"].path == f"/v1/{ENCODED}/orders/2?tenant={ENCODED}&op=create"
    said = {n: v for n, v in calls["2"].headers.items() if n.startswith("x-")}
    assert said == {"x-tenant": f"t={IN_HEADER}", "x-note": IN_HEADER, "x-plain": "$5"}
    assert "x-note" not in calls["5"].headers
    assert calls["1"].json == [
        {
            "order": 1,
            "total": "12.30",
            "at": "2024-01-02T03:04:05.678000Z",
            "data": {"a": [1, "x"]},
            "blob": "AQL/",
            "text": "c acme: hi",
            "note": "hi",
            "row": {
                "id": 1,
                "tenant": "acme",
                "note": "hi",
                "total": "12.30",
                "at": "2024-01-02T03:04:05.678000Z",
            },
            "missing": None,
        }
    ]
    assert calls["2"].json[0]["text"] == f"c {HOSTILE}: {HOSTILE}"
    assert (calls["5"].json[0]["text"], calls["5"].json[0]["note"]) == ("c acme: none", None)
    assert not any(b"hunter2" in call.body for call in function.calls)
    (again,) = [call for call in function.calls if "/orders/2?" in call.path and call is not failed[0]]
    assert (again.path, again.body) == (failed[0].path, failed[0].body)

    dead = read_topic(kafka, f"millrace.dlq.{name}", millrace.registry, count=2)
    reasons = {record.key["id"]: record.headers["millrace.dlq.message"] for record in dead}
    assert {record.headers["millrace.dlq.reason"] for record in dead} == {"unrenderable"}
    assert "${after.tenant} can't stand in the URL's path: it is absent, null or empty" in reasons[3]
    assert "${after.tenant} can't stand in the URL's path: it has a segment . or .." in reasons[4]
    topic = f"{name}.public.orders"
    wait_until(lambda: kafka.committed(f"millrace.{name}", topic) == {0: 5}, 20, "offset 5 committed")


def test_a_mistake_in_a_template_has_its_place(millrace, name):
    url = "http://127.0.0.1:1/${ky.id}"
    millrace.function(name, "a.b.c", url, make_topics=False, payload="template", template={"body": "${after"})
    done = millrace.check()
    assert done.returncode == 78
    assert 'url: an event has no "ky"; did you mean "key"?' in done.stdout + done.stderr
    assert "body: the reference has no closing brace; write $${ for a ${ of the text" in done.stdout + done.stderr
