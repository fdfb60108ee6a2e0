// The spans of a connector. `capture` is the span of a traced transaction, from its commit until it was read,
// a child of the span that made it; `publish` is that of a row of it, until Kafka has acknowledged the
// transaction's records.
//
// It also begins traces: for the share `tracing.sample` of the transactions, of their rows that have none,
// neither of a message nor of a column; then each trace has its `capture`. Such a trace depends on the
// transaction's position alone, so that its records are the same when they are published again.
#ifndef CONNECTORS_CHANGE_TRACE_H
#define CONNECTORS_CHANGE_TRACE_H

#include "connectors/change.h"
#include "core/trace/tracer.h"

/** NULL stands for no tracing: then these functions do nothing. */
struct change_trace;

/**
 * @param tracer     lent
 * @param connector  lent: its name
 * @param sample     from 0 to 1
 */
struct change_trace *change_trace_new(struct tracer *tracer, const char *connector, double sample);

/** A transaction begins. */
void change_trace_begin(struct change_trace *t, const struct change *begin);

/** Before a row is published: gives it the trace that was begun for its transaction, if it has none. The text
 * is lent until the next transaction begins. */
void change_trace_prepare(const struct change_trace *t, struct change *row);

/** A row was published. */
void change_trace_published(struct change_trace *t, const struct change *row);

/** A record of the transaction was handed over with this ticket. */
void change_trace_put(struct change_trace *t, uint64_t ticket);

/** The transaction was read to its end. */
void change_trace_commit(struct change_trace *t);

/** Kafka has acknowledged so many records with this ticket. */
void change_trace_settled(struct change_trace *t, uint64_t ticket, uint32_t count);

/** A session ends: its open transactions are read again. */
void change_trace_reset(struct change_trace *t);

void change_trace_free(struct change_trace *t);

#endif
