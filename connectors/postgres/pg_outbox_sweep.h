// Deletes the outbox's rows whose events are on Kafka (outbox.delete_after_capture). Rows are listed, with
// the end of the WAL at that time; once that position is confirmed, exactly these row versions are deleted.
// So nothing is remembered between runs, and a crash leaves rows for the next list.
#ifndef CONNECTORS_POSTGRES_PG_OUTBOX_SWEEP_H
#define CONNECTORS_POSTGRES_PG_OUTBOX_SWEEP_H

#include "connectors/postgres/pg_session.h"

enum pg_outbox_sweep_state {
    PG_OUTBOX_SWEEP_IDLE,
    PG_OUTBOX_SWEEP_LISTING,
    PG_OUTBOX_SWEEP_WAITING,  // for the position
    PG_OUTBOX_SWEEP_DELETING,
};

/** Embedded. */
struct pg_outbox_sweep {
    const struct pg_deps *deps;
    struct pg_session *session;  // lent
    enum pg_outbox_sweep_state state;
    uint64_t lsn;  // all listed rows were committed before it
    size_t count;  // of listed rows
    struct bytes rows;
    bool has_warned;
};

/** Forgets what was listed in an earlier session. */
void pg_outbox_sweep_start(struct pg_outbox_sweep *s);

/** Takes the next step, if there is an outbox to sweep. Call it once a second, while no table's rows are
 * read.
 * @param confirmed  all changes up to it are on Kafka */
void pg_outbox_sweep_tick(struct pg_outbox_sweep *s, uint64_t confirmed);

void pg_outbox_sweep_clear(struct pg_outbox_sweep *s);

#endif
