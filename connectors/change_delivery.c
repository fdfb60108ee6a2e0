// A transaction's entry in the ledger is opened by its Begin, held by each of its records until Kafka has
// acknowledged it, and sealed by its Commit. The safe position is the end of the settled prefix. It is
// written to the state record before it is confirmed to the database. So a slot beyond the record was
// advanced by something else.
#include "connectors/change_delivery.h"

#include <stdio.h>

#include "connectors/state_store.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/watermark.h"

enum {
    TRANSACTIONS_MAX = 16384,  // open at once: read, and not acknowledged completely
};
#define EXPLAIN_US (2 * CLOCK_US_PER_S)   // the oldest record waits: read why from librdkafka's log
#define OVERDUE_US (10 * CLOCK_US_PER_S)  // log it; a new leader is usually elected by then
enum { OVERDUE_CHECKS = 2 };  // in a row: the first one after this process stood still proves nothing

struct change_delivery {
    struct change_delivery_params params;
    struct kafka_sink *sink;
    size_t sinks_closing;

    struct watermark watermark;
    int64_t commit_times_us[TRANSACTIONS_MAX];  // by ticket, modulo
    uint64_t ticket;                            // of the current transaction
    size_t held;                                // records that wait outside of the sink
    bool is_begin_refused;
    bool is_withholding;

    struct state_store store;
    uint64_t confirmed;
    bool has_session;
    bool is_draining;
    int64_t
        acked_us;  // the newest acknowledgement, or when the first record was put after none was in flight
    int overdue_checks;
    char overdue[600];
    uv_timer_t *due;
    bool is_freed;
};

static void free_when_closed(struct change_delivery *d);

static struct state_record_progress progress_of(const struct change_delivery *d)
{
    return (struct state_record_progress){d->has_session, watermark_safe(&d->watermark), d->watermark.first};
}

static bool is_record_due(const struct change_delivery *d)
{
    struct state_record_progress progress = progress_of(d);
    return state_store_is_due(&d->store, &progress);
}

static enum sink_step publish(struct change_delivery *d, const struct kafka_sink_record *record,
                              struct fault *f)
{
    bool was_idle = kafka_sink_in_flight(d->sink) == 0;
    enum sink_step step = kafka_sink_publish(d->sink, record, f);
    if (was_idle && step == SINK_TAKEN) {
        d->acked_us = clock_now_us();
    }
    return step;
}

// Runs from the loop, never from inside the functions that make the record due.
static void on_due(uv_timer_t *timer)
{
    struct change_delivery *d = timer->data;
    struct fault f = {0};
    if (d->store.record.is_in_flight || !is_record_due(d)) {
        return;
    }
    if (!d->params.listener.on_record(d->params.listener.self, &f)) {
        d->params.listener.on_fault(d->params.listener.self, &f);
        return;
    }
    struct state_record_progress progress = progress_of(d);
    bool was_idle = kafka_sink_in_flight(d->sink) == 0;
    switch (state_store_send(&d->store, d->sink, &progress, &f)) {
    case SINK_TAKEN:
        d->acked_us = was_idle ? clock_now_us() : d->acked_us;
        if (kafka_sink_flush(d->sink, &f) == SINK_FAULT) {
            d->params.listener.on_fault(d->params.listener.self, &f);
        }
        return;
    case SINK_FULL:
        return;  // on_batch tries again
    case SINK_TOO_LARGE:
    case SINK_FAULT:
        d->params.listener.on_fault(d->params.listener.self, &f);
    }
}

// Schedules the state record if it is due; under load at most once a second.
static void advance_record(struct change_delivery *d)
{
    if (d->store.record.is_in_flight || !is_record_due(d)) {
        return;
    }
    struct state_record_progress progress = progress_of(d);
    uint64_t wait_ms = state_record_wait_ms(&d->store.record, &progress, d->is_draining, clock_now_us());
    if (wait_ms == 0 || !uv_is_active((uv_handle_t *)d->due)) {
        (void)uv_timer_start(d->due, on_due, wait_ms, 0);
    }
}

