// The life around the flow: starting, losing PostgreSQL or Kafka and coming back, draining, status. The state
// record: pipeline_record.c.
#include <stdio.h>

#include "connectors/pipeline_private.h"
#include "connectors/postgres/pg_source.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"

enum { PIPELINE_DRAIN_LIMIT_MS = 20000, PIPELINE_TICK_MS = 1000 };

static const char *pipeline_state_name(enum pipeline_state state)
{
    static const char *const names[] = {
#define X(name, text) [PIPELINE_##name] = (text),
        PIPELINE_STATES(X)
#undef X
    };
    return names[state];
}

#define BIT(state) (1U << PIPELINE_##state)
static const uint32_t pipeline_running =
    BIT(CONNECTING) | BIT(WAITING_FOR_SLOT) | BIT(SNAPSHOTTING) | BIT(STREAMING);
static const uint32_t pipeline_leaving = BIT(BACKING_OFF) | BIT(DRAINING) | BIT(FAILED);

// Where each state may go.
static uint32_t pipeline_allowed(enum pipeline_state from)
{
    switch (from) {
    case PIPELINE_STARTING:
        return BIT(CONNECTING) | pipeline_leaving;
    case PIPELINE_CONNECTING:
    case PIPELINE_WAITING_FOR_SLOT:
    case PIPELINE_SNAPSHOTTING:
    case PIPELINE_STREAMING:
        return pipeline_running | pipeline_leaving;
    case PIPELINE_BACKING_OFF:
        return BIT(CONNECTING) | BIT(BACKING_OFF) | BIT(DRAINING) | BIT(FAILED);
    case PIPELINE_DRAINING:
        return BIT(STOPPED) | BIT(FAILED);
    case PIPELINE_STOPPED:
    case PIPELINE_FAILED:
        return 0;
    }
    return 0;
}
#undef BIT

void pipeline_enter(struct pipeline *p, enum pipeline_state to, const char *why)
{
    (void)snprintf(p->detail, sizeof(p->detail), "%s", why);
    if (p->state == to) {
        return;
    }
    INVARIANT((pipeline_allowed(p->state) & (1U << to)) != 0);
    log_info(
        p->component, "state_changed",
        LOG_WITH(LOG_TEXT("from", pipeline_state_name(p->state)), LOG_TEXT("to", pipeline_state_name(to))),
        "%s -> %s (%s)", pipeline_state_name(p->state), pipeline_state_name(to), why);
    p->state = to;
    metric_set(p->metrics.state, (double)to);
}

static void pipeline_end(struct pipeline *p, const struct fault *f)
{
    if (!p->is_ended) {
        p->is_ended = true;
        p->params.on_end(p->params.self, f);
    }
}

static void pipeline_close_source(struct pipeline *p)
{
    p->has_change = false;
    p->is_in_transaction = false;
    p->has_pending = false;
    p->is_paused = false;
    p->is_source_open = false;
    (void)uv_idle_stop(&p->again);
    p->source_type->close(p->source);
}

void pipeline_fail(struct pipeline *p, const struct fault *f)
{
    if (p->state == PIPELINE_FAILED || p->state == PIPELINE_STOPPED) {
        return;
    }
    log_error(p->component, "connector_failed", LOG_WITH(LOG_TEXT("kind", fault_kind_name(f->kind))), "%s",
              f->text);
    pipeline_enter(p, PIPELINE_FAILED, f->text);
    (void)uv_timer_stop(&p->retry);
    pipeline_close_source(p);
    pipeline_end(p, f);
}

static void pipeline_on_source_phase(void *self, const char *phase, const char *detail)
{
    struct pipeline *p = self;
    static const enum pipeline_state phases[] = {PIPELINE_CONNECTING, PIPELINE_WAITING_FOR_SLOT,
                                                 PIPELINE_SNAPSHOTTING, PIPELINE_STREAMING};
    for (size_t i = 0; i < COUNT_OF(phases); i++) {
        if (p->state != PIPELINE_DRAINING && strcmp(phase, pipeline_state_name(phases[i])) == 0) {
            pipeline_enter(p, phases[i], detail == NULL ? phase : detail);
        }
    }
}

static void pipeline_on_source_table(void *self, const char *topic)
{
    struct pipeline *p = self;
    (void)topic_routes_find_bare(p->routes, topic, &p->params.config->topics.config);
}

// Where the server stands is the truth: one that was restored or failed over may stand before what was
// confirmed.
static void pipeline_on_source_open(void *self, uint64_t position)
{
    struct pipeline *p = self;
    watermark_clear(&p->watermark);
    watermark_init(&p->watermark, position, PIPELINE_TRANSACTIONS_MAX);
    p->confirmed = position;
    pipeline_pump(p);
}

static void pipeline_on_source_ready(void *self)
{
    pipeline_pump(self);
}

static void pipeline_on_source_fault(void *self, const struct fault *f)
{
    pipeline_lost(self, "postgres", f);
}

