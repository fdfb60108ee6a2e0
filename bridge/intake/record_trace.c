#include "bridge/intake/record_trace.h"

bool record_trace_read(const struct record *r, struct record_trace *ret)
{
    *ret = (struct record_trace){0};
    struct slice parent = record_header(r, "traceparent");
    if (!trace_context_read(parent, &ret->context)) {
        return false;
    }
    struct slice state = record_header(r, "tracestate");
    ret->headers.traceparent = parent;
    if (trace_state_is_valid(state)) {
        ret->headers.tracestate = state;
    }
    return true;
}
