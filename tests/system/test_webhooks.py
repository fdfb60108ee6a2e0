"""
Promise: requests that are signed as Standard Webhooks says are accepted by its verifiers and by Svix's, with either key
while one is replaced; changed and old ones are not.
"""

import base64
import json
import os
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lib import node
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def make_secret():
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def make_pair():
    """The private key as millrace gets it, and the public one."""
    key = Ed25519PrivateKey.generate()
    return "whsk_" + base64.b64encode(key.private_bytes_raw()).decode(), key.public_key()


def verify_in_python(request):
    try:
        Webhook(request["secret"]).verify(request["body"], request["headers"])
    except WebhookVerificationError as error:
        return str(error)
    return None


def verdicts(requests):
    """What each verifier says of each request: None, or why it is refused."""
    done = subprocess.run(
        [node.node(), os.path.join(node.SCRIPTS, "verify_webhooks.js")],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        timeout=120,
        env=node.environment(),
    )
    assert done.returncode == 0, done.stderr
    return {"python": [verify_in_python(request) for request in requests], **json.loads(done.stdout)}


def request_of(call, secret, **changed):
    headers = {name: value for name, value in call.headers.items() if name.startswith("webhook-")}
    assert len(headers) == 3, call.headers
    return {"secret": secret, "body": call.body.decode(), "headers": {**headers, **changed}}


def verify_ed25519(call, public):
    """Standard Webhooks 1.0, whose libraries verify `v1` only: whether one of the `v1a` signatures is this key's."""
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    for signature in call.headers["webhook-signature"].split(" "):
        version, _, text = signature.partition(",")
        if version != "v1a":
            continue
        try:
            public.verify(base64.b64decode(text, validate=True), signed)
            return True
        except InvalidSignature:
            pass
    return False


@pytest.fixture
def shop(database, millrace, name):
    database.sql("create table a (id int primary key, note text)")
    millrace.connector(name, database)
    return database


def test_the_verifiers_accept_what_is_signed_and_nothing_else(shop, millrace, function, name):
    old, new, other = make_secret(), make_secret(), make_secret()
    (old_key, old_public), (new_key, new_public) = make_pair(), make_pair()
    _, other_public = make_pair()

    def configure(**keys):
        millrace.function(
            name,
            f"{name}.public.a",
            function.url,
            auth={"standard_webhooks": {key: {"file": millrace.write(key, text)} for key, text in keys.items()}},
            payload="cloudevents-structured",
        )

    configure(secret=old, private_key=old_key)
    process = millrace.run()
    shop.sql("insert into a values (1, 'é☃ \"quoted\"')")
    first = function.wait_calls(1)[0]
    assert verify_ed25519(first, old_public) and not verify_ed25519(first, new_public)
    # Both keys, while they are replaced.
    seen = len(process.events)
    configure(secret=new, previous_secret=old, private_key=new_key, previous_private_key=old_key)
    process.wait_event("configuration_changed", component=f"function/{name}", after=seen)
    shop.sql("insert into a values (2, 'x')")
    second = function.wait_calls(2)[1]
    assert verify_ed25519(second, old_public) and verify_ed25519(second, new_public)
    assert not verify_ed25519(second, other_public)
    versions = [one.partition(",")[0] for one in second.headers["webhook-signature"].split(" ")]
    assert versions == ["v1", "v1", "v1a", "v1a"]
    seen = len(process.events)
    configure(secret=new, private_key=new_key)
    process.wait_event("configuration_changed", component=f"function/{name}", after=seen)
    shop.sql("insert into a values (3, 'x')")
    third = function.wait_calls(3)[2]
    assert verify_ed25519(third, new_public) and not verify_ed25519(third, old_public)
    tampered = request_of(second, new)
    tampered["body"] = tampered["body"].replace('"x"', '"y"')
    ago = int((datetime.now(timezone.utc) - timedelta(minutes=6)).timestamp())
    accepted = [
        request_of(first, old),
        request_of(second, old),
        request_of(second, new),
        request_of(third, new),
    ]
    refused = [
        request_of(first, new),
        request_of(second, other),
        request_of(third, old),
        tampered,
        request_of(second, new, **{"webhook-id": "another"}),
        request_of(second, new, **{"webhook-timestamp": str(int(second.headers["webhook-timestamp"]) + 1)}),
        request_of(second, new, **{"webhook-timestamp": str(ago)}),
    ]
    for verifier, results in verdicts(accepted + refused).items():
        assert results[: len(accepted)] == [None] * len(accepted), verifier
        for request, why in zip(refused, results[len(accepted) :]):
            assert why, f"{verifier} accepted {request}"
        assert "too old" in results[-1], verifier
    assert process.stop() == 0


def test_an_old_request_is_refused_although_its_signature_is_right(shop, millrace, function, name):
    """The timestamp is signed: a request that is sent again later is recognised by it alone."""
    secret = make_secret()
    millrace.function(
        name, f"{name}.public.a", function.url, auth={"standard_webhooks": {"secret": secret}}, payload="row"
    )
    process = millrace.run()
    shop.sql("insert into a values (1, 'x')")
    call = function.wait_calls(1)[0]
    past = datetime.now(timezone.utc) - timedelta(minutes=6)
    signature = Webhook(secret).sign(call.headers["webhook-id"], past, call.body.decode())
    old = request_of(
        call, secret, **{"webhook-timestamp": str(int(past.timestamp())), "webhook-signature": signature}
    )
    for verifier, (now, then) in verdicts([request_of(call, secret), old]).items():
        assert now is None and "too old" in then, verifier
    assert process.stop() == 0
