// Attributes: OpenTelemetry's semantic conventions 1.27 for messaging, Kafka and HTTP clients.
#include "bridge/delivery/call_trace.h"

#include <stdio.h>

#include "bridge/delivery/invoke.h"
#include "bridge/intake/record_trace.h"
#include "core/base/clock.h"

enum { LINKS_MAX = 1024 };

static int64_t wall_ns_of(int64_t now_us)
{
    return clock_wall_ns() - (clock_now_us() - now_us) * 1000;
}

/** Whether the event's trace is recorded. */
static bool read_sampled(const struct work_item *item, struct record_trace *ret)
{
    return item->record != NULL && record_trace_read(item->record, ret) &&
           (ret->context.flags & TRACE_FLAG_SAMPLED) != 0;
}

/** The id of the event's span. It is computed, so that events need no memory for it. */
static void consume_span_id(const struct call_trace_function *fn, const struct work_item *item, uint8_t *ret)
{
    const struct record *r = item->record;
    uint64_t x = tracer_seed(fn->tracer) ^ text_hash(r->id) ^ (text_hash(slice_of(fn->config->name)) << 1) ^
                 ((uint64_t)r->arrived_us << 20);
    x = trace_context_mix(x) | 1;
    memcpy(ret, &x, TRACE_SPAN_ID_BYTES);
}

// --- the call's headers ---

static void put_line(struct bytes *lines, const char *name, struct slice value)
{
    if (value.size > 0) {
        bytes_append_string(lines, lines->size > 0 ? "\r\n" : "");
        bytes_append_string(lines, name);
        bytes_append_slice(lines, value);
    }
}

/** Whether all events of the call have the same trace; *ret is that. */
static bool read_common(const struct invocation *inv, struct record_trace *ret)
{
    if (!record_trace_read(inv->first->record, ret)) {
        return false;
    }
    for (const struct work_item *item = inv->first->next; item != NULL; item = item->next) {
        struct record_trace other;
        if (!record_trace_read(item->record, &other) ||
            !slice_equal(other.headers.traceparent, ret->headers.traceparent)) {
            return false;
        }
    }
    return true;
}

static bool has_sampled(const struct invocation *inv)
{
    struct record_trace trace;
    for (const struct work_item *item = inv->first; item != NULL; item = item->next) {
        if (read_sampled(item, &trace)) {
            return true;
        }
    }
    return false;
}

static void begin_span(const struct call_trace_function *fn, struct invocation *inv,
                       const struct record_trace *common)
{
    struct call_span *t = &inv->span;
    t->is_made = true;
    t->started_ns = clock_wall_ns();
    t->has_parent = common != NULL;
    tracer_new_context(fn->tracer, common == NULL ? NULL : &common->context, &t->context);
    if (common != NULL && inv->event_count == 1) {
        consume_span_id(fn, inv->first, t->parent_span_id);
    } else if (common != NULL) {
        memcpy(t->parent_span_id, common->context.span_id, TRACE_SPAN_ID_BYTES);
    }
}

void call_trace_begin(const struct call_trace_function *fn, struct invocation *inv, struct bytes *lines)
{
    struct record_trace trace;
    char text[TRACE_PARENT_CHARS];
    bool is_common = read_common(inv, &trace);
    if (fn->tracer != NULL && has_sampled(inv)) {
        begin_span(fn, inv, is_common ? &trace : NULL);
        trace_context_write(&inv->span.context, text);
        put_line(lines, "traceparent: ", slice_make(text, sizeof(text)));
    } else if (is_common) {
        put_line(lines, "traceparent: ", trace.headers.traceparent);
    }
    if (is_common) {
        put_line(lines, "tracestate: ", trace.headers.tracestate);
    }
}

// --- spans ---

static void put_messaging(const struct call_trace_function *fn, struct span_writer *w, const struct record *r,
                          bool is_single)
{
    span_text(w, "messaging.system", slice_of("kafka"));
    span_text(w, "messaging.operation.type", slice_of("process"));
    span_text(w, "messaging.destination.name", slice_of(record_origin(r)));
    CLEANUP(memory_free_pointer) char *group = memory_format("millrace.%s", fn->config->name);
    span_text(w, "messaging.consumer.group.name", slice_of(group));
    span_text(w, "millrace.function", slice_of(fn->config->name));
    if (is_single) {
        char partition[16];
        struct record_place place = record_place(r);
        (void)snprintf(partition, sizeof(partition), "%d", place.partition);
        span_text(w, "messaging.destination.partition.id", slice_of(partition));
        span_number(w, "messaging.kafka.offset", place.offset);
        span_text(w, "millrace.event_id", r->id);
    }
}

