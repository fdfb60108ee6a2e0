// pgvector's types, as Debezium's.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_VECTOR_H
#define CONNECTORS_POSTGRES_VALUES_PG_VECTOR_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_VECTOR;         // array of double, io.debezium.data.DoubleVector
extern const struct type_ops PG_VECTOR_HALF;    // array of float, io.debezium.data.FloatVector
extern const struct type_ops PG_VECTOR_SPARSE;  // record, io.debezium.data.SparseDoubleVector

// record of dimensions and entries, with 32 bits for dimensions and keys, as pgvector has them
extern const struct type_ops PG_VECTOR_SPARSE_NATIVE;

#endif
