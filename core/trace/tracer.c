// Source: OTLP 1.3, OTLP/HTTP: POST to URL/v1/traces; 429, 502, 503, 504 and lost connections are sent again.
#include "core/trace/tracer.h"

#include <openssl/rand.h>

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/outage.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"

enum {
    WAITING_BYTES_MAX = 1 << 20,  // spans wait up to this size
    EXPORT_BYTES = 256 << 10,     // from this size on they are exported at once
    EXPORT_AFTER_MS = 1000,       // else so long after the first one
    STOP_MS = 1000,
};
#define EXPORT_TIMEOUT_US (10 * CLOCK_US_PER_S)
#define RETRY_MAX_US (30 * CLOCK_US_PER_S)

struct tracer {
    struct http_client *client;
    struct http_head *head;
    struct http_call *call;  // NULL: none runs
    struct bytes resource;
    struct span_writer writer;
    struct bytes waiting;  // encoded spans
    size_t waiting_count;
    struct bytes sending;  // the request that runs, or is to be sent again; size 0: none
    size_t sending_count;
    uint64_t random[2];
    struct backoff backoff;
    struct outage outage;
    uv_timer_t due;
    uv_timer_t stop_limit;
    int handles_open;
    bool is_stopping;
    struct metric *exported;
    struct metric *dropped;
};

static void advance(struct tracer *t);

static uint64_t next_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);  // SplitMix64
    return trace_context_mix(*seed);
}

uint64_t tracer_seed(const struct tracer *t)
{
    return t->random[1] | 1;
}

void tracer_new_context(struct tracer *t, const struct trace_context *parent, struct trace_context *ret)
{
    uint64_t id[2] = {next_random(&t->random[0]), next_random(&t->random[0]) | 1};
    uint64_t span = next_random(&t->random[0]) | 1;
    *ret = (struct trace_context){.flags = TRACE_FLAG_SAMPLED};
    memcpy(ret->trace_id, parent == NULL ? (const void *)id : (const void *)parent->trace_id, TRACE_ID_BYTES);
    memcpy(ret->span_id, &span, TRACE_SPAN_ID_BYTES);
}

void tracer_drop(struct tracer *t, size_t count)
{
    metric_add(t->dropped, (double)count);
}

static bool has_room(const struct tracer *t)
{
    return t->waiting.size < WAITING_BYTES_MAX && !t->is_stopping;
}

struct span_writer *tracer_begin(struct tracer *t, const struct span *s)
{
    if (!has_room(t)) {
        tracer_drop(t, 1);
        return NULL;
    }
    span_begin(&t->writer, s);
    return &t->writer;
}

static void note_added(struct tracer *t, size_t count)
{
    t->waiting_count += count;
    advance(t);
}

void tracer_end(struct tracer *t)
{
    span_end(&t->writer, &t->waiting);
    note_added(t, 1);
}

void tracer_add(struct tracer *t, struct slice spans, size_t count)
{
    if (count == 0) {
        return;
    }
    if (!has_room(t)) {
        tracer_drop(t, count);
        return;
    }
    bytes_append_slice(&t->waiting, spans);
    note_added(t, count);
}

// --- export ---

static void on_due(uv_timer_t *timer);
static void finish_stop(struct tracer *t);

static void end_request(struct tracer *t, struct metric *outcome)
{
    metric_add(outcome, (double)t->sending_count);
    bytes_reset(&t->sending);
    t->sending_count = 0;
}

static bool is_again(const struct http_response *r)
{
    return r->transport.kind != FAULT_NONE || r->status == 429 || r->status == 502 || r->status == 503 ||
           r->status == 504;
}

static void note_failure(struct tracer *t, const struct http_response *r)
{
    char text[sizeof(r->transport.text)];
    if (r->transport.kind != FAULT_NONE) {
        (void)snprintf(text, sizeof(text), "%s", r->transport.text);
    } else {
        (void)snprintf(text, sizeof(text), "status %d", r->status);
    }
    if (outage_failed(&t->outage, text)) {
        log_warn(
            "tracing", "export_failed", NULL,
            "the collector does not take spans: %s; they wait in a buffer of 1 MiB, then they are dropped",
            text);
    }
}

static void on_done(void *self, const struct http_response *r)
{
    struct tracer *t = self;
    int64_t after_us;
    t->call = NULL;
    if (r->transport.kind == FAULT_NONE && r->status >= 200 && r->status < 300) {
        end_request(t, t->exported);
        backoff_reset(&t->backoff);
        if (outage_ended(&t->outage, &after_us)) {
            log_info("tracing", "export_restored", NULL, "the collector takes spans again");
        }
    } else {
        note_failure(t, r);
        if (!is_again(r)) {
            end_request(t, t->dropped);
        } else if (!t->is_stopping) {
            int64_t asked_us = r->retry_after_us > RETRY_MAX_US ? RETRY_MAX_US : r->retry_after_us;
            int64_t wait_us = backoff_next_us(&t->backoff);
            wait_us = wait_us > asked_us ? wait_us : asked_us;
            (void)uv_timer_start(&t->due, on_due, (uint64_t)(wait_us / CLOCK_US_PER_MS), 0);
            return;
        }
    }
    if (t->is_stopping && (t->sending.size > 0 || t->waiting.size == 0)) {
        finish_stop(t);
        return;
    }
    advance(t);
}

