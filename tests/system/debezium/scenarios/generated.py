"""Columns that PostgreSQL computes, which it sends to nobody before version 18."""

SETUP = [
    "create table g (id int primary key, v int, twice int generated always as (v * 2) stored)",
    "create table i (id int generated always as identity primary key, v int)",
    "insert into g values (1, 1)",
]
CHANGES = ["insert into g values (2, 2)", "update g set v = 3", "delete from g", "insert into i (v) values (1)"]
