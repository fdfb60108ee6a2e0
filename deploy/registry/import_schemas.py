#!/usr/bin/env python3
"""
Copies all Avro schemas of a registry into another one, with their ids, versions and references, so that consumers
decode old records and keys keep their bytes.

    import_schemas.py https://old-registry:8081 http://127.0.0.1:7070/registry

Both are base addresses of Confluent's REST API; the second one is the embedded registry. It is set to mode IMPORT,
for which it must have no schemas (--force allows some), and to READWRITE at the end. What is there already with the
same id and version is not copied again, so a copy that was broken off is repeated. User and password may be in the
old registry's address: https://user:password@host:8081.
"""

import argparse
import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

TYPE = "application/vnd.schemaregistry.v1+json"


class Registry:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.base = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
        self.headers = {"Content-Type": TYPE, "Accept": TYPE}
        if parts.username is not None:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self.headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            try:
                why = json.load(error).get("message", "")
            except ValueError:
                why = ""
            raise SystemExit(f"{method} {self.base}{path}: HTTP {error.code}: {why}") from None
        except urllib.error.URLError as error:
            raise SystemExit(f"{method} {self.base}{path}: {error.reason}") from None


def name(subject):
    return urllib.parse.quote(subject, safe="")


def read_schemas(source):
    """All versions of all subjects; those of lower ids come first, since they may be referred to."""
    found = []
    for subject in source.call("GET", "/subjects"):
        for version in source.call("GET", f"/subjects/{name(subject)}/versions"):
            found.append(source.call("GET", f"/subjects/{name(subject)}/versions/{version}"))
    return sorted(found, key=lambda schema: (schema["id"], schema["subject"], schema["version"]))


def copy(schema, target):
    body = {key: schema[key] for key in ("schema", "id", "version", "references", "metadata", "ruleSet") if key in schema}
    target.call("POST", f"/subjects/{name(schema['subject'])}/versions", body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="address of the old registry")
    parser.add_argument("target", help="address of the embedded registry")
    parser.add_argument("--force", action="store_true", help="import beside schemas that exist")
    options = parser.parse_args()
    source, target = Registry(options.source), Registry(options.target)
    schemas = read_schemas(source)
    others = [schema for schema in schemas if schema.get("schemaType", "AVRO") != "AVRO"]
    target.call("PUT", "/mode?force=" + ("true" if options.force else "false"), {"mode": "IMPORT"})
    for schema in schemas:
        if schema not in others:
            copy(schema, target)
    target.call("PUT", "/mode", {"mode": "READWRITE"})
    print(f"{len(schemas) - len(others)} versions copied")
    for schema in others:
        print(f"not copied, no Avro: {schema['subject']} version {schema['version']}", file=sys.stderr)


if __name__ == "__main__":
    main()
