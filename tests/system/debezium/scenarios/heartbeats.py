"""Heartbeats; how many is not compared."""

CONNECTOR = {"heartbeat": {"interval": "100ms"}}
DEBEZIUM = {"heartbeat.interval.ms": "100"}
AWAITED = ("__debezium-heartbeat.P",)
SETUP = ["create table t (id int primary key)"]
CHANGES = ["insert into t values (1)"]
