"""
Promise: functions behind an OpenID provider get valid tokens, whatever way the client proves who it is, and a token
that expired, was revoked or can't be had costs no event an attempt.
"""

import json

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey
from lib.node import NodeProgram
from lib.waiting import wait_until

# What HTTP Basic and forms have to encode.
SECRET = "s3cret %&+=:/?~!\"x"
KEYS = {
    "RS256": (lambda: rsa.generate_private_key(65537, 2048), RSAKey),
    "PS256": (lambda: rsa.generate_private_key(65537, 2048), RSAKey),
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), ECKey),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, OKPKey),
}


def assertion_client(algorithm):
    """The client as the provider has it, and its private key in PEM."""
    make, kind = KEYS[algorithm]
    key = make()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    jwk = {**kind.import_key(public).as_dict(), "kid": f"key-{algorithm}", "alg": algorithm, "use": "sig"}
    client = {
        "client_id": algorithm.lower(),
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": algorithm,
        "jwks": {"keys": [jwk]},
    }
    return client, pem.decode()


def secret_client(name, method, **more):
    return {"client_id": name, "client_secret": SECRET, "token_endpoint_auth_method": method, **more}


class Shop:
    """A table, a provider, and a function for each client, all in one running millrace."""

    def __init__(self, provider, database, millrace, name, clients):
        self.provider, self.database, self.millrace, self.name = provider, database, millrace, name
        self.clients = clients
        self.rows = 0

    def auth(self, client, **more):
        return {
            "token_url": f"{self.provider.url}/token",
            "client_id": client,
            "audience": f"urn:{client}",
            "scope": "orders:write",
            **more,
        }

    def function(self, client, delivery=None, **more):
        self.millrace.function(
            client,
            f"{self.name}.public.a",
            f"{self.provider.url}/function/{client}",
            auth={"oauth2": self.auth(client, **more)},
            delivery=delivery or {},
        )

    def insert(self):
        self.rows += 1
        self.database.sql(f"insert into a values ({self.rows})")

    def get(self, what, client):
        return requests.get(f"{self.provider.url}/{what}/{client}", timeout=20).json()

    def calls(self, client):
        return self.get("calls", client)

    def delivered(self, client):
        return [call["token"] for call in self.calls(client) if call["status"] == 204]

    def wait_delivered(self, client):
        """Until the function has taken every row."""
        wait_until(
            lambda: len(self.delivered(client)) >= self.rows,
            60,
            lambda: f"{self.rows} calls of {client}: {self.calls(client)} {self.get('requests', client)}",
        )

    def status(self, client):
        functions = self.millrace.get("/readyz").json()["functions"]
        return next(function for function in functions if function["name"] == client)


@pytest.fixture(scope="module")
def provider(folder):
    """The provider and what its clients need: {client: options of oauth2}."""
    clients = [
        secret_client("basic", "client_secret_basic", audience_format="jwt"),
        secret_client("form", "client_secret_post", audience_format="jwt"),
        secret_client("short", "client_secret_basic", life_s=3),
        secret_client("revoked", "client_secret_basic"),
        secret_client("wrong", "client_secret_basic"),
    ]
    pems = {}
    for algorithm in KEYS:
        client, pems[client["client_id"]] = assertion_client(algorithm)
        clients.append({**client, "audience_format": "jwt"})
    path = f"{folder}/oidc-clients.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(clients, file)
    program = NodeProgram("oidc_provider.js", folder=folder, CLIENTS=path)
    try:
        yield program.wait_open("/.well-known/openid-configuration"), pems
    finally:
        program.stop()


@pytest.fixture
def shop(provider, database, millrace, name):
    database.sql("create table a (id int primary key)")
    millrace.connector(name, database)
    return Shop(provider[0], database, millrace, name, provider[1])


