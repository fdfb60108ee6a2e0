"""A collector of spans: an HTTP server, whose requests OpenTelemetry's own package decodes."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Otlp

from lib.function_server import FunctionServer
from lib.waiting import wait_until


class Span:
    """One span; ids as hex."""

    def __init__(self, span, resource):
        self.name = span.name
        self.kind = Otlp.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_")
        self.trace, self.id = span.trace_id.hex(), span.span_id.hex()
        self.parent = span.parent_span_id.hex()
        self.links = [(link.trace_id.hex(), link.span_id.hex()) for link in span.links]
        self.begin, self.end = span.start_time_unix_nano, span.end_time_unix_nano
        self.attributes = {pair.key: _value(pair.value) for pair in span.attributes}
        self.is_failed = span.status.code == 2
        self.state = span.trace_state
        self.instance = resource["service.instance.id"]

    def __repr__(self):
        return f"<{self.name} {self.trace}/{self.id} of {self.parent} {self.attributes}>"


def _value(value):
    return getattr(value, value.WhichOneof("value"))


class Collector(FunctionServer):
    def requests(self):
        return [call for call in list(self.calls) if call.path == "/v1/traces" and call.ended is not None]

    def spans(self, name=None):
        """All spans so far, or those whose name begins with this word."""
        found = []
        for call in self.requests():
            assert call.headers["content-type"] == "application/x-protobuf"
            for part in ExportTraceServiceRequest.FromString(call.body).resource_spans:
                resource = {pair.key: _value(pair.value) for pair in part.resource.attributes}
                assert resource["service.name"] == "millrace"
                for scope in part.scope_spans:
                    found += [Span(span, resource) for span in scope.spans]
        return [span for span in found if name is None or span.name.split(" ")[0] == name]

    def wait(self, name, count, timeout=60):
        def enough():
            spans = self.spans(name)
            return spans if len(spans) >= count else None

        return wait_until(enough, timeout, lambda: f"{count} spans {name}, {len(self.spans(name))} came")
