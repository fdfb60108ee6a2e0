#include "bridge/intake/record_trace.h"

static bool find(const rd_kafka_headers_t *headers, const char *name, struct slice *ret)
{
    const void *value;
    size_t size;
    if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    *ret = slice_make(value, size);
    return true;
}

bool record_trace_read(const struct record *r, struct record_trace *ret)
{
    *ret = (struct record_trace){0};
    struct slice text;
    if (r->headers == NULL || !find(r->headers, "traceparent", &text) ||
        !trace_context_read(text, &ret->context)) {
        return false;
    }
    ret->headers.traceparent = text;
    if (find(r->headers, "tracestate", &text) && trace_state_is_valid(text)) {
        ret->headers.tracestate = text;
    }
    return true;
}
