// Writes values as the JSON of a schema's "default", for append_default of several families.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_JSON_H
#define CONNECTORS_POSTGRES_VALUES_PG_JSON_H

#include "schemas/avro/value_type.h"

// For types whose append_text appends a long, text, or bytes. Bytes are a JSON string of the characters
// U+0000 to U+00FF.
enum value_step pg_json_long(struct bytes *out, const struct value_type *t, struct slice text,
                             struct fault *f);
enum value_step pg_json_string(struct bytes *out, const struct value_type *t, struct slice text,
                               struct fault *f);
enum value_step pg_json_bytes(struct bytes *out, const struct value_type *t, struct slice text,
                              struct fault *f);

#endif
