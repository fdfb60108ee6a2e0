// Arrays, as Avro arrays of one dimension.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H
#define CONNECTORS_POSTGRES_VALUES_PG_ARRAY_H

#include "schemas/avro/value_type.h"

// Each appends one block of items and the end of the array; lower bounds are dropped, as Avro has none.
// VALUE_NONE: an array with several dimensions, or with an element that the items' type can't hold. An
// element's step that is not VALUE_DONE is the array's. The first three have ["null", T] items; they differ
// in the placeholder for an array that the database did not send (unchanged TOAST).
extern const struct type_ops PG_ARRAY_NO_PLACEHOLDER;     // no placeholder
extern const struct type_ops PG_ARRAY_PLACEHOLDER;        // one element, the element type's placeholder
extern const struct type_ops PG_ARRAY_PLACEHOLDER_CODES;  // the bytes of VALUE_PLACEHOLDER as numbers

// The same for `types: native`: VALUE_NONE also for an array that begins at another index than 1.
extern const struct type_ops PG_ARRAY_EXACT;
extern const struct type_ops PG_ARRAY_EXACT_PLACEHOLDER;
extern const struct type_ops PG_ARRAY_EXACT_PLACEHOLDER_CODES;

// T items, as Debezium has for the element types that it treats by the way: VALUE_NONE for NULL elements,
// too.
extern const struct type_ops PG_ARRAY_REQUIRED;

// int2vector and oidvector: T items; the text form has elements separated by spaces and nothing around them.
extern const struct type_ops PG_ARRAY_VECTOR;

#endif
