// Converts PostgreSQL's numeric, of up to 147,455 digits, to Connect's Decimal, Debezium's
// VariableScaleDecimal, doubles and text.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_H

#include "schemas/avro/value_type.h"

/** Avro bytes: the value times 10^scale in big-endian two's complement with the fewest bytes. */
extern const struct type_ops PG_NUMERIC_DECIMAL;

/** The record {scale int, value bytes}, with the smallest scale >= 0 that loses no digits. */
extern const struct type_ops PG_NUMERIC_VARIABLE;

#endif
