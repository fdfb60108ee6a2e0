// The trace that a record carries: its headers traceparent and tracestate.
#ifndef BRIDGE_INTAKE_RECORD_TRACE_H
#define BRIDGE_INTAKE_RECORD_TRACE_H

#include "bridge/intake/record.h"
#include "core/trace/trace_context.h"

struct record_trace {
    struct trace_headers headers;  // in the record
    struct trace_context context;
};

/** False: the record has no valid traceparent; then *ret is zero. */
bool record_trace_read(const struct record *r, struct record_trace *ret);

#endif
