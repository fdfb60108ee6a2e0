"""As many columns as PostgreSQL permits, and columns that were dropped before."""

SETUP = [
    f"create table wide (id int primary key, {', '.join(f'c{i} int' for i in range(1599))})",
    "create table with_holes (id int primary key, gone text, v int, gone_too int)",
    "insert into with_holes values (1, 'x', 1, 1)",
    "alter table with_holes drop gone, drop gone_too, add w int default 5",
]
CHANGES = [
    "insert into wide (id, c0, c1598) values (1, 2, 3)",
    "insert into with_holes values (2, 2)",
    "update with_holes set w = null",
    "delete from with_holes",
]
