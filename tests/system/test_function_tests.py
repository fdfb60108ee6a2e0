"""Promise: tests in a function's file run without any server, and show what differs."""

import glob
import json
import os
import re
import shutil
import tempfile

import pytest
from lib.program import BINARY, ROOT
from lib.processes import subprocess

# Without the outbox: the events of its topics are what the application wrote, and a test's event is a row change.
EXAMPLES = sorted(set(glob.glob(os.path.join(ROOT, "deploy", "examples", "*", ""))) - {
    os.path.join(ROOT, "deploy", "examples", "outbox", "")
})
FUNCTION = {
    "source": {"topics": ["shop.public.orders"], "operations": ["create", "update"]},
    "filter": {"after": {"status": ["paid"]}},
    "endpoint": {"http": {"url": "http://localhost/", "headers": {"x-shop": "main"}}},
}


def run(folder, *arguments):
    command = [BINARY, "test", "-c", str(folder), *arguments]
    secrets = {"AUTH0_CLIENT_SECRET": "any"}  # which an example names; any value does
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **secrets})


@pytest.fixture
def shop(tmp_path):
    """shop(tests, name): a function with these tests; returns the folder."""

    def write(tests, name="mail", **more):
        (tmp_path / "functions").mkdir(exist_ok=True)
        (tmp_path / "millrace.yaml").write_text("kafka: {bootstrap.servers: localhost:1}\n")
        text = json.dumps({**FUNCTION, **more, "tests": tests}, indent=1)
        (tmp_path / "functions" / f"{name}.yaml").write_text(text)
        return tmp_path

    return write


@pytest.fixture
def named_users():
    """named_users(example): for root a copy in which local functions have a user, who can enter it."""
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)

    def copy(example):
        if os.geteuid() != 0:
            return example
        shutil.copytree(example, folder, dirs_exist_ok=True)
        for path in glob.glob(f"{folder}/functions/*.yaml"):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("# user: ", "user: "))
        os.chmod(folder, 0o755)
        return folder

    yield copy
    shutil.rmtree(folder)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_passes_its_tests(example, named_users):
    example = named_users(example)
    functions = glob.glob(os.path.join(example, "functions", "*.yaml"))
    done = run(example)
    assert done.returncode == 0, done.stdout
    for path in functions:
        assert f"pass  {os.path.basename(path)[:-5]}: " in done.stdout, f"{path} has no tests"


def test_what_passes(shop):
    done = run(
        shop(
            [
                {"event": {"after": {"status": "paid"}}, "expect": "delivered"},
                {"event": {"after": {"status": "new"}}, "expect": "filtered"},
                {"event": {"op": "d", "before": {"status": "paid"}}, "expect": "filtered"},
                {"event": {"topic": "shop.public.others", "after": {"status": "paid"}}, "expect": "filtered"},
                {
                    "event": {"op": "u", "key": {"id": 7}, "before": {"n": 1}, "after": {"n": 2.0, "status": "paid"}},
                    "request": {
                        "headers": {
                            "ce-type": "millrace.change.update",
                            "ce-subject": "public.orders",
                            "ce-partitionkey": "{%22id%22:7}",
                            "Content-Type": "application/json",
                            "X-Shop": "main",
                            "authorization": None,
                        },
                        "body": {"/after/n": 2, "/before": {"n": 1}, "/source/table": "orders"},
                    },
                },
            ]
        )
    )
    assert done.stdout.endswith("5 tests of 1 function: 5 passed, 0 failed\n"), done.stdout
    assert done.returncode == 0


