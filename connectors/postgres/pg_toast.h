// toast: complete. Fills in the values that an update left out because they did not change, and keeps those
// that a later update may leave out.
//
// A value is left out only if it is stored out of line, so some insert or update before sent it as a whole,
// in a row that was large enough for that: such values are kept. What can't be known (the connector did not
// see that change, or the table was rewritten since) stays left out. It is never replaced by a later value.
#ifndef CONNECTORS_POSTGRES_PG_TOAST_H
#define CONNECTORS_POSTGRES_PG_TOAST_H

#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/toast/toast_store.h"

struct pg_toast;

/** @param component  borrowed, like `config`, until pg_toast_free */
struct pg_toast *pg_toast_new(const struct connector_config *config, const char *state_directory,
                              const char *component);
void pg_toast_free(struct pg_toast *t);

/** A session with the database begins; opens the store. See toast_store_begin. */
bool pg_toast_begin(struct pg_toast *t, const struct toast_session *session, bool *ret_lacks_rows,
                    struct fault *f) MUST_USE;

/** Tables that are to be read anew: what was kept of them ends with their next description, as they may have
 * changed without being captured. Nothing without a session. */
bool pg_toast_forget(struct pg_toast *t, const uint32_t *tables, size_t count, struct fault *f) MUST_USE;

/** The relation's table has no changes before `place` that are still to come. Else its first change says so:
 * needed for a table that was read and has no rows. Accepts NULL; nothing without a session. */
bool pg_toast_describe(struct pg_toast *t, struct pg_relation *relation, struct toast_position place,
                       struct fault *f) MUST_USE;

/** See toast_store_filled. */
bool pg_toast_filled(struct pg_toast *t, struct fault *f) MUST_USE;

/** The session has ended: what was not committed is gone. Another process can have the store. */
void pg_toast_end(struct pg_toast *t);

/**
 * Fills in the new row's values that were left out, if they are known; they are lent until the next call.
 *
 * @param io_row  with the columns of the relation's table, as pg_relation_select leaves them
 * @param place   of the change
 */
bool pg_toast_fill(struct pg_toast *t, struct pg_relation *relation, struct pgoutput_row *io_row,
                   struct toast_position place, struct fault *f) MUST_USE;

/** Keeps what the row has now. Call it after pg_toast_fill, once the row was encoded. */
bool pg_toast_keep(struct pg_toast *t, struct pg_relation *relation, const struct pgoutput_row *row,
                   struct toast_position place, struct fault *f) MUST_USE;

/** See toast_store_commit. Nothing without a session. */
bool pg_toast_commit(struct pg_toast *t, uint64_t position, uint64_t oldest, struct fault *f) MUST_USE;

/** How many values were left out and not known, since the process began. */
uint64_t pg_toast_unknown(const struct pg_toast *t);

#endif
