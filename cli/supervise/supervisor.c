#include "cli/supervise/supervisor.h"

#include <utlist.h>

#include "cli/supervise/process.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { CHECK_MS = 1000 };
#define SILENCE_US (10 * CLOCK_US_PER_S)
#define HANG_US (30 * CLOCK_US_PER_S)
#define PAUSE_US (3 * CLOCK_US_PER_S)  // a longer gap between two checks: this process itself did not run

/** A process from its first start until it is no longer desired. */
struct supervised {
    struct supervisor *supervisor;
    struct process *process;
    uint64_t config_hash;
    char *slot;            // of a connector: stays in PostgreSQL when the connector is removed; NULL: unknown
    bool is_desired;       // false: is removed after the drain
    bool restart_pending;  // is started after the drain
    struct supervised *next;
};

struct supervisor {
    struct supervisor_params params;
    struct supervised *children;
    uv_timer_t *check;
    int64_t checked_us;
    bool is_draining;
    bool is_ended;
};

static void free_child(struct supervised *c)
{
    LL_DELETE(c->supervisor->children, c);
    process_free(c->process);
    free(c->slot);
    free(c);
}

static bool is_any_active(const struct supervisor *s)
{
    for (const struct supervised *c = s->children; c != NULL; c = c->next) {
        if (process_is_active(c->process)) {
            return true;
        }
    }
    return false;
}

static void end_when_drained(struct supervisor *s)
{
    if (s->is_draining && !s->is_ended && !is_any_active(s)) {
        s->is_ended = true;
        s->params.on_end(s->params.self);
    }
}

static bool is_ending(void *self)
{
    const struct supervised *c = self;
    return c->supervisor->is_draining;
}

static void on_left(void *self, struct process *p)
{
    struct supervised *c = self;
    struct supervisor *s = c->supervisor;
    if (s->is_draining) {
        return;
    }
    if (!c->is_desired) {
        free_child(c);
    } else if (c->restart_pending) {
        c->restart_pending = false;
        process_start(p);
    }
}

static void on_ended(void *supervisor)
{
    end_when_drained(supervisor);
}

static void on_check(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    log_flush();
    int64_t pause_us = clock_now_us() - s->checked_us;
    s->checked_us = clock_now_us();
    struct supervised *c;
    LL_FOREACH (s->children, c) {
        if (pause_us >= PAUSE_US) {
            process_forgive(c->process, pause_us);
        }
        process_check(c->process);
    }
}

static struct supervised *new_child(struct supervisor *s, const struct desired_child *desired)
{
    struct supervised *c = memory_zeroed(1, sizeof(*c));
    c->supervisor = s;
    const struct process_params params = {
        .loop = s->params.loop,
        .executable = s->params.executable == NULL ? "/proc/self/exe" : s->params.executable,
        .dir = s->params.dir,
        .kind = desired->kind,
        .name = desired->name,
        .number = desired->number,
        .silence_us = s->params.silence_us == 0 ? SILENCE_US : s->params.silence_us,
        .hang_us = s->params.hang_us == 0 ? HANG_US : s->params.hang_us,
        .is_ending = is_ending,
        .on_left = on_left,
        .on_ended = on_ended,
        .supervisor = s,
        .self = c,
    };
    c->process = process_new(&params);
    c->config_hash = desired->config_hash;
    LL_APPEND(s->children, c);
    return c;
}

static struct supervised *find_child(struct supervisor *s, const struct desired_child *desired)
{
    struct supervised *c;
    LL_FOREACH (s->children, c) {
        if (strcmp(process_kind(c->process), desired->kind) == 0 &&
            strcmp(process_name(c->process), desired->name) == 0) {
            return c;
        }
    }
    return NULL;
}

