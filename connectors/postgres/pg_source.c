// The source as the pipeline sees it, and its states. Opening: pg_source_open.c, pg_source_lock.c,
// pg_source_slot.c; the stream: pg_source_stream.c.
#include "connectors/postgres/pg_source.h"

#include <stdlib.h>

#include "connectors/postgres/pg_source_private.h"
#include "connectors/postgres/wire/pg_dsn.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { PG_SOURCE_SLOT_NAME_MAX = 63 };

#define BIT(state) (1U << PG_SOURCE_##state)

// Where each state may go; CLOSED and FAILED from everywhere.
static uint32_t pg_source_allowed(enum pg_source_state from)
{
    switch (from) {
    case PG_SOURCE_CLOSED:
        return BIT(CONNECTING);
    case PG_SOURCE_CONNECTING:
        return BIT(LOCKING);
    case PG_SOURCE_LOCKING:
        return BIT(RECALLING) | BIT(WAITING_FOR_SLOT);
    case PG_SOURCE_RECALLING:
        return BIT(CHECKING);
    case PG_SOURCE_CHECKING:
        return BIT(SAVING_BEGIN) | BIT(PUBLISHING) | BIT(WAITING_FOR_SLOT);
    case PG_SOURCE_SAVING_BEGIN:
        return BIT(PUBLISHING);
    case PG_SOURCE_PUBLISHING:
        return BIT(DROPPING_SLOT) | BIT(MAKING_SLOT) | BIT(SAVING_END) | BIT(STARTING);
    case PG_SOURCE_DROPPING_SLOT:
        return BIT(MAKING_SLOT) | BIT(WAITING_FOR_SLOT);
    case PG_SOURCE_MAKING_SLOT:
        return BIT(SNAPSHOTTING) | BIT(SAVING_END);
    case PG_SOURCE_SNAPSHOTTING:
        return BIT(SAVING_END);
    case PG_SOURCE_SAVING_END:
        return BIT(STARTING);
    case PG_SOURCE_STARTING:
        return BIT(STREAMING) | BIT(WAITING_FOR_SLOT);
    case PG_SOURCE_WAITING_FOR_SLOT:
        return BIT(LOCKING) | BIT(RECALLING);
    case PG_SOURCE_STREAMING:
        return BIT(ENDED);
    case PG_SOURCE_ENDED:
    case PG_SOURCE_FAILED:
        return 0;
    }
    return 0;
}

static const char *const pg_source_phases[] = {
#define X(name, phase) [PG_SOURCE_##name] = (phase),
    PG_SOURCE_STATES(X)
#undef X
};

static const char *const pg_source_names[] = {
#define X(name, phase) [PG_SOURCE_##name] = #name,
    PG_SOURCE_STATES(X)
#undef X
};

void pg_source_enter(struct source *s, enum pg_source_state to, const char *why)
{
    INVARIANT(((pg_source_allowed(s->state) | BIT(CLOSED) | BIT(FAILED)) & (1U << to)) != 0);
    log_debug(s->component, "source_state", NULL, "%s -> %s (%s)", pg_source_names[s->state],
              pg_source_names[to], why);
    s->state = to;
    if (pg_source_phases[to] != NULL) {
        s->listener.on_phase(s->listener.self, pg_source_phases[to], why);
    }
}
#undef BIT

void pg_source_fail(struct source *s, const struct fault *f)
{
    if (s->state == PG_SOURCE_CLOSED || s->state == PG_SOURCE_FAILED) {
        return;
    }
    struct fault fault = *f;
    pg_source_enter(s, PG_SOURCE_FAILED, fault.text);
    s->listener.on_fault(s->listener.self, &fault);
}

static void pg_source_on_wake(uv_timer_t *timer)
{
    struct source *s = CONTAINER_OF(timer, struct source, wake);
    s->listener.on_ready(s->listener.self);
}

void pg_source_wake(struct source *s)
{
    (void)uv_timer_start(&s->wake, pg_source_on_wake, 0, 0);
}

static enum source_step pg_source_next_snapshot(struct source *s, struct change *ret, struct fault *f)
{
    switch (pg_snapshot_next(s->snapshot, ret, f)) {
    case PG_SNAPSHOT_CHANGE:
        ret->database = s->database;
        return SOURCE_CHANGE;
    case PG_SNAPSHOT_NOTHING:
        return SOURCE_NOTHING;
    case PG_SNAPSHOT_END:
        pg_source_snapshot_done(s);
        return SOURCE_NOTHING;
    case PG_SNAPSHOT_FAULT:
        break;
    }
    return SOURCE_FAULT;
}

static enum source_step pg_source_next(struct source *s, struct change *ret, struct fault *f)
{
    if (s->is_paused) {
        return SOURCE_NOTHING;
    }
    if (s->state == PG_SOURCE_STREAMING && !s->is_loading) {
        if (s->changes.has_second) {
            s->changes.has_second = false;
            *ret = s->changes.second;
            return SOURCE_CHANGE;
        }
        return pg_source_stream_next(s, ret, f);
    }
    if (s->state == PG_SOURCE_SNAPSHOTTING) {
        return pg_source_next_snapshot(s, ret, f);
    }
    return s->state == PG_SOURCE_ENDED ? SOURCE_END : SOURCE_NOTHING;
}

