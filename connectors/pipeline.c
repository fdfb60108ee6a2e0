// One connector: its sessions. Changes go from the source through change_flow; safe positions go back. Losing
// the database or Kafka ends the session. The next session begins at the slot's position, after the last
// record of the ended session has reached Kafka or was dropped.
#include "connectors/pipeline.h"

#include <stdio.h>

#include "connectors/change_delivery.h"
#include "connectors/change_flow.h"
#include "connectors/column_memory.h"
#include "connectors/pipeline_metrics.h"
#include "connectors/pipeline_state.h"
#include "connectors/postgres/pg_source.h"
#include "connectors/publisher.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"

enum {
    DRAIN_LIMIT_MS = 20000,
    TICK_MS = 1000,
};

#define REPEAT_LOG_US (30 * CLOCK_US_PER_S)
#define OVERDUE_US (10 * CLOCK_US_PER_S)  // a change waits for its topic: log it

struct pipeline {
    struct pipeline_params params;
    char *component;  // connector/shop
    struct pipeline_state state;

    const struct source_type *source_type;
    struct source *source;
    struct change_delivery *delivery;
    struct change_trace *trace;         // NULL: none
    struct transaction_counts *counts;  // NULL: no records of transactions
    struct column_memory *memory;
    struct known_tables *known;  // NULL: no records of schema changes
    int64_t beat_us;             // when the last heartbeat was published
    struct publisher *publisher;
    struct pipeline_metrics metrics;
    struct change_flow flow;
    uint64_t confirmed;

    struct backoff backoff;
    const char *obstacle;    // why changes of a table wait; lent by the publisher; NULL: none waits for long
    int64_t loss_logged_us;  // connection_lost, last at level warn
    uv_timer_t retry;
    uv_timer_t tick;
    uv_timer_t drain_limit;
    int handles_open;
    bool is_reopen_due;  // the backoff is over; the old sink may still be closing
    bool is_ended;
};

// --- sessions ---

static void note_waiting(struct pipeline *p)
{
    const char *waiting = publisher_waiting(p->publisher);
    waiting = waiting == NULL ? p->obstacle : waiting;
    if (waiting != NULL && p->state.kafka == PIPELINE_KAFKA_FINE) {
        last_error_set(&p->state.error, waiting);
    }
}

static void clear_error(struct pipeline *p)
{
    if (p->state.kafka == PIPELINE_KAFKA_FINE) {
        last_error_clear(&p->state.error);
    }
    note_waiting(p);
}

static void end(struct pipeline *p, const struct fault *f)
{
    if (!p->is_ended) {
        p->is_ended = true;
        p->params.on_end(p->params.self, f);
    }
}

static void fail(struct pipeline *p, const struct fault *f)
{
    if (pipeline_state_is_over(&p->state)) {
        return;
    }
    log_error(p->component, "connector_failed", LOG_WITH(LOG_TEXT("kind", fault_kind_name(f->kind))), "%s",
              f->text);
    last_error_set(&p->state.error, f->text);
    pipeline_state_enter(&p->state, PIPELINE_FAILED, f->text);
    (void)uv_timer_stop(&p->retry);
    change_flow_end(&p->flow);
    end(p, f);
}

static void open_session(struct pipeline *p)
{
    pipeline_state_enter(&p->state, PIPELINE_CONNECTING, "connecting to the database");
    change_flow_begin(&p->flow);
}

// Waiting for the old sink keeps the order of each key: its records come before their repetition.
static void advance_when_quiet(struct pipeline *p)
{
    if (!change_delivery_is_quiet(p->delivery)) {
        return;
    }
    if (p->state.now == PIPELINE_DRAINING) {
        (void)uv_timer_stop(&p->drain_limit);
        change_flow_end(&p->flow);
        pipeline_state_enter(&p->state, PIPELINE_STOPPED, "drained");
        end(p, NULL);
    } else if (p->state.now == PIPELINE_BACKING_OFF && p->is_reopen_due) {
        p->is_reopen_due = false;
        open_session(p);
    }
}

