// The headers of a reply's record: a CloudEvent in Kafka's binary mode, and how often replies have led to it.
#ifndef BRIDGE_REPLY_REPLY_HEADERS_H
#define BRIDGE_REPLY_REPLY_HEADERS_H

#include "bridge/intake/record.h"
#include "bridge/reply/replies.h"
#include "core/trace/trace_context.h"

enum { REPLY_ID_SIZE = 36 };

/** Which reply it is. Borrowed. */
struct reply_place {
    const char *function;
    const struct record *source;       // the event that it replies to
    size_t index;                      // among the replies to that event
    const struct trace_context *call;  // the span of the call; NULL: it has none
};

/** How many replies have led to the record: its header `millrace-hop`; 0 without one, UINT32_MAX if that is
 * not a number. */
uint32_t reply_hops(const struct record *r);

/**
 * Writes the reply's id, 36 characters and a NUL: the same for each call with this event. It is a UUID of
 * version 5 (RFC 9562) of the namespace 6d696c6c-7261-4365-8265-706c79000001 and the name
 * `<function>\n<topic of the event>\n<id of the event>\n<index>`.
 */
void reply_id_write(const struct reply_place *place, char ret[REPLY_ID_SIZE + 1]);

/** The record's headers; the caller owns them. Its trace is that of the call, else that of the event. */
rd_kafka_headers_t *reply_headers_new(const struct reply *reply, const struct reply_place *place);

#endif