static void confirm(struct change_delivery *d)
{
    uint64_t safe = watermark_safe(&d->watermark);
    uint64_t position = safe < d->store.record.recorded ? safe : d->store.record.recorded;
    if (d->has_session && position > d->confirmed) {
        d->confirmed = position;
        d->params.listener.on_safe(d->params.listener.self, position);
    }
}

static void on_recorded(struct change_delivery *d)
{
    state_record_acknowledged(&d->store.record);
    confirm(d);
    if (state_record_end_save(&d->store.record)) {
        d->params.listener.on_saved(d->params.listener.self);
    }
}

static void on_settled(void *self, uint64_t ticket, uint32_t count)
{
    struct change_delivery *d = self;
    if (ticket == STATE_STORE_RECORD) {
        on_recorded(d);
    } else if (ticket != STATE_STORE_NONE) {
        watermark_release_many(&d->watermark, ticket, count);
        change_trace_settled(d->params.trace, ticket, count);
        int64_t commit_us = d->commit_times_us[ticket % TRANSACTIONS_MAX];
        metric_observe_us(d->params.commit_to_ack_seconds, clock_wall_us() - commit_us);
    }
}

static void notify_if_quiet(struct change_delivery *d)
{
    if (change_delivery_is_quiet(d)) {
        d->params.listener.on_quiet(d->params.listener.self);
    }
}

static void on_batch(void *self)
{
    struct change_delivery *d = self;
    d->acked_us = clock_now_us();
    confirm(d);
    advance_record(d);
    notify_if_quiet(d);
    if (d->is_begin_refused && !watermark_full(&d->watermark)) {
        d->is_begin_refused = false;
        d->params.listener.on_room(d->params.listener.self);
    }
}

static void on_room(void *self)
{
    struct change_delivery *d = self;
    d->params.listener.on_room(d->params.listener.self);
}

static void on_sink_fault(void *self, const struct fault *f)
{
    struct change_delivery *d = self;
    d->params.listener.on_fault(d->params.listener.self, f);
}

static bool on_key_demanded(void *self, const char *topic)
{
    struct change_delivery *d = self;
    return d->params.listener.on_key_demanded(d->params.listener.self, topic);
}

static void on_reachable(void *self, const char *why)
{
    struct change_delivery *d = self;
    d->params.listener.on_reachable(d->params.listener.self, why);
}

static void on_sink_closed(void *self)
{
    struct change_delivery *d = self;
    d->sinks_closing--;
    if (d->is_freed) {
        free_when_closed(d);
    } else {
        notify_if_quiet(d);
    }
}

static void on_loaded(void *self, const struct source_state *state, const struct fault *f)
{
    struct change_delivery *d = self;
    d->params.listener.on_loaded(d->params.listener.self, state, f);
}

static bool open_sink(struct change_delivery *d, struct fault *f)
{
    struct kafka_sink_listener listener = {.on_settled = on_settled,
                                           .on_room = on_room,
                                           .on_batch = on_batch,
                                           .on_fault = on_sink_fault,
                                           .on_key_demanded = on_key_demanded,
                                           .on_reachable = on_reachable,
                                           .on_closed = on_sink_closed,
                                           .self = d};
    return kafka_sink_open(d->params.loop, d->params.settings, &listener, &d->sink, f);
}

static void close_sink(struct change_delivery *d)
{
    if (d->sink != NULL) {
        d->sinks_closing++;
        kafka_sink_close(TAKE(d->sink));
    }
}

