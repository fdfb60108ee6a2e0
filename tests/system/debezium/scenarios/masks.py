"""Columns of text that are masked, cut and hashed, one of them a key; lists of regular expressions."""

CONNECTOR = {
    "columns": {
        "mask": {"/public\\.people\\.(phone|FAX)/": "*****"},
        "truncate": {"/public.people.note/": 4},
        "hash": {"columns": ["/public\\.\\w+\\.email/", "public.people.code"], "salt": "pepper"},
    },
}
DEBEZIUM = {
    "column.mask.with.5.chars": r"public\.people\.(phone|FAX)",
    "column.truncate.to.4.chars": "public.people.note",
    "column.mask.hash.v2.SHA-256.with.salt.pepper": r"public\.\w+\.email,public.people.code",
}
SETUP = [
    "create table people (id int primary key, phone text, fax varchar(9) not null, note text, email text,"
    " code varchar(20) default 'x')",
    "alter table people replica identity full",
    "create table keyed (email text primary key, note text)",
    "insert into people values (1, '0123456789', '1', 'short', 'a@x', 'c'), (2, null, '', 'abc', null, null)",
    "insert into keyed values ('a@x', 'n')",
]
CHANGES = [
    "insert into people values (3, 'p', 'f', 'äöü🦉xyz', 'ü@x', 'ccc')",
    "update people set note = 'another', email = 'b@x' where id = 1",
    "delete from people where id = 2",
    "insert into keyed values ('b@x', 'n')",
    "update keyed set email = 'c@x' where email = 'b@x'",
    "delete from keyed",
]
