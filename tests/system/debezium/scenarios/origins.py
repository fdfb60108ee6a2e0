"""Changes that came from another server: a replication origin and its position."""

MAKE_ORIGIN = """select pg_replication_origin_create('from_afar')
    where not exists (select from pg_replication_origin where roname = 'from_afar')"""
SETUP = ["create table t (id int primary key, v int)", MAKE_ORIGIN]
CHANGES = [
    "insert into t values (1, 1)",
    "select pg_replication_origin_session_setup('from_afar')",
    ["select pg_replication_origin_xact_setup('0/1234', '2026-01-02 03:04:05+00')", "insert into t values (2, 2)"],
    ["insert into t values (3, 3)"],
    "select pg_replication_origin_session_reset()",
    "insert into t values (4, 4)",
]
