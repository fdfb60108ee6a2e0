// PostgreSQL's numeric, as text of up to 147,455 digits, into Connect's Decimal and Debezium's
// VariableScaleDecimal.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_H
#define CONNECTORS_POSTGRES_VALUES_PG_NUMERIC_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/**
 * Appends Avro bytes: the value times 10^scale in two's complement, big-endian, as short as it goes.
 *
 * @param f  FAULT_REJECT: NaN and infinities, which a decimal can't say, and digits below the scale
 */
bool pg_numeric_append_decimal(struct bytes *out, struct slice text, int scale, struct fault *f) MUST_USE;

/** Appends the record {scale int, value bytes}: the smallest scale from 0 on that loses nothing. */
bool pg_numeric_append_variable(struct bytes *out, struct slice text, struct fault *f) MUST_USE;

#endif
