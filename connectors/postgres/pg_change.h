// Turns a decoded row message into one or two changes: a key change is a delete of the old key and a create
// of the new one.
#ifndef CONNECTORS_POSTGRES_PG_CHANGE_H
#define CONNECTORS_POSTGRES_PG_CHANGE_H

#include "connectors/change.h"
#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/pg_row.h"
#include "connectors/postgres/pg_toast.h"

struct avro_type;

/** The buffers of the changes, reused. Zero-initialised is empty. */
struct pg_change {
    struct bytes key;
    struct bytes old_key;
    struct bytes before;
    struct bytes after;
    struct bytes key_json;
    struct bytes old_key_json;
    struct bytes bad_json;
    struct bytes partition;   // the values that choose it
    uint32_t new_hash;        // of them
    uint32_t old_hash;        // of the old row
    struct bytes value_text;  // of one value in bad_json
    struct fault bad;         // the reason, if is_bad
    struct pg_row_notes notes;
    struct pg_toast *toast;          // lent, set by the owner; NULL: values that are left out stay so
    struct toast_position place;     // of the current message, set by the caller; with `toast`
    struct pg_relations *relations;  // of the current message
    struct pg_relation *relation;
    struct change second;
    struct avro_type *key_type;  // of key_table, for the JSON of a changed key
    struct table *key_table;     // retained
    bool has_second;             // `second` must be given after the first
    bool takes_unread;           // see pg_row_notes; of the next message
    bool is_bad;                 // the row can't be encoded
    bool is_before_bad;          // the old image can't be encoded: `before` has at most its key
    bool has_key;                // the new row's key could be encoded
    bool has_old_key;            // the old row's key could be encoded
};

void pg_change_clear(struct pg_change *p);

/**
 * Sets table, op, key, before, after and the members for key changes and bad rows; the caller sets the other
 * members of *io, which are copied to `second`. A row is bad if its new image can't be encoded, or for a
 * delete its key. If only the old image can't be encoded, `before` is null and the change is still published.
 *
 * @param relation  wanted, with a table; a NULL in a NOT NULL column makes a version where it is nullable,
 * and a value that its Avro type can't hold one where it may be text, if the column takes text
 * @param io        borrowed parts are valid until the next call
 * @param message   with `toast` its values that were left out are filled in
 * @param f         FAULT_FATAL: the message does not fit the relation; FAULT_RETRY: the store of `toast`
 * fails
 */
bool pg_change_make(struct pg_change *p, struct pg_relations *relations, struct pg_relation *relation,
                    struct pgoutput_message *message, struct change *io, struct fault *f) MUST_USE;

/** Whether the row has a value that could not be read: the message made again may have it as text. */
static inline bool pg_change_must_repeat(struct pg_change *p)
{
    bool is_first = !p->takes_unread;
    p->takes_unread = true;
    return is_first && p->notes.is_stale && (p->is_bad || p->is_before_bad);
}

#endif
