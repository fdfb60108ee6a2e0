// Answers the stream's Relation messages from the catalogue, and makes the versions of tables: before their
// first rows where it can. The stream waits meanwhile.
#ifndef CONNECTORS_POSTGRES_PG_DESCRIBER_H
#define CONNECTORS_POSTGRES_PG_DESCRIBER_H

#include <uv.h>

#include "connectors/postgres/catalogue/pg_catalogue_set.h"
#include "connectors/postgres/pg_row.h"
#include "connectors/postgres/pg_session.h"
#include "connectors/postgres/wire/pgoutput.h"

#define PG_DESCRIBER_STATES(X)                                                                               \
    X(IDLE)                                                                                                  \
    X(LOADING)  /* reads the definitions of all published tables */                                          \
    X(ASKING)   /* reads the definition of one table */                                                      \
    X(WAITING)  /* asks again in a moment: the message's transaction was not visible */                      \
    X(RETYPING) /* reads the types of one table */                                                           \
    X(LOOKING)  /* reads whether the transactions in `early` are visible now */

enum pg_describer_state {
#define X(name) PG_DESCRIBER_##name,
    PG_DESCRIBER_STATES(X)
#undef X
};

/** Zero-initialised, with `deps`, `message`, `on_change` and `self`, is stopped. */
struct pg_describer {
    const struct pg_deps *deps;
    const struct pgoutput_message *message;  // lent: the Relation message or row that waits
    enum pg_describer_state state;
    struct pg_session *session;    // lent
    struct pg_relation *relation;  // the message's, while its definition is read; NULL: none
    struct pg_catalogue_set set;
    size_t prepared;                // tables of `set` whose versions were made, or need none
    bool is_set_past;               // `set` is read in the first snapshot's transaction
    bool is_in_snapshot;            // set by the owner: session->sql is in a transaction that must not fail
    int64_t hidden_us;              // when a transaction was not visible first; 0: the last one was
    bool has_logged_wait;           // since hidden_us
    uint32_t early;                 // the last transaction whose tables were described too early; 0: none
    uv_timer_t *prepare;            // lent
    uv_timer_t *ask_again;          // lent
    void (*on_change)(void *self);  // pg_describer_is_busy may have changed
    void *self;
};

/** Uses the session's ordinary connection until pg_describer_stop, and reads the definitions of all tables.
 */
void pg_describer_start(struct pg_describer *d, struct pg_session *session, uv_timer_t *prepare,
                        uv_timer_t *ask_again);
void pg_describer_stop(struct pg_describer *d);

/** `message` is a Relation message: makes its table's version. */
void pg_describer_describe(struct pg_describer *d);

/** Whether a row that was just encoded has values that its types' versions do not know, and that the
 * catalogue was not asked for.
 *
 * @param was_kept  the types were read again for this row: remembers the value if they do not have it either
 */
bool pg_describer_must_retype(struct pg_describer *d, struct pg_relation *relation,
                              const struct pg_row_notes *notes, bool was_kept) MUST_USE;

/** Reads the types of the relation's columns again, and replaces its version if they have changed. */
void pg_describer_retype(struct pg_describer *d, struct pg_relation *relation);

/** Call it once a second: frees what is not needed any more. */
void pg_describer_tick(struct pg_describer *d);

/** Whether the catalogue is being read: the stream waits. */
static inline bool pg_describer_is_busy(const struct pg_describer *d)
{
    return d->state != PG_DESCRIBER_IDLE;
}

#endif
