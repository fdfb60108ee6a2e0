"""
Promise: every complaint about a file says where, what and the nearest right word; all of a file come at
once.
"""

import os
import re

import pytest

GOOD_CONNECTOR = """\
postgres: {dsn: "host=127.0.0.1 dbname=shop user=millrace"}
topic_prefix: shop
tables:
  include: [public.*]
"""
GOOD_FUNCTION = """\
source: {topics: [shop.public.orders]}
endpoint: {http: {url: "http://127.0.0.1:1/f"}}
"""


@pytest.fixture
def files(make_millrace, tmp_path):
    class Nowhere:
        bootstrap = "127.0.0.1:1"

    millrace = make_millrace(Nowhere())
    millrace.write("connectors/shop.yaml", GOOD_CONNECTOR)
    millrace.write("functions/mail.yaml", GOOD_FUNCTION)
    return millrace


def complaints(done):
    return [line for line in (done.stdout + done.stderr).splitlines() if ": error: " in line]


def test_good_files_pass_without_any_server(files):
    done = files.check()
    assert done.returncode == 0, done.stdout + done.stderr


def test_status_says_why_it_does_not_know_the_address(files):
    """The default address is asked when millrace.yaml can't be read: that nothing responds there misleads."""
    path = files.write("millrace.yaml", "admin: {listen: 127.0.0.1:1\n")
    done = files.command("status", "-c", files.folder)
    assert done.returncode == 78, done.stderr
    (said,) = complaints(done)
    assert said.startswith(f"{path}:2:1: error: ")


def test_unknown_key_says_where_and_what_was_meant(files):
    path = files.write("connectors/shop.yaml", GOOD_CONNECTOR.replace("tables:", "tabels:"))
    done = files.check()
    assert done.returncode == 78
    assert complaints(done) == [f'{path}:3:1: error: unknown key "tabels"; did you mean "tables"?']
    assert (done.stdout + done.stderr).strip().splitlines()[-1] == "1 error in 3 files"


def test_all_complaints_of_all_files_at_once(files):
    files.write("connectors/shop.yaml", GOOD_CONNECTOR + "snapshot: sometimes\nslot: {create: perhaps}\n")
    files.write("functions/mail.yaml", GOOD_FUNCTION + "delivery: {timeout: 30 parsecs, concurency: 3}\n")
    done = files.check()
    found = complaints(done)
    assert done.returncode == 78 and len(found) == 4, done.stdout + done.stderr
    assert all(re.match(r".+\.yaml:\d+:\d+: error: ", line) for line in found)
    assert any('"concurrency"' in line for line in found)
    assert any("initial" in line and "never" in line for line in found)
    assert (done.stdout + done.stderr).strip().splitlines()[-1] == "4 errors in 3 files"


@pytest.mark.parametrize(
    "name,text,line",
    [
        ("connectors/shop.yaml", "topic_prefix: shop\n", None),  # no postgres
        ("connectors/shop.yaml", GOOD_CONNECTOR + "topic_prefix: again\n", 5),  # duplicate key
        ("connectors/shop.yaml", "postgres: [\n", None),  # not YAML
        ("connectors/shop.yaml", "- a\n- b\n", 1),  # not a mapping
        ("connectors/shop.yaml", GOOD_CONNECTOR + "on_bad_row: 3\n", 5),
        ("connectors/shop.yaml", GOOD_CONNECTOR + "filter: {}\n", 5),  # not there yet: unknown
        ("functions/mail.yaml", GOOD_FUNCTION.replace("http:", "htpp:"), 2),
        ("functions/mail.yaml", GOOD_FUNCTION + "payload: cloudevent\n", 3),
        ("functions/mail.yaml", GOOD_FUNCTION + "delivery: {batch: {bytes: 6 bananas}}\n", 3),
        ("functions/mail.yaml", GOOD_FUNCTION + "delivery: {concurrency: 0}\n", 3),
        (
            "functions/mail.yaml",
            GOOD_FUNCTION + "delivery: {batch: {events: 10}}\n",
            3,
        ),  # needs a batch payload
        ("functions/mail.yaml", GOOD_FUNCTION.replace("http://", "ftp://"), 2),
        ("functions/Bad_Name.yaml", GOOD_FUNCTION, None),
    ],
)
def test_each_mistake_is_found(files, name, text, line):
    path = files.write(name, text)
    done = files.check()
    assert done.returncode == 78, done.stdout + done.stderr
    found = complaints(done)
    assert found and all(path in complaint for complaint in found), done.stdout + done.stderr
    if line is not None:
        assert found[0].startswith(f"{path}:{line}:"), found


