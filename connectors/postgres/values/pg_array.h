// PostgreSQL's text form of a one-dimensional array into an Avro array.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H
#define CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H

#include "schemas/avro/table.h"

// All append one block of ["null", T] items and the end of the array. Lower bounds are dropped: Avro has
// none. An array of more dimensions, or with an element that has no Avro form, has none itself. They differ
// in what stands for an array that the database did not send again.
extern const struct value_ops PG_ARRAY_UNMARKED;       // nothing
extern const struct value_ops PG_ARRAY_MARKED;         // one element, the type's own mark
extern const struct value_ops PG_ARRAY_MARK_AS_CODES;  // the mark's bytes as numbers

#endif