static bool renew_sink(struct pipeline *p, struct fault *f)
{
    publisher_detach(p->publisher);
    if (!change_delivery_renew(p->delivery, f)) {
        return false;
    }
    p->state.kafka = PIPELINE_KAFKA_FINE;  // the new sink finds out by itself
    publisher_attach(p->publisher);
    return true;
}

static void on_retry(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;
    p->is_reopen_due = true;
    advance_when_quiet(p);
}

/** The same error as that of the last attempt, logged less than half a minute ago. */
static bool is_repeated(struct pipeline *p, const char *why)
{
    const struct last_error *last = &p->state.error;
    int64_t now_us = clock_now_us();
    bool is_same = last->is_set && strncmp(last->text, why, sizeof(last->text) - 1) == 0;
    if (is_same && now_us - p->loss_logged_us < REPEAT_LOG_US) {
        return true;
    }
    p->loss_logged_us = now_us;
    return false;
}

static void note_loss(struct pipeline *p, enum change_flow_peer peer, const char *why, int64_t wait_us)
{
    bool is_kafka = peer == CHANGE_FLOW_KAFKA;
    metric_add(is_kafka ? p->metrics.kafka_reconnects : p->metrics.postgres_reconnects, 1);
    log_write(is_repeated(p, why) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, p->component, "connection_lost",
              LOG_WITH(LOG_TEXT("peer", is_kafka ? "kafka" : "postgres"),
                       LOG_NUMBER("retry_ms", wait_us / CLOCK_US_PER_MS)),
              "%s", why);
    last_error_set(&p->state.error, why);
}

static void back_off(struct pipeline *p, enum change_flow_peer peer, const char *why)
{
    int64_t wait_us = backoff_next_us(&p->backoff);
    if (peer == CHANGE_FLOW_NEITHER) {
        log_info(p->component, "stream_restarts", NULL, "%s", why);
    } else {
        note_loss(p, peer, why, wait_us);
    }
    pipeline_state_enter(&p->state, PIPELINE_BACKING_OFF, why);
    p->is_reopen_due = false;
    (void)uv_timer_start(&p->retry, on_retry, (uint64_t)(wait_us / CLOCK_US_PER_MS), 0);
}

// A fault of the source or of the sink ends the session, and so does a source that wants a new one: it is
// retried with backoff, or ends the connector.
// The sink is replaced in both cases: without the lock in the database another copy may publish, and a
// producer that lost a record can't keep the order.
static void end_session(struct pipeline *p, enum change_flow_peer peer, const struct fault *f)
{
    if (pipeline_state_is_over(&p->state)) {
        return;
    }
    struct fault reason = *f;
    if (f->kind != FAULT_RETRY) {
        fail(p, &reason);
        return;
    }
    change_flow_end(&p->flow);
    if (!renew_sink(p, &reason)) {
        fail(p, &reason);
    } else if (p->state.now == PIPELINE_DRAINING) {
        advance_when_quiet(p);
    } else {
        back_off(p, peer, reason.text);
    }
}

// --- callbacks of the flow and the delivery ---

static void on_flow_fault(void *self, enum change_flow_peer peer, const struct fault *f)
{
    end_session(self, peer, f);
}

static void on_turn(void *self)
{
    note_waiting(self);
}

static void on_room(void *self)
{
    struct pipeline *p = self;
    change_flow_run(&p->flow);
}

static bool on_record(void *self, struct fault *f)
{
    struct pipeline *p = self;
    return p->source_type->persist == NULL || p->source_type->persist(p->source, f);
}

static void on_safe(void *self, uint64_t position)
{
    struct pipeline *p = self;
    p->confirmed = position;
    backoff_reset(
        &p->backoff);  // not earlier: a session that fails again at the same change must back off further
    clear_error(p);
    if (change_flow_has_session(&p->flow)) {
        p->source_type->confirm(p->source, position);
    }
}

static void on_quiet(void *self)
{
    advance_when_quiet(self);
}

