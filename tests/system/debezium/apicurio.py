"""
Apicurio's AvroConverter, in the mode that writes Confluent's wire format, and the registry that it and Confluent's
clients share: one store behind the two APIs. Schemas are equal only if their texts are.
"""

from lib import stub_registry

CONVERTER = "io.apicurio.registry.utils.converter.AvroConverter"
API = "/apis/registry/v2"


class SharedRegistry(stub_registry.StubRegistry):
    def __init__(self):
        super().__init__()
        self.server.RequestHandlerClass = _Handler

    def worker_settings(self):
        """Of Kafka Connect; Debezium's documentation has these for Confluent's format."""
        settings = {
            "url": self.url + API,
            "auto-register": "true",
            "as-confluent": "true",
            "use-id": "contentId",
            "headers.enabled": "false",
            "dereference-schema": "true",
        }
        found = {"plugin.discovery": "hybrid_warn"}  # this converter is not announced as a service
        for side in ("key", "value"):
            found[f"{side}.converter"] = CONVERTER
            found |= {f"{side}.converter.apicurio.registry.{name}": value for name, value in settings.items()}
        return found


class _Handler(stub_registry._Handler):
    def do_POST(self):
        if not self.path.startswith(API):
            super().do_POST()
            return
        artifact = self.headers["x-registry-artifactid"]
        number = self.server.owner.register(artifact, self._body().decode())
        ids = {"globalId": number, "contentId": number, "version": "1"}
        self.answer(200, {"groupId": "default", "id": artifact, "type": "AVRO", **ids})

    def _body(self):
        if "content-length" in self.headers:
            return self.rfile.read(int(self.headers["content-length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body
