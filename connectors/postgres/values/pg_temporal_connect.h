// PostgreSQL's date, time and timestamp as Kafka Connect's types, which have Avro's logical types.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_CONNECT_H
#define CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_CONNECT_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_TEMPORAL_CONNECT_DATE;       // date
extern const struct type_ops PG_TEMPORAL_CONNECT_TIME;       // time-millis
extern const struct type_ops PG_TEMPORAL_CONNECT_TIMESTAMP;  // timestamp-millis

#endif