static void on_sink_fault(void *self, const struct fault *f)
{
    end_session(self, CHANGE_FLOW_KAFKA, f);
}

static bool on_key_demanded(void *self, const char *topic)
{
    struct pipeline *p = self;
    return publisher_demand_key(p->publisher, topic);
}

static void on_reachable(void *self, const char *why)
{
    struct pipeline *p = self;
    if (!pipeline_state_set_reachable(&p->state, why)) {
        return;
    }
    if (why != NULL) {
        metric_add(p->metrics.kafka_reconnects, 1);
    }
    note_waiting(p);
}

static void on_loaded(void *self, const struct source_state *state, const struct fault *f)
{
    struct pipeline *p = self;
    if (!change_flow_has_session(&p->flow)) {
        return;
    }
    if (f != NULL) {
        fail(p, f);
    } else {
        p->source_type->state_loaded(p->source, state);
    }
}

static void on_saved(void *self)
{
    struct pipeline *p = self;
    if (change_flow_has_session(&p->flow)) {
        p->source_type->state_saved(p->source);
    }
}

// --- the source's listener ---

static void on_source_ready(void *self)
{
    struct pipeline *p = self;
    change_flow_run(&p->flow);
}

static void on_source_load_state(void *self)
{
    struct pipeline *p = self;
    change_delivery_load(p->delivery);
}

static void on_source_state(void *self, const struct source_state *state)
{
    struct pipeline *p = self;
    change_delivery_save(p->delivery, state);
}

static void on_source_open(void *self, uint64_t position)
{
    struct pipeline *p = self;
    p->confirmed = position;
    publisher_begin_session(p->publisher);
    change_delivery_begin_session(p->delivery, position);
    change_flow_run(&p->flow);
}

static void on_source_fault(void *self, const struct fault *f)
{
    end_session(self, CHANGE_FLOW_SOURCE, f);
}

static void on_source_restart(void *self, const struct fault *why)
{
    end_session(self, CHANGE_FLOW_NEITHER, why);
}

static void on_source_table(void *self, const char *topic)
{
    struct pipeline *p = self;
    publisher_prepare(p->publisher, topic);
}

static void on_source_version(void *self, struct table *table)
{
    struct pipeline *p = self;
    publisher_prepare_version(p->publisher, table);
}

static void on_source_phase(void *self, const char *phase, const char *detail)
{
    struct pipeline *p = self;
    enum pipeline_state_name to;
    if (p->state.now == PIPELINE_DRAINING || !pipeline_state_find(phase, &to)) {
        return;
    }
    pipeline_state_enter(&p->state, to, detail == NULL ? phase : detail);
    if (to == PIPELINE_STREAMING) {
        clear_error(p);
    }
}

// --- start, drain, free ---

// Records that Kafka does not acknowledge, or a change that waits for its topic or schemas and holds up all
// tables.
static void note_overdue(struct pipeline *p)
{
    int64_t age_us = change_delivery_oldest_us(p->delivery);
    int64_t held_us = 0;
    const char *why = change_delivery_overdue(p->delivery);
    const char *obstacle = publisher_obstacle(p->publisher, &held_us);
    p->obstacle = held_us > OVERDUE_US ? obstacle : NULL;
    if (why == NULL && p->obstacle != NULL && publisher_is_held_up(p->publisher)) {
        why = p->obstacle;
        age_us = held_us;
    }
    pipeline_state_set_overdue(&p->state, why, age_us);
    note_waiting(p);
}

