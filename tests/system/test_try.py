"""Promise: `millrace try` shows the whole path work in seconds, and leaves nothing behind."""

import glob
import json
import os
import subprocess

from lib.program import BINARY
from lib.waiting import wait_until


def attempt(*arguments):
    return subprocess.run([BINARY, "try", *arguments], capture_output=True, text=True, timeout=300)


def summary(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_throwaway_servers():
    before = set(glob.glob("/tmp/millrace-try-*"))
    done = attempt("--json")
    result = summary(done)
    assert len(done.stdout.strip().splitlines()) == 1
    assert result["changes"] == 20 and result["failed"] == 0
    assert result["published"] >= 20 and result["invoked"] >= 20
    assert 0 < result["p50_ms"] <= result["p99_ms"]
    assert set(result) == {"changes", "published", "invoked", "failed", "p50_ms", "p99_ms"}
    # Those of other tests that run beside this one go too.
    wait_until(lambda: not set(glob.glob("/tmp/millrace-try-*")) - before, 90, "no folder left behind")


def test_what_a_person_sees():
    done = attempt("--changes", "5")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "p50" in done.stdout and "try.public." in done.stdout


def test_what_it_says_to_type_next(tmp_path):
    """Also where the program is not installed: all but `run`, which needs those servers."""
    *commands, run = attempt("--changes", "1").stdout.split("two commands:\n")[1].strip().split("\n")
    assert run.strip() == f"{os.path.realpath(BINARY)} run"
    environment = {key: value for key, value in os.environ.items() if key != "MILLRACE_CONFIG"}
    script = ["sh", "-euxc", "\n".join(commands)]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "0 errors in 3 files" in done.stdout, done.stderr


def test_real_servers(database, kafka):
    tables = "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    topics = kafka.topics()
    result = summary(
        attempt("--json", "--changes", "30", "--dsn", database.dsn(), "--kafka", kafka.bootstrap)
    )
    assert result["changes"] == 30 and result["failed"] == 0 and result["invoked"] >= 30
    assert database.value(tables) == 0
    slots = "select count(*) from pg_replication_slots where slot_name like 'millrace_try%'"
    assert database.value(slots) == 0
    assert database.value("select count(*) from pg_publication") == 0
    assert not [topic for topic in kafka.topics() - topics if topic.startswith("try.")]
