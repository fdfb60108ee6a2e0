// Turns a tuple, whose values are in text or binary form, into the Avro records of one table version: row
// images and keys. The hot path.
#ifndef CONNECTORS_POSTGRES_PG_ROW_H
#define CONNECTORS_POSTGRES_PG_ROW_H

#include "connectors/postgres/wire/pgoutput.h"
#include "schemas/avro/table.h"

enum pg_row_step {
    PG_ROW_DONE,
    PG_ROW_WIDEN,  // the version has no place for a value: make the one of notes->column and notes->wider
    PG_ROW_FAULT,
};

enum pg_row_wider {
    PG_ROW_WIDER_NULL,  // the column is nullable
    PG_ROW_WIDER_TEXT,  // the column has a branch for text
};

/** What is reported about a row. */
struct pg_row_notes {
    size_t column;  // PG_ROW_WIDEN: that column
    enum pg_row_wider wider;
    // Called for a value that becomes null because its Avro type can't represent it; `why` has the value.
    void (*on_none)(void *self, const struct column *c, const struct fault *why);
    void *self;
    // A value is not of this version of its column's type, or not valid for it: the type may have changed
    // since.
    bool is_stale;
    uint64_t stale_hash;  // of all such values
    // A value in binary form could not be read: the catalogue has another version of its type, or its form
    // is newer. PostgreSQL's text of it can be. NULL: none.
    const struct column *unread;
    // In: a value that is not valid for its type is published as text where the column takes text, because
    // the catalogue knows no better.
    bool takes_unread;
};

/**
 * Appends a whole row as the table's Value record. A value that its Avro type can't represent (numeric NaN)
 * is text if the column takes text, else null if it is nullable. An unchanged TOAST value is the column's
 * marker if it has one, else its type's placeholder, else null.
 *
 * @param tuple      one value for each column, in the table's order
 * @param old_tuple  where unchanged TOAST values may be found; may be NULL
 * @param f          with PG_ROW_FAULT: FAULT_REJECT for a value that can't be encoded, FAULT_FATAL for a
 * wrong tuple
 */
enum pg_row_step pg_row_append_value(struct bytes *out, const struct table *t,
                                     const struct pgoutput_tuple *tuple,
                                     const struct pgoutput_tuple *old_tuple, struct pg_row_notes *notes,
                                     struct fault *f) MUST_USE;

/**
 * Appends a tuple of the replica identity's columns as a Value record. Other columns are null, or if NOT NULL
 * the column's default or the type's zero.
 */
enum pg_row_step pg_row_append_identity(struct bytes *out, const struct table *t,
                                        const struct pgoutput_tuple *tuple, struct pg_row_notes *notes,
                                        struct fault *f) MUST_USE;

/** As pg_row_append_identity, but with the key columns only: for a row with a value that can't be encoded. */
bool pg_row_append_key_only(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                            struct fault *f) MUST_USE;

/** Appends the Key record; nothing when the table has no key. */
bool pg_row_append_key(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                       const struct pgoutput_tuple *old_tuple, struct fault *f) MUST_USE;

/** Appends the values of the columns that choose the partition, without union branches; nothing for NULL and
 * for a value that can't be encoded. */
void pg_row_append_partition(struct bytes *out, const struct table *t, const struct pgoutput_tuple *tuple,
                             const struct pgoutput_tuple *old_tuple);

/** Appends a value as PostgreSQL's text. False: it was not sent, or its bytes are not valid for the type;
 * `out` may have a part of it. */
bool pg_row_write_text(struct bytes *out, const struct column *c,
                       const struct pgoutput_value *value) MUST_USE;

#endif
