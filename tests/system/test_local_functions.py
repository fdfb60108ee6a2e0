"""
Promise: functions written for AWS Lambda run on this machine as they are: by its runtime clients for Python and Node.js
and a bootstrap in a shell; with Powertools only what failed is sent again; processes come and go with the calls.
"""

import os

import pytest
from lib.local_functions import LocalFunctions, wait_gone
from lib.postgres import Database
from lib.waiting import wait_until

TABLE = """create table orders (id int primary key, status text not null, n int not null);
    alter table orders replica identity full"""
ROWS = 30
BATCH = {"batch": {"events": 10, "window": "200ms", "partial_failures": True}, "concurrency": 1}


@pytest.fixture(scope="module")
def database(postgres):
    made = Database(postgres, f"local{os.getpid()}")
    made.sql(TABLE)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def local(folder, kafka, database):
    functions = LocalFunctions(f"{folder}/local-functions", kafka)
    functions.millrace.connector(database.name, database)
    kafka.create_topic(f"{database.name}.public.orders", 2)
    yield functions.run()
    functions.end()
    database.connection.close()


@pytest.fixture(autouse=True)
def log_of_failed_test(request, local):
    yield
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        print(local.process.log(80))


def by_key(batched, name):
    """What it wrote, in order, by the key."""
    rows = {}
    for seen in batched.seen():
        rows.setdefault(str(seen[name]), []).append(seen)
    return rows


def test_powertools_handlers_get_every_change_and_only_what_failed_again(local, database):
    topic = f"{database.name}.public.orders"
    streams = local.add(
        "streams", local.awslambdaric("dynamodb_stream.handler"), topic, BATCH, more={"payload": "dynamodb-stream"}
    )
    batches = local.add("batches", local.awslambdaric("kafka_batch.handler"), topic, BATCH, {"FAILS": "[2, 3]"})
    decoded = local.add(
        "decoded", local.awslambdaric("kafka_consumer.handler"), topic, BATCH, more={"lambda_kafka": {"format": "json"}}
    )
    database.transaction(
        f"insert into orders select id, case when id % 7 = 0 then 'fails once' else 'new' end, 0"
        f" from generate_series(1, {ROWS}) id",
        "update orders set n = 1",
    )
    database.sql("update orders set n = 2, status = 'paid'")
    changes = 3 * ROWS
    for function in (streams, batches, decoded):
        function.wait_seen(changes)
        function.wait_committed(changes)
    # Behind the first failure of a batch all comes again, as with DynamoDB Streams: the last time counts.
    rows = by_key(streams, "keys")
    assert len(rows) == ROWS
    for row in rows.values():
        last = list({seen["id"]: seen for seen in reversed(row)}.values())[::-1]
        assert [seen["name"] for seen in last] == ["INSERT", "MODIFY", "MODIFY"]
        assert last == sorted(last, key=lambda seen: int(seen["sequence"]))
    wait_until(lambda: streams.metric("retries_total") > 0, 30, "the calls that failed")
    # Of Kafka only what was named comes again; the others keep the order of their key.
    rows = by_key(batches, "key")
    assert len(rows) == ROWS
    failed = 0
    for row in rows.values():
        offsets = [seen["place"][2] for seen in row]
        failed += bool({2, 3}.intersection(offsets))
        assert len(offsets) == 3 and (offsets == sorted(offsets) or {2, 3}.intersection(offsets))
    assert failed == 4 and len(batches.seen()) == changes
    wait_until(lambda: batches.metric("retries_total") > 0, 30, "the calls that failed")
    assert sorted(seen["key"]["id"] for seen in decoded.seen()) == sorted(list(range(1, ROWS + 1)) * 3)
    assert decoded.metric("retries_total") == 0
    assert len(decoded.seen()) == changes
    for function in (streams, batches, decoded):
        assert len(function.processes()) == 1
        function.remove()


