"""Scenarios: a database as it is when capture begins, and the changes that are then made to it."""

import importlib
import json
import os
import pkgutil
from dataclasses import dataclass, field

from lib.records import read_topic
from lib.waiting import wait_until

from debezium import scenarios

CONNECTOR = {"tables": {"include": ["*.*"]}}  # as Debezium takes all tables
MARKER = "zz_marker"
WAIT = "-- until all of that is captured"


@dataclass
class Scenario:
    """
    `setup` is run before capture begins, and so its rows are read by a first snapshot. Each statement of `changes` is
    a string, run by itself, or a list, run in one transaction; WAIT lets both programs come as far before it goes on:
    what they read of the catalogue is then the same in each run. PREFIX in `connector` and `debezium` is the topics'
    prefix.
    """

    name: str
    setup: list
    changes: list
    connector: dict = field(default_factory=dict)  # keys of millrace's connector
    debezium: dict = field(default_factory=dict)  # Debezium's settings
    extensions: tuple = ()
    awaited: tuple = ()  # topics, with P for the prefix, that records come to by themselves
    plain: str = ""  # glob of topics, with P for the prefix, whose records have no schemas

    def keys(self, prefix):
        """Of millrace's connector."""
        return json.loads(json.dumps({**CONNECTOR, **self.connector}).replace("PREFIX", prefix))

    def settings(self, prefix):
        """Of Debezium's."""
        return {name: value.replace("PREFIX", prefix) for name, value in self.debezium.items()}


def load(name):
    module = importlib.import_module(f"{scenarios.__name__}.{name}")
    given = {
        key: getattr(module, key.upper())
        for key in ("connector", "debezium", "extensions", "awaited", "changes", "plain")
        if hasattr(module, key.upper())
    }
    return Scenario(name, module.SETUP, **given)


def names():
    found = [module.name for module in pkgutil.iter_modules([os.path.dirname(scenarios.__file__)])]
    return sorted(name for name in found if not name.startswith("_"))


def prepare(scenario, database):
    """The database as it is when capture begins."""
    database.sql(f"create table {MARKER} (id int primary key)")
    for extension in scenario.extensions:
        database.sql(f"create extension {extension}")
    for statement in scenario.setup:
        database.sql(statement)


def slots(database):
    return database.sql("select slot_name, active, confirmed_flush_lsn - '0/0' from pg_replication_slots")


def make_changes(scenario, database, captured):
    """
    Runs the changes. `captured(number, lsn)` says whether all has come as far as the marker's table having `number`
    rows; the server's position was `lsn` before the last of them.
    """
    number = 0

    def wait():
        nonlocal number
        number += 1
        lsn = database.value("select pg_current_wal_lsn() - '0/0'")
        database.sql(f"insert into {MARKER} values ({number})")
        wait_until(lambda: captured(number, lsn), 90, lambda: f"marker {number} of {scenario.name}: {slots(database)}")

    for change in scenario.changes:
        if change == WAIT:
            wait()
        elif isinstance(change, list):
            database.transaction(*change)
        else:
            database.sql(change)
    wait()


def await_topics(scenario, kafka, prefix):
    for topic in scenario.awaited:
        read_topic(kafka, topic.replace("P", prefix), count=1)


def without_marker(topics):
    return {topic: records for topic, records in topics.items() if not topic.endswith(f".{MARKER}")}
