// A process's spans: they wait in a bounded buffer and are exported in the background by OTLP over HTTP.
// Nothing waits for the collector: spans that do not fit are dropped and counted.
#ifndef CORE_TRACE_TRACER_H
#define CORE_TRACE_TRACER_H

#include <uv.h>

#include "core/config/settings.h"
#include "core/metrics.h"
#include "core/trace/span.h"

struct tracer;

struct tracer_params {
    uv_loop_t *loop;
    const struct settings *settings;  // lent for the call
    struct metrics *metrics;          // lent
    const char *instance;             // lent for the call: service.instance.id, "connector/shop"
};

/** *ret is NULL when the settings name no collector. FAULT_CONFIG: its URL or a header is invalid. */
bool tracer_start(const struct tracer_params *params, struct tracer **ret, struct fault *f) MUST_USE;

/** A span of the parent's trace, or of a new one (NULL), with an id of its own. */
void tracer_new_context(struct tracer *t, const struct trace_context *parent, struct trace_context *ret);

/** A number that differs in each process. */
uint64_t tracer_seed(const struct tracer *t);

/** Begins a span, whose parts the returned writer takes. NULL: there is no room, the span is counted as
 * dropped. */
struct span_writer *tracer_begin(struct tracer *t, const struct span *s);

/** Ends it. */
void tracer_end(struct tracer *t);

/** Adds `count` spans that were written elsewhere. */
void tracer_add(struct tracer *t, struct slice spans, size_t count);

/** Counts spans that were given up elsewhere. */
void tracer_drop(struct tracer *t, size_t count);

/** Exports what is left, for a second at most, then frees the tracer while the loop runs. Accepts NULL. */
void tracer_stop(struct tracer *t);

#endif
