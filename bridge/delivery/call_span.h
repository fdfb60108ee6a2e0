// The span of a running call, from its begin to its end: call_trace makes it.
#ifndef BRIDGE_DELIVERY_CALL_SPAN_H
#define BRIDGE_DELIVERY_CALL_SPAN_H

#include "core/trace/trace_context.h"

/** Embedded; zero-initialised: the call has none. */
struct call_span {
    bool is_made;
    bool has_parent;
    uint8_t parent_span_id[TRACE_SPAN_ID_BYTES];
    struct trace_context context;
    int64_t started_ns;
};

#endif
