"""Tables of one column for each type: a row for each of its values, which is null in all other columns."""

import re


def column(kind):
    """The name of a type's column: numeric_12_2, int_array."""
    name = re.sub(r"\[\]", "_array", kind).replace('"', "quoted_")
    return re.sub(r"\W+", "_", name).strip("_")


def table(name, types):
    columns = ", ".join(f"{column(kind)} {kind}" for kind in types)
    return f"create table {name} (id serial primary key, {columns})"


def rows(name, types):
    """An insert for each value, of a row that is null in all other columns, and one of nulls."""
    inserts = [f"insert into {name} ({column(kind)}) values ({v})" for kind, values in types.items() for v in values]
    return [*inserts, f"insert into {name} default values"]


def setup(tables, before=()):
    """The tables with their rows, which a first snapshot reads."""
    made = [table(name, types) for name, types in tables.items()]
    return [*before, *made, *changes(tables)]


def changes(tables):
    """The same rows again, which come through the stream."""
    return [row for name, types in tables.items() for row in rows(name, types)]
