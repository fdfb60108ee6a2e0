"""Arrays of every type, with nulls, several dimensions and lower bounds."""

from debezium.scenarios import _types, types_nested

ARRAYS = {
    "smallint[]": ["'{1,-1}'"],
    "int[]": ["'{}'", "'{1,2,NULL}'", "'{NULL}'", "'[2:3]={5,6}'"],
    "bigint[]": ["'{9223372036854775807}'"],
    "oid[]": ["'{4294967295}'"],
    "real[]": ["'{0.1,NULL}'"],
    "float8[]": ["'{1e300,-0.5}'"],
    "boolean[]": ["'{t,f,NULL}'"],
    "numeric[]": ["'{1.5,2.25,NULL}'"],
    "numeric(10,3)[]": ["'{1.5,-2.25}'"],
    "char(3)[]": ["'{a,bc}'"],
    "varchar(5)[]": ["'{a,\"b c\",NULL,\"NULL\",\"\"}'"],
    "text[]": ["'{a,\"q\\\"x\",\"b\\\\\\\\c\",NULL}'"],
    "citext[]": ["'{A}'"],
    "inet[]": ["'{10.0.0.1,::1}'"],
    "cidr[]": ["'{10.0.0.0/8}'"],
    "macaddr[]": ["'{08:00:2b:01:02:03}'"],
    "macaddr8[]": ["'{08:00:2b:01:02:03:04:05}'"],
    "int4range[]": ["'{\"[1,5)\",empty}'"],
    "int8range[]": ["'{\"[1,5)\"}'"],
    "numrange[]": ["'{\"[1.5,5)\"}'"],
    "daterange[]": ["'{\"[2026-01-01,2026-02-01)\"}'"],
    "tsrange[]": ["'{\"[2026-01-01 00:00,2026-01-02 00:00)\"}'"],
    "tstzrange[]": ["'{\"[2026-01-01 00:00+00,2026-01-02 00:00+00)\"}'"],
    "date[]": ["'{2026-01-01,NULL}'"],
    "time[]": ["'{01:02:03.5}'"],
    "time(3)[]": ["'{01:02:03.5}'"],
    "timetz[]": ["'{01:02:03.5+02}'"],
    "timestamp[]": ["'{\"2026-01-01 01:02:03.5\"}'"],
    "timestamp(3)[]": ["'{\"2026-01-01 01:02:03.5\"}'"],
    "timestamptz[]": ["'{\"2026-01-01 01:02:03.5+02\",NULL}'"],
    "timestamptz(3)[]": ["'{\"2026-01-01 01:02:03.5+02\"}'"],
    "uuid[]": ["'{11111111-2222-3333-4444-555555555555}'"],
    "json[]": ["array['{\"a\": 1}'::json]"],
    "jsonb[]": ["array['{\"a\": 1}'::jsonb]"],
    "bytea[]": ["array['\\x00ff'::bytea]"],
    "ltree[]": ["'{a.b}'"],
    "hstore[]": ["'{\"a=>1\"}'"],
    "mood[]": ["'{sad,ok}'"],
    "tsvector[]": ["'{a}'"],
}
# Debezium leaves columns of these out.
OTHERS = {
    "money[]": ["'{1.5}'"],
    "name[]": ["'{nm}'"],
    "varbit[]": ["'{101}'"],
    "bit(3)[]": ["'{101}'"],
    "interval[]": ["'{1 day}'"],
    "xml[]": ["array['<a/>'::xml]"],
    "posint[]": ["'{7}'"],
    "dvc[]": ["'{abc}'"],
    "point[]": ["'{\"(1,2)\"}'"],
    "box[]": ["'{(1,2),(3,4)}'"],
    "comp[]": ["array[row(1, 'x', 2.5)::comp]"],
    "int4multirange[]": ["'{\"{[1,2)}\"}'"],
    "pg_lsn[]": ["'{16/B374D848}'"],
}
# What Debezium gets wrong of arrays that have a form.
EXTREMES = {
    "int[]": ["'{{1,2},{3,4}}'", "'{{{1}},{{2}}}'"],
    "text[]": ["'{{a,b},{c,d}}'"],
    "numeric[]": ["'{NaN}'"],
    "date[]": ["'{2026-01-01,infinity,0044-03-15 BC}'"],
    "timestamp[]": ["'{infinity}'"],
    "mood[]": ["'{sad,NULL}'"],
    "float8[]": ["'{NaN,Infinity}'"],
}
TABLES = {"arrays": ARRAYS, "others": OTHERS, "extremes": EXTREMES}

EXTENSIONS = ("citext", "hstore", "ltree")
SETUP = _types.setup(TABLES, types_nested.MADE)
CHANGES = _types.changes(TABLES)