def test_what_fails_is_shown_with_its_place(shop):
    folder = shop(
        [
            {"name": "sent", "event": {"after": {"status": "new"}}, "expect": "delivered"},
            {
                "name": "another body",
                "event": {"after": {"status": "paid", "n": 1}},
                "request": {"headers": {"ce-type": "x"}, "body": {"/after/n": 2, "/after/m": 1}},
            },
        ]
    )
    done = run(folder)
    assert done.returncode == 1
    lines = done.stdout.split("\n")
    assert re.match(r"    event 1: expected delivered, was filtered: filter at \d+:\d+, after.status$", lines[2])
    shown = done.stdout[done.stdout.index("another body") :]
    assert "header ce-type\n      - x\n      + millrace.change.create\n" in shown
    assert 'body "/after/n"\n      - 2\n      + 1\n' in shown
    assert 'body "/after/m"\n      - 1\n      + (absent)\n' in shown
    for line, text in enumerate((folder / "functions" / "mail.yaml").read_text().split("\n"), 1):
        if '"name"' in text:
            assert re.search(rf"functions/mail.yaml:{line - 1}:\d+\n", done.stdout), "the place of the test"


def test_templates(shop):
    event = {"key": {"id": 7}, "after": {"id": 7, "status": "paid", "name": "a b"}, "headers": {"trace": "t"}}
    endpoint = {
        "http": {
            "url": "http://localhost/${key.id}?n=${after.name}",
            "headers": {"x-name": "${after.name}", "x-trace": "${headers.trace}"},
        }
    }

    def tests(url, name, body):
        return [{"event": event, "request": {"url": url, "headers": {"x-name": name, "x-trace": "t"}, "body": body}}]

    def tried(*expected):
        template = {"content_type": "text/plain", "body": "Hello ${after.name}"}
        return run(shop(tests(*expected), payload="template", template=template, endpoint=endpoint))

    good = tried("http://localhost/7?n=a%20b", "a b", {"": "Hello a b"})
    assert good.returncode == 0, good.stdout
    bad = tried("http://localhost/8", "b", {"": "Hello"})
    assert bad.returncode == 1
    assert "    url\n      - http://localhost/8\n      + http://localhost/7?n=a%20b\n" in bad.stdout
    assert "    header x-name\n      - b\n      + a b\n" in bad.stdout
    assert "      + Hello a b\n" in bad.stdout
    refused = run(
        shop(
            [{"event": {"after": {"status": "paid"}}, "request": {"url": "http://localhost/"}}],
            endpoint={"http": {"url": "http://localhost/${after.tenant}"}},
        )
    )
    assert "is dead-lettered (unrenderable): ${after.tenant} can't stand in the URL's path" in refused.stdout
    assert "expected a request, was none: no event was delivered" in refused.stdout


