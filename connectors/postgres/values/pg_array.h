// PostgreSQL's text form of a one-dimensional array into an Avro array.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H
#define CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H

#include "core/base/fault.h"
#include "schemas/avro/table.h"

/**
 * Appends one block of ["null", T] items and the end of the array. Lower bounds are dropped: Avro has none.
 *
 * @param f  FAULT_REJECT: more than one dimension, an element that can't be said, or not an array
 */
bool pg_array_append(struct bytes *out, const struct column *c, struct slice text, struct fault *f) MUST_USE;

#endif
