"""
Promise: functions of Lambda are called through moto, over TLS with an authority of one's own: by alias, version and
ARN, waiting or queued, with roles that moto's STS gives for a profile, a web identity or the instance; moto checks each
signature and each right.
"""

import json
import os

import pytest
from lib import pki
from lib.moto import REGION, Moto, policy
from lib.waiting import wait_until

ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
DELIVERED = "millrace_function_events_total"
FAST = {"attempts": 3, "backoff": {"initial": "10ms", "max": "50ms"}}


@pytest.fixture(scope="module")
def moto(folder):
    place = os.path.join(folder, "moto")
    os.mkdir(place)
    server = Moto(place, pki.Authority(place, "private authority"))
    iam, functions = server.client("iam"), server.client("lambda")
    iam.create_user(UserName="millrace")
    server.keys = iam.create_access_key(UserName="millrace")["AccessKey"]
    iam.put_user_policy(UserName="millrace", PolicyName="roles", PolicyDocument=policy("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    for role in ("orders", "poor"):
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
    iam.put_role_policy(RoleName="orders", PolicyName="call", PolicyDocument=policy("lambda:Invoke*"))
    code = {"ZipFile": b"PK\5\6" + bytes(18)}
    common = {"Runtime": "python3.12", "Role": f"{ROLE}orders", "Handler": "app.handler"}
    functions.create_function(FunctionName="orders", Code=code, Publish=True, **common)
    functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    yield server
    server.stop()


@pytest.fixture
def shop(database, millrace, kafka, moto, name, tmp_path):
    """shop(environment, SUFFIX={lambda options}, …): a table with functions NAME-SUFFIX on it; returns the process."""
    config, credentials, token = tmp_path / "config", tmp_path / "credentials", tmp_path / "token"
    program = tmp_path / "print keys.sh"
    token.write_text("web.identity.token\n")
    credentials.write_text(
        f"[base]\naws_access_key_id = {moto.keys['AccessKeyId']}\n"
        f"aws_secret_access_key = {moto.keys['SecretAccessKey']}\n"
    )
    profiles = {
        "orders": f"role_arn = {ROLE}orders\nsource_profile = base",
        "poor": f"role_arn = {ROLE}poor\nsource_profile = base",
        "web": f"role_arn = {ROLE}orders\nweb_identity_token_file = {token}",
        "printed": f"role_arn = {ROLE}orders\nsource_profile = program\nrole_session_name = printed",
        "program": f"credential_process = sh '{program}' --json",
    }
    at = f"endpoint_url = {moto.url}"
    config.write_text("".join(f"[profile {name}]\n{text}\n{at}\n" for name, text in profiles.items()))
    printed = {"Version": 1, **{key: moto.keys[key] for key in ("AccessKeyId", "SecretAccessKey")}}
    program.write_text(f'[ "$1" = --json ] && cat << END\n{json.dumps(printed)}\nEND\n')
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}

    def start(environment, delivery=None, **functions):
        database.sql("create table a (id int primary key)")
        millrace.connector(name, database)
        kafka.create_topic(f"{name}.public.a")
        for suffix, options in functions.items():
            has_profile = "profile" in options.get("credentials", {})
            url = {} if has_profile else {"url": moto.url}
            endpoint = {"lambda": {**url, "region": REGION, **options}}
            source = {"topics": [f"{name}.public.a"], "start": "earliest"}
            text = {"source": source, "endpoint": endpoint, "delivery": {"retry": FAST, **(delivery or {})}}
            millrace.write(f"functions/{name}-{suffix}.yaml", json.dumps(text))
        off = {"AWS_EC2_METADATA_DISABLED": "true"}
        return millrace.run(environment={**off, **files, **environment})

    return start


def wait_delivered(millrace, name, count, *suffixes):
    for suffix in suffixes:
        wait_until(
            lambda suffix=suffix: (
                millrace.metric(DELIVERED, function=f"{name}-{suffix}", outcome="delivered") == count
            ),
            30,
            f"{count} delivered to {suffix}",
        )


def calls(moto):
    """The recorded calls of functions: path and headers."""
    return [request for request in moto.requests() if request.path.split("?")[0].endswith("/invocations")]


def test_functions_are_called_with_roles_that_sts_gives(shop, database, millrace, moto, name):
    moto.be_strict(True)
    orders = {"credentials": {"profile": "orders"}}
    process = shop(
        {"AWS_CA_BUNDLE": moto.authority},
        alias={"function": "orders:live", **orders},
        version={"function": ARN, "qualifier": "1", **orders},
        queued={"function": "orders", "invocation": "event", **orders},
        web={
            "function": f"{ACCOUNT}:function:orders",
            "credentials": {"profile": "web"},
            "url": f"{moto.url}/",
            "tls": {"ca": moto.authority},
        },
        printed={"function": "orders:1", "credentials": {"profile": "printed"}},
        poor={"function": "orders", "qualifier": "$LATEST", "credentials": {"profile": "poor"}},
    )
    database.sql("insert into a values (1)")
    wait_delivered(millrace, name, 1, "alias", "version", "queued", "printed")
    # A strict moto fails at AssumeRoleWithWebIdentity, which has no signature.
    process.wait_event("credentials_failed", "STS, https://127.0.0.1:[0-9]+, answered 500 for the role [^ ]*orders$")
    process.wait_event("function_state", "answered 403", component=f"function/{name}-poor")
    moto.be_strict(False)
    moto.client("iam").put_role_policy(RoleName="poor", PolicyName="call", PolicyDocument=policy("lambda:Invoke*"))
    wait_delivered(millrace, name, 1, "web")
    moto.be_strict(True)
    database.sql("insert into a values (2)")
    wait_delivered(millrace, name, 2, "alias", "version", "queued", "web", "printed", "poor")
    assert not millrace.metric("millrace_function_dead_letters_total"), "a right that is missing loses no event"

    begin = "/2015-03-31/functions/"
    made = {(call.path.removeprefix(begin), call.headers["x-amz-invocation-type"]) for call in calls(moto)}
    assert made == {
        ("orders%3Alive/invocations", "RequestResponse"),
        ("orders%3A1/invocations", "RequestResponse"),
        (ARN.replace(":", "%3A") + "/invocations?Qualifier=1", "RequestResponse"),
        ("orders/invocations", "Event"),
        (f"{ACCOUNT}%3Afunction%3Aorders/invocations", "RequestResponse"),
        ("orders/invocations?Qualifier=%24LATEST", "RequestResponse"),
    }
    assert all("x-amz-security-token" in call.headers for call in calls(moto))
    assumed = [request.body.decode() for request in moto.requests() if b"Action=AssumeRole&" in request.body]
    of_orders = sorted(body.split("RoleSessionName=")[1] for body in assumed if "role%2Forders" in body)
    assert of_orders == ["millrace", "printed"], "three functions share a role's keys"


def test_what_moto_answers_to_the_instances_role(shop, database, millrace, kafka, moto, name):
    moto.be_strict(False)
    moto.look_up(True)
    instance = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": moto.url}
    batch = {"events": 3, "window": "300ms", "partial_failures": True}
    delivery = {"batch": batch, "on_failure": {"bisect": False}}
    process = shop({**instance, "AWS_CA_BUNDLE": moto.authority}, delivery, one={"function": "absent"})
    update = "update a set id = id"
    database.sql(f"begin; insert into a values (1); {update}; {update}; commit")  # three events of one key
    process.wait_event("function_state", "answered 404: ResourceNotFoundException: Function not found: .*:absent")
    failed = {"batchItemFailures": [{"itemIdentifier": {"partition": f"{name}.public.a-0", "offset": 1}}]}
    moto.plan("too long".ljust(6_000_001), json.dumps(failed))
    moto.look_up(False)
    wait_delivered(millrace, name, 3, "one")
    retries = "millrace_function_retries_total"
    assert millrace.metric(retries, function=f"{name}-one", reason="function_error") == 1
    sent = [call for call in calls(moto) if "absent" in call.path]
    assert sent[-1].headers["x-amz-security-token"] == "test-session-token"
    offsets = [[r["offset"] for records in json.loads(call.body)["records"].values() for r in records] for call in sent]
    assert offsets[-3:] == [[0, 1, 2], [0, 1, 2], [1]], "a function error repeats all, a named event is repeated alone"
    assert not millrace.metric("millrace_function_dead_letters_total")


def test_an_authority_that_is_not_known_is_named(shop, database, moto, name):
    moto.be_strict(False)
    trusts = {"tls": {"ca": moto.authority}}
    keys = {
        "access_key_id": moto.keys["AccessKeyId"],
        "secret_access_key": moto.keys["SecretAccessKey"],
    }
    process = shop(
        {},
        role={"function": "orders", "credentials": {"profile": "orders"}, **trusts},
        keys={"function": "orders", "credentials": keys},
    )
    database.sql("insert into a values (1)")
    process.wait_event("credentials_failed", "STS, https://127.0.0.1:[0-9]+: .*certificate")
    process.wait_event("function_state", ".*certificate", component=f"function/{name}-keys")
