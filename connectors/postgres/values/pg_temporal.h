// Converts PostgreSQL's dates and times to Debezium's numbers and strings.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_H
#define CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_TEMPORAL_DATE;
extern const struct type_ops PG_TEMPORAL_TIME_MS;
extern const struct type_ops PG_TEMPORAL_TIME_US;
extern const struct type_ops PG_TEMPORAL_TIMESTAMP_MS;
extern const struct type_ops PG_TEMPORAL_TIMESTAMP_US;
extern const struct type_ops PG_TEMPORAL_ZONED_TIMESTAMP;
extern const struct type_ops PG_TEMPORAL_ZONED_TIME;

#endif
