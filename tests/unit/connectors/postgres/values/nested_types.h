// Types for the tests of nested and structured types, made without a catalogue.
#ifndef TESTS_UNIT_CONNECTORS_POSTGRES_VALUES_NESTED_TYPES_H
#define TESTS_UNIT_CONNECTORS_POSTGRES_VALUES_NESTED_TYPES_H

#include "schemas/avro/value_type.h"

/** The type of a name: `int`, `hstore`, `int4range`, `NAME[]` … */
const struct value_type *nested_type(const char *name);

/** One of the types and of their arrays, for any number. */
const struct value_type *nested_type_at(size_t i);

#endif
