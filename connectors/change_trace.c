#include "connectors/change_trace.h"

#include <stdio.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum {
    OPEN_MAX = 1024,  // traced transactions that are not acknowledged; later ones make no spans
    SPANS_MAX = 128,  // of rows, for each transaction
    KEPT_BYTES = 64 << 10,
};

/** A transaction with a sampled trace. */
struct traced {
    struct traced *prev;
    struct traced *next;
    uint64_t ticket;
    uint32_t outstanding;  // records that are not acknowledged
    bool is_sealed;
    struct bytes spans;  // of its rows, without their end
    size_t span_count;
};

struct change_trace {
    struct tracer *tracer;
    const char *connector;
    double sample;
    struct span_writer writer;
    struct traced *open;    // in order
    struct traced *unused;  // by `next`
    size_t open_count;
    // Of the transaction that is being read.
    struct traced *current;  // NULL: no row of it has a sampled trace yet
    uint64_t ticket;
    uint32_t outstanding;  // until there is `current`
    uint64_t commit_lsn;
    int64_t commit_time_us;
    uint32_t transaction_id;
    int64_t rows;
    struct trace_context own;  // a trace that was begun here, for rows without one; flags 0: none
    char own_text[TRACE_PARENT_CHARS];
    bool is_own_used;              // by a row
    struct trace_context origin;   // of the first row with a trace
    struct bytes tracestate_text;  // of that row
    struct trace_context capture;  // the span of `origin`; of its own trace the first one
};

struct change_trace *change_trace_new(struct tracer *tracer, const char *connector, double sample)
{
    if (tracer == NULL) {
        return NULL;
    }
    struct change_trace *t = memory_zeroed(1, sizeof(*t));
    t->tracer = tracer;
    t->connector = connector;
    t->sample = sample;
    return t;
}

static void release(struct change_trace *t, struct traced *x)
{
    DL_DELETE(t->open, x);
    t->open_count--;
    if (x->spans.capacity > KEPT_BYTES) {
        bytes_clear(&x->spans);
    }
    bytes_reset(&x->spans);
    x->span_count = 0;
    x->is_sealed = false;
    x->next = t->unused;
    t->unused = x;
}

/** Decides whether the transaction gets a trace of its own. */
static void choose(struct change_trace *t)
{
    uint64_t seed =
        trace_context_mix(t->commit_lsn ^ text_hash(slice_of(t->connector)) ^ (uint64_t)t->commit_time_us);
    t->own.flags = 0;
    if (t->sample > 0 && (double)(seed >> 11) < t->sample * (double)(UINT64_C(1) << 53)) {
        uint64_t ids[3] = {trace_context_mix(seed + 1), trace_context_mix(seed + 2) | 1,
                           trace_context_mix(seed + 3) | 1};
        memcpy(t->own.trace_id, ids, TRACE_ID_BYTES);
        memcpy(t->own.span_id, &ids[2], TRACE_SPAN_ID_BYTES);
        t->own.flags = TRACE_FLAG_SAMPLED;
        trace_context_write(&t->own, t->own_text);
    }
}

static bool is_own(const struct change_trace *t, const struct trace_context *c)
{
    return t->own.flags != 0 && memcmp(&t->own, c, sizeof(*c)) == 0;
}

void change_trace_begin(struct change_trace *t, const struct change *begin)
{
    if (t == NULL) {
        return;
    }
    if (t->current != NULL) {  // while a table waits, no transaction is acknowledged: its spans have no end
        tracer_drop(t->tracer, t->current->span_count);
        release(t, t->current);
    }
    t->current = NULL;
    t->outstanding = 0;
    t->rows = 0;
    t->is_own_used = false;
    t->commit_lsn = begin->commit_lsn;
    t->commit_time_us = begin->commit_time_us;
    t->transaction_id = begin->transaction_id;
    choose(t);
}

void change_trace_prepare(const struct change_trace *t, struct change *row)
{
    if (t != NULL && t->own.flags != 0 && row->trace.traceparent.size == 0 && row->op != CHANGE_READ) {
        row->trace = (struct trace_headers){slice_make(t->own_text, sizeof(t->own_text)), {NULL, 0}};
    }
}

// --- spans ---

static bool begin_current(struct change_trace *t, const struct change *row,
                          const struct trace_context *origin)
{
    if (t->open_count >= OPEN_MAX) {
        return false;
    }
    struct traced *x = t->unused;
    if (x != NULL) {
        t->unused = x->next;
    } else {
        x = memory_zeroed(1, sizeof(*x));
    }
    x->ticket = t->ticket;
    x->outstanding = t->outstanding;
    DL_APPEND(t->open, x);
    t->open_count++;
    t->current = x;
    t->origin = *origin;
    bytes_reset(&t->tracestate_text);
    bytes_append_slice(&t->tracestate_text, row->trace.tracestate);
    if (is_own(t, origin)) {
        t->capture = *origin;
    } else {
        tracer_new_context(t->tracer, origin, &t->capture);
    }
    return true;
}

static const char *operation_of(const struct change *row)
{
    switch (row->op) {
    case CHANGE_CREATE:
    case CHANGE_READ:
        return "insert";
    case CHANGE_UPDATE:
        return "update";
    case CHANGE_DELETE:
        return "delete";
    case CHANGE_TRUNCATE:
        return "truncate";
    case CHANGE_MESSAGE:
        return "message";
    }
    return "";
}

