"""Operations that are left out: updates."""

CONNECTOR = {"operations": ["create", "delete"]}
DEBEZIUM = {"skipped.operations": "u"}
SETUP = ["create table t (id int primary key, v int)", "insert into t values (1, 1)"]
CHANGES = [
    "insert into t values (2, 2)",
    "update t set v = 3",
    "delete from t where id = 1",
    "insert into t values (4, 4)",
]
