// Converts PostgreSQL's text form of a one-dimensional array to an Avro array.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H
#define CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H

#include "schemas/avro/value_type.h"

// Each appends one block of ["null", T] items and the end of the array. Lower bounds are dropped, as Avro has
// none. VALUE_NONE: an array with several dimensions, or with an element that the Avro type can't hold. They
// differ in the placeholder for an array that the database did not send (unchanged TOAST).
extern const struct type_ops PG_ARRAY_NO_PLACEHOLDER;     // no placeholder
extern const struct type_ops PG_ARRAY_PLACEHOLDER;        // one element, the element type's placeholder
extern const struct type_ops PG_ARRAY_PLACEHOLDER_CODES;  // the bytes of VALUE_PLACEHOLDER as numbers

#endif