bool change_delivery_open(const struct change_delivery_params *params, struct change_delivery **ret,
                          struct fault *f)
{
    struct change_delivery *d = memory_zeroed(1, sizeof(*d));
    d->params = *params;
    d->due = memory_zeroed(1, sizeof(*d->due));
    (void)uv_timer_init(params->loop, d->due);
    d->due->data = d;
    d->store = (struct state_store){.connector = params->connector,
                                    .known = params->known,
                                    .memory = params->memory,
                                    .on_loaded = on_loaded,
                                    .self = d};
    watermark_init(&d->watermark, 0, TRANSACTIONS_MAX);
    if (!open_sink(d, f) || !state_store_open(&d->store, params->loop, params->settings, f)) {
        change_delivery_free(d);
        return false;
    }
    *ret = d;
    return true;
}

struct kafka_sink *change_delivery_sink(struct change_delivery *d)
{
    return d->sink;
}

void change_delivery_begin_session(struct change_delivery *d, uint64_t position)
{
    (void)watermark_restart(&d->watermark, position);
    change_trace_reset(d->params.trace);
    d->is_withholding = false;
    d->held = 0;
    d->confirmed = position;
    state_store_begin_session(&d->store, position);
    d->has_session = true;
    advance_record(d);
}

bool change_delivery_renew(struct change_delivery *d, struct fault *f)
{
    close_sink(d);
    d->has_session = d->is_begin_refused = false;
    change_trace_reset(d->params.trace);
    state_store_drop(&d->store);
    (void)uv_timer_stop(d->due);
    (void)watermark_restart(&d->watermark, d->confirmed);
    return open_sink(d, f);
}

bool change_delivery_begin(struct change_delivery *d, int64_t commit_time_us)
{
    if (d->is_withholding) {
        d->ticket = STATE_STORE_NONE;
        return true;
    }
    if (!watermark_full(&d->watermark)) {
        d->ticket = watermark_open(&d->watermark);
    } else if (d->held > 0) {  // nothing is settled until they are sent, and the other tables go on
        d->ticket = d->watermark.next - 1;
        watermark_reopen(&d->watermark, d->ticket);
    } else {
        d->is_begin_refused = true;
        return false;
    }
    d->commit_times_us[d->ticket % TRANSACTIONS_MAX] = commit_time_us;
    return true;
}

enum sink_step change_delivery_put(struct change_delivery *d, struct kafka_sink_record *record,
                                   struct fault *f)
{
    record->ticket = d->ticket;
    enum sink_step step = publish(d, record, f);
    if (step == SINK_TAKEN && d->ticket != STATE_STORE_NONE) {
        watermark_hold(&d->watermark, d->ticket);
        change_trace_put(d->params.trace, d->ticket);
    }
    return step;
}

uint64_t change_delivery_hold(struct change_delivery *d, size_t count)
{
    for (size_t i = 0; d->ticket != STATE_STORE_NONE && i < count; i++) {
        watermark_hold(&d->watermark, d->ticket);
        change_trace_put(d->params.trace, d->ticket);
    }
    d->held += d->ticket == STATE_STORE_NONE ? 0 : count;
    return d->ticket;
}

uint64_t change_delivery_ticket(const struct change_delivery *d)
{
    return d->ticket;
}

enum sink_step change_delivery_put_held(struct change_delivery *d, struct kafka_sink_record *record,
                                        uint64_t ticket, struct fault *f)
{
    record->ticket = ticket;
    enum sink_step step = publish(d, record, f);
    d->held -= step == SINK_TAKEN && ticket != STATE_STORE_NONE ? 1 : 0;
    return step;
}

void change_delivery_withhold_held(struct change_delivery *d)
{
    d->is_withholding = true;
}

enum sink_step change_delivery_put_apart(struct change_delivery *d, struct kafka_sink_record *record,
                                         struct fault *f)
{
    record->ticket = STATE_STORE_NONE;
    return publish(d, record, f);
}

void change_delivery_withhold(struct change_delivery *d)
{
    if (!d->is_withholding) {
        d->is_withholding = true;
        watermark_hold(&d->watermark, d->ticket);  // never released
    }
}

