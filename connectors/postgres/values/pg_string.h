// Converts types that are strings in Avro.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_STRING_H
#define CONNECTORS_POSTGRES_VALUES_PG_STRING_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_STRING_TEXT;  // text, varchar, char(n)
extern const struct type_ops
    PG_STRING_OTHER;  // other types with a rule that are strings: as text in both forms, without defaults
extern const struct type_ops PG_STRING_PLAIN;  // a type without a rule: its arrays have no placeholder either
extern const struct type_ops
    PG_STRING_NO_PLACEHOLDER;  // no placeholder: bit, polygon …, whose text has a fixed format
extern const struct type_ops PG_STRING_JSON;
extern const struct type_ops PG_STRING_JSONB;
extern const struct type_ops PG_STRING_XML;
extern const struct type_ops PG_STRING_UUID;
extern const struct type_ops PG_STRING_UUID_NATIVE;  // Avro's logical type, without Connect's annotations

#endif
