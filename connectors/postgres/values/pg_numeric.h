// PostgreSQL's numeric, as text of up to 147,455 digits, into Connect's Decimal and Debezium's
// VariableScaleDecimal.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_H

#include "schemas/avro/table.h"

/** Avro bytes: the value times 10^scale in two's complement, big-endian, as short as it goes. */
extern const struct value_ops PG_NUMERIC_DECIMAL;

/** The record {scale int, value bytes}: the smallest scale from 0 on that loses nothing. */
extern const struct value_ops PG_NUMERIC_VARIABLE;

#endif