static void begin_export(struct tracer *t)
{
    if (t->sending.size == 0) {
        spans_write_request(&t->sending, bytes_slice(&t->resource), bytes_slice(&t->waiting));
        t->sending_count = t->waiting_count;
        t->waiting_count = 0;
        bytes_reset(&t->waiting);
    }
    const struct http_request request = {
        .head = t->head, .body = bytes_slice(&t->sending), .timeout_us = EXPORT_TIMEOUT_US};
    (void)uv_timer_stop(&t->due);
    t->call = http_client_send(t->client, &request, on_done, t);
}

static void on_due(uv_timer_t *timer)
{
    struct tracer *t = timer->data;
    if (t->call == NULL && (t->sending.size > 0 || t->waiting.size > 0)) {
        begin_export(t);
    }
}

// Exports now, or starts the timer. While a request waits to be sent again, its timer runs.
static void advance(struct tracer *t)
{
    bool is_idle = t->call == NULL && t->sending.size == 0;
    if (!is_idle || t->waiting.size == 0) {
        return;
    }
    if (t->is_stopping || t->waiting.size >= EXPORT_BYTES) {
        (void)uv_timer_start(&t->due, on_due, 0, 0);  // not inside the caller's work
    } else if (!uv_is_active((uv_handle_t *)&t->due)) {
        (void)uv_timer_start(&t->due, on_due, EXPORT_AFTER_MS, 0);
    }
}

// --- start, stop ---

static bool make_head(struct tracer *t, const struct settings *settings, struct fault *f)
{
    const struct text_pairs *more = &settings->tracing.headers;
    struct http_header *headers CLEANUP(memory_free_pointer) =
        memory_new((more->count + 1) * sizeof(*headers));
    size_t size = strlen(settings->tracing.url);
    while (size > 0 && settings->tracing.url[size - 1] == '/') {
        size--;
    }
    CLEANUP(memory_free_pointer)
    char *url = memory_format("%.*s/v1/traces", (int)size, settings->tracing.url);
    headers[0] = (struct http_header){"Content-Type", "application/x-protobuf", false};
    for (size_t i = 0; i < more->count; i++) {
        const struct text_pair *pair = &more->items[i];
        headers[i + 1] = (struct http_header){pair->key, pair->value, pair->is_secret};
    }
    const struct http_head_params params = {
        .method = "POST", .url = url, .headers = headers, .header_count = more->count + 1};
    return http_head_new(&params, &t->head, f);
}

static void on_closed(uv_handle_t *handle)
{
    struct tracer *t = handle->data;
    if (--t->handles_open == 0) {
        http_head_free(t->head);
        bytes_clear(&t->resource);
        span_writer_clear(&t->writer);
        bytes_clear(&t->waiting);
        bytes_clear(&t->sending);
        free(t);
    }
}

static void finish_stop(struct tracer *t)
{
    tracer_drop(t, t->sending_count + t->waiting_count);
    http_client_free(TAKE(t->client));
    uv_close((uv_handle_t *)&t->due, on_closed);
    uv_close((uv_handle_t *)&t->stop_limit, on_closed);
}

static void on_stop_limit(uv_timer_t *timer)
{
    finish_stop(timer->data);
}

bool tracer_start(const struct tracer_params *params, struct tracer **ret, struct fault *f)
{
    *ret = NULL;
    if (params->settings->tracing.url == NULL) {
        return true;
    }
    struct tracer *t = memory_zeroed(1, sizeof(*t));
    if (!make_head(t, params->settings, f)) {
        free(t);
        return fault_context(f, "millrace.yaml: tracing.otlp");
    }
    INVARIANT(RAND_bytes((uint8_t *)t->random, sizeof(t->random)) == 1);
    t->client = http_client_new(params->loop, &(const struct http_client_params){.connections_max = 1});
    t->backoff = backoff_make(CLOCK_US_PER_S, RETRY_MAX_US);
    span_resource_text(&t->resource, "service.name", "millrace");
    span_resource_text(&t->resource, "service.version", MILLRACE_VERSION);
    span_resource_text(&t->resource, "service.instance.id", params->instance);
    static const char HELP[] = "Spans for the collector, by what became of them.";
    static const char NAME[] = "millrace_spans_total";
    t->exported = metrics_series(params->metrics, METRIC_COUNTER, NAME, HELP, "outcome=\"exported\"");
    t->dropped = metrics_series(params->metrics, METRIC_COUNTER, NAME, HELP, "outcome=\"dropped\"");
    uv_timer_t *timers[] = {&t->due, &t->stop_limit};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        (void)uv_timer_init(params->loop, timers[i]);
        timers[i]->data = t;
    }
    t->handles_open = COUNT_OF(timers);
    *ret = t;
    return true;
}

void tracer_stop(struct tracer *t)
{
    if (t == NULL) {
        return;
    }
    t->is_stopping = true;
    if (t->call == NULL && t->sending.size == 0 && t->waiting.size == 0) {
        finish_stop(t);
        return;
    }
    (void)uv_timer_start(&t->stop_limit, on_stop_limit, STOP_MS, 0);
    if (t->call == NULL) {
        begin_export(t);
    }
}
