"""moto's server: AWS's APIs without AWS, over HTTPS. It checks signatures and what a user or role is allowed to do."""

import base64
import json
import os
import ssl
import sys
import urllib.request
from types import SimpleNamespace

import boto3

from lib import processes
from lib.waiting import wait_until

REGION = "eu-central-1"


def policy(action):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    )


class Moto:
    def __init__(self, folder, authority):
        """Its certificate is of this authority (lib.pki)."""
        self.authority = authority.file
        self.recording = os.path.join(folder, "requests")
        port = processes.free_port()
        self.url = f"https://127.0.0.1:{port}"
        self.trusted = ssl.create_default_context(cafile=self.authority)
        made = authority.issue("moto")
        environment = {**os.environ, "MOTO_ENABLE_RECORDING": "1", "MOTO_RECORDER_FILEPATH": self.recording}
        with open(os.path.join(folder, "log"), "wb") as log:
            command = [sys.executable, "-m", "moto.server", "-p", str(port), "-s", "-c", made.file, "-k", made.key_file]
            self.process = processes.spawn(command, env=environment, stdout=log, stderr=log)
        wait_until(lambda: self.look_up(False), 20, "moto")

    def stop(self):
        processes.reap(self.process)

    def _post(self, path, data):
        request = urllib.request.Request(f"{self.url}/moto-api/{path}", json.dumps(data).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10, context=self.trusted) as response:
            return response.read()

    def client(self, service):
        """boto3's client of a service; for what the test sets up: moto must not be strict."""
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, verify=self.authority, **keys)

    def be_strict(self, is_strict):
        """From now on requests need a valid signature of somebody who is allowed to make them, or nothing at all."""
        self._post("reset-auth", 0 if is_strict else 1_000_000)

    def look_up(self, is_wanted):
        """Whether functions are looked up (those that are found would run in Docker), or any name is answered."""
        return self._post("config", {"lambda": {"use_docker": is_wanted}})

    def plan(self, *results):
        """What the next calls of functions return; then they return what they were called with."""
        self._post("static/lambda-simple/response", {"results": list(results), "region": REGION})

    def requests(self):
        """All so far: method, path, headers (in lower case), body."""
        with open(self.recording) as file:
            text, at, entries = file.read(), 0, []
        while at < len(text):  # the end of a line may come after the next entry
            entry, at = json.JSONDecoder().raw_decode(text, at)
            entries.append(entry)
            while at < len(text) and text[at] == "\n":
                at += 1
        return [
            SimpleNamespace(
                method=entry["method"],
                path=entry["url"].removeprefix(self.url),
                headers={name.lower(): value for name, value in entry["headers"].items()},
                body=base64.b64decode(entry["body"] or "") if entry["body_encoded"] else b"",
            )
            for entry in entries
        ]
