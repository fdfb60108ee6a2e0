"""Values that are kept outside of their row, and are not sent again when they have not changed."""

LONG = {
    "t": ("text", "repeat('t', 9000)"),
    "v": ("varchar", "repeat('v', 9000)"),
    "j": ("json", "('\"' || repeat('j', 9000) || '\"')::json"),
    "jb": ("jsonb", "('\"' || repeat('j', 9000) || '\"')::jsonb"),
    "x": ("xml", "('<a>' || repeat('x', 9000) || '</a>')::xml"),
    "y": ("bytea", "decode(repeat('ab', 9000), 'hex')"),
    "n": ("numeric", "repeat('9', 9000)::numeric"),
    "h": ("hstore", "hstore('k', repeat('h', 9000))"),
    "vb": ("varbit", "repeat('10', 30000)::varbit"),
    "tv": ("tsvector", "repeat('abc', 500)::tsvector"),
    "poly": ("polygon", "('(' || repeat('(1,1),', 2000) || '(0,0))')::polygon"),
    "at": ("text[]", "array_fill('a'::text, array[3000])"),
    "ai": ("int[]", "array_fill(1, array[3000])"),
    "al": ("bigint[]", "array_fill(1::bigint, array[3000])"),
    "an": ("numeric[]", "array_fill(1.5, array[3000])"),
    "ad": ("date[]", "array_fill('2026-01-01'::date, array[3000])"),
    "ats": ("timestamptz[]", "array_fill('2026-01-01 00:00+00'::timestamptz, array[3000])"),
    "af": ("float8[]", "array_fill(1.5::float8, array[3000])"),
    "ab": ("boolean[]", "array_fill(true, array[9000])"),
    "au": ("uuid[]", "array_fill('11111111-2222-3333-4444-555555555555'::uuid, array[1000])"),
    "ay": ("bytea[]", "array_fill('\\x00'::bytea, array[1000])"),
    "aj": ("jsonb[]", "array_fill('1'::jsonb, array[1000])"),
}
COLUMNS = ", ".join(f"{name} {kind}" for name, (kind, _) in LONG.items())
VALUES = ", ".join(value for _, value in LONG.values())
REQUIRED = "t text not null, y bytea not null, at text[] not null, jb jsonb not null"
TABLES = [
    f"create table by_key (id int primary key, a int, {COLUMNS})",
    f"create table whole (id int primary key, a int, {COLUMNS})",
    f"create table required (id int primary key, a int, {REQUIRED})",
]

EXTENSIONS = ("hstore",)
SETUP = [
    *TABLES,
    *(f"alter table {table} alter {name} set storage external" for table in ("by_key", "whole") for name in LONG),
    *(f"alter table required alter {name} set storage external" for name in ("t", "y", "at", "jb")),
    "alter table whole replica identity full",
]
CHANGES = [
    f"insert into by_key values (1, 1, {VALUES})",
    "update by_key set a = 2",
    "update by_key set t = 'short'",
    "update by_key set id = 2",
    "delete from by_key",
    f"insert into whole values (1, 1, {VALUES})",
    "update whole set a = 2",
    "update whole set id = 2",
    "delete from whole",
    "insert into required values (1, 1, repeat('t', 9000), decode(repeat('ab', 9000), 'hex'),"
    " array_fill('a'::text, array[3000]), '[]')",
    "update required set a = 2",
    "delete from required",
]
