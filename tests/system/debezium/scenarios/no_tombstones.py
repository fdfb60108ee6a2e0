"""Deletes and changed keys without tombstones."""

CONNECTOR = {"tombstones": False}
DEBEZIUM = {"tombstones.on.delete": "false"}
SETUP = ["create table t (id int primary key, v int)", "insert into t values (1, 1), (2, 2)"]
CHANGES = ["update t set id = 3 where id = 1", "delete from t"]
