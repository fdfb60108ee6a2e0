// Restarts the stream without the publication of publish_inserts_only, which may be newer than the slot's
// position, and with it again once the stream has passed its creation.
#ifndef CONNECTORS_POSTGRES_PG_INSERTS_H
#define CONNECTORS_POSTGRES_PG_INSERTS_H

#include "connectors/postgres/pg_session.h"

/** Whether the stream runs without it. Until it runs with it the catalogue is not checked. */
bool pg_inserts_is_out(const struct pg_deps *deps);

/** The server does not know a publication at the stream's position. True: it can be this one, so on_restart
 * was called and the session is over. False: the main publication is missing. */
bool pg_inserts_restart_without(const struct pg_deps *deps) MUST_USE;

/** @param flushed  the position that was last sent to the server as flushed
 * @param wal_end  the server's end of WAL when the session began
 * True: the stream has passed its creation, so on_restart was called and the session is over. */
bool pg_inserts_restart_with(const struct pg_deps *deps, uint64_t flushed, uint64_t wal_end) MUST_USE;

#endif
