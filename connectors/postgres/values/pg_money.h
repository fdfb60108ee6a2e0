// Converts PostgreSQL's money: hundredths in 64 bits.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_MONEY_H
#define CONNECTORS_POSTGRES_VALUES_PG_MONEY_H

#include "schemas/avro/value_type.h"

/** Connect's Decimal of scale 2, as Debezium. */
extern const struct type_ops PG_MONEY_DECIMAL;

/** Avro's logical type decimal(19, 2), without Connect's annotations. */
extern const struct type_ops PG_MONEY_NATIVE;

extern const struct type_ops PG_MONEY_DOUBLE;

/** -12345.67: without a currency and without groups. */
extern const struct type_ops PG_MONEY_STRING;

#endif
