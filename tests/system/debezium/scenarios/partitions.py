"""Partitioned and inherited tables, under the names of their leaves."""

SETUP = [
    "create table p (id int, k text, v int, primary key (id, k)) partition by list (k)",
    "create table p_a partition of p for values in ('a')",
    "create table p_b partition of p for values in ('b')",
    "create table \"p_D\" partition of p for values in ('d')",
    "create table p_sub partition of p for values in ('s', 't') partition by list (k)",
    "create table p_s partition of p_sub for values in ('s')",
    "create table parent (id int primary key, v int)",
    "create table child (primary key (id), more text) inherits (parent)",
    "insert into p values (1, 'a', 1), (2, 'b', 2), (3, 's', 3)",
    "insert into parent values (1, 1)",
    "insert into child values (2, 2, 'm')",
]
CHANGES = [
    "insert into p values (4, 'a', 4), (5, 'd', 5), (6, 's', 6)",
    "update p set v = 9",
    "update p set k = 'b' where id = 4",
    "delete from p where id in (1, 5)",
    "insert into parent values (3, 3)",
    "insert into child values (4, 4, 'n')",
    "update parent set v = 7",
    "delete from child",
]
