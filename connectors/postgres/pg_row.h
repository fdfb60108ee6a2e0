// A tuple of text values into the Avro records of one table version: row images and keys. The hot path.
#ifndef CONNECTORS_POSTGRES_PG_ROW_H
#define CONNECTORS_POSTGRES_PG_ROW_H

#include "connectors/postgres/wire/pgoutput.h"
#include "schemas/avro/table.h"

enum pg_row_step {
    PG_ROW_DONE,
    PG_ROW_WIDEN,  // a null for a column that this version calls NOT NULL: make a version where it is
                   // nullable
    PG_ROW_FAULT,
};

/** What a row tells beside its bytes. */
struct pg_row_notes {
    size_t column;  // with PG_ROW_WIDEN: which one
    // Called for a value that becomes null because its Avro type has no form for it; `why` says what it was.
    void (*on_none)(void *self, const struct column *c, const struct fault *why);
    void *self;
};

/**
 * Appends a whole row as the table's Value record. A value that its Avro type has no form for (numeric NaN),
 * and one that was not sent again and has no mark, is null; the first of them only where the column is
 * nullable.
 *
 * @param tuple      one value a column, in the table's order
 * @param old_tuple  where an unchanged TOAST value may be found; NULL
 * @param f          with PG_ROW_FAULT: FAULT_REJECT for a value that can't be encoded, FAULT_FATAL for a
 * wrong tuple
 */
enum pg_row_step pg_row_append_value(struct bytes *out, const struct table *t,
                                     const struct pgoutput_tuple *tuple,
                                     const struct pgoutput_tuple *old_tuple, struct pg_row_notes *notes,
                                     struct fault *f) MUST_USE;

/**
 * Appends a tuple of the replica identity's columns as a Value record: the columns it lacks are null, or the
 * default or zero of their type when they are NOT NULL.
 */
bool pg_row_append_identity(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                            struct pg_row_notes *notes, struct fault *f) MUST_USE;

/** As pg_row_append_identity with the key's columns alone, whatever else the tuple has: for a row with a
 * value that can't be encoded. */
bool pg_row_append_key_only(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                            struct fault *f) MUST_USE;

/** Appends the Key record; nothing when the table has no key. */
bool pg_row_append_key(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                       const struct pgoutput_tuple *old_tuple, struct fault *f) MUST_USE;

#endif
