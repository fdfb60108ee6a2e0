// The types of full text search, as PostgreSQL's text form.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_TSEARCH_H
#define CONNECTORS_POSTGRES_VALUES_PG_TSEARCH_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_TSEARCH_VECTOR;  // string, io.debezium.data.Tsvector
extern const struct type_ops PG_TSEARCH_QUERY;   // string; Debezium leaves tsquery out

#endif
