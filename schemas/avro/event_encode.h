// Records that do not depend on a table: BEGIN and END of a transaction, heartbeats, keys of messages.
#ifndef SCHEMAS_AVRO_EVENT_ENCODE_H
#define SCHEMAS_AVRO_EVENT_ENCODE_H

#include "core/base/bytes.h"

/** How many events of a table a transaction has. */
struct event_count {
    const char *collection;  // schema.table
    uint64_t count;
};

/** Appends one TransactionMetadataValue record (events/transaction-value.avsc), without framing. */
void event_encode_begin(struct bytes *out, struct slice id, int64_t time_ms);

/** The same with the transaction's counts. @param counts  NULL: data_collections is null */
void event_encode_end(struct bytes *out, struct slice id, int64_t time_ms, uint64_t total,
                      const struct event_count *counts, size_t count);

/** Appends a record whose only field is a string: events/transaction-key.avsc, heartbeat-key.avsc. */
void event_encode_text(struct bytes *out, struct slice text);

/** Appends one MessageKey record (events/message-key.avsc). */
void event_encode_message_key(struct bytes *out, struct slice prefix);

/** Appends one Heartbeat record (events/heartbeat-value.avsc). */
void event_encode_heartbeat(struct bytes *out, int64_t time_ms);

#endif
