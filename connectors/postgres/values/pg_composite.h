// Composite types. Debezium has no form for them.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_COMPOSITE_H
#define CONNECTORS_POSTGRES_VALUES_PG_COMPOSITE_H

#include "schemas/avro/value_type.h"

extern const struct type_ops PG_COMPOSITE;         // string with PostgreSQL's text form
extern const struct type_ops PG_COMPOSITE_RECORD;  // record of nullable fields, named as the type

/** write_text of both. */
enum value_step pg_composite_write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                        struct fault *f);

#endif
