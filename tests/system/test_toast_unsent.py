"""
Promise: `toast: complete` never fills in a value that was changed while the server did not send the table's changes: a
partition below a published root was detached, the table was not in a publication made by hand, or that one left changes
out. The value is said to be unknown, until an update sets it; what can't have changed stays known.
"""

import pytest
from lib.records import read_topic
from lib.waiting import wait_until

LARGE = "(select string_agg(md5(random()::text), '') from generate_series(1, 100))"
PLACEHOLDER = "__debezium_unavailable_value"


class Table:
    """A table of one row, `id` 1, in a publication that was made by hand."""

    def __init__(self, database, millrace, kafka, name, schema="public", table="docs"):
        self.database, self.millrace, self.kafka, self.name = database, millrace, kafka, name
        self.schema, self.table, self.number, self.topic = schema, table, 0, f"{name}.{schema}.{table}"

    def connect(self, tmp_path):
        slot = {"name": f"millrace_{self.name}", "publication": "by_hand", "create": False}
        self.database.sql(f"select pg_create_logical_replication_slot('{slot['name']}', 'pgoutput')")
        self.database.sql(f"insert into {self.schema}.{self.table} values (1, 0, {LARGE})")
        self.millrace.settings(state_directory=str(tmp_path / "state"))
        options = {"toast": "complete", "slot": slot, "snapshot": "never", "tables": {"include": ["*.docs"]}}
        self.millrace.connector(self.name, self.database, **options)
        self.process = self.millrace.connect(self.name)
        assert self.is_true(), "before anything happened"
        return self

    def update(self):
        """The value that the next update publishes, and the one that the database has."""
        self.number += 1
        self.database.sql(f"update {self.schema}.{self.table} set n = {self.number} where id = 1")
        true = self.database.value(f"select a from {self.schema}.{self.table} where id = 1")

        def published():
            records = read_topic(self.kafka, self.topic, self.millrace.registry, count=1)
            return [r.row["a"] for r in records if r.value and r.row and r.row["n"] == self.number]

        return wait_until(published, 30, f"update {self.number}")[-1], true

    def is_true(self):
        published, true = self.update()
        return published == true

    def is_unknown(self):
        published, true = self.update()
        print(f"update {self.number}: {published[:30]}, in the database {true[:30]}", flush=True)
        return published == PLACEHOLDER

    def is_honest(self):
        published, true = self.update()
        return published in (true, PLACEHOLDER)

    def change_unseen(self, *statements):
        for statement in statements:
            self.database.sql(statement)

    def is_known_again(self):
        self.database.sql(f"update {self.schema}.{self.table} set a = a || 'seen' where id = 1")
        return self.is_true()


@pytest.fixture
def begin(postgres, make_database, make_millrace, kafka, name, tmp_path):
    def begin(tables, publication, **where):
        database, millrace = make_database(postgres, name), make_millrace(kafka)
        database.sql(tables)
        database.sql(f"create publication by_hand {publication}")
        return Table(database, millrace, kafka, name, **where).connect(tmp_path)

    return begin


PARTITIONED = """
create table docs (id int primary key, n int not null, a text) partition by range (id);
create table low partition of docs for values from (0) to (100);
"""


@pytest.mark.parametrize("level", ["partition", "branch"])
def test_a_partition_that_was_detached_meanwhile(begin, level):
    """The server publishes its rows as those of the root, which itself did not change."""
    tables = PARTITIONED
    if level == "branch":
        tables = """
        create table docs (id int primary key, n int not null, a text) partition by range (id);
        create table low partition of docs for values from (0) to (100) partition by range (id);
        create table lowest partition of low for values from (0) to (10);
        """
    table = begin(tables, "for table docs with (publish_via_partition_root)")
    table.change_unseen("create table high partition of docs for values from (100) to (200)")
    assert table.is_true(), "a new partition says nothing of those that were there"
    table.change_unseen("drop table high")
    assert table.is_true()
    table.change_unseen(
        "alter table docs detach partition low",
        "update low set a = a || 'unseen'",
        "alter table docs attach partition low for values from (0) to (100)",
    )
    assert table.is_unknown()
    assert table.is_known_again()


PLAIN = "create table docs (id int primary key, n int not null, a text)"


@pytest.mark.parametrize(
    ("leave", "come_back"),
    [
        ("alter publication by_hand drop table docs", "alter publication by_hand add table docs"),
        (
            "alter publication by_hand set (publish = 'insert')",
            "alter publication by_hand set (publish = 'insert, update, delete')",
        ),
        ("alter publication by_hand set table docs where (id > 5)", "alter publication by_hand set table docs"),
        ("alter publication by_hand set table docs (id, n)", "alter publication by_hand set table docs"),
    ],
    ids=["table", "operations", "filter", "columns"],
)
def test_a_publication_by_hand_that_left_changes_out(begin, leave, come_back):
    table = begin(PLAIN, "for table docs")
    table.change_unseen(leave, "update docs set a = a || 'unseen'", come_back)
    assert table.is_unknown()
    assert table.is_known_again()


@pytest.mark.parametrize("publication", ["for all tables", "for tables in schema shop"])
def test_a_table_that_was_elsewhere_meanwhile(begin, publication):
    """In another schema, which is published also, or is not."""
    tables = f"create schema shop; create schema attic; {PLAIN.replace('docs', 'shop.docs')}"
    table = begin(tables, publication, schema="shop")
    table.change_unseen("alter table shop.docs set schema attic", "update attic.docs set a = a || 'unseen'")
    table.change_unseen("alter table attic.docs set schema shop")
    assert table.is_honest() if publication == "for all tables" else table.is_unknown()
    assert table.is_known_again()