static void pipeline_on_route_change(void *self)
{
    pipeline_pump(self);
}

static void pipeline_connect(struct pipeline *p)
{
    watermark_clear(&p->watermark);
    watermark_init(&p->watermark, p->confirmed, PIPELINE_TRANSACTIONS_MAX);
    pipeline_enter(p, PIPELINE_CONNECTING, "connecting to the database");
    p->is_source_open = true;
    p->source_type->open(p->source);
}

// Waiting for the last acknowledgements before a new start keeps each key's order: what was read is on Kafka
// first; and so is what was to be remembered, before the record is read again.
void pipeline_when_settled(struct pipeline *p)
{
    if (kafka_sink_in_flight(p->sink) > 0) {
        return;
    }
    if (p->state == PIPELINE_DRAINING) {
        (void)uv_timer_stop(&p->drain_limit);
        pipeline_close_source(p);
        pipeline_enter(p, PIPELINE_STOPPED, "drained");
        pipeline_end(p, NULL);
    } else if (p->state == PIPELINE_BACKING_OFF && p->is_reopen_due && p->state_writes == 0) {
        p->is_reopen_due = false;
        pipeline_connect(p);
    }
}

static void pipeline_on_retry(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;
    p->is_reopen_due = true;
    pipeline_when_settled(p);
}

static void pipeline_on_sink_fault(void *self, const struct fault *f)
{
    pipeline_lost(self, "kafka", f);
}

static bool pipeline_open_sink(struct pipeline *p, struct fault *f)
{
    struct kafka_sink_listener listener = {.on_settled = pipeline_on_settled,
                                           .on_room = pipeline_on_room,
                                           .on_batch = pipeline_on_batch,
                                           .on_fault = pipeline_on_sink_fault,
                                           .self = p};
    if (!kafka_sink_open(p->params.loop, p->params.settings, &listener, &p->sink, f)) {
        return false;
    }
    topic_routes_attach(p->routes, p->sink);
    return true;
}

// A producer that lost a record can't keep order any more: a new one resends from the confirmed position.
static bool pipeline_renew_sink(struct pipeline *p, struct fault *f)
{
    struct kafka_sink *old = p->sink;
    p->sink = NULL;
    topic_routes_attach(p->routes, NULL);
    kafka_sink_close(old);
    return pipeline_open_sink(p, f);
}

void pipeline_lost(struct pipeline *p, const char *peer, const struct fault *f)
{
    if (p->state == PIPELINE_FAILED || p->state == PIPELINE_STOPPED) {
        return;
    }
    if (f->kind != FAULT_RETRY) {
        pipeline_fail(p, f);
        return;
    }
    struct fault reason = *f;
    bool is_kafka = strcmp(peer, "kafka") == 0;
    pipeline_close_source(p);
    if (is_kafka && !pipeline_renew_sink(p, &reason)) {
        pipeline_fail(p, &reason);
        return;
    }
    if (p->state == PIPELINE_DRAINING) {
        pipeline_when_settled(p);
        return;
    }
    metric_add(is_kafka ? p->metrics.kafka_reconnects : p->metrics.postgres_reconnects, 1);
    int64_t wait_us = backoff_next_us(&p->backoff);
    log_warn(p->component, "connection_lost",
             LOG_WITH(LOG_TEXT("peer", peer), LOG_NUMBER("retry_ms", wait_us / CLOCK_US_PER_MS)), "%s",
             reason.text);
    pipeline_enter(p, PIPELINE_BACKING_OFF, reason.text);
    p->is_reopen_due = false;
    (void)uv_timer_start(&p->retry, pipeline_on_retry, (uint64_t)(wait_us / CLOCK_US_PER_MS), 0);
}

static void pipeline_on_tick(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;
    struct source_lag lag = {0};
    p->source_type->lag(p->source, &lag);
    pipeline_metrics_lag(&p->metrics, &lag);
    metric_set(p->metrics.in_flight_records, p->sink == NULL ? 0 : (double)kafka_sink_in_flight(p->sink));
}

static void pipeline_init_handles(struct pipeline *p)
{
    uv_loop_t *loop = p->params.loop;
    (void)uv_timer_init(loop, &p->retry);
    (void)uv_timer_init(loop, &p->tick);
    (void)uv_timer_init(loop, &p->drain_limit);
    (void)uv_idle_init(loop, &p->again);
    p->retry.data = p;
    p->tick.data = p;
    p->drain_limit.data = p;
    p->again.data = p;
    p->handles_open = 4;
    (void)uv_timer_start(&p->tick, pipeline_on_tick, PIPELINE_TICK_MS, PIPELINE_TICK_MS);
}

