"""A scenario's changes again, captured by millrace alone, against what Debezium wrote of them."""

import os
from concurrent.futures import ThreadPoolExecutor

from lib import registry_clients
from lib.records import consumer, end_offsets
from lib.waiting import wait_until

from debezium import differences, golden, scenario
from debezium.records import millrace_records, told_neutrally


def differing(name, database, kafka, millrace, **settings):
    """The differences that no decision covers. Settings are keys of the connector."""
    return differences.undecided(compared(name, database, kafka, millrace, settings), differences.read_decisions())


def differing_of_all(names, make_database, kafka, make_millrace, **settings):
    """The undecided differences of several scenarios, a line each. Most of the time is waiting: four at a time."""
    databases = {name: make_database(name) for name in names}
    programs = {name: make_millrace(kafka) for name in names}

    def replay(name):
        try:
            return differing(name, databases[name], kafka, programs[name], **settings)
        except Exception as error:
            return [f"{type(error).__name__}: {error}"[:2000]]

    with ThreadPoolExecutor(4) as pool:
        found = zip(names, pool.map(replay, names), strict=True)
        return [f"{name}: {difference}" for name, differences in found for difference in differences]


def compared(name, database, kafka, millrace, settings):
    """All differences."""
    tale = scenario.load(name)
    prefix = database.name.replace("_", "") + "x"
    scenario.prepare(tale, database)
    path = millrace.connector(prefix, database, **{**tale.keys(prefix), **settings})
    process = millrace.connect(prefix)
    reader = consumer(kafka.bootstrap)

    def is_captured(number, _):
        return sum(end_offsets(kafka, f"{prefix}.public.{scenario.MARKER}", reader).values()) >= number

    try:
        scenario.make_changes(tale, database, is_captured)
        end = database.value("select pg_current_wal_lsn() - '0/0'")
        wait_until(lambda: database.slot(f"millrace_{prefix}")[1] >= end, 90, "all of it confirmed")
        scenario.await_topics(tale, kafka, prefix)
        read = []
        every = millrace_records(kafka, prefix, millrace.registry, tale.plain, lambda *one: read.append(one))
        found = scenario.without_marker(every)
    finally:
        reader.close()
        process.stop()
        os.unlink(path)
    # Debezium's names of odd schemas have namespaces that Avro for Java does not allow.
    assert registry_clients.avro_for_java(read, validates_names=name != "names") == len(read) > 0
    ours = told_neutrally(found, database.name, again=True)
    return differences.compare(name, golden.read(name), ours)
