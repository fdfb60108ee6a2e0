// One decoded row message into one or two changes: a key change is a delete of the old key and a create of
// the new.
#ifndef CONNECTORS_POSTGRES_PG_CHANGE_H
#define CONNECTORS_POSTGRES_PG_CHANGE_H

#include "connectors/change.h"
#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/pg_row.h"

struct avro_type;

/** The buffers the changes are made in, used again and again. Zero-initialised is empty. */
struct pg_change {
    struct bytes key;
    struct bytes old_key;
    struct bytes before;
    struct bytes after;
    struct bytes key_json;
    struct bytes old_key_json;
    struct bytes bad_json;
    struct fault bad;  // why, with is_bad
    struct pg_row_notes notes;
    struct pg_relations *relations;  // of the message at work
    struct pg_relation *relation;
    struct change second;
    struct avro_type *key_type;  // of key_table, for the JSON of a changed key
    const struct table *key_table;
    bool has_second;     // `second` is to be given after the first
    bool is_bad;         // no record can hold the row
    bool is_before_bad;  // what it was before can't be said: `before` has its key at most
    bool has_key;        // the new row's key could be said
    bool has_old_key;    // and the old row's
};

void pg_change_clear(struct pg_change *p);

/**
 * Fills table, op, key, before, after and what goes with a key change or a bad row; the rest of *io is the
 * caller's, and is copied to `second`. A row is bad when what it is now can't be said, or, of a delete, which
 * row it was; an old image that can't be said withholds nothing but itself.
 *
 * @param relation  wanted, with a table; gets a wider version when a NULL comes where there was none
 * @param io        borrowed parts are valid until the next call
 * @param f         FAULT_FATAL: the message does not fit the relation
 */
bool pg_change_make(struct pg_change *p, struct pg_relations *relations, struct pg_relation *relation,
                    const struct pgoutput_message *message, struct change *io, struct fault *f) MUST_USE;

#endif
