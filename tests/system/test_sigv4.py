"""
Promise: a request that millrace signs has the signature that botocore's own signer computes, for every path, query,
header, body, session token and day.
"""

import json
import os
import random
import subprocess
from datetime import datetime, timezone
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from lib.program import BINARY

SIGNER = os.path.join(os.path.dirname(BINARY), "tests", "component", "sigv4_lines")
HOST = "lambda.eu-central-1.amazonaws.com"
REGION, SERVICE = "eu-central-1", "lambda"
FIRST_S = int(datetime(2015, 8, 30, 12, 36, tzinfo=timezone.utc).timestamp())

NAMES = [
    "orders",
    "orders:live",
    "arn:aws:lambda:eu-central-1:123456789012:function:orders",
    "arn:aws:lambda:eu-central-1:123456789012:function:orders:7",
    "123456789012:function:orders:$LATEST",
    "a b",
    "müller-ключ-注文",
    "50%",
    "a+b=c&d",
    "~tilde._-",
    "%3A",
]
PATHS = [f"/2015-03-31/functions/{quote(name, safe='-._~')}/invocations" for name in NAMES] + [
    "",
    "/",
    "//",
    "/a//b/",
    "/a/./b/../c",
    "/..",
    "/a/..",
    "/a/../../b/",
    "/.hidden/...",
    "/%2e%2e/%2E",
    "/a:b@c!d$e'f(g)h*i,j;k=l",
    "/plain/%e6%b3%a8",
]
PARAMETERS = [
    [],
    [("Qualifier", "live")],
    [("Qualifier", "$LATEST")],
    [("b", "2"), ("a", "1")],
    [("a", "2"), ("a", "1"), ("a", "10"), ("A", "0")],
    [("a", ""), ("", "b"), ("", "")],
    [("a-b", "1"), ("a", "2"), ("a_b", "3"), ("a.b", "4")],
    [("sum", "1+1=2"), ("s", "a b"), ("t", "~._-")],
    [("ключ", "значение"), ("x", "注文"), ("%41", "%2F")],
    [("q", "/?#[]@!$&'()*,;:")],
]
HEADERS = [
    [],
    [("Content-Type", "application/json")],
    [("Content-Type", "application/json; charset=utf-8"), ("X-Amz-Invocation-Type", "Event")],
    [("X-Amz-Log-Type", "Tail"), ("X-Amz-Client-Context", "eyJhIjoxfQ==")],
    [("x-tenant", "  a   b  c "), ("X-Empty", ""), ("x-tab", "a\tb")],
    [("Z-Last", "1"), ("a-first", "2"), ("X-Amz-Meta", '"q   r"')],
    [("webhook-id", "msg_1"), ("webhook-signature", "v1,abc= v1,def=")],
]
BODIES = [b"", b"{}", '{"name":"Ærø"}'.encode(), bytes(range(256)), b"x" * 70000]
TOKENS = [None, "FwoGZXIvYXdzEBYaD+/=token", "t" * 1500]
KEYS = [("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), ("ASIA1", "s")]


def query_of(parameters):
    return "&".join(f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}" for name, value in parameters)


def requests(count):
    """All values of each kind, then mixtures of them, always the same."""
    chosen = random.Random(9)
    kinds = [PATHS, PARAMETERS, HEADERS, BODIES, TOKENS, KEYS]
    longest = max(len(kind) for kind in kinds)
    for number in range(count):
        if number < longest:
            parts = [kind[number % len(kind)] for kind in kinds]
        else:
            parts = [chosen.choice(kind) for kind in kinds]
        path, parameters, headers, body, token, (key_id, secret) = parts
        query = query_of(parameters)
        yield {
            "region": REGION,
            "service": SERVICE,
            "access_key_id": key_id,
            "secret_access_key": secret,
            "session_token": token,
            "method": chosen.choice(["POST", "GET", "PUT", "DELETE"]),
            "target": path + (f"?{query}" if query else ""),
            "headers": [("Host", HOST), *headers],
            "body": body.hex(),
            "wall_s": FIRST_S + chosen.choice([0, 1, 41039, 41040, 86400 * 400, 86400 * 4000]),
        }


def sign(signed):
    """The header lines that millrace adds to each of these requests."""
    given = "".join(json.dumps(request) + "\n" for request in signed)
    done = subprocess.run([SIGNER], input=given, capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def botocore_lines(request):
    """The same, computed by botocore, whose clock stands at the request's time."""
    stamp = datetime.fromtimestamp(request["wall_s"], timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    credentials = Credentials(request["access_key_id"], request["secret_access_key"], request["session_token"])
    signer = SigV4Auth(credentials, SERVICE, REGION)
    sent = AWSRequest(request["method"], f"https://{HOST}{request['target']}", data=bytes.fromhex(request["body"]))
    for name, value in request["headers"]:
        sent.headers.add_header(name, value)
    sent.context["timestamp"] = stamp
    sent.headers["X-Amz-Date"] = stamp
    lines = [f"X-Amz-Date: {stamp}"]
    if request["session_token"]:
        sent.headers["X-Amz-Security-Token"] = request["session_token"]
        lines.append(f"X-Amz-Security-Token: {request['session_token']}")
    canonical = signer.canonical_request(sent)
    signature = signer.signature(signer.string_to_sign(sent, canonical), sent)
    names = signer.signed_headers(signer.headers_to_sign(sent))
    scope = signer.scope(sent)
    lines.append(f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}")
    return "\r\n".join(lines), canonical


def test_all_requests_are_signed_as_botocore_signs_them():
    signed = list(requests(3000))
    made = sign(signed)
    assert len(made) == len(signed)
    for request, lines in zip(signed, made):
        wanted, canonical = botocore_lines(request)
        assert lines == wanted, f"{request}\n{canonical}"


def test_a_query_that_is_not_written_strictly_is_signed_as_if_it_were():
    """What AWS receives it decodes and encodes again; botocore takes the query of a URL as it is."""
    loose = ["a=b:c/d", "a=%2f&b=%c3%a4", "a", "a&b=", "q=ä", "a=1=2", "p=50%"]
    strict = ["a=b%3Ac%2Fd", "a=%2F&b=%C3%A4", "a=", "a=&b=", "q=%C3%A4", "a=1%3D2", "p=50%25"]
    base = next(requests(1))
    made = sign([{**base, "target": f"/?{query}"} for query in loose])
    assert made == [botocore_lines({**base, "target": f"/?{query}"})[0] for query in strict]
