// The types of the extension ltree: strings, whose binary form has a version in front of the text.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_VERSIONED_H
#define CONNECTORS_POSTGRES_VALUES_PG_VERSIONED_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_VERSIONED_LTREE;  // io.debezium.data.Ltree
extern const struct type_ops PG_VERSIONED_TEXT;   // lquery, ltxtquery, jsonpath: without a name

#endif
