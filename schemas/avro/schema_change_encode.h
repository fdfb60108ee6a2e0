// Records of the schema-change topic.
#ifndef SCHEMAS_AVRO_SCHEMA_CHANGE_ENCODE_H
#define SCHEMAS_AVRO_SCHEMA_CHANGE_ENCODE_H

#include "schemas/avro/avro_encode.h"

struct schema_change {
    const char *type;  // CREATE, ALTER
    // A table that had the name before and was dropped: the record says so first. NULL: none.
    const char *dropped_schema;
    const char *dropped_name;
};

/** Appends one SchemaChangeKey record (events/schema-change-key.avsc). */
void schema_change_encode_key(struct bytes *out, const char *database);

/** Appends one SchemaChangeValue record (events/schema-change-value.avsc) about e->table, which has a shape.
 */
void schema_change_encode_value(struct bytes *out, const struct avro_envelope *e,
                                const struct schema_change *change);

#endif
