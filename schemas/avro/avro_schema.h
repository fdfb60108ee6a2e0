// Avro schema text of a table's records, letter for letter what Debezium with Confluent's AvroConverter
// registers.
#ifndef SCHEMAS_AVRO_AVRO_SCHEMA_H
#define SCHEMAS_AVRO_AVRO_SCHEMA_H

#include "schemas/avro/table.h"

/** Appends the minified schema of the key record; the table has key columns. */
void avro_schema_key(struct bytes *out, const struct table *t);

/** Appends the minified schema of the envelope: before, after, source, transaction, op, ts_ms, ts_us, ts_ns.
 */
void avro_schema_envelope(struct bytes *out, const struct table *t);

/** A name as Avro allows it: characters outside [A-Za-z0-9_] become '_', a leading digit gets one. */
void avro_schema_adjust_name(struct bytes *out, const char *name);

/** The field name of a column: avro_schema_adjust_name's, and the column's number when another column has it.
 */
void avro_schema_column_name(struct bytes *out, const struct table *t, size_t column);

#endif