// A heartbeat that does not get through now is left out: the next one says as much.
static void beat(struct pipeline *p)
{
    int64_t interval_us = p->params.config->heartbeat.interval_us;
    struct fault f = {0};
    if (interval_us == 0 || p->state.now != PIPELINE_STREAMING || clock_now_us() - p->beat_us < interval_us) {
        return;
    }
    p->beat_us = clock_now_us();
    if (!publisher_heartbeat(p->publisher, &f) || change_delivery_flush(p->delivery, &f) == SINK_FAULT) {
        end_session(p, CHANGE_FLOW_KAFKA, &f);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;
    struct source_lag lag = {0};
    p->source_type->lag(p->source, &lag);
    pipeline_metrics_lag(&p->metrics, &lag);
    metric_set(p->metrics.in_flight_records, (double)change_delivery_in_flight(p->delivery));
    metric_set(p->metrics.oldest_in_flight_seconds,
               (double)change_delivery_oldest_us(p->delivery) / (double)CLOCK_US_PER_S);
    metric_set(p->metrics.held_records, (double)publisher_held(p->publisher));
    note_overdue(p);
    beat(p);
}

static void init_handles(struct pipeline *p)
{
    uv_loop_t *loop = p->params.loop;
    uv_timer_t *timers[] = {&p->retry, &p->tick, &p->drain_limit};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        (void)uv_timer_init(loop, timers[i]);
        timers[i]->data = p;
    }
    change_flow_init(&p->flow, loop);
    p->handles_open = COUNT_OF(timers) + 1;
}

static bool open_source(struct pipeline *p, struct fault *f)
{
    struct source_listener listener = {.on_ready = on_source_ready,
                                       .on_load_state = on_source_load_state,
                                       .on_open = on_source_open,
                                       .on_fault = on_source_fault,
                                       .on_restart = on_source_restart,
                                       .on_state = on_source_state,
                                       .on_table = on_source_table,
                                       .on_version = on_source_version,
                                       .on_phase = on_source_phase,
                                       .self = p,
                                       .memory = p->memory};
    p->source_type = p->params.source_type == NULL ? &pg_source_type : p->params.source_type;
    return p->source_type->make(p->params.config, settings_state_directory(p->params.settings),
                                p->params.loop, &listener, &p->source, f);
}

static bool open_delivery(struct pipeline *p, struct fault *f)
{
    struct change_delivery_params params = {.loop = p->params.loop,
                                            .settings = p->params.settings,
                                            .connector = p->params.config->name,
                                            .commit_to_ack_seconds = p->metrics.commit_to_ack_seconds,
                                            .trace = p->trace,
                                            .known = p->known,
                                            .memory = p->memory,
                                            .listener = {.on_safe = on_safe,
                                                         .on_record = on_record,
                                                         .on_room = on_room,
                                                         .on_quiet = on_quiet,
                                                         .on_fault = on_sink_fault,
                                                         .on_key_demanded = on_key_demanded,
                                                         .on_reachable = on_reachable,
                                                         .on_loaded = on_loaded,
                                                         .on_saved = on_saved,
                                                         .self = p}};
    if (!change_delivery_open(&params, &p->delivery, f)) {
        return false;
    }
    struct publisher_params publishing = {.loop = p->params.loop,
                                          .config = p->params.config,
                                          .registry = p->params.registry,
                                          .component = p->component,
                                          .kind = p->source_type->kind,
                                          .metrics = &p->metrics,
                                          .delivery = p->delivery,
                                          .counts = p->counts,
                                          .known = p->known,
                                          .on_ready = on_room,
                                          .self = p};
    p->publisher = publisher_new(&publishing);
    p->flow.source_type = p->source_type;
    p->flow.source = p->source;
    p->flow.delivery = p->delivery;
    p->flow.publisher = p->publisher;
    p->flow.trace = p->trace;
    p->flow.counts = p->counts;
    p->flow.listener.on_fault = on_flow_fault;
    p->flow.listener.on_turn = on_turn;
    p->flow.listener.self = p;
    return true;
}

