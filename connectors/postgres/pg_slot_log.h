// Logs how the slot stands against what this connector knows of it.
#ifndef CONNECTORS_POSTGRES_PG_SLOT_LOG_H
#define CONNECTORS_POSTGRES_PG_SLOT_LOG_H

#include "connectors/postgres/pg_session.h"

/**
 * Logs how the slot differs from what was confirmed before: in the state record, or as `confirmed` by this
 * process. A slot behind it is normal after a lost connection or a crash of the server: changes come again. A
 * confirmed position beyond the end of the WAL means that the server's history is another one.
 */
void pg_slot_log_position(const struct pg_deps *deps, const struct pg_session *session, uint64_t confirmed);

#endif
