// Reads the pairs of an hstore in either form.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_HSTORE_READ_H
#define CONNECTORS_POSTGRES_VALUES_PG_HSTORE_READ_H

#include "schemas/avro/value_type.h"

/** One value in either form. */
struct pg_hstore {
    struct slice data;
    bool is_binary;
};

struct pg_hstore_text {
    struct slice data;  // with its escapes, in text form
    size_t escapes;
    bool is_null;
};

struct pg_hstore_pair {
    struct pg_hstore_text key;
    struct pg_hstore_text value;
};

/** Where the first pair is. */
size_t pg_hstore_begin(const struct pg_hstore *h);

/** Reads the pair at `*at` and moves behind it; borrowed from the value. */
bool pg_hstore_take(const struct pg_hstore *h, size_t *at, struct pg_hstore_pair *ret);

/** Counts the pairs. False: the value is not valid. */
bool pg_hstore_count(const struct pg_hstore *h, size_t *ret) MUST_USE;

enum value_step pg_hstore_refuse(const struct pg_hstore *h, struct fault *f);

#endif
