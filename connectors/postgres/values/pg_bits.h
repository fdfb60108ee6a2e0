// Converts PostgreSQL's bit and varbit.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_BITS_H
#define CONNECTORS_POSTGRES_VALUES_PG_BITS_H

#include "schemas/avro/value_type.h"

/** bit(1), varbit(1): a boolean. VALUE_NONE: no bit, which varbit(1) may have. */
extern const struct type_ops PG_BITS_BOOLEAN;

/** Debezium's io.debezium.data.Bits: the last bit is bit 0 of byte 0, and zero bytes at the end are cut. */
extern const struct type_ops PG_BITS_BYTES;

/** A string of 0 and 1. */
extern const struct type_ops PG_BITS_STRING;

#endif
