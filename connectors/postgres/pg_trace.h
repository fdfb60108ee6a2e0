// The trace of a transaction: the application writes it into its transaction as a logical message, with
// pg_logical_emit_message(true, 'traceparent', '00-…').
#ifndef CONNECTORS_POSTGRES_PG_TRACE_H
#define CONNECTORS_POSTGRES_PG_TRACE_H

#include "connectors/postgres/wire/pgoutput.h"
#include "core/trace/trace_context.h"
#include "schemas/avro/table.h"

/** Embedded; zero-initialised: no trace. */
struct pg_trace {
    size_t traceparent_size;  // 0: the transaction has none
    size_t tracestate_size;
    uint64_t invalid;    // messages whose content was ignored, since the source was made
    struct bytes value;  // the last column's text
    char traceparent[TRACE_PARENT_MAX];
    char tracestate[TRACE_STATE_MAX];
};

void pg_trace_clear(struct pg_trace *t);

/** A transaction begins. */
static inline void pg_trace_begin(struct pg_trace *t)
{
    t->traceparent_size = 0;
    t->tracestate_size = 0;
}

/**
 * Takes a transactional message; those with other prefixes than `traceparent` and `tracestate` are ignored.
 * Invalid content is counted, logged once, and changes nothing. A traceparent replaces the one before it,
 * with its tracestate.
 */
void pg_trace_take(struct pg_trace *t, const struct pgoutput_logical *message, const char *component);

/**
 * The trace in a column of a changed row; none if the table has no such column, or its value is neither a
 * traceparent nor has a line `traceparent=…` with one. Borrowed until the next call.
 */
struct trace_headers pg_trace_of_column(struct pg_trace *t, const struct table *table, const char *column,
                                        const struct pgoutput_row *row);

/** What the transaction's next rows carry, borrowed until the next begin or take. */
static inline struct trace_headers pg_trace_headers(const struct pg_trace *t)
{
    return (struct trace_headers){slice_make(t->traceparent, t->traceparent_size),
                                  slice_make(t->tracestate, t->tracestate_size)};
}

#endif
