// Values of the built-in geometric types in both forms, as the fields of Debezium's records.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_SHAPE_H
#define CONNECTORS_POSTGRES_VALUES_PG_SHAPE_H

#include "schemas/avro/value_type.h"

enum pg_shape {
    PG_SHAPE_POINT,
    PG_SHAPE_LINE,
    PG_SHAPE_CIRCLE,
    PG_SHAPE_LSEG,
    PG_SHAPE_BOX,
    PG_SHAPE_PATH,
    PG_SHAPE_POLYGON,
};

enum value_step pg_shape_append_text(struct bytes *out, enum pg_shape shape, struct slice text,
                                     struct fault *f);
enum value_step pg_shape_append_binary(struct bytes *out, enum pg_shape shape, struct slice data,
                                       struct fault *f);

/** Appends PostgreSQL's text form of a value in binary form. */
enum value_step pg_shape_write_text(struct bytes *out, enum pg_shape shape, struct slice data,
                                    struct fault *f);

void pg_shape_append_zero(struct bytes *out, enum pg_shape shape);

#endif
