"""
Promise: every call belongs to the trace of the span that made its change, from the transaction to the function, without
a column in any table; spans never hold up delivery.

The application's spans are made, and what the function gets is read, by OpenTelemetry's SDK.
"""

import pytest
from lib import processes
from lib.collector import Collector
from lib.function_server import Answer
from lib.records import read_topic
from lib.waiting import wait_until
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRANSACTIONS = 1000
TABLES = ("orders", "lines", "stock")
PROPAGATOR = TraceContextTextMapPropagator()
TRACER = TracerProvider().get_tracer("the application")
KEY = "collector-key-4711"


@pytest.fixture
def collector():
    server = Collector()
    yield server
    server.stop()


def tracing(millrace, collector, **more):
    millrace.settings(tracing={"otlp": {"url": collector.url, "headers": {"x-key": KEY}}, **more})


def make_tables(database):
    for table in TABLES:
        database.sql(f"create table {table} (id int primary key, request int not null)")


def emit(database, carrier):
    for prefix in ("traceparent", "tracestate"):
        if prefix in carrier:
            database.sql("select pg_logical_emit_message(true, %s, %s)", [prefix, carrier[prefix]])


def transact(database, request, *statements):
    """One transaction in a span of its own; returns the span's context."""
    database.sql("select 1")
    with TRACER.start_as_current_span(f"request {request}") as span, database.connection.transaction():
        carrier = {}
        PROPAGATOR.inject(carrier)
        emit(database, carrier)
        for statement in statements:
            database.sql(statement)
        return span.get_span_context()


def context_of(carrier):
    """The span that a carrier's traceparent names; None for an invalid one."""
    context = trace.get_current_span(PROPAGATOR.extract(carrier)).get_span_context()
    return context if context.is_valid else None


def ids(context):
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def insert(table, number, request):
    return f"insert into {table} values ({number}, {request})"


