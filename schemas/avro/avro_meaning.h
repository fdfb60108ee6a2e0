// Derives from a schema what its values mean, and how they are passed.
#ifndef SCHEMAS_AVRO_AVRO_MEANING_H
#define SCHEMAS_AVRO_AVRO_MEANING_H

#include <jansson.h>

#include "schemas/avro/avro_type.h"

/** Sets the type's meaning and scale from `connect.name`, else `logicalType`. The type's kind and fields must
 * be set. */
void avro_meaning_set(struct avro_type *type, const json_t *annotated);

/** Sets the roles of a record's fields, how they are passed, and whether it is an envelope. The field types
 * must be set. */
void avro_meaning_set_roles(struct avro_type *record, const json_t *fields);

#endif
