"""Partitioned tables, under the name of their root: the publication says so."""

from debezium.scenarios import partitions

CONNECTOR = {"slot": {"publication": "rooted"}}
DEBEZIUM = {"publication.name": "rooted", "publication.autocreate.mode": "disabled"}
SETUP = [*partitions.SETUP, "create publication rooted for all tables with (publish_via_partition_root)"]
CHANGES = partitions.CHANGES
