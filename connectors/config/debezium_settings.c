// docs/debezium.md has this table from `millrace config debezium`; complaints about keys and values use it.
#include "connectors/config/debezium_settings.h"

#include <stddef.h>

static const struct config_foreign rows[] = {
    // What runs it.
    {"connector.class tasks.max", "none: each file in `connectors/` is a connector, of the file's name", NULL,
     NULL},
    {"bootstrap.servers producer.* producer.override.* admin.* security.protocol sasl.* ssl.*",
     "`kafka` in `millrace.yaml`: properties of librdkafka, most of which have Java's names", NULL, NULL},
    {"offset.* exactly.once.support transaction.boundary errors.tolerance errors.log.*",
     "none: the position is in the slot and in `millrace.state`; each change comes at least once, with the "
     "same id",
     NULL, NULL},

    // The database.
    {"database.hostname database.port database.user database.dbname",
     "`postgres.dsn`: `host`, `port`, `user`, `dbname` of libpq", NULL, NULL},
    {"database.password", "`postgres.password`", NULL, NULL},
    {"database.ssl* database.tcpKeepAlive",
     "`postgres.dsn`: `sslmode`, `sslcert`, `sslkey`, `sslpassword`, `sslrootcert`, `keepalives` of libpq",
     NULL, NULL},
    {"database.initial.statements", "none: `ALTER ROLE … SET` sets what the connector's sessions shall have",
     NULL, NULL},

    // Slot and publication.
    {"plugin.name", "none: always pgoutput", NULL, NULL},
    {"slot.name", "`slot.name`", NULL, NULL},
    {"publication.name", "`slot.publication`", NULL, NULL},
    {"publication.autocreate.mode",
     "`slot.create`: `true` makes a publication of the tables that match, as `filtered`; `false` is "
     "`disabled`; "
     "a publication that is there is used in either case, also one of `all_tables`",
     NULL, NULL},
    {"publish.via.partition.root",
     "make the publication with `publish_via_partition_root` and name it in `slot.publication`", NULL, NULL},
    {"slot.drop.on.stop",
     "none: what changes until the next start would be lost; drop the slot by SQL when you part with it",
     NULL, NULL},
    {"slot.failover",
     "make the slot by SQL, with failover, and name it in `slot.name`; that needs `snapshot: never`", NULL,
     NULL},
    {"slot.stream.params", "none: `origin: none` and `binary_stream` are what pgoutput has to offer", NULL,
     NULL},
    {"slot.max.retries slot.retry.delay.ms errors.max.retries errors.retry.* "
     "retriable.restart.connector.wait.ms",
     "none: what may heal is retried without end, after 200 ms to 30 s", NULL, NULL},
    {"lsn.flush.mode flush.lsn.source lsn.flush.timeout.*",
     "none: the slot moves when Kafka has the records, and past what is not for this connector", NULL, NULL},
    {"status.update.interval.ms", "none: 10 s, Debezium's default, and at once when the server asks", NULL,
     NULL},
    {"offset.mismatch.strategy",
     "none: a slot that is behind or ahead of what is known stops the connector, which says what to type",
     NULL, NULL},
    {"xmin.fetch.interval.ms", "none: `source.xmin` is null, as with `0`", NULL, NULL},
    {"replica.identity.autoset.values",
     "none: set the identity by SQL; the log names the tables that need one", NULL, NULL},

    // Selection.
    {"schema.include.list table.include.list",
     "`tables.include`: a list of globs over SCHEMA.TABLE, or regular expressions between slashes", NULL,
     NULL},
    {"schema.exclude.list table.exclude.list", "`tables.exclude`", NULL, NULL},
    {"column.include.list", "`columns.include`", NULL, NULL},
    {"column.exclude.list", "`columns.exclude`", NULL, NULL},
    {"column.mask.with.*.chars",
     "`columns.mask`: a map of columns and texts; for 5 characters `{public.people.phone: \"*****\"}`", NULL,
     NULL},
    {"column.truncate.to.*.chars", "`columns.truncate`: a map of columns and numbers of characters", NULL,
     NULL},
    {"column.mask.hash.v2.*", "`columns.hash`: `columns`, `algorithm` and `salt`", "algorithm",
     "SHA-256=sha256 SHA-512=sha512 SHA-1=sha1 MD5=md5 SHA-384= SHA-224= MD2="},
    {"column.mask.hash.*",
     "none: it hashes Java's serialised form; `columns.hash` has the digits of `column.mask.hash.v2`", NULL,
     NULL},
    {"message.key.columns", "`keys`: a map of tables and lists of columns", NULL, NULL},
    {"message.prefix.include.list", "`messages.include`; none by default here, all with `include: [\"*\"]`",
     NULL, NULL},
    {"message.prefix.exclude.list", "`messages.exclude`", NULL, NULL},
    {"skipped.operations",
     "`operations`: those that are published; `truncate: true` publishes `t`, which is skipped by default",
     "operations", "c=create u=update d=delete"},
    {"skip.messages.without.change", "none; functions have `filter: {changed: …}`", NULL, NULL},
    {"snapshot.include.collection.list",
     "none: each captured table is read; two connectors may have different `snapshot`", NULL, NULL},
    {"guardrail.collections.*", "none: `tables.include` says which", NULL, NULL},

    // Records.
    {"topic.prefix database.server.name", "`topic_prefix`", NULL, NULL},
    {"topic.naming.strategy topic.delimiter",
     "`routes`: a list of `{match: SCHEMA.TABLE, topic: NAME}` whose names may have `{prefix}`, `{schema}`, "
     "`{table}` and groups",
     NULL, NULL},
    {"topic.creation.*",
     "`topics.partitions`, `topics.replication`, `topics.config`, and for groups `topics.groups`", NULL,
     NULL},
    {"tombstones.on.delete", "`tombstones`", NULL, NULL},
    {"provide.transaction.metadata", "`transactions.topic`", NULL, NULL},
    {"topic.transaction", "`transactions.name`: the whole name, not its end", NULL, NULL},
    {"include.schema.changes",
     "`schema_changes.topic`: a topic PREFIX like that of Debezium's connectors for other databases", NULL,
     NULL},
    {"heartbeat.interval.ms", "`heartbeat.interval`; an idle database's slot moves without it", NULL, NULL},
    {"heartbeat.action.query", "`heartbeat.action_query`", NULL, NULL},
    {"topic.heartbeat.* heartbeat.topics.prefix", "`heartbeat.topic`: the whole name", NULL, NULL},
    {"extended.headers.enabled", "none: as with `false`", NULL, NULL},
    {"event.processing.failure.handling.mode", "`on_bad_row`", "on_bad_row",
     "fail=stop warn=dead_letter skip=dead_letter ignore=dead_letter"},

    // Types.
    {"decimal.handling.mode", "`decimal`: the same values", NULL, NULL},
    {"time.precision.mode", "`temporal`; `types: native` loses nothing either where `structured` doesn't",
     "temporal",
     "adaptive=debezium isostring=iso adaptive_time_microseconds= microseconds= nanoseconds= structured="},
    {"interval.handling.mode", "`interval`: the same values", NULL, NULL},
    {"binary.handling.mode", "`binary`: the same values", "binary", "base64-url-safe="},
    {"hstore.handling.mode", "`hstore`: the same values", NULL, NULL},
    {"include.unknown.datatypes",
     "`unknown_types`; `skip` is Debezium's default, and `include`, the default here, has text in place of "
     "bytes",
     "unknown_types", "true=include false=skip"},
    {"unavailable.value.placeholder",
     "none: always `__debezium_unavailable_value`, Debezium's default; `toast: typed` and `toast: complete` "
     "need no such text",
     NULL, NULL},
    {"money.fraction.digits", "none: always 2, Debezium's default", NULL, NULL},
    {"schema.name.adjustment.mode field.name.adjustment.mode sanitize.field.names",
     "none: always `avro`; with `none` such names can't be registered, and `avro_unicode` gives other names: "
     "begin with new topics then",
     NULL, NULL},
    {"column.propagate.source.type datatype.propagate.source.type",
     "none: `schema_changes.topic` has the type of each column", NULL, NULL},
    {"converters",
     "none: no Java runs here; `keys`, `columns`, `decimal`, `temporal` and `unknown_types` are what there "
     "is",
     NULL, NULL},
    {"custom.sanitize.pattern", "none: secrets are never printed", NULL, NULL},

    // Converters.
    {"*.converter.schema.registry.url schema.registry.url", "`registry.url` in `millrace.yaml`", NULL, NULL},
    {"*.converter.basic.auth.* *.converter.bearer.auth.*", "`registry.auth` in `millrace.yaml`", NULL, NULL},
    {"*.converter.schema.registry.ssl.*", "`registry.tls` in `millrace.yaml`: PEM in place of key stores",
     NULL, NULL},
    {"*.converter.auto.register.schemas", "`registry.auto_register` in `millrace.yaml`", NULL, NULL},
    {"*.converter.use.latest.version *.converter.latest.compatibility.strict",
     "`registry.use_latest` in `millrace.yaml`", NULL, NULL},
    {"*.converter.normalize.schemas", "`registry.normalize` in `millrace.yaml`", NULL, NULL},
    {"*.converter.*.subject.name.strategy", "`registry.subject_names` in `millrace.yaml`", NULL, NULL},
    {"*.converter.ignore.default.for.nullables *.converter.replace.null.with.default",
     "`null_as_default`: `true` is what converters do when nothing is set", NULL, NULL},
    {"*.converter.connect.meta.data *.converter.enhanced.avro.schema.support *.converter.scrub.invalid.names",
     "none: as with the converter's defaults", NULL, NULL},
    {"key.converter* value.converter* header.converter*",
     "none: always Avro in Confluent's wire format, as AvroConverter writes it with its defaults; headers "
     "are text",
     NULL, NULL},

    // Snapshot.
    {"snapshot.mode",
     "`snapshot`; a slot that is lost stops the connector, which says what to type, in place of "
     "`when_needed`",
     "snapshot",
     "no_data=never schema_only=never always= initial_only= when_needed= configuration_based= custom="},
    {"snapshot.mode.*", "none: `snapshot` is `initial` or `never`", NULL, NULL},
    {"snapshot.select.statement.overrides*", "`rows`: a condition for snapshot and stream", NULL, NULL},
    {"snapshot.*", "none needed: the snapshot that the slot exports is read by COPY, without locks", NULL,
     NULL},
    {"legacy.snapshot.max.threads streaming.delay.ms", "none needed", NULL, NULL},
    {"incremental.snapshot.* signal.* read.only",
     "none: there are no signals; a table that comes to match is read by itself", NULL, NULL},
    {"notification.*", "none: the log, `/api/status` and metrics say how far it is", NULL, NULL},

    // Flow.
    {"max.batch.size max.queue.size* poll.interval.ms poll.dispatch.interval.ms",
     "none: a change goes to Kafka at once, in batches under load; `kafka` in `millrace.yaml` has the "
     "producer's limits",
     NULL, NULL},
    {"schema.refresh.mode database.query.timeout.ms topic.cache.size connection.validation.timeout.ms "
     "executor.shutdown.timeout.ms query.fetch.size custom.metric.tags statistics.metrics.enabled "
     "openlineage.*",
     "none needed", NULL, NULL},
    {"post.processors*", "none; `toast: complete` does what ReselectColumnsPostProcessor is for", NULL, NULL},

    // The outbox's router.
    {"transforms.*.table.field.event.schema.version", "none: values have no schema", NULL, NULL},
    {"transforms.*.table.field.event.id", "`outbox.id`", NULL, NULL},
    {"transforms.*.table.field.event.key", "`outbox.key`", NULL, NULL},
    {"transforms.*.table.field.event.payload", "`outbox.payload`", NULL, NULL},
    {"transforms.*.table.field.event.timestamp", "`outbox.timestamp`, which may also be a timestamptz", NULL,
     NULL},
    {"transforms.*.route.by.field", "`outbox.route_by`", NULL, NULL},
    {"transforms.*.route.topic.replacement", "`outbox.topic`, with `{aggregatetype}` for `${routedByValue}`",
     NULL, NULL},
    {"transforms.*.route.topic.regex", "none: the whole value is taken", NULL, NULL},
    {"transforms.*.route.tombstone.on.empty.payload", "`outbox.tombstone_on_empty`", NULL, NULL},
    {"transforms.*.table.fields.additional.placement",
     "`outbox.headers` for `COLUMN:header:NAME`, `outbox.envelope` for `COLUMN:envelope:NAME`, "
     "`outbox.partition` for `COLUMN:partition`",
     NULL, NULL},
    {"transforms.*.table.fields.additional.error.on.missing",
     "none: as with `true`, a column that is not there stops the connector", NULL, NULL},
    {"transforms.*.table.expand.json.payload transforms.*.table.json.payload.*",
     "none needed: JSON is JSON in the record", NULL, NULL},
    {"transforms.*.table.op.invalid.behavior", "`outbox.on_update`", "on_update", "error=warn fatal=stop"},
    {"transforms.*.tracing.*", "none: the trace of the transaction is in the headers", NULL, NULL},
    {"transforms.*.predicate predicates*", "none; for the outbox's table alone `outbox.table`", NULL, NULL},
    {"transforms*",
     "`outbox` for the EventRouter, `routes` for routers of topics, `partition_by` for PartitionRouting; "
     "other "
     "transformations have no counterpart in a connector",
     NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

const struct config_foreigner debezium_settings = {
    .program = "Debezium",
    .prefixes = "debezium.source. debezium.format.",
    .rows = rows,
};
