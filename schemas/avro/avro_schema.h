// Avro schema text of a table's records, byte for byte what Debezium with Confluent's AvroConverter
// registers.
#ifndef SCHEMAS_AVRO_AVRO_SCHEMA_H
#define SCHEMAS_AVRO_AVRO_SCHEMA_H

#include "schemas/avro/table.h"

/** Appends the minified schema of the key record; the table must have key columns. */
void avro_schema_key(struct bytes *out, const struct table *t);

/** Appends the minified schema of a row image, the record Value without a namespace. */
void avro_schema_value(struct bytes *out, const struct table *t);

/** Appends the minified schema of the envelope: before, after, source, transaction, op, ts_ms, ts_us, ts_ns.
 */
void avro_schema_envelope(struct bytes *out, const struct table *t);

/** Appends the name as Avro allows it: '_' replaces characters outside [A-Za-z0-9_] and precedes a leading
 * digit. */
void avro_schema_adjust_name(struct bytes *out, const char *name);

/** Appends the field name of a column: the adjusted name, followed by the column's number if another column
 * has the same one. */
void avro_schema_column_name(struct bytes *out, const struct table *t, size_t column);

/** The members of a record, with their names in the database. */
struct avro_schema_members {
    const char *(*name_at)(const void *self, size_t i);
    const void *self;
    size_t count;
};

/** Appends the name of a member in Avro: adjusted, and with its number behind it while another one has that
 * name. No two members of a record have the same. */
void avro_schema_member_name(struct bytes *out, const struct avro_schema_members *m, size_t member);

#endif