static void apply_one(struct supervisor *s, const struct desired_child *desired)
{
    struct supervised *c = find_child(s, desired);
    if (desired->is_kept) {
        if (c != NULL) {
            c->is_desired = true;
        }
        return;
    }
    c = c == NULL ? new_child(s, desired) : c;
    bool is_lacking = process_set_variables(c->process, &desired->variables);
    bool is_changed = c->config_hash != desired->config_hash || is_lacking;
    c->is_desired = true;
    c->config_hash = desired->config_hash;
    free(c->slot);
    c->slot = desired->slot == NULL ? NULL : memory_string(desired->slot);
    switch (process_state(c->process)) {
    case PROCESS_DRAINING:
        c->restart_pending = true;
        break;
    case PROCESS_RUNNING:
        if (is_changed) {
            log_info("supervisor", "child_restarting", LOG_WITH(LOG_TEXT("child", desired->name)), "%s",
                     is_lacking ? "its files name an environment variable that it was started without"
                                : "its configuration has changed");
            c->restart_pending = true;
            process_drain(c->process);
        }
        break;
    case PROCESS_NEW:
    case PROCESS_BACKING_OFF:
    case PROCESS_FAILED:
    case PROCESS_STOPPED:
        process_start(c->process);
        break;
    }
}

/** A slot without a reader makes the server keep all WAL from then on, until its disk is full. */
static void log_remaining_slot(struct supervised *c)
{
    if (c->slot == NULL) {
        return;
    }
    log_warn("supervisor", "slot_stays", LOG_WITH(LOG_TEXT("child", process_name(c->process))),
             "connector %s stops because its file was removed. Replication slot %s stays in PostgreSQL, "
             "which keeps WAL for it until the file is back or you drop the slot: SELECT "
             "pg_drop_replication_slot('%s');",
             process_name(c->process), c->slot, c->slot);
    free(TAKE(c->slot));  // so that it is logged once
}

void supervisor_retry(struct supervisor *s)
{
    struct supervised *c;
    LL_FOREACH (s->children, c) {
        if (process_state(c->process) == PROCESS_FAILED && !s->is_draining) {
            process_start(c->process);
        }
    }
}

void supervisor_apply(struct supervisor *s, const struct desired_child *desired, size_t count)
{
    if (s->is_draining) {
        return;
    }
    struct supervised *c;
    struct supervised *next;
    LL_FOREACH (s->children, c) {
        c->is_desired = false;
    }
    for (size_t i = 0; i < count; i++) {
        apply_one(s, &desired[i]);
    }
    LL_FOREACH_SAFE (s->children, c, next) {
        if (!c->is_desired) {
            c->restart_pending = false;
            log_remaining_slot(c);
            process_drain(c->process);
        }
    }
}

struct supervisor *supervisor_start(const struct supervisor_params *params)
{
    struct supervisor *s = memory_zeroed(1, sizeof(*s));
    s->params = *params;
    s->checked_us = clock_now_us();
    s->check = memory_zeroed(1, sizeof(*s->check));
    (void)uv_timer_init(params->loop, s->check);
    s->check->data = s;
    (void)uv_timer_start(s->check, on_check, CHECK_MS, CHECK_MS);
    return s;
}

void supervisor_drain(struct supervisor *s)
{
    s->is_draining = true;
    struct supervised *c;
    struct supervised *next;
    LL_FOREACH_SAFE (s->children, c, next) {
        process_drain(c->process);
    }
    end_when_drained(s);
}

void supervisor_each(void *self, void (*on_part)(void *context, const struct health_part *part),
                     void *context)
{
    const struct supervisor *s = self;
    for (const struct supervised *c = s->children; c != NULL; c = c->next) {
        process_describe(c->process, on_part, context);
    }
}

static void on_closed_free(uv_handle_t *handle)
{
    free(handle);
}

void supervisor_free(struct supervisor *s)
{
    if (s == NULL) {
        return;
    }
    struct supervised *c;
    struct supervised *next;
    LL_FOREACH_SAFE (s->children, c, next) {
        free_child(c);
    }
    uv_close((uv_handle_t *)s->check, on_closed_free);
    free(s);
}