def test_every_way_to_prove_who_the_client_is_gets_a_token_for_the_audience(shop, millrace):
    millrace.write("secret", SECRET + "\n")
    secret = {"client_secret": {"file": "../secret"}}
    shop.function("basic", **secret)
    shop.function("form", **secret, client_auth="form")
    for algorithm in KEYS:
        client = algorithm.lower()
        millrace.write(f"{client}.pem", shop.clients[client])
        key = {"key": {"file": f"../{client}.pem"}, "key_id": f"key-{algorithm}", "algorithm": algorithm}
        shop.function(client, private_key_jwt=key)
    process = millrace.run()
    shop.insert()
    shop.insert()
    clients = ("basic", "form", *(algorithm.lower() for algorithm in KEYS))
    for client in clients:
        shop.wait_delivered(client)
        assert {call["status"] for call in shop.calls(client)} == {204}
        assert shop.get("requests", client) == [{"status": 200}], "one token for all calls"
    # The provider's signing key is replaced: no token is valid any more.
    requests.post(f"{shop.provider.url}/rotate", timeout=20)
    shop.insert()
    for client in clients:
        shop.wait_delivered(client)
        assert [call["status"] for call in shop.calls(client)] == [204, 204, 401, 204]
        assert millrace.metric("millrace_function_retries_total", function=client) is None
    assert process.stop() == 0


def test_tokens_that_expire_or_are_revoked_cost_no_attempt(shop, millrace):
    millrace.write("secret", SECRET)
    for client in ("short", "revoked"):
        shop.function(client, client_secret={"file": "../secret"})
    process = millrace.run()

    def some_tokens():
        """A life of 3 s, and a row now and then, until several tokens were used."""
        shop.insert()
        shop.wait_delivered("short")
        return len(set(shop.delivered("short"))) >= 3

    wait_until(some_tokens, 60, "three tokens")
    assert {call["status"] for call in shop.calls("short")} == {204}, "none was sent after its end"
    shop.wait_delivered("revoked")
    before = shop.calls("revoked")
    assert len({call["token"] for call in before}) == 1
    requests.post(f"{shop.provider.url}/revoke", timeout=20)
    shop.insert()
    shop.wait_delivered("revoked")
    old = before[0]["token"]
    after = shop.calls("revoked")[len(before) :]
    assert after[0] == {"token": old, "status": 401}
    assert [call["status"] for call in after] == [401, 204], "renewed, and sent once more"
    assert len(shop.get("requests", "revoked")) == 2
    assert millrace.metric("millrace_function_retries_total", function="revoked") is None
    assert process.stop() == 0


def test_a_wrong_secret_is_named_without_being_shown_and_mended_without_a_restart(shop, millrace):
    wrong = "wrong-hunter2-secret"
    millrace.write("secret-wrong", wrong)
    millrace.write("secret", SECRET)
    once = {"retry": {"attempts": 1, "backoff": {"max": "1s"}}}
    shop.function("wrong", once, client_secret={"file": "../secret-wrong"})
    shop.function("revoked", client_secret={"file": "../secret"})
    process = millrace.run()
    shop.insert()
    shop.wait_delivered("revoked")  # the others go on

    def named():
        error = shop.status("wrong").get("last_error")
        return error if error and "invalid_client" in str(error) else None

    error = wait_until(named, 30, lambda: f"the reason in {shop.status('wrong')}")
    assert f"no token from {shop.provider.url}/token: it answered 401 invalid_client" in str(error)
    assert process.find("token_failed", "401 invalid_client", component="oauth2")
    wait_until(
        lambda: (millrace.metric("millrace_function_retries_total", function="wrong", reason="credentials") or 0) >= 3,
        60,
        "calls without a token, more than there are attempts",
    )
    assert shop.calls("wrong") == [], "nothing is sent without a token"
    millrace.write("secret-wrong", SECRET)
    shop.wait_delivered("wrong")
    assert process.find("token_failed", component="oauth2")
    assert millrace.metric("millrace_function_dead_letters_total", function="wrong") in (None, 0)
    assert process.stop() == 0
    assert wrong not in "".join(process.lines) and SECRET not in "".join(process.lines)
