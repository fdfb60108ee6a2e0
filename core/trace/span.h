// Spans as OTLP has them: encoded one by one as protobuf, ready to be joined into an export request.
#ifndef CORE_TRACE_SPAN_H
#define CORE_TRACE_SPAN_H

#include "core/trace/trace_context.h"

/** Values as in OTLP's Span.SpanKind. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_CLIENT = 3, SPAN_PRODUCER = 4, SPAN_CONSUMER = 5 };

/** All is lent for the call. */
struct span {
    struct trace_context context;
    const uint8_t *parent_span_id;  // NULL: it begins the trace
    struct slice tracestate;
    const char *name;
    const char *name_object;  // the name's second word; NULL: none
    enum span_kind kind;
    int64_t start_ns;   // Unix nanoseconds
    int64_t end_ns;     // 0: set later by spans_set_end
    const char *error;  // what failed; NULL: nothing
    bool is_failed;     // with or without `error`
};

/** Writes spans one after another. Zero-initialised is valid. */
struct span_writer {
    struct bytes body;  // of the span that is being written
    int64_t end_ns;
};

void span_begin(struct span_writer *w, const struct span *s);

/** Attributes and links, between begin and end. Text that is not UTF-8 is left out. */
void span_text(struct span_writer *w, const char *key, struct slice value);
void span_number(struct span_writer *w, const char *key, int64_t value);
void span_link(struct span_writer *w, const struct trace_context *to, struct slice tracestate);

/** How many links were left out. */
void span_dropped_links(struct span_writer *w, size_t count);

/** Appends the span to a list of spans. */
void span_end(struct span_writer *w, struct bytes *spans);

/** Sets the end of all spans of a list that have none yet. */
void spans_set_end(struct bytes *spans, int64_t end_ns);

void span_writer_clear(struct span_writer *w);

/** A resource's attribute, appended to `resource`. */
void span_resource_text(struct bytes *resource, const char *key, const char *value);

/** Appends an ExportTraceServiceRequest: the resource's attributes and a list of spans. */
void spans_write_request(struct bytes *out, struct slice resource, struct slice spans);

#endif