void change_delivery_commit(struct change_delivery *d, uint64_t position)
{
    if (d->ticket != STATE_STORE_NONE) {
        watermark_mark(&d->watermark, d->ticket, clock_now_us());
        watermark_seal(&d->watermark, d->ticket, position);
        change_trace_commit(d->params.trace);
        advance_record(d);
    }
}

void change_delivery_idle(struct change_delivery *d, uint64_t position)
{
    if (watermark_advance_idle(&d->watermark, position)) {
        advance_record(d);
    }
}

enum sink_step change_delivery_flush(struct change_delivery *d, struct fault *f)
{
    return kafka_sink_flush(d->sink, f);
}

void change_delivery_drain(struct change_delivery *d)
{
    d->is_draining = true;
    advance_record(d);
}

bool change_delivery_is_quiet(const struct change_delivery *d)
{
    return d->sinks_closing == 0 && change_delivery_in_flight(d) == 0 && !is_record_due(d);
}

size_t change_delivery_in_flight(const struct change_delivery *d)
{
    return d->sink == NULL ? 0 : kafka_sink_in_flight(d->sink);
}

// Does not count from the begin of an open transaction: its first records may be acknowledged already.
int64_t change_delivery_oldest_us(const struct change_delivery *d)
{
    if (change_delivery_in_flight(d) == 0) {
        return 0;
    }
    int64_t since_us = d->acked_us;
    int64_t sealed_us;
    if (d->store.record.is_in_flight && d->store.record.sent_us < since_us) {
        since_us = d->store.record.sent_us;
    }
    // A withheld transaction stays the oldest for ever, and one with records that are held back for long.
    if (!d->is_withholding && d->held == 0 && watermark_oldest_mark(&d->watermark, &sealed_us) &&
        sealed_us != 0 && sealed_us < since_us) {
        since_us = sealed_us;
    }
    return clock_now_us() - since_us;
}

static void write_overdue(struct change_delivery *d, int64_t age_us)
{
    char reason[320] = "";
    bool has_reason = kafka_sink_reason(d->sink, reason, sizeof(reason));
    size_t count = change_delivery_in_flight(d);
    (void)snprintf(d->overdue, sizeof(d->overdue), "Kafka %s%s; %zu record%s wait%s, the oldest for %ld s",
                   has_reason ? "does not take records: " : "answers, but acknowledges no record", reason,
                   count, count == 1 ? "" : "s", count == 1 ? "s" : "", age_us / CLOCK_US_PER_S);
}

const char *change_delivery_overdue(struct change_delivery *d)
{
    int64_t age_us = change_delivery_oldest_us(d);
    if (d->sink != NULL) {
        kafka_sink_explain(d->sink, age_us > EXPLAIN_US);
    }
    d->overdue_checks = age_us > OVERDUE_US ? d->overdue_checks + 1 : 0;
    if (d->overdue_checks < OVERDUE_CHECKS) {
        return NULL;
    }
    write_overdue(d, age_us);
    return d->overdue;
}

void change_delivery_load(struct change_delivery *d)
{
    state_store_load(&d->store);
}

void change_delivery_save(struct change_delivery *d, const struct source_state *state)
{
    state_record_want(&d->store.record, state, d->watermark.first, d->watermark.next);
    advance_record(d);
}

bool change_delivery_is_snapshot_done(const struct change_delivery *d)
{
    return d->store.record.state.is_snapshot_done;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void free_when_closed(struct change_delivery *d)
{
    if (d->sinks_closing == 0) {
        free(d);
    }
}

void change_delivery_free(struct change_delivery *d)
{
    if (d == NULL) {
        return;
    }
    d->is_freed = true;
    close_sink(d);
    state_store_close(&d->store);
    watermark_clear(&d->watermark);
    uv_close((uv_handle_t *)d->due, on_timer_closed);
    free_when_closed(d);
}
