// Converts types that are strings in Avro, and bytea.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_STRING_H
#define CONNECTORS_POSTGRES_VALUES_PG_STRING_H

#include "schemas/avro/table.h"

/** Debezium's placeholder for a value that the database did not send (unchanged TOAST). */
#define PG_STRING_UNCHANGED "__debezium_unavailable_value"

extern const struct value_ops PG_STRING_TEXT;  // text, json, xml, and most types without a rule of their own
extern const struct value_ops
    PG_STRING_NO_PLACEHOLDER;  // no placeholder: bit, polygon …, whose text has a fixed format
extern const struct value_ops PG_STRING_UUID;
extern const struct value_ops PG_STRING_BYTES;  // bytea

#endif
