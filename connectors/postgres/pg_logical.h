// Logical messages (pg_logical_emit_message): which of them are published, and as what.
#ifndef CONNECTORS_POSTGRES_PG_LOGICAL_H
#define CONNECTORS_POSTGRES_PG_LOGICAL_H

#include "connectors/change.h"
#include "connectors/config/connector_config.h"
#include "connectors/postgres/wire/pgoutput.h"

struct pg_logical {
    const struct connector_config *config;
    struct table *topic;  // NULL: none are published
    struct bytes key;     // of the message that was put last, as Avro
};

/** @param config  lent until pg_logical_clear */
void pg_logical_init(struct pg_logical *l, const struct connector_config *config);
void pg_logical_clear(struct pg_logical *l);

/** Whether the message is one of tracing or of millrace itself, which are never published. */
bool pg_logical_is_reserved(const struct pgoutput_logical *message);

bool pg_logical_is_wanted(const struct pg_logical *l, const struct pgoutput_logical *message);

/** Makes the change one of the message; its texts are borrowed until the next message. */
void pg_logical_put(struct pg_logical *l, const struct pgoutput_logical *message, struct change *io);

#endif