static void put_row(struct change_trace *t, const struct change *row, const struct trace_context *origin)
{
    bool is_captured = memcmp(origin->trace_id, t->capture.trace_id, TRACE_ID_BYTES) == 0;
    struct span span = {
        .parent_span_id = is_captured ? t->capture.span_id : origin->span_id,
        .tracestate = row->trace.tracestate,
        .name = "publish",
        .name_object = row->table->topic,
        .kind = SPAN_PRODUCER,
        .start_ns = clock_wall_ns(),
    };
    tracer_new_context(t->tracer, origin, &span.context);
    span_begin(&t->writer, &span);
    span_text(&t->writer, "messaging.system", slice_of("kafka"));
    span_text(&t->writer, "messaging.operation.type", slice_of("send"));
    span_text(&t->writer, "messaging.destination.name", slice_of(row->table->topic));
    char text[64];
    (void)snprintf(text, sizeof(text), "%016lx-%08lx", row->commit_lsn, row->index);
    span_text(&t->writer, "millrace.event_id", slice_of(text));
    span_text(&t->writer, "millrace.connector", slice_of(t->connector));
    if (row->op != CHANGE_MESSAGE) {
        CLEANUP(memory_free_pointer)
        char *table = memory_format("%s.%s", row->table->schema, row->table->name);
        span_text(&t->writer, "db.collection.name", slice_of(table));
    }
    span_text(&t->writer, "db.operation.name", slice_of(operation_of(row)));
    span_end(&t->writer, &t->current->spans);
    t->current->span_count++;
}

void change_trace_published(struct change_trace *t, const struct change *row)
{
    struct trace_context origin;
    if (t == NULL || row->trace.traceparent.size == 0 ||
        !trace_context_read(row->trace.traceparent, &origin) || (origin.flags & TRACE_FLAG_SAMPLED) == 0) {
        return;
    }
    t->rows++;
    t->is_own_used = t->is_own_used || is_own(t, &origin);
    if ((t->current == NULL && !begin_current(t, row, &origin)) || t->current->span_count >= SPANS_MAX) {
        tracer_drop(t->tracer, 1);
        return;
    }
    put_row(t, row, &origin);
}

static void finish(struct change_trace *t, struct traced *x)
{
    if (x->is_sealed && x->outstanding == 0) {
        spans_set_end(&x->spans, clock_wall_ns());
        tracer_add(t->tracer, bytes_slice(&x->spans), x->span_count);
        release(t, x);
    }
}

/** @param parent_span_id  NULL: it begins the trace */
static void put_capture(struct change_trace *t, const struct trace_context *context,
                        const uint8_t *parent_span_id, struct slice tracestate)
{
    const struct span span = {
        .context = *context,
        .parent_span_id = parent_span_id,
        .tracestate = tracestate,
        .name = "capture",
        .name_object = t->connector,
        .kind = SPAN_INTERNAL,
        .start_ns = t->commit_time_us * 1000,
        .end_ns = clock_wall_ns(),
    };
    struct span_writer *w = tracer_begin(t->tracer, &span);
    if (w == NULL) {
        return;
    }
    char text[24];
    (void)snprintf(text, sizeof(text), "%X/%X", (uint32_t)(t->commit_lsn >> 32), (uint32_t)t->commit_lsn);
    span_text(w, "db.system.name", slice_of("postgresql"));
    span_text(w, "millrace.connector", slice_of(t->connector));
    span_text(w, "millrace.commit_lsn", slice_of(text));
    span_number(w, "millrace.transaction_id", t->transaction_id);
    span_number(w, "millrace.rows", t->rows);
    tracer_end(t->tracer);
}

// --- the transaction's records ---

void change_trace_put(struct change_trace *t, uint64_t ticket)
{
    if (t != NULL) {
        t->ticket = ticket;
        *(t->current == NULL ? &t->outstanding : &t->current->outstanding) += 1;
    }
}

void change_trace_commit(struct change_trace *t)
{
    if (t != NULL && t->current != NULL) {
        struct traced *x = t->current;
        if (!is_own(t, &t->origin)) {
            put_capture(t, &t->capture, t->origin.span_id, bytes_slice(&t->tracestate_text));
        }
        if (t->is_own_used) {
            put_capture(t, &t->own, NULL, (struct slice){NULL, 0});
        }
        x->is_sealed = true;
        t->current = NULL;
        finish(t, x);
    }
}

void change_trace_settled(struct change_trace *t, uint64_t ticket, uint32_t count)
{
    if (t == NULL) {
        return;
    }
    if (t->current == NULL && ticket == t->ticket) {
        t->outstanding -= count < t->outstanding ? count : t->outstanding;
    }
    struct traced *x;
    struct traced *next;
    DL_FOREACH_SAFE (t->open, x, next) {  // several transactions may share a ticket
        if (x->ticket == ticket && count > 0) {
            uint32_t taken = count < x->outstanding ? count : x->outstanding;
            x->outstanding -= taken;
            count -= taken;
            finish(t, x);
        }
    }
}

void change_trace_reset(struct change_trace *t)
{
    if (t != NULL) {
        while (t->open != NULL) {
            release(t, t->open);
        }
        t->current = NULL;
        t->outstanding = 0;
    }
}

void change_trace_free(struct change_trace *t)
{
    if (t == NULL) {
        return;
    }
    change_trace_reset(t);
    for (struct traced *x = t->unused, *next; x != NULL; x = next) {
        next = x->next;
        bytes_clear(&x->spans);
        free(x);
    }
    bytes_clear(&t->tracestate_text);
    span_writer_clear(&t->writer);
    free(t);
}
