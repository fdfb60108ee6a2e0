// Enum types: strings, io.debezium.data.Enum with the labels in `allowed`.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_ENUM_H
#define CONNECTORS_POSTGRES_VALUES_PG_ENUM_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_ENUM;

#endif
