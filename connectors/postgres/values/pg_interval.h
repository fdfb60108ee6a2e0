// Converts PostgreSQL's interval: months, days and microseconds, each with its own sign.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_INTERVAL_H
#define CONNECTORS_POSTGRES_VALUES_PG_INTERVAL_H

#include "schemas/avro/value_type.h"

/** Debezium's MicroDuration: microseconds in a long, a month being 365.25 / 12 days. Beyond 64 bits, and for
 * PostgreSQL's infinities, the end of 64 bits. */
extern const struct type_ops PG_INTERVAL_MICROS;

/** Debezium's Interval: P1Y2M3DT4H5M6.789S, each number with its sign; infinity. Loses nothing. */
extern const struct type_ops PG_INTERVAL_STRING;

/** The same without Connect's annotations. */
extern const struct type_ops PG_INTERVAL_NATIVE;

#endif