def test_events_of_a_file_in_one_batch(shop):
    folder = shop(
        [
            {
                "events": "orders.jsonl",
                "expect": ["delivered", "filtered", "delivered"],
                "request": {"body": {"/1/row/id": 3, "/0/op": "c"}},
            }
        ],
        payload="row",
        delivery={"batch": {"events": 10}},
    )
    events = [{"after": {"id": n, "status": "new" if n == 2 else "paid"}} for n in (1, 2, 3)]
    (folder / "functions" / "orders.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    assert run(folder).returncode == 0
    (folder / "functions" / "orders.jsonl").write_text('{"after":{"status":"paid"}}\n{"after":\n')
    done = run(folder)
    assert done.returncode == 78 and "orders.jsonl:2:" in done.stdout, done.stdout
    os.unlink(folder / "functions" / "orders.jsonl")
    done = run(folder)
    assert done.returncode == 78 and "orders.jsonl: No such file" in done.stdout, done.stdout


@pytest.mark.parametrize(
    "test, said",
    [
        ({"event": {"after": {}}}, "a test has expect or request, or both"),
        ({"expect": "delivered"}, "a test needs an event"),
        ({"event": {}, "events": [{}], "expect": "delivered"}, "a test has an event or events, and not both"),
        ({"event": {}, "expect": "sent"}, "expect is delivered or filtered"),
        ({"event": [], "expect": "delivered"}, "an event is a map"),
        ({"event": {}, "expekt": "delivered"}, 'unknown key "expekt" in a test; did you mean "expect"?'),
        ({"event": {}, "request": {"body": "x"}}, "body is a map by JSON pointer"),
        ({"event": {}, "request": {"url": 1}}, "url is a text"),
        ({"event": {}, "request": {"body": {"after": 1}}}, '"after" is no JSON pointer'),
    ],
)
def test_bad_tests_are_refused_by_check_too(shop, test, said):
    folder = shop([test])
    done = run(folder)
    assert done.returncode == 78 and said in done.stdout, done.stdout
    done = subprocess.run([BINARY, "check", "-c", str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and re.search(r"mail\.yaml:\d+:\d+: error: tests: ", done.stdout), done.stdout


@pytest.mark.parametrize(
    "event, said",
    [
        ({"op": "x"}, "op is c, r, u, d, t or m"),
        ({"op": 1}, "op, topic and id are texts"),
        ({"afterr": {}}, 'unknown key "afterr"'),
        ({"after": "paid"}, "before, after, source and headers are maps, or null"),
        ({"headers": ["a"]}, "before, after, source and headers are maps, or null"),
        ({"headers": {"a": 1}}, "a header is a text: put it in quotes"),
    ],
)
def test_bad_events_are_refused_with_their_place(shop, event, said):
    done = run(shop([{"event": event, "expect": "filtered"}]))
    assert done.returncode == 78
    assert re.search(r"functions/mail\.yaml:\d+:\d+: " + re.escape(said), done.stdout), done.stdout


def test_lines_without_an_event_are_passed_over_and_folders_are_no_files(shop):
    folder = shop([{"events": "orders.jsonl", "expect": ["delivered", "filtered"]}])
    events = folder / "functions" / "orders.jsonl"
    events.write_text('{"after":{"status":"paid"}}\r\n \t\r\n\n{"after":{"status":"new"}}')
    assert run(folder).returncode == 0
    events.write_text('{"after":{"status":"%s"}}\n' % ("x" * (4 << 20)))
    done = run(folder)
    assert done.returncode == 78 and "orders.jsonl:1:1: the line is longer than 4194304 bytes" in done.stdout
    events.unlink()
    events.mkdir()
    done = run(folder)
    assert done.returncode == 78 and "orders.jsonl: Is a directory" in done.stdout, done.stdout


def test_words_and_events_are_counted(shop):
    two = [{"after": {"status": "paid"}}, {"after": {"status": "new"}}]
    done = run(shop([{"events": two, "expect": ["delivered"]}]))
    assert done.returncode == 1 and "event 2 was filtered, and expect has no word for it" in done.stdout
    done = run(shop([{"events": two[:1], "expect": ["delivered", "filtered"]}]))
    assert done.returncode == 1 and "expect has 2 words for 1 event\n" in done.stdout


def test_an_event_without_a_topic_has_one_of_the_function(shop):
    event = {"event": {"after": {"status": "paid"}}, "request": {"headers": {"ce-subject": "public.table"}}}
    done = run(shop([event], source={"topics": ["shop.public.*", "a.b"]}))
    assert done.returncode == 1 and "+ a.b" in done.stdout, done.stdout
    done = run(shop([event], source={"topics": ["/shop.*/", "shop.public.*"]}))
    assert done.returncode == 0, done.stdout
    done = run(shop([event], source={"topics": ["/shop.*/"]}))
    assert done.returncode == 78 and "the event needs a topic" in done.stdout, done.stdout


def test_one_function_alone(shop):
    shop([{"event": {"after": {"status": "new"}}, "expect": "delivered"}], name="bad")
    folder = shop([{"event": {"after": {"status": "paid"}}, "expect": "delivered"}], name="good")
    assert run(folder, "good").returncode == 0
    assert run(folder).returncode == 1
    done = run(folder, "nobody")
    assert done.returncode == 78
    assert f'there is no function "nobody" in {folder}/functions; it has: bad, good' in done.stderr
    (folder / "functions" / "wrong.yaml").write_text("source: 1\n")
    done = run(folder, "wrong")
    assert done.returncode == 78 and "wrong.yaml:1:9: error: " in done.stderr, done.stderr