bool pipeline_start(const struct pipeline_params *params, struct pipeline **ret, struct fault *f)
{
    struct pipeline *p = memory_zeroed(1, sizeof(*p));
    p->params = *params;
    p->component = memory_format("connector/%s", params->config->name);
    p->backoff = backoff_make(200 * CLOCK_US_PER_MS, 30 * CLOCK_US_PER_S);
    pipeline_metrics_init(&p->metrics, params->metrics, params->config->name);
    p->trace =
        change_trace_new(params->tracer, params->config->name, settings_trace_sample(params->settings));
    p->counts = params->config->transactions.topic ? transaction_counts_new() : NULL;
    p->known = params->config->schema_changes.topic ? known_tables_new(params->config->name) : NULL;
    p->memory = column_memory_new(params->config->name);
    p->state = (struct pipeline_state){.component = p->component, .metric = p->metrics.state};
    init_handles(p);
    if (!open_source(p, f) || !open_delivery(p, f)) {
        pipeline_free(p);
        return fault_context(f, "connector %s", params->config->name);
    }
    (void)uv_timer_start(&p->tick, on_tick, TICK_MS, TICK_MS);
    open_session(p);
    *ret = p;
    return true;
}

static void on_drain_limit(uv_timer_t *timer)
{
    struct pipeline *p = timer->data;
    log_warn(p->component, "drain_cut_short",
             LOG_WITH(LOG_NUMBER("in_flight", change_delivery_in_flight(p->delivery))),
             "Kafka did not acknowledge everything in time; the rest is read again at the next start");
    change_flow_end(&p->flow);
    pipeline_state_enter(&p->state, PIPELINE_STOPPED, "drain cut short");
    end(p, NULL);
}

void pipeline_drain(struct pipeline *p)
{
    if (p->state.now == PIPELINE_DRAINING || pipeline_state_is_over(&p->state)) {
        return;
    }
    (void)uv_timer_stop(&p->retry);
    change_flow_drain(&p->flow);
    pipeline_state_enter(&p->state, PIPELINE_DRAINING, "asked to stop");
    (void)uv_timer_start(&p->drain_limit, on_drain_limit, DRAIN_LIMIT_MS, 0);
    change_delivery_drain(p->delivery);
    advance_when_quiet(p);
}

void pipeline_status(const struct pipeline *p, struct bytes *out)
{
    struct source_lag lag = {0};
    p->source_type->lag(p->source, &lag);
    bytes_append_string(out, "{\"name\":");
    text_append_json(out, slice_of(p->params.config->name));
    bytes_append_string(out, ",");
    pipeline_state_write(&p->state, out);
    bytes_format(out,
                 ",\"failures\":%u,\"confirmed_lsn\":\"%X/%X\",\"slot_lag_bytes\":%lu,\"lag_seconds\":%.3f,"
                 "\"in_flight\":%zu,\"oldest_in_flight_seconds\":%.3f,\"held\":%zu,\"differing_topics\":%zu}",
                 p->backoff.failures, (uint32_t)(p->confirmed >> 32), (uint32_t)p->confirmed,
                 lag.slot_lag_bytes, (double)lag.lag_us / (double)CLOCK_US_PER_S,
                 change_delivery_in_flight(p->delivery),
                 (double)change_delivery_oldest_us(p->delivery) / (double)CLOCK_US_PER_S,
                 publisher_held(p->publisher), publisher_differing(p->publisher));
}

bool pipeline_is_ready(const struct pipeline *p)
{
    return p->state.shown == PIPELINE_STREAMING && publisher_waiting(p->publisher) == NULL &&
           p->obstacle == NULL;
}

static void release(struct pipeline *p)
{
    if (--p->handles_open == 0) {
        free(p);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void on_flow_closed(uv_handle_t *handle)
{
    release(CONTAINER_OF((struct change_flow *)handle->data, struct pipeline, flow));
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL) {
        return;
    }
    if (p->source != NULL) {
        p->source_type->free(p->source);
    }
    publisher_free(p->publisher);
    change_delivery_free(p->delivery);
    change_trace_free(p->trace);
    transaction_counts_free(p->counts);
    known_tables_free(p->known);
    column_memory_free(p->memory);
    free(p->component);
    uv_close((uv_handle_t *)&p->retry, on_handle_closed);
    uv_close((uv_handle_t *)&p->tick, on_handle_closed);
    uv_close((uv_handle_t *)&p->drain_limit, on_handle_closed);
    change_flow_close(&p->flow, on_flow_closed);
}