def test_every_call_belongs_to_the_span_that_made_the_change(database, kafka, millrace, function, collector, name):
    make_tables(database)
    tracing(millrace, collector)
    millrace.connector(name, database)
    for table in TABLES:
        kafka.create_topic(f"{name}.public.{table}")
    millrace.function(name, f"{name}.public.*", function.url)
    process = millrace.run()
    made = {}
    for request in range(TRANSACTIONS):
        tables = [table for i, table in enumerate(TABLES) if request % (i + 1) == 0]
        made[request] = ids(transact(database, request, *(insert(table, request, request) for table in tables)))
    rows = sum(-(-TRANSACTIONS // (i + 1)) for i in range(len(TABLES)))
    calls = function.wait_calls(rows, 120)
    assert len({call.id for call in calls}) == len(calls) == rows
    parents = {}
    for call in calls:
        of_change = made[call.json["after"]["request"]]
        assert ids(context_of({"traceparent": call.headers["ce-traceparent"]})) == of_change  # the origin
        of_call = context_of(call.headers)
        assert of_call.trace_flags.sampled
        assert ids(of_call)[0] == of_change[0]
        parents[call.id] = ids(of_call)[1]
    assert process.stop() == 0  # exports what is left
    spans = {span.id: span for span in collector.spans()}
    for call in calls:
        of_change = made[call.json["after"]["request"]]
        invoke = spans[parents[call.id]]
        assert (invoke.kind, invoke.trace, invoke.links) == ("CLIENT", of_change[0], [of_change]), invoke
        consume = spans[invoke.parent]
        assert (consume.kind, consume.trace, consume.parent) == ("CONSUMER", *of_change), consume
        assert consume.begin <= invoke.begin <= invoke.end <= consume.end
    captures = {(span.trace, span.parent): span for span in collector.spans("capture")}
    assert set(captures) == set(made.values())
    published = {span.attributes["millrace.event_id"]: span for span in collector.spans("publish")}
    for call in calls:
        publish = published[call.id]
        capture = captures[made[call.json["after"]["request"]]]
        assert (publish.kind, publish.parent, publish.trace) == ("PRODUCER", capture.id, capture.trace), publish
        assert publish.begin <= publish.end
    check_attributes(name, calls[0], spans[parents[calls[0].id]], captures, spans)
    assert {call.headers["x-key"] for call in collector.requests()} == {KEY}
    assert KEY not in millrace.command("config", "show", "-c", millrace.folder).stdout
    assert KEY not in process.log(1000000)


def check_attributes(name, call, invoke, captures, spans):
    table = call.headers["ce-subject"]
    assert invoke.name == f"invoke {name}"
    assert invoke.instance == "bridge"
    wanted = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": f"{name}.{table}",
        "messaging.destination.partition.id": "0",
        "messaging.consumer.group.name": f"millrace.{name}",
        "millrace.event_id": call.id,
        "http.request.method": "POST",
        "http.response.status_code": 200,
    }
    assert wanted.items() <= invoke.attributes.items()
    assert "messaging.kafka.offset" in invoke.attributes and "error.type" not in invoke.attributes
    assert not invoke.is_failed
    capture = next(iter(captures.values()))
    assert (capture.name, capture.instance) == (f"capture {name}", f"connector/{name}")
    assert capture.attributes["millrace.rows"] >= 1 and capture.attributes["db.system.name"] == "postgresql"
    assert capture.begin <= capture.end
    assert spans[invoke.parent].name == f"consume {name}.{table}"


def test_a_batch_has_a_link_for_each_event(database, kafka, millrace, function, collector, name):
    database.sql("create table a (id int primary key, request int not null)")
    tracing(millrace, collector)
    millrace.connector(name, database)
    kafka.create_topic(f"{name}.public.a")
    batch = {"batch": {"events": 20, "window": "1s"}}
    millrace.function(name, f"{name}.public.a", function.url, payload="row", delivery=batch)
    process = millrace.run()
    made = [ids(transact(database, i, insert("a", i, i))) for i in range(60)]
    wait_until(lambda: sum(len(call.json) for call in function.calls if call.ended) >= 60, 60, "60 events")
    assert process.stop() == 0
    invokes = collector.spans("invoke")
    assert sorted(link for span in invokes for link in span.links) == sorted(made)
    for call in function.calls:
        (invoke,) = [span for span in invokes if span.id == ids(context_of(call.headers))[1]]
        events = len(call.json)
        assert len(invoke.links) == events
        assert events == 1 or invoke.attributes["messaging.batch.message_count"] == events
    assert any(len(span.links) > 1 for span in invokes)


def test_a_reply_belongs_to_the_call_that_made_it(database, kafka, millrace, function, collector, name):
    database.sql("create table a (id int primary key, request int not null)")
    tracing(millrace, collector)
    millrace.connector(name, database)
    kafka.create_topic(f"{name}.public.a")
    function.rule = lambda call: Answer(200, {"Content-Type": "application/json"}, b"{}")
    millrace.function(name, f"{name}.public.a", function.url, reply={"topic": f"{name}.replies"})
    millrace.run()
    made = ids(transact(database, 1, insert("a", 1, 1)))
    (call,) = function.wait_calls(1)
    (reply,) = read_topic(kafka, f"{name}.replies", count=1)
    of_reply, of_call = context_of(reply.headers), context_of(call.headers)
    assert ids(of_reply) == ids(of_call) and of_reply.trace_flags.sampled
    assert ids(of_reply)[0] == made[0] and ids(of_reply)[1] != made[1]


def test_retries_are_spans_of_their_own(database, kafka, millrace, function, collector, name):
    database.sql("create table a (id int primary key, request int not null)")
    tracing(millrace, collector)
    millrace.connector(name, database)
    kafka.create_topic(f"{name}.public.a")
    retry = {"retry": {"attempts": 2, "backoff": {"initial": "10ms"}}}
    millrace.function(name, f"{name}.public.a", function.url, delivery=retry)
    function.plan(then=Answer(503))
    process = millrace.run()
    of_change = ids(transact(database, 0, insert("a", 0, 0)))
    read_topic(kafka, f"millrace.dlq.{name}", count=1)
    wait_until(lambda: collector.spans("consume"), 60, "the event's span")
    assert process.stop() == 0
    first, second = sorted(collector.spans("invoke"), key=lambda span: span.begin)
    (consume,) = collector.spans("consume")
    assert first.is_failed and second.is_failed and consume.is_failed
    assert first.parent == second.parent == consume.id and consume.parent == of_change[1]
    assert [span.attributes.get("http.request.resend_count") for span in (first, second)] == [None, 1]
    assert first.attributes["error.type"] == "503" and first.attributes["http.response.status_code"] == 503


def test_without_a_collector_events_are_delivered_and_spans_wait(database, kafka, millrace, function, name):
    database.sql("create table a (id int primary key, request int not null)")
    port = processes.free_port()
    millrace.settings(tracing={"otlp": {"url": f"http://127.0.0.1:{port}"}})
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    process = millrace.run()
    transact(database, 0, insert("a", 0, 0))
    function.wait_calls(1)
    process.wait_event("export_failed")
    collector = Collector(port)
    try:
        for word in ("capture", "publish", "consume", "invoke"):
            collector.wait(word, 1)
        wait_until(lambda: millrace.metric("millrace_spans_total", outcome="exported") >= 4, 30, "the metric")
        assert millrace.metric("millrace_spans_total", outcome="dropped") == 0
    finally:
        collector.stop()


def test_what_is_not_sampled_makes_no_spans(database, kafka, millrace, function, collector, name):
    """Also: tracestate, and a transaction without a trace."""
    database.sql("create table a (id int primary key, request int not null)")
    tracing(millrace, collector)
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    process = millrace.run()
    unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    database.sql("select 1")
    with database.connection.transaction():
        emit(database, {"traceparent": unsampled, "tracestate": "vendor=1"})
        database.sql(insert("a", 1, 1))
    database.sql(insert("a", 2, 2))
    calls = {call.json["after"]["id"]: call for call in function.wait_calls(2)}
    assert (calls[1].headers["traceparent"], calls[1].headers["tracestate"]) == (unsampled, "vendor=1")
    assert "traceparent" not in calls[2].headers and "ce-traceparent" not in calls[2].headers
    first, second = read_topic(kafka, f"{name}.public.a", count=2)
    assert (first.headers["traceparent"], first.headers["tracestate"]) == (unsampled, "vendor=1")
    assert "traceparent" not in second.headers
    assert process.stop() == 0
    assert not collector.spans()


def test_a_trace_is_begun_for_a_share_of_the_others(database, kafka, millrace, function, collector, name):
    database.sql("create table a (id int primary key, request int not null)")
    tracing(millrace, collector, sample="100%")
    millrace.connector(name, database)
    millrace.function(name, f"{name}.public.a", function.url)
    process = millrace.run()
    database.sql(insert("a", 1, 1))
    (call,) = function.wait_calls(1)
    assert process.stop() == 0
    (capture,), (publish,), (consume,) = (collector.spans(word) for word in ("capture", "publish", "consume"))
    assert capture.parent == "" and publish.parent == capture.id and consume.parent == capture.id
    assert ids(context_of(call.headers))[0] == capture.trace == publish.trace == consume.trace
    assert ids(context_of({"traceparent": call.headers["ce-traceparent"]})) == (capture.trace, capture.id)


def test_wrong_settings_are_refused(millrace):
    millrace.write(
        "millrace.yaml",
        "kafka: {bootstrap.servers: 127.0.0.1:9}\n"
        "tracing:\n  otlp:\n    url: ftp://x\n    headers: {content-type: text/plain}\n  sample: 200%\n",
    )
    said = millrace.check().stdout
    assert "millrace.yaml:4:10: error: url:" in said, said
    assert '"content-type" can\'t be set' in said, said
    assert "millrace.yaml:6:11: error: sample: must be a share such as 1% or 0.01, from 0 to 1" in said, said