@pytest.mark.parametrize("client", ["python", "node"])
def test_a_function_has_its_context_its_output_in_the_log_and_its_errors_in_dead_letters(local, client):
    python = local.awslambdaric("act.handler")
    function = local.add(
        f"acts-{client}",
        python if client == "python" else [local.node, local.node_client],
        **({} if client == "python" else {"handler": "act.handler"}),
        memory="512MiB",
    )
    function.send(
        {"id": 1, "do": "context"},
        {"id": 2, "do": "print", "text": "printed by two"},
        {"id": 3, "do": "raise", "text": "no order of that number"},
        {"id": 4, "do": "print", "text": "printed by four"},
    )
    for id in (1, 2, 4):
        function.wait_seen(at="end", id=id)
    (context,) = function.seen(at="context")
    assert context["function_name"] == function.name and context["function_version"] == "$LATEST"
    assert context["arn"] == f"arn:aws:lambda:local:000000000000:function:{function.name}"
    assert context["memory_limit_in_mb"] == "512"
    assert 0 < context["remaining"] <= 120_000
    assert context["directory"] == context["root"] == f"{local.folder}/code"
    (letter,) = function.letters()
    assert letter.raw_key == b"3" and letter.headers["millrace.dlq.reason"] == "attempts_exhausted"
    assert letter.headers["millrace.dlq.attempts"] == "3"
    error = "ValueError" if client == "python" else "RangeError"
    assert f"{error}: no order of that number" in letter.headers["millrace.dlq.message"]
    assert len(function.seen(at="begin", id=3)) == 3 and len(function.seen(at="end")) == 3
    function.wait_metric(3, "retries_total", reason="function_error")
    requests = {seen["request"] for seen in function.seen(at="begin")}
    assert len(requests) == 6, "each call has an id of its own"
    for id, text in ((2, "printed by two"), (4, "printed by four")):
        (seen,) = function.seen(at="begin", id=id)
        function.wait_event("process_output", text, request_id=seen["request"], pid=seen["guard"])
    function.remove()
    wait_gone({seen["pid"] for seen in function.seen()})


def test_a_bootstrap_in_a_shell(local):
    function = local.add("keeps", [f"{local.folder}/code/bootstrap"], handler="keep.keep")
    function.send({"id": 1})
    (event,) = function.wait_seen()
    ((record,),) = event["records"].values()
    assert event["eventSource"] == "SelfManagedKafka" and record["topic"] == function.topic
    assert function.wait_event("process_output", "^kept [0-9]+ characters$")["request_id"]
    open(f"{function.folder}/fail", "w").close()
    function.send({"id": 2}, {"id": 3})
    function.wait_seen(3)
    function.wait_event("process_ended", "exited with code 9")
    function.wait_metric(1, "retries_total", reason="crashed")
    function.remove()


def test_processes_come_with_the_calls_and_go_without(local):
    """One at first, one more for each call that finds no free one, and after idle_stop the one that stays warm."""
    function = local.add("comes", local.awslambdaric("act.handler"), instances=3, idle_stop="200ms")
    (warm,) = wait_until(function.processes, 60, "the warm one")
    function.send(*({"id": id, "do": "hold"} for id in range(5)))
    begun = function.wait_seen(3, at="begin")
    assert len({seen["pid"] for seen in begun}) == 3 and warm in {seen["guard"] for seen in begun}
    assert len(function.processes()) == 3 and len(function.seen(at="begin")) == 3
    for id in range(5):
        function.release(id)
    function.wait_committed(5)
    wait_until(lambda: len(function.processes()) == 1, 60, lambda: f"one that stays: {function.processes()}")
    assert not function.log("process_killed") and len(function.log("process_started")) == 3

    cold = local.add("cold", local.awslambdaric("act.handler"), warm_instances=0, idle_stop="200ms")
    for id in range(2):
        cold.send({"id": id, "do": "print", "text": ""})
        cold.wait_seen(at="end", id=id)
        cold.wait_committed(id + 1)
        wait_until(lambda: not cold.processes(), 60, "no process of a function without calls")
    assert len(cold.log("process_started")) == 2
    for one in (function, cold):
        one.remove()


def test_node_serves_several_calls_in_one_process(local):
    """It asks for more calls than it may have; a process that ends fails those that ran in it, and no others."""
    function = local.add(
        "several",
        [local.node, local.node_client],
        handler="act.handler",
        instances=2,
        concurrency_per_instance=3,
        env={"AWS_LAMBDA_NODEJS_WORKER_COUNT": "4"},
    )
    function.send(*({"id": id, "do": "hold"} for id in range(8)))
    begun = function.wait_seen(6, at="begin")
    pids = [seen["pid"] for seen in begun]
    assert sorted(map(pids.count, set(pids))) == [3, 3] and len(begun) == 6
    ended, other = set(pids)
    os.kill(ended, 9)
    function.wait_event("process_ended", "was ended by SIGKILL", running=3)
    for id in range(8):
        function.release(id)
    function.wait_committed(8)
    for id in range(8):
        was_hit = any(seen["id"] == id and seen["pid"] == ended for seen in begun)
        assert len(function.seen(at="begin", id=id)) == (2 if was_hit else 1), id
    function.wait_metric(3, "retries_total", reason="crashed")
    assert any(seen["pid"] == other for seen in function.seen(at="end"))
    function.remove()
