// PostgreSQL's dates and times as Avro's logical types.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_NATIVE_H
#define CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_NATIVE_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_TEMPORAL_NATIVE_DATE;             // date
extern const struct type_ops PG_TEMPORAL_NATIVE_TIME;             // time-micros, up to 24:00
extern const struct type_ops PG_TEMPORAL_NATIVE_TIMESTAMP;        // local-timestamp-micros
extern const struct type_ops PG_TEMPORAL_NATIVE_ZONED_TIMESTAMP;  // timestamp-micros
extern const struct type_ops PG_TEMPORAL_NATIVE_ZONED_TIME;  // a string with its offset: 03:04:05.67+05:30

#endif
