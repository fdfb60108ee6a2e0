"""Keys of every kind, and how the headers of a changed key write them."""

KEYS = {
    "smallint": ("1", "2"),
    "bigint": ("9007199254740993", "-1"),
    "date": ("'2026-01-01'", "'0044-03-15 BC'"),
    "text": ("'a'", "'q\"\\ ü'"),
    "char(5)": ("'a'", "'b'"),
    "uuid": ("'11111111-2222-3333-4444-555555555555'", "'21111111-2222-3333-4444-555555555555'"),
    "numeric(8,2)": ("1.5", "-7"),
    "numeric": ("1.5", "1e20"),
    "boolean": ("true", "false"),
    "bytea": ("'\\x00ff'", "''"),
    "timestamp": ("'2026-01-01 00:00:00.5'", "'2026-01-02'"),
    "timestamp(3)": ("'2026-01-01 00:00:00.5'", "'2026-01-02'"),
    "timestamptz": ("'2026-01-01 00:00:00.5+02'", "'2026-01-02+00'"),
    "time": ("'01:02:03.5'", "'00:00'"),
    "real": ("1.5", "0.1"),
    "float8": ("1e300", "0.1"),
    "inet": ("'10.0.0.1'", "'::1'"),
    "jsonb": ("'{\"a\": [1, null]}'", "'1'"),
    "int[]": ("'{1,NULL}'", "'{}'"),
    "text[]": ("'{a,\"q\\\"\"}'", "'{}'"),
}
TABLES = {f"key_{number}": kind for number, kind in enumerate(KEYS)}

SETUP = [f"create table {table} (id {kind} primary key, v int)" for table, kind in TABLES.items()]
CHANGES = [
    change
    for table, kind in TABLES.items()
    for change in (
        f"insert into {table} values ({KEYS[kind][0]}, 1)",
        f"update {table} set id = {KEYS[kind][1]}",
        f"delete from {table}",
    )
]
