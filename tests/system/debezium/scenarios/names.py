"""Names that are odd, differ only by case, or are none that Avro allows."""

TABLES = ["Mixed", "with space", "dash-ed", "_u", "select", "UPPER", "ünï", "q\"uote", "pa(ren)", "com,ma", "$dol",
          "tab\tx", "back\\slash", "id", "l" + "23456789" * 7 + "123456"]  # fmt: skip
COLUMNS = ["Mixed", "with space", "dash-ed", "9lead", "select", "ünï", "q\"uote", "$d", "after"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


SETUP = [
    "create schema \"My-Schema\"",
    *(f"create table {quoted(name)} (id int primary key, v int)" for name in TABLES),
    "create table \"My-Schema\".\"T-t\" (id int primary key)",
    "create table \"9lead\" (id int primary key)",
    "create table \"dot.ted\" (id int primary key)",
    f"create table columns ({', '.join(f'{quoted(name)} int' for name in COLUMNS)}, \"Key Col\" int primary key)",
    "insert into columns (\"Key Col\", \"with space\") values (1, 1)",
]
CHANGES = [
    *(f"insert into {quoted(name)} values (1, 1)" for name in TABLES),
    "insert into \"My-Schema\".\"T-t\" values (1)",
    "insert into \"9lead\" values (1)",
    "insert into \"dot.ted\" values (1)",
    "insert into columns (\"Key Col\", \"9lead\") values (2, 1)",
    "update columns set \"dash-ed\" = 3 where \"Key Col\" = 2",
    "update columns set \"Key Col\" = 4 where \"Key Col\" = 2",
    "delete from columns where \"Key Col\" = 4",
]
