// PostgreSQL's date, time and timestamp as Debezium's IsoDate, IsoTime and IsoTimestamp: strings.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_ISO_H
#define CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_ISO_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_TEMPORAL_ISO_DATE;       // 2026-01-02Z
extern const struct type_ops PG_TEMPORAL_ISO_TIME;       // 03:04:05.67Z
extern const struct type_ops PG_TEMPORAL_ISO_TIMESTAMP;  // 2026-01-02T03:04:05.67Z

#endif
