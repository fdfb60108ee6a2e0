#include "bridge/endpoints/process/process_places.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#define RESTART_INITIAL_US (CLOCK_US_PER_S / 5)
#define RESTART_MAX_US (30 * CLOCK_US_PER_S)

void process_places_init(struct process_places *p, const struct instance_params *params)
{
    *p = (struct process_places){
        .params = *params,
        .count = (size_t)params->config->instances,
        .restarts = backoff_make(RESTART_INITIAL_US, RESTART_MAX_US),
    };
    p->instances = memory_zeroed(p->count, sizeof(struct instance *));
}

void process_places_clear(struct process_places *p)
{
    INVARIANT(p->live == 0);
    free(p->instances);
}

bool process_places_has_ready(const struct process_places *p)
{
    bool ret = false;
    for (size_t at = 0; at < p->count; at++) {
        ret = ret || (p->instances[at] != NULL && instance_state(p->instances[at]) == INSTANCE_READY);
    }
    return ret;
}

/** How many instances take calls, or will once they have started, and how many more calls they can take. */
static size_t count_taking(const struct process_places *p, size_t *ret_room)
{
    size_t concurrency = (size_t)p->params.config->concurrency_per_instance;
    size_t count = 0;
    *ret_room = 0;
    for (size_t at = 0; at < p->count; at++) {
        const struct instance *i = p->instances[at];
        if (i != NULL && instance_state(i) <= INSTANCE_READY) {
            count++;
            *ret_room += concurrency - instance_running(i);
        }
    }
    return count;
}

size_t process_places_room(const struct process_places *p)
{
    size_t room;
    (void)count_taking(p, &room);
    return room;
}

static void come_back(int64_t at_us, int64_t *ret_at_us)
{
    *ret_at_us = at_us < *ret_at_us ? at_us : *ret_at_us;
}

void process_places_failed(struct process_places *p, const char *text, int64_t now_us)
{
    last_error_set(&p->trouble, text);
    p->start_at_us = now_us + backoff_next_us(&p->restarts);
}

void process_places_worked(struct process_places *p)
{
    backoff_reset(&p->restarts);
}

static bool start_at(struct process_places *p, size_t at, int64_t now_us)
{
    struct fault f;
    if (instance_start(&p->params, &p->instances[at], &f)) {
        p->live++;
        return true;
    }
    log_warn(p->params.component, "process_init_failed", NULL, "%s", f.text);
    process_places_failed(p, f.text, now_us);
    return false;
}

bool process_places_start(struct process_places *p, size_t waiting, int64_t now_us, int64_t *ret_at_us)
{
    const struct process_config *config = p->params.config;
    size_t room;
    size_t count = count_taking(p, &room);
    for (size_t at = 0; at < p->count && (count < (size_t)config->warm_instances || room < waiting); at++) {
        if (p->instances[at] != NULL) {
            continue;
        }
        if (now_us < p->start_at_us) {
            come_back(p->start_at_us, ret_at_us);
            return true;
        }
        if (!start_at(p, at, now_us)) {
            come_back(p->start_at_us, ret_at_us);
            return false;
        }
        count++;
        room += (size_t)config->concurrency_per_instance;
    }
    return true;
}

/** From the last place on, since calls go to the first ones. */
void process_places_stop_idle(struct process_places *p, int64_t now_us, int64_t *ret_at_us)
{
    const struct process_config *config = p->params.config;
    size_t room;
    size_t count = count_taking(p, &room);
    for (size_t at = p->count; at > 0 && count > (size_t)config->warm_instances; at--) {
        struct instance *i = p->instances[at - 1];
        if (config->idle_stop_us == 0 || i == NULL || instance_state(i) != INSTANCE_READY ||
            instance_running(i) > 0) {
            continue;
        }
        int64_t due_us = instance_idle_since_us(i) + config->idle_stop_us;
        if (due_us <= now_us) {
            instance_stop(i);
            count--;
        } else {
            come_back(due_us, ret_at_us);
        }
    }
}

void process_places_kill_silent(struct process_places *p, int64_t waits_since_us, int64_t now_us,
                                int64_t *ret_at_us)
{
    for (size_t at = 0; at < p->count; at++) {
        struct instance *i = p->instances[at];
        if (i == NULL || instance_state(i) != INSTANCE_READY || instance_running(i) > 0) {
            continue;
        }
        int64_t idle_since_us = instance_idle_since_us(i);
        int64_t since_us = idle_since_us > waits_since_us ? idle_since_us : waits_since_us;
        int64_t due_us = since_us + p->params.config->init_timeout_us;
        if (due_us <= now_us) {
            instance_kill(i, INSTANCE_KILL_SILENT);
        } else {
            come_back(due_us, ret_at_us);
        }
    }
}

void process_places_leave(struct process_places *p, const struct instance *i)
{
    for (size_t at = 0; at < p->count; at++) {
        if (p->instances[at] == i) {
            p->instances[at] = NULL;
        }
    }
}

void process_places_stop_all(struct process_places *p)
{
    for (size_t at = 0; at < p->count; at++) {
        if (p->instances[at] != NULL) {
            instance_stop(p->instances[at]);
        }
    }
}
