"""
Promise: a table of 1,600 columns, PostgreSQL's limit, of every type arrives whole: read in the snapshot, inserted and
updated, in binary form and as text, with large values that an update leaves out.
"""

import pytest
from lib.records import read_topic
from test_types import MADE, TYPES

COLUMNS, LARGE, AT_ONCE = 1600, 40, 110  # a row has room for some hundred values
TEXT_ONLY = ("regclass",)
KINDS = [row for row in TYPES if row[0] not in TEXT_ONLY]
COUNT = COLUMNS - 2 - LARGE  # beside id, n and the large ones
KIND_OF = [KINDS[i % len(KINDS)] for i in range(COUNT)]
ROWS = -(-COUNT // AT_ONCE)


def large(row):
    """Two columns of large texts, and their values in this row."""
    return {f"t{(2 * row + i) % LARGE}": f"{row}.{i} " * 700 for i in range(2)}


def expected(row):
    """The row's values by column; Ellipsis: one without an expected form, and that is not null."""
    values = {f"c{i}": None for i in range(COUNT)} | {f"t{i}": None for i in range(LARGE)} | large(row)
    for i in range(row % ROWS * AT_ONCE, min((row % ROWS + 1) * AT_ONCE, COUNT)):
        values[f"c{i}"] = ... if KIND_OF[i][2] is None else KIND_OF[i][2]
    return values


def insert(database, row):
    window = range(row % ROWS * AT_ONCE, min((row % ROWS + 1) * AT_ONCE, COUNT))
    names = ", ".join([f"c{i}" for i in window] + list(large(row)))
    values = ", ".join([KIND_OF[i][1] for i in window] + [f"'{text}'" for text in large(row).values()])
    database.sql(f"insert into wide (id, n, {names}) values ({row}, 0, {values})")


def judge(record, row, n):
    """Each value is the one that the database has; the false ones are listed."""
    got = dict(record.row)
    assert (got.pop("id"), got.pop("n")) == (row, n)
    want = expected(row)
    assert list(got) == list(want)
    false = {c: (got[c], want[c]) for c in want if (got[c] is None if want[c] is ... else got[c] != want[c])}
    assert not false


@pytest.mark.parametrize("form", ["binary", "text"])
def test_each_value_of_1600_columns_arrives(postgres, make_database, make_millrace, kafka, name, tmp_path, form):
    database, millrace = make_database(postgres, name), make_millrace(kafka)
    columns = [f"c{i} {kind[0]}" for i, kind in enumerate(KIND_OF)] + [f"t{i} text" for i in range(LARGE)]
    database.sql(MADE)
    database.sql(f"create table wide (id int primary key, n int not null, {', '.join(columns)})")
    for i in range(LARGE):
        database.sql(f"alter table wide alter t{i} set storage external")
    for row in range(ROWS):
        insert(database, row)
    millrace.settings(state_directory=str(tmp_path / "state"))
    millrace.connector(name, database, toast="complete", binary_stream="auto" if form == "binary" else "off")
    process = millrace.connect(name)
    process.wait_event("stream_format", format=form)
    for row in range(ROWS, 2 * ROWS):
        insert(database, row)
    database.sql("update wide set n = 1")
    records = read_topic(kafka, f"{name}.public.wide", millrace.registry, count=4 * ROWS)
    assert [record.op for record in records] == ["r"] * ROWS + ["c"] * ROWS + ["u"] * 2 * ROWS
    for i, record in enumerate(records):
        judge(record, i if i < 2 * ROWS else record.row["id"], int(i >= 2 * ROWS))
    assert sorted(record.row["id"] for record in records[2 * ROWS :]) == list(range(2 * ROWS))
    assert millrace.metric("millrace_connector_binary_stream", connector=name) == (form == "binary")
    assert millrace.metric("millrace_connector_toast_unknown_total", connector=name) == 0
