// What PostgreSQL writes as text and Avro holds as a string, and bytea.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_STRING_H
#define CONNECTORS_POSTGRES_VALUES_PG_STRING_H

#include "schemas/avro/table.h"

/** Debezium's mark for a value that the database did not send again (unchanged TOAST). */
#define PG_STRING_UNCHANGED "__debezium_unavailable_value"

extern const struct value_ops PG_STRING_TEXT;  // text, json, xml, and most types without a rule of their own
extern const struct value_ops PG_STRING_UNMARKED;  // what is written as text and is none: bits, polygons
extern const struct value_ops PG_STRING_UUID;
extern const struct value_ops PG_STRING_BYTES;  // bytea

#endif
