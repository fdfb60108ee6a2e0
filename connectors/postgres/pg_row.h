// A tuple of text values into the Avro records of one table version: row images and keys. The hot path.
#ifndef CONNECTORS_POSTGRES_PG_ROW_H
#define CONNECTORS_POSTGRES_PG_ROW_H

#include "connectors/postgres/wire/pgoutput.h"
#include "schemas/avro/table.h"

enum pg_row_step {
    PG_ROW_DONE,
    PG_ROW_WIDEN,  // a NULL in a column that this version calls NOT NULL: make a version where it is nullable
    PG_ROW_FAULT,
};

/**
 * Appends a whole row as the table's Value record.
 *
 * @param tuple       one value a column, in the table's order
 * @param old_tuple   where an unchanged TOAST value may be found; NULL
 * @param ret_column  with PG_ROW_WIDEN: which column
 * @param f           with PG_ROW_FAULT: FAULT_REJECT for a value that can't be said, FAULT_FATAL for a wrong
 * tuple
 */
enum pg_row_step pg_row_append_value(struct bytes *out, const struct table *t,
                                     const struct pgoutput_tuple *tuple,
                                     const struct pgoutput_tuple *old_tuple, size_t *ret_column,
                                     struct fault *f) MUST_USE;

/**
 * Appends what a tuple of the identity's columns says as a Value record: columns it lacks are null, or the
 * default or zero of their type when they are NOT NULL.
 */
bool pg_row_append_identity(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                            struct fault *f) MUST_USE;

/** The same of the key's columns alone, whatever else the tuple has: for a row with a value that can't be
 * said. */
bool pg_row_append_key_only(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                            struct fault *f) MUST_USE;

/** Appends the Key record; nothing when the table has no key. */
bool pg_row_append_key(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                       const struct pgoutput_tuple *old_tuple, struct fault *f) MUST_USE;

#endif
