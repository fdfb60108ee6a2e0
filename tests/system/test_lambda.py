"""
Promise: functions of AWS Lambda are called by its API with signatures that botocore computes alike, with credentials
found where AWS's tools find them and renewed; what Lambda responds means what its documentation says.
"""

import base64
import json
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from lib.function_server import Answer
from lib.records import read_topic
from lib.waiting import wait_until

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:orders:live"
FAST = {"attempts": 3, "backoff": {"initial": "10ms", "max": "50ms"}}
KEYS = {"AKIDFIRST": ("secret/one+", None), "ASIASECOND": ("secret/two+", "token/two+="), "ASIAROLE": ("r", "t")}
NOWHERE = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
}


def check_signature(call, url, region="eu-central-1", service="lambda"):
    """Fails unless the request has the signature that botocore makes of what was received."""
    parts = dict(part.strip().split("=", 1) for part in call.headers["authorization"].split(" ", 1)[1].split(","))
    key_id, day, for_region, for_service, _ = parts["Credential"].split("/")
    assert (for_region, for_service) == (region, service)
    secret, token = KEYS[key_id]
    assert call.headers.get("x-amz-security-token") == token
    names = parts["SignedHeaders"].split(";")
    assert {"host", "x-amz-date"} <= set(names)
    assert all(name in names for name in call.headers if name.startswith("x-amz-"))
    signer = SigV4Auth(Credentials(key_id, secret, token), service, region)
    sent = AWSRequest(call.method, url + call.path, data=call.body)
    for name in names:
        sent.headers[name] = call.headers[name]
    sent.context["timestamp"] = call.headers["x-amz-date"]
    assert call.headers["x-amz-date"].startswith(day)
    made = signer.signature(signer.string_to_sign(sent, signer.canonical_request(sent)), sent)
    assert parts["Signature"] == made
    return key_id


@pytest.fixture
def shop(database, millrace, kafka, function, name):
    """shop(environment, lambda_options, **more): a table with a function of Lambda on it; returns the database."""

    def start(environment=None, options=None, wait=True, **more):
        database.sql("create table a (id int primary key)")
        millrace.connector(name, database)
        topic = f"{name}.public.a"
        kafka.create_topic(topic)
        endpoint = {"lambda": {"function": ARN, "url": function.url, **(options or {})}}
        delivery = {"retry": FAST, **more.pop("delivery", {})}
        text = {"source": {"topics": [topic], "start": "earliest"}, "endpoint": endpoint, "delivery": delivery, **more}
        millrace.write(f"functions/{name}.yaml", json.dumps(text))
        millrace.run(wait=wait, environment={**NOWHERE, **(environment or {})})
        return database

    return start


FIRST = {"AWS_ACCESS_KEY_ID": "AKIDFIRST", "AWS_SECRET_ACCESS_KEY": "secret/one+"}


def test_a_function_is_invoked_with_a_signature_that_botocore_makes_too(shop, function, name):
    database = shop(FIRST)
    database.sql("insert into a values (1)")
    call = function.wait_calls(1)[0]
    path = f"/2015-03-31/functions/{ARN.replace(':', '%3A')}/invocations"
    assert (call.method, call.path) == ("POST", path)
    assert check_signature(call, function.url) == "AKIDFIRST"
    assert call.headers["x-amz-invocation-type"] == "RequestResponse" and call.headers["x-amz-log-type"] == "Tail"
    assert list(call.json["records"]) == [f"{name}.public.a-0"], "without payload it is lambda-kafka"


def test_the_trace_goes_on_in_lambda(shop, function):
    database = shop(FIRST)
    with database.connection.transaction():
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        database.sql("select pg_logical_emit_message(true, 'traceparent', %s)", [trace])
        database.sql("insert into a values (1)")
    call = function.wait_calls(1)[0]
    header = call.headers["x-amzn-trace-id"]
    assert header == "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"
    assert check_signature(call, function.url) == "AKIDFIRST"


def error(kind, message):
    return {"x-amzn-ErrorType": kind}, json.dumps({"Message": message, "Type": "User"}).encode()