static bool pipeline_open_parts(struct pipeline *p, struct fault *f)
{
    struct topic_routes_params routes = {.loop = p->params.loop,
                                         .registry = p->params.registry,
                                         .partitions = (int)p->params.config->topics.partitions,
                                         .replication = (int)p->params.config->topics.replication,
                                         .config = &p->params.config->topics.config,
                                         .component = p->component,
                                         .on_change = pipeline_on_route_change,
                                         .self = p};
    p->routes = topic_routes_new(&routes);
    struct source_listener listener = {.on_ready = pipeline_on_source_ready,
                                       .on_recall = pipeline_record_on_recall,
                                       .on_open = pipeline_on_source_open,
                                       .on_fault = pipeline_on_source_fault,
                                       .on_state = pipeline_record_on_state,
                                       .on_table = pipeline_on_source_table,
                                       .on_phase = pipeline_on_source_phase,
                                       .self = p};
    p->source_type = p->params.source_type == NULL ? &pg_source_type : p->params.source_type;
    return p->source_type->make(p->params.config, p->params.loop, &listener, &p->source, f) &&
           pipeline_open_sink(p, f) &&
           state_topic_open(p->params.loop, p->params.settings, &p->state_topic, f);
}

bool pipeline_start(const struct pipeline_params *params, struct pipeline **ret, struct fault *f)
{
    struct pipeline *p = memory_zeroed(1, sizeof(*p));
    p->params = *params;
    p->component = memory_format("connector/%s", params->config->name);
    p->backoff = backoff_make(200 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S);
    p->commit_times_us = memory_zeroed(PIPELINE_TRANSACTIONS_MAX, sizeof(*p->commit_times_us));
    text_pairs_set(&p->dead_letter_config, "retention.ms", "-1");
    pipeline_metrics_init(&p->metrics, params->metrics, params->config->name);
    pipeline_init_handles(p);
    if (!pipeline_open_parts(p, f)) {
        pipeline_free(p);
        return fault_context(f, "connector %s", params->config->name);
    }
    pipeline_connect(p);
    *ret = p;
    return true;
}

static void pipeline_on_drain_limit(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;
    log_warn(p->component, "drain_cut_short",
             LOG_WITH(LOG_NUMBER("in_flight", kafka_sink_in_flight(p->sink))),
             "Kafka did not acknowledge everything in time; what is missing is read again at the next start");
    pipeline_close_source(p);
    pipeline_enter(p, PIPELINE_STOPPED, "drain cut short");
    pipeline_end(p, NULL);
}

void pipeline_drain(struct pipeline *p)
{
    if (p->state == PIPELINE_DRAINING || p->state == PIPELINE_STOPPED || p->state == PIPELINE_FAILED) {
        return;
    }
    (void)uv_timer_stop(&p->retry);
    (void)uv_idle_stop(&p->again);
    if (p->is_source_open) {
        p->source_type->pause(p->source);
    }
    pipeline_enter(p, PIPELINE_DRAINING, "asked to stop");
    (void)uv_timer_start(&p->drain_limit, pipeline_on_drain_limit, PIPELINE_DRAIN_LIMIT_MS, 0);
    pipeline_when_settled(p);
}

void pipeline_status(const struct pipeline *p, struct bytes *out)
{
    struct source_lag lag = {0};
    p->source_type->lag(p->source, &lag);
    bytes_append_string(out, "{\"name\":");
    text_append_json(out, slice_of(p->params.config->name));
    bytes_format(out, ",\"state\":\"%s\",\"detail\":", pipeline_state_name(p->state));
    text_append_json(out, slice_of(p->detail));
    bytes_format(
        out, ",\"confirmed_lsn\":\"%X/%X\",\"slot_lag_bytes\":%lu,\"lag_seconds\":%.3f,\"in_flight\":%zu}",
        (uint32_t)(p->confirmed >> 32), (uint32_t)p->confirmed, lag.slot_lag_bytes,
        (double)lag.lag_us / (double)CLOCK_US_PER_S, p->sink == NULL ? 0 : kafka_sink_in_flight(p->sink));
}

bool pipeline_is_ready(const struct pipeline *p)
{
    return p->state == PIPELINE_STREAMING;
}

static void pipeline_on_handle_closed(uv_handle_t *handle)
{
    struct pipeline *p = handle->data;
    if (--p->handles_open == 0) {
        free(p);
    }
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL) {
        return;
    }
    if (p->source != NULL) {
        p->source_type->free(p->source);
    }
    topic_routes_free(p->routes);
    kafka_sink_close(p->sink);
    state_topic_close(p->state_topic);
    watermark_clear(&p->watermark);
    bytes_clear(&p->key);
    bytes_clear(&p->value);
    free(p->commit_times_us);
    free(p->component);
    text_pairs_clear(&p->dead_letter_config);
    uv_close((uv_handle_t *)&p->retry, pipeline_on_handle_closed);
    uv_close((uv_handle_t *)&p->tick, pipeline_on_handle_closed);
    uv_close((uv_handle_t *)&p->drain_limit, pipeline_on_handle_closed);
    uv_close((uv_handle_t *)&p->again, pipeline_on_handle_closed);
}