@pytest.mark.parametrize(
    "key", ["acks", "enable.idempotence", "partitioner", "enable.auto.commit", "isolation.level"]
)
def test_what_the_promise_rests_on_cannot_be_overridden(files, key):
    files.settings(kafka={key: "1"})
    done = files.check()
    assert done.returncode == 78 and key in complaints(done)[0]


def test_unknown_librdkafka_property(files):
    files.settings(kafka={"bootstrap.server": "x"})
    done = files.check()
    assert done.returncode == 78 and "bootstrap.server" in complaints(done)[0]


def test_a_plain_secret_needs_a_private_file(files):
    import os

    text = GOOD_CONNECTOR.replace('user=millrace"', 'user=millrace", password: s3cret')
    path = files.write("connectors/shop.yaml", text)
    assert files.check().returncode == 0
    os.chmod(path, 0o644)
    done = files.check()
    assert done.returncode == 78 and "others may read" in complaints(done)[0]
    assert "s3cret" not in done.stdout + done.stderr


def test_a_secret_that_is_not_there(files):
    text = GOOD_CONNECTOR.replace('user=millrace"', 'user=millrace", password: {env: NO_SUCH_VARIABLE}')
    files.write("connectors/shop.yaml", text)
    done = files.check()
    assert done.returncode == 78 and "NO_SUCH_VARIABLE" in complaints(done)[0]


def test_run_leaves_out_what_check_refuses(files):
    """A bad file does not run; a bad millrace.yaml keeps everything from running."""
    files.write("functions/mail.yaml", GOOD_FUNCTION + "paylod: row\n")
    process = files.start("run")
    process.wait_event("config_rejected", message='did you mean "payload"')
    assert process.stop() == 0
    files.write("millrace.yaml", "kafka: {bootstrap.servers: 'kafka:9092'}\nadmn: {}\n")
    process = files.start("run")
    assert process.wait_exit() == 78
    assert 'did you mean "admin"' in process.log()


def test_the_registry_needs_no_other_file(files):
    files.write("functions/mail.yaml", GOOD_FUNCTION + "paylod: row\n")
    process = files.start("registry", "--listen", "127.0.0.1:0")
    process.wait_event("registry_listening")
    assert process.stop() == 0


def test_check_refuses_what_librdkafka_would_refuse_at_the_start(files):
    """Each property is right by itself; together with idempotence librdkafka takes them not."""
    kafka = "kafka: {bootstrap.servers: 'kafka:9092', queue.buffering.backpressure.threshold: 10}\n"
    path = files.write("millrace.yaml", kafka)
    done = files.check()
    assert done.returncode == 78 and "queue.buffering.backpressure.threshold" in complaints(done)[0]
    assert complaints(done)[0].startswith(f"{path}:1:8: error: ")


def test_what_is_probably_not_meant_is_a_warning(files):
    path = files.write("functions/mail.yaml", GOOD_FUNCTION.replace("shop.public", "shpo.public"))
    folder = os.path.join(files.folder, "function")
    os.makedirs(folder)
    done = files.check()
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{folder}: warning: this folder is not read; did you mean functions/?",
        f'{path}:1:19: warning: topics: no connector of this folder writes to "shpo.public.orders"',
        "0 errors, 2 warnings in 3 files",
    ]


def test_a_good_folder_is_said_to_be_good_and_nothing_else(files):
    done = files.check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 errors in 3 files\n", "")


def test_a_folder_without_connectors_and_functions(files):
    files.remove("connectors/shop.yaml")
    files.remove("functions/mail.yaml")
    done = files.check()
    assert done.returncode == 0 and "nothing would run" in done.stdout
    done = files.command("connect", "-c", files.folder)
    assert done.returncode == 78 and "has no connector" in done.stderr


def test_the_registry_reads_only_the_shared_file(files):
    """Neither the mistakes of other files nor their secrets are its own."""
    files.write("functions/mail.yaml", GOOD_FUNCTION + "paylod: row\n")
    process = files.start("registry", "--listen", "127.0.0.1:0")
    process.wait_event("registry_listening")
    assert process.stop() == 0


def test_help_of_a_command(files):
    assert files.command("help", "check").stdout == files.command("check", "--help").stdout
    assert files.command("help", "chekc").returncode == 64


def test_help_names_each_command(files):
    names = "try run connect bridge check status registry test filter dlq replay config version".split()
    lines = files.command("help").stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == names
    for name in names:
        assert files.command(name, "--help").returncode == 0


def test_no_folder(files, tmp_path):
    done = files.command("check", "-c", str(tmp_path / "nowhere"))
    assert done.returncode == 78 and "nowhere" in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["chekc"], ["run", "--no-such-option"], []])
def test_usage(files, arguments):
    done = files.command(*arguments)
    assert done.returncode == 64 and "millrace" in done.stdout + done.stderr