def test_errors_of_a_function_are_failures_though_the_status_is_200(shop, function, kafka, name):
    log = base64.b64encode(b"START RequestId: 1\nValueError: no such order\nEND RequestId: 1\n").decode()
    headers = {"X-Amz-Function-Error": "Unhandled", "X-Amz-Log-Result": log}
    body = json.dumps({"errorType": "ValueError", "errorMessage": "no such order"}).encode()
    function.rule = lambda call: Answer(200, headers, body)
    database = shop(FIRST)
    database.sql("insert into a values (1)")
    (letter,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert letter.headers["millrace.dlq.reason"] == "attempts_exhausted"
    assert letter.headers["millrace.dlq.attempts"] == "3"
    message = letter.headers["millrace.dlq.message"]
    assert "ValueError: no such order" in message and "END RequestId: 1" in message, message


def test_statuses_mean_what_the_api_says(shop, function, kafka, millrace, name):
    headers, body = error("InvalidRequestContentException", "Could not parse request body into json")
    gone, gone_body = error("ResourceNotFoundException", "Function not found")
    busy = {"Retry-After": "1", "x-amzn-ErrorType": "TooManyRequestsException"}
    function.plan(
        *[Answer(429, busy)] * 2,
        Answer(500),
        Answer(409),
        Answer(200),
        Answer(400, headers, body),
        *[Answer(404, gone, gone_body)] * 4,
    )
    database = shop(FIRST)
    database.sql("insert into a values (1)")
    function.wait_calls(5)  # throttles use up no attempt: two others and the last one are the three
    database.sql("insert into a values (2)")
    (letter,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert letter.headers["millrace.dlq.reason"] == "rejected" and letter.headers["millrace.dlq.status"] == "400"
    assert "InvalidRequestContentException: Could not parse" in letter.headers["millrace.dlq.message"]
    database.sql("insert into a values (3)")
    calls = function.wait_calls(11)
    assert calls[-1].json == calls[-2].json, "a function that does not exist yet pauses calls and uses up no attempt"
    assert calls[1].began - calls[0].began >= 0.9


def test_what_is_too_large_is_halved_until_one_event_is_alone(shop, function, kafka, name):
    def records(call):
        return next(iter(call.json["records"].values()))

    function.rule = lambda call: Answer(413, *error("RequestTooLargeException", "6291556")) if any(
        record["offset"] == 2 for record in records(call)
    ) else None
    database = shop(FIRST, delivery={"batch": {"events": 4, "window": "500ms"}, "order": "none"})
    database.sql("insert into a select generate_series(1, 4)")
    (letter,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert letter.headers["millrace.dlq.reason"] == "oversize"
    assert letter.headers["millrace.dlq.offset"] == "2"
    good = {r["offset"] for call in function.wait_calls(4) for r in records(call) if len(records(call)) < 4}
    assert good >= {0, 1, 3}


def test_what_lambda_would_not_take_is_not_sent(shop, function, kafka, name):
    """A queued call has at most 1 MiB, whatever batch.bytes is: base64 makes that of 800 KB."""
    function.rule = lambda call: Answer(202, body=b"")
    database = shop(FIRST, options={"invocation": "event"}, delivery={"batch": {"bytes": "64MiB"}})
    database.sql("alter table a add t text")
    database.sql("insert into a values (1, repeat('x', 800000)), (2, 'small')")
    (letter,) = read_topic(kafka, f"millrace.dlq.{name}", count=1)
    assert (letter.headers["millrace.dlq.reason"], letter.headers["millrace.dlq.attempts"]) == ("oversize", "0")
    assert "over the limit of 1048576: its endpoint takes no more" in letter.headers["millrace.dlq.message"]
    assert len(function.wait_calls(1)[0].body) < 10000


def test_an_asynchronous_call_is_done_when_it_is_queued(shop, function, millrace, name):
    function.rule = lambda call: Answer(202, body=b"")
    database = shop(FIRST, options={"invocation": "event"})
    database.sql("insert into a values (1), (2)")
    calls = function.wait_calls(2)
    assert {call.headers["x-amz-invocation-type"] for call in calls} == {"Event"}
    assert "x-amz-log-type" not in calls[0].headers
    check_signature(calls[0], function.url)
    done = "millrace_function_events_total"
    wait_until(lambda: millrace.metric(done, function=name, outcome="delivered") == 2, 10, "both are done")


def test_what_a_function_returns_becomes_an_event(shop, function, kafka, name):
    """The headers of the response are Lambda's, so what is a CloudEvent is in its body."""
    event = {"specversion": "1.0", "id": "x", "source": "/shop", "type": "order.reserved", "data": {"order": 7}}
    json_type = {"Content-Type": "application/json"}
    function.plan(
        Answer(200, json_type, json.dumps(event).encode()),
        Answer(200, json_type, b'{"type": "none"}'),
        Answer(200, {}, b"[1]"),
        Answer(200, json_type, b"null"),
    )
    replies = f"{name}.replies"
    database = shop(FIRST, reply={"topic": replies})
    for row in range(4):
        database.sql("insert into a values (%s)", (row,))
        function.wait_calls(row + 1)
    wait_until(lambda: kafka.committed(f"millrace.{name}", f"{name}.public.a") == {0: 4}, 20, "all are settled")
    first, second, third = read_topic(kafka, replies, count=3)
    assert (first.headers["ce_type"], first.headers["ce_source"]) == ("order.reserved", "/shop")
    assert (first.headers["ce_replyid"], first.raw_value) == ("x", b'{"order": 7}')
    assert (second.headers["ce_type"], second.raw_value) == ("millrace.reply", b'{"type": "none"}')
    assert (third.headers["ce_type"], third.raw_value) == ("millrace.reply", b"[1]")


def test_a_wrong_clock_is_corrected_by_the_date_of_the_response(shop, function):
    ahead = timedelta(hours=2)

    def rule(call):
        signed = datetime.strptime(call.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        now = datetime.now(timezone.utc) + ahead
        if abs(now - signed) < timedelta(minutes=5):
            return None
        headers, body = error("InvalidSignatureException", f"Signature expired: {signed} is now earlier than {now}")
        return Answer(403, {**headers, "Date": format_datetime(now, usegmt=True)}, body)

    function.rule = rule
    database = shop(FIRST, delivery={"concurrency": 1})
    database.sql("insert into a values (1), (2)")
    calls = function.wait_calls(3)
    time.sleep(0.3)  # a fourth call would be one too many
    assert len(function.calls) == 3, "one was sent twice, the next one with the right time"
    assert calls[0].json == calls[1].json
    for call in calls:
        check_signature(call, function.url)


def test_refused_credentials_are_read_again(shop, function, tmp_path):
    file = tmp_path / "credentials"
    file.write_text("[shop]\naws_access_key_id = AKIDFIRST\naws_secret_access_key = secret/one+\n")

    def rule(call):
        if check_signature(call, function.url) == "ASIASECOND":
            return None
        new = "[shop]\naws_access_key_id=ASIASECOND\naws_secret_access_key=secret/two+\naws_session_token=token/two+=\n"
        file.write_text(new)
        return Answer(403, *error("ExpiredTokenException", "The security token included in the request is expired"))

    function.rule = rule
    database = shop({"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_PROFILE": "shop"})
    database.sql("insert into a values (1)")
    calls = function.wait_calls(2)
    assert [check_signature(call, function.url) for call in calls] == ["AKIDFIRST", "ASIASECOND"]


def expiring(seconds, key_id="ASIASECOND"):
    secret, token = KEYS[key_id]
    at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    expiration = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"AccessKeyId": key_id, "SecretAccessKey": secret, "Token": token, "Expiration": expiration}


STS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>r</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2099-01-01T00:00:00.123Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


def source_rule(seen):
    """The function's server is the metadata service, the container's endpoint and STS too."""

    def rule(call):
        if "/functions/" in call.path:
            return None
        seen.append((call.method, call.path))
        if call.path == "/latest/api/token":
            return Answer(200, body=b"the-token") if call.method == "PUT" else Answer(405)
        if call.path.startswith("/latest/") and call.headers.get("x-aws-ec2-metadata-token") != "the-token":
            return Answer(401)
        if call.path == "/latest/meta-data/iam/security-credentials/":
            return Answer(200, body=b"orders-role")
        if call.path == "/latest/meta-data/iam/security-credentials/orders-role":
            return Answer(200, body=json.dumps({"Code": "Success", **expiring(3600)}).encode())
        if call.path == "/container" and call.headers.get("authorization") == "container-token":
            return Answer(200, body=json.dumps(expiring(3600)).encode())
        if call.path == "/" and b"Action=AssumeRole" in call.body:
            seen.append(call)
            return Answer(200, body=STS.encode())
        return Answer(403)

    return rule


@pytest.mark.parametrize("source", ["instance", "container", "web_identity", "role"])
def test_credentials_are_found_where_tools_of_aws_find_them(shop, function, tmp_path, source):
    seen = []
    function.rule = source_rule(seen)
    token, config = tmp_path / "token", tmp_path / "config"
    token.write_text("web.identity.token\n")
    config.write_text(
        "[profile base]\naws_access_key_id = AKIDFIRST\naws_secret_access_key = secret/one+\n"
        "[profile orders]\nrole_arn = arn:aws:iam::123456789012:role/orders\nsource_profile = base\nexternal_id = x/1\n"
    )
    role = "arn:aws:iam::123456789012:role/orders"
    sts = {"AWS_ENDPOINT_URL_STS": function.url}
    environments = {
        "instance": {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": function.url},
        "container": {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{function.url}/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token",
        },
        "web_identity": {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": role, **sts},
        "role": {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "orders", **sts},
    }
    database = shop(environments[source])
    database.sql("insert into a select generate_series(1, 20)")
    calls = function.wait_calls(20, where=lambda call: "/functions/" in call.path)
    used = {check_signature(call, function.url) for call in calls}
    assert used == {"ASIAROLE" if source in ("web_identity", "role") else "ASIASECOND"}
    asked = [what for what in seen if isinstance(what, tuple)]
    assert len(asked) == (3 if source == "instance" else 1), "20 calls need one renewal"
    bodies = [what.body.decode() for what in seen if not isinstance(what, tuple)]
    if source == "web_identity":
        assert "Action=AssumeRoleWithWebIdentity" in bodies[0] and "WebIdentityToken=web.identity.token" in bodies[0]
    if source == "role":
        sent = next(what for what in seen if not isinstance(what, tuple))
        assert check_signature(sent, function.url, service="sts") == "AKIDFIRST"
        assert "ExternalId=x%2F1" in bodies[0] and "RoleSessionName=millrace" in bodies[0]


def test_a_function_without_credentials_says_why_and_uses_up_no_attempt(shop, function, millrace, name):
    database = shop({}, wait=False)
    database.sql("insert into a values (1)")
    process = millrace.started[-1]
    wait_until(lambda: process.find("credentials_failed"), 20, "the reason in the log")
    event = process.find("credentials_failed")
    assert "no AWS credentials" in event["message"] and "AWS_ACCESS_KEY_ID" in event["message"]
    assert not function.calls
    for secret in ("secret/one+", "secret/two+"):
        assert secret not in process.log(1000)


def test_function_urls_with_iam_are_signed(database, millrace, kafka, function, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    auth = {"aws": {"region": "eu-central-1", "access_key_id": "ASIASECOND", "secret_access_key": "secret/two+"}}
    auth["aws"]["session_token"] = "token/two+="
    millrace.function(
        name, f"{name}.public.a", f"{function.url}/orders/a%20b?x=1&b=%2B&a=", {"x-tenant": "a  b"}, auth
    )
    millrace.run(environment=NOWHERE)
    database.sql("insert into a values (1)")
    (call,) = function.wait_calls(1)
    assert check_signature(call, function.url) == "ASIASECOND"
    assert "ce-id" in call.headers["authorization"] and "x-tenant" in call.headers["authorization"]
