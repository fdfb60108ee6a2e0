// The traces of a function's events: which one a call continues, and the spans of calls and events.
//
// `consume` is the span of an event, from its arrival to its settlement, a child of the span that made the
// change. `invoke` is the span of one call: a child of its event's `consume`; a call of several events is a
// span with a link to each event's origin. The function's own spans are children of `invoke`.
#ifndef BRIDGE_DELIVERY_CALL_TRACE_H
#define BRIDGE_DELIVERY_CALL_TRACE_H

#include "bridge/config/function_config.h"
#include "core/trace/tracer.h"

struct invocation;
struct response;
struct work_item;

/** What spans say of the function. */
struct call_trace_function {
    struct tracer *tracer;                 // NULL: no spans
    const struct function_config *config;  // lent
};

/** Before the call: appends the header lines traceparent and tracestate, joined by CR LF, to its payload's.
 */
void call_trace_begin(const struct call_trace_function *fn, struct invocation *inv, struct bytes *lines);

/** After it, with its events as they were. @param r  NULL: it was cancelled */
void call_trace_end(const struct call_trace_function *fn, const struct invocation *inv,
                    const struct response *r);

/** An event is delivered, or its dead letter is stored. */
void call_trace_settled(const struct call_trace_function *fn, const struct work_item *item,
                        bool is_delivered);

#endif
