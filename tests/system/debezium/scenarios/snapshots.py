"""The marks of a first snapshot's rows: tables without rows, with one, with several, in two schemas."""

SETUP = [
    "create schema other",
    "create table empty (id int primary key)",
    "create table aa_one (id int primary key, v text)",
    "create table several (id int primary key, v text)",
    "create table other.one (id int primary key)",
    "create table zz_empty (id int primary key)",
    "create unlogged table unlogged (id int primary key)",
    "create table two_keys (a int, b text, primary key (b, a))",
    "create view looked_at as select 1 as id",
    "create materialized view kept as select 1 as id",
    "insert into aa_one values (1, 'a')",
    "insert into several select i, 'v' from generate_series(1, 5) i",
    "insert into other.one values (1)",
    "insert into two_keys values (1, 'x'), (2, 'a')",
]
CHANGES = ["insert into empty values (1)", "insert into other.one values (2)", "insert into unlogged values (1)"]