/** The name of what went wrong; NULL: nothing. */
static const char *error_of(const struct response *r, char *text, size_t size)
{
    if (r == NULL) {
        return "cancelled";
    }
    if (r->failure != NULL) {
        return r->failure;
    }
    if (r->transport.kind != FAULT_NONE) {
        return r->is_timeout ? "timeout" : r->is_sent ? "connection_lost" : "unreachable";
    }
    (void)snprintf(text, size, "%d", r->status);
    return r->status >= 200 && r->status < 300 ? NULL : text;
}

static void put_response(const struct call_trace_function *fn, struct span_writer *w,
                         const struct response *r, const char *error)
{
    if (fn->config->endpoint == FUNCTION_ENDPOINT_HTTP) {
        span_text(w, "http.request.method", slice_of(function_config_method(fn->config)));
        if (r != NULL && r->transport.kind == FAULT_NONE) {
            span_number(w, "http.response.status_code", r->status);
        }
    }
    if (error != NULL) {
        span_text(w, "error.type", slice_of(error));
    }
}

static void put_links(struct span_writer *w, const struct invocation *inv)
{
    size_t count = 0;
    struct record_trace trace;
    for (const struct work_item *item = inv->first; item != NULL; item = item->next) {
        if (record_trace_read(item->record, &trace) && count++ < LINKS_MAX) {
            span_link(w, &trace.context, trace.headers.tracestate);
        }
    }
    if (count > LINKS_MAX) {
        span_dropped_links(w, count - LINKS_MAX);
    }
}

void call_trace_end(const struct call_trace_function *fn, const struct invocation *inv,
                    const struct response *r)
{
    const struct call_span *t = &inv->span;
    if (!t->is_made || fn->tracer == NULL) {
        return;
    }
    char status[16];
    const char *error = error_of(r, status, sizeof(status));
    const struct span span = {
        .context = t->context,
        .parent_span_id = t->has_parent ? t->parent_span_id : NULL,
        .name = "invoke",
        .name_object = fn->config->name,
        .kind = SPAN_CLIENT,
        .start_ns = t->started_ns,
        .end_ns = clock_wall_ns(),
        .is_failed = error != NULL,
        .error = r != NULL && r->transport.kind != FAULT_NONE ? r->transport.text : NULL,
    };
    struct span_writer *w = tracer_begin(fn->tracer, &span);
    if (w == NULL) {
        return;
    }
    put_messaging(fn, w, inv->first->record, inv->event_count == 1);
    put_response(fn, w, r, error);
    if (inv->event_count > 1) {
        span_number(w, "messaging.batch.message_count", (int64_t)inv->event_count);
    }
    if (inv->first->retry.attempts > 0) {
        span_number(w, "http.request.resend_count", inv->first->retry.attempts);
    }
    put_links(w, inv);
    tracer_end(fn->tracer);
}

void call_trace_settled(const struct call_trace_function *fn, const struct work_item *item, bool is_delivered)
{
    struct record_trace trace;
    if (fn->tracer == NULL || !read_sampled(item, &trace)) {
        return;
    }
    struct span span = {
        .tracestate = trace.headers.tracestate,
        .parent_span_id = trace.context.span_id,
        .name = "consume",
        .name_object = record_origin(item->record),
        .kind = SPAN_CONSUMER,
        .start_ns = wall_ns_of(item->record->arrived_us),
        .end_ns = clock_wall_ns(),
        .is_failed = !is_delivered,
    };
    memcpy(span.context.trace_id, trace.context.trace_id, TRACE_ID_BYTES);
    consume_span_id(fn, item, span.context.span_id);
    struct span_writer *w = tracer_begin(fn->tracer, &span);
    if (w != NULL) {
        put_messaging(fn, w, item->record, true);
        span_number(w, "millrace.attempts", (int64_t)item->retry.attempts + (is_delivered ? 1 : 0));
        tracer_end(fn->tracer);
    }
}
