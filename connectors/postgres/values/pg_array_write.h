// An array's binary form: its head, and its text.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_ARRAY_WRITE_H
#define CONNECTORS_POSTGRES_VALUES_PG_ARRAY_WRITE_H

#include "core/base/cursor.h"
#include "schemas/avro/value_type.h"

enum { PG_ARRAY_DIMENSIONS_MAX = 6 };  // PostgreSQL's MAXDIM

struct pg_array_head {
    uint32_t dimensions;  // 0: an empty array
    uint32_t lengths[PG_ARRAY_DIMENSIONS_MAX];
    int32_t lower[PG_ARRAY_DIMENSIONS_MAX];
    size_t count;  // of all elements
};

/** Reads what is in front of the elements. False: it is not valid, or too little follows for the elements. */
bool pg_array_take_head(struct cursor *at, struct pg_array_head *ret) MUST_USE;

/** write_text of arrays: {1,NULL}, [0:1]={{a},{b}}. */
enum value_step pg_array_write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                    struct fault *f);

/** write_text of int2vector and oidvector: 1 2. */
enum value_step pg_array_write_vector(struct bytes *out, const struct value_type *t, struct slice data,
                                      struct fault *f);

#endif
