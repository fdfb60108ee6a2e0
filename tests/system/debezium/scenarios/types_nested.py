"""Enums, domains, ranges, geometry, key-value types, and what has no form of its own."""

from debezium.scenarios import _types

MADE = [
    "create type mood as enum ('sad', 'ok', 'happy, very', 'q\"uote', 'ünï')",
    "create type comp as (a int, b text, c numeric(5,2))",
    "create domain dmood as mood",
    "create domain dbit as bit(3)",
    "create domain dmoney as money",
    "create domain div as interval",
    "create domain dhs as hstore",
    "create domain posint as int check (value > 0)",
    "create domain posint2 as posint",
    "create domain dnum as numeric(8,3)",
    "create domain dvc as varchar(7)",
    "create domain dts3 as timestamp(3)",
    "create domain djson as jsonb",
    "create domain duuid as uuid",
    "create domain dbool as boolean",
    "create type frange as range (subtype = float8)",
]
KINDS = {
    "mood": ["'sad'", "'happy, very'", "'q\"uote'", "'ünï'"],
    "dmood": ["'sad'"],
    "dbit": ["B'101'"],
    "dmoney": ["1.5"],
    "div": ["'1 day'"],
    "dhs": ["'a=>1'"],
    "posint": ["7"],
    "posint2": ["7"],
    "dnum": ["1.5"],
    "dvc": ["'abc'"],
    "dts3": ["'2026-01-01 00:00:00.5'"],
    "djson": ["'{\"a\": 1}'"],
    "duuid": ["'11111111-2222-3333-4444-555555555555'"],
    "dbool": ["true"],
    "ltree": ["'Top.Science'", "''"],
    "hstore": ["'a=>1, b=>NULL'", "''", "'\"k \\\"q\"=>\"v,\\\\\\\\ =>\"'", "'ü=>ö'", "'b=>2,a=>1'"],
    "int4range": ["'[1,5)'", "'empty'", "'(,)'"],
    "int8range": ["'[1,5]'"],
    "numrange": ["'(1.5,2.5]'"],
    "daterange": ["'[2026-01-01,2026-02-01)'", "'[2026-01-01,)'"],
    "tsrange": ["'[2026-01-01 00:00,2026-01-02 00:00)'"],
    "tstzrange": ["'[2026-01-01 00:00+02,2026-01-02 00:00+00)'"],
    "point": ["'(1.5,-2)'", "'(NaN,Infinity)'", "'(0,0)'"],
    "line": ["'{1,2,3}'"],
    "lseg": ["'[(1,2),(3,4)]'"],
    "box": ["'(1,2),(3,4)'"],
    "path": ["'[(1,2),(3,4)]'", "'((1,2),(3,4))'"],
    "polygon": ["'((1,2),(3,4))'"],
    "circle": ["'<(1,2),3>'"],
}
OTHERS = {
    "comp": ["row(1, 'x', 2.5)::comp"],
    "int4multirange": ["'{[1,2),[5,6)}'"],
    "datemultirange": ["'{[2026-01-01,2026-02-01)}'"],
    "frange": ["'[1.5,2.5)'"],
    "xid": ["'7'"],
    "xid8": ["'7'"],
    "cid": ["'7'"],
    "tid": ["'(1,2)'"],
    "pg_lsn": ["'16/B374D848'"],
    "regclass": ["'pg_class'"],
    "regtype": ["'int'"],
    "tsquery": ["'a & b'"],
    "jsonpath": ["'$.a'"],
    "lquery": ["'*.a'"],
    "int2vector": ["'1 2'"],
    "oidvector": ["'1 2'"],
    "pg_snapshot": ["'10:20:10,14'"],
}
TABLES = {"kinds": KINDS, "others": OTHERS}

EXTENSIONS = ("hstore", "ltree")
SETUP = _types.setup(TABLES, MADE)
CHANGES = _types.changes(TABLES)