static void pg_source_confirm(struct source *s, uint64_t safe_position)
{
    if (safe_position > s->stream.confirmed) {
        s->stream.confirmed = safe_position;
    }
}

static void pg_source_pause(struct source *s)
{
    s->is_paused = true;
    if (s->state == PG_SOURCE_STREAMING) {
        pg_source_gate(s);
    } else if (s->state == PG_SOURCE_SNAPSHOTTING) {
        pg_conn_pause(s->sql);
    }
}

static void pg_source_resume(struct source *s)
{
    s->is_paused = false;
    if (s->state == PG_SOURCE_STREAMING) {
        pg_source_gate(s);
    } else if (s->sql != NULL) {
        pg_conn_resume(s->sql);
    }
    if (s->state != PG_SOURCE_CLOSED) {
        pg_source_wake(s);  // libpq may hold what the socket no longer does
    }
}

static void pg_source_lag(const struct source *s, struct source_lag *ret)
{
    uint64_t end = s->stream.wal_end > s->slot.wal_end ? s->stream.wal_end : s->slot.wal_end;
    uint64_t confirmed = s->stream.confirmed;
    uint64_t restart = s->slot.restart_lsn;
    ret->slot_lag_bytes = confirmed != 0 && end > confirmed ? end - confirmed : 0;
    ret->slot_retained_bytes = restart != 0 && end > restart ? end - restart : 0;
    int64_t behind_us = clock_wall_us() - s->message->begin.commit_time_us;
    ret->lag_us = s->is_caught_up || s->message->begin.commit_time_us == 0 || behind_us < 0 ? 0 : behind_us;
}

static void pg_source_close(struct source *s)
{
    pg_stream_stop(&s->stream);
    (void)uv_timer_stop(&s->tick);
    (void)uv_timer_stop(&s->refill);
    (void)uv_timer_stop(&s->retry);
    (void)uv_timer_stop(&s->wake);
    pg_snapshot_free(s->snapshot);
    s->snapshot = NULL;
    pg_conn_close(s->replication);
    pg_conn_close(s->sql);
    s->replication = NULL;
    s->sql = NULL;
    s->described = NULL;
    s->is_loading = false;
    pg_catalogue_set_clear(&s->catalogue);
    s->is_paused = false;
    s->is_caught_up = false;
    s->changes.has_second = false;
    if (s->state != PG_SOURCE_CLOSED) {
        pg_source_enter(s, PG_SOURCE_CLOSED, "closed");
    }
}

static bool pg_source_check_name(const char *name, struct fault *f)
{
    size_t size = strlen(name);
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (size == 0 || size > PG_SOURCE_SLOT_NAME_MAX || good != size) {
        return fault_set(f, FAULT_CONFIG, "slot.name %s: a slot's name has 1 to %d of a-z, 0-9 and _", name,
                         PG_SOURCE_SLOT_NAME_MAX);
    }
    return true;
}

static void pg_source_on_table(void *self, const char *schema, const char *name)
{
    struct source *s = self;
    CLEANUP(memory_free_pointer) char *topic = pg_relations_topic(s->config->topic_prefix, schema, name);
    s->listener.on_table(s->listener.self, topic);
}

static bool pg_source_make(const struct connector_config *config, uv_loop_t *loop,
                           const struct source_listener *listener, struct source **ret, struct fault *f)
{
    struct pg_dsn dsn;
    if (!pg_source_check_name(config->slot.name, f) ||
        !pg_dsn_parse(config->postgres.dsn, config->postgres.password, false, &dsn, f)) {
        return false;
    }
    pg_dsn_clear(&dsn);
    struct source *s = memory_zeroed(1, sizeof(*s));
    s->config = config;
    s->loop = loop;
    s->listener = *listener;
    s->component = memory_format("connector/%s", config->name);
    s->tables = pg_tables_new(config, s->component, pg_source_on_table, s);
    s->relations = pg_relations_new(config, s->component);
    s->message = memory_zeroed(1, sizeof(*s->message));
    uv_timer_t *timers[] = {&s->tick, &s->refill, &s->retry, &s->wake};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        INVARIANT(uv_timer_init(loop, timers[i]) == 0);
        timers[i]->data = s;
        s->handles_open++;
    }
    *ret = s;
    return true;
}

static void pg_source_on_closed(uv_handle_t *handle)
{
    struct source *s = handle->data;
    if (--s->handles_open == 0) {
        free(s);
    }
}

static void pg_source_free(struct source *s)
{
    if (s == NULL) {
        return;
    }
    pg_source_close(s);
    pg_tables_free(s->tables);
    pg_relations_free(s->relations);
    pg_change_clear(&s->changes);
    free(s->message);
    free(s->database);
    free(s->component);
    uv_timer_t *timers[] = {&s->tick, &s->refill, &s->retry, &s->wake};
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        uv_close((uv_handle_t *)timers[i], pg_source_on_closed);
    }
}

const struct source_type pg_source_type = {
    .kind = "postgresql",
    .summary = "PostgreSQL 14 and newer, by logical replication with pgoutput",
    .make = pg_source_make,
    .open = pg_source_open,
    .recalled = pg_source_recalled,
    .state_saved = pg_source_state_saved,
    .next = pg_source_next,
    .confirm = pg_source_confirm,
    .pause = pg_source_pause,
    .resume = pg_source_resume,
    .lag = pg_source_lag,
    .close = pg_source_close,
    .free = pg_source_free,
};
