"""Tables and columns that are left out, and keys of other columns than the primary key."""

CONNECTOR = {
    "tables": {"include": ["public.*"], "exclude": ["public.left_*"]},
    "columns": {"exclude": ["public.t.secret", "public.keyed.secret"]},
    "keys": {"public.keyed": ["customer", "region"]},
}
DEBEZIUM = {
    "schema.include.list": "public",
    "table.exclude.list": r"public\.left_.*",
    "column.exclude.list": r"public\.t\.secret,public\.keyed\.secret",
    "message.key.columns": "public.keyed:customer,region",
}
SETUP = [
    "create schema other",
    "create table other.t (id int primary key)",
    "create table left_out (id int primary key)",
    "create table t (id int primary key, secret text, v int)",
    "create table keyed (id int primary key, customer int not null, region text not null, secret text, v int)",
    "alter table keyed replica identity full",
    "insert into t values (1, 's', 1)",
    "insert into keyed values (1, 7, 'r', 's', 1)",
]
CHANGES = [
    "insert into left_out values (1)",
    "insert into other.t values (1)",
    "insert into t values (2, 's', 2)",
    "update t set v = 3",
    "update t set secret = 't' where id = 1",
    "delete from t where id = 2",
    "insert into keyed values (2, 8, 'r', 's', 1)",
    "update keyed set v = 2",
    "update keyed set customer = 9 where id = 2",
    "update keyed set id = 3 where id = 2",
    "delete from keyed",
]
