#include "bridge/bridge.h"

#include <utlist.h>

#include "bridge/config/function_change.h"
#include "bridge/function/function.h"
#include "core/base/log.h"
#include "core/http/http_policy.h"

// A child has 25 s to end: these two, 500 ms until the worker gives up, 2 s until the supervisor kills it.
enum { DRAIN_MS = 20000, LEAVE_MS = 2500 };

enum bridge_state {
    BRIDGE_RUNNING,
    BRIDGE_DRAINING,
    BRIDGE_ENDED,  // on_end was called; functions that Kafka kept may stop later
};

/** A function that runs, or that stops so that its successor can start. */
struct bridge_entry {
    struct bridge_entry *next;
    struct bridge *bridge;
    struct function *function;
    struct function_config *successor;  // starts when this one has stopped; NULL for none
    bool is_stopping;
};

struct bridge {
    struct function_deps deps;
    struct http_policy policy;
    struct bridge_entry *entries;
    void (*on_end)(void *self, const struct fault *f);
    void *self;
    enum bridge_state state;
    uint64_t drain_ms;
    uint64_t leave_ms;
    uv_timer_t timer;  // of the drain
};

static void on_stopped(void *self, struct function *fn);

static void free_config(struct function_config *config)
{
    if (config != NULL) {
        function_config_clear(config);
        free(config);
    }
}

static void start(struct bridge *b, struct function_config *config)
{
    struct bridge_entry *e = memory_zeroed(1, sizeof(*e));
    e->bridge = b;
    LL_APPEND(b->entries, e);
    e->function = function_start(&b->deps, config, on_stopped, e);
}

static void stop(struct bridge_entry *e)
{
    if (!e->is_stopping) {
        e->is_stopping = true;
        function_stop(e->function);
    }
}

static void end(struct bridge *b)
{
    INVARIANT(b->state == BRIDGE_DRAINING);
    b->state = BRIDGE_ENDED;
    (void)uv_timer_stop(&b->timer);
    b->on_end(b->self, NULL);
}

static void end_when_drained(struct bridge *b)
{
    if (b->state == BRIDGE_DRAINING && b->entries == NULL) {
        end(b);
    }
}

static void on_stopped(void *self, struct function *fn)
{
    struct bridge_entry *e = self;
    struct bridge *b = e->bridge;
    struct function_config *successor = e->successor;
    LL_DELETE(b->entries, e);
    free(e);
    function_free(fn);
    if (successor != NULL && b->state == BRIDGE_RUNNING) {
        start(b, successor);
    } else {
        free_config(successor);
    }
    end_when_drained(b);
}

bool bridge_start(const struct bridge_params *params, struct bridge **ret, struct fault *f)
{
    CLEANUP(memory_free_pointer) struct bridge *b = memory_zeroed(1, sizeof(*b));
    b->deps = (struct function_deps){.loop = params->loop,
                                     .settings = params->settings,
                                     .metrics = params->metrics,
                                     .job = params->job,
                                     .observer = params->observer,
                                     .tracer = params->tracer};
    b->policy = http_policy_of(params->settings);
    b->on_end = params->on_end;
    b->self = params->self;
    b->drain_ms = params->drain_ms == 0 ? DRAIN_MS : params->drain_ms;
    b->leave_ms = params->leave_ms == 0 ? LEAVE_MS : params->leave_ms;
    if (!state_topic_open(params->loop, params->settings, &b->deps.state_topic, f)) {
        return false;
    }
    b->deps.limits = shared_limits_new(params->settings);
    b->deps.schemas = schema_cache_new(params->loop, params->registry);
    b->deps.fetcher = fetcher_new(params->loop, params->settings);
    b->deps.registrations = registration_client_new(params->loop, params->settings);
    b->deps.writer = topic_writer_new(params->loop, params->settings);
    (void)uv_timer_init(params->loop, &b->timer);
    b->timer.data = b;
    *ret = TAKE(b);
    return true;
}

static struct bridge_entry *find(const struct bridge *b, const char *name)
{
    struct bridge_entry *e;
    LL_FOREACH (b->entries, e) {
        if (strcmp(function_name(e->function), name) == 0) {
            return e;
        }
    }
    return NULL;
}

static void apply_one(struct bridge *b, struct function_config *config)
{
    config->policy = &b->policy;
    struct bridge_entry *e = find(b, config->name);
    if (e == NULL) {
        start(b, config);
        return;
    }
    if (e->is_stopping) {
        free_config(e->successor);
        e->successor = config;
        return;
    }
    switch (function_change_between(function_config_of(e->function), config)) {
    case FUNCTION_CHANGE_NONE:
        free_config(config);
        return;
    case FUNCTION_CHANGE_IN_PLACE:
        if (function_is_ready(e->function)) {
            function_change_config(e->function, config);
            return;
        }
        break;  // it delivers nothing now, so a restart disturbs nothing
    case FUNCTION_CHANGE_RESTART:
        break;
    }
    e->successor = config;
    stop(e);
}

static bool is_named(struct function_config **configs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(configs[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_kept(const struct text_list *kept, const char *name)
{
    for (size_t i = 0; i < kept->count; i++) {
        if (strcmp(kept->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void bridge_apply(struct bridge *b, struct function_config **configs, size_t count)
{
    bridge_apply_keeping(b, configs, count, &(const struct text_list){0});
}

void bridge_apply_keeping(struct bridge *b, struct function_config **configs, size_t count,
                          const struct text_list *kept)
{
    struct bridge_entry *e;
    LL_FOREACH (b->entries, e) {
        const char *name = function_name(e->function);
        if (!is_named(configs, count, name) && !is_kept(kept, name)) {
            free_config(e->successor);
            e->successor = NULL;
            stop(e);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (b->state != BRIDGE_RUNNING) {
            free_config(configs[i]);
        } else {
            apply_one(b, configs[i]);
        }
    }
}

static void on_leave_timeout(uv_timer_t *timer)
{
    struct bridge *b = timer->data;
    log_warn("bridge", "drain_given_up", NULL, "Kafka does not respond: ending without leaving the groups");
    end(b);
}

static void on_drain_timeout(uv_timer_t *timer)
{
    struct bridge *b = timer->data;
    (void)uv_timer_start(timer, on_leave_timeout, b->leave_ms, 0);
    struct bridge_entry *e;
    LL_FOREACH (b->entries, e) {
        function_abandon(e->function);
    }
    end_when_drained(b);
}

void bridge_drain(struct bridge *b)
{
    if (b->state != BRIDGE_RUNNING) {
        return;
    }
    b->state = BRIDGE_DRAINING;
    struct bridge_entry *e;
    LL_FOREACH (b->entries, e) {
        stop(e);
    }
    // on_end comes from the loop, never from inside this function: without functions the timer fires at once.
    (void)uv_timer_start(&b->timer, on_drain_timeout, b->entries == NULL ? 0 : b->drain_ms, 0);
}

void bridge_status(const struct bridge *b, struct bytes *out)
{
    bytes_append_byte(out, '[');
    struct bridge_entry *e;
    LL_FOREACH (b->entries, e) {
        if (e != b->entries) {
            bytes_append_byte(out, ',');
        }
        function_status(e->function, out);
    }
    bytes_append_byte(out, ']');
}

struct job_state bridge_job(const struct bridge *b)
{
    return b->entries == NULL ? (struct job_state){0} : function_job(b->entries->function);
}

bool bridge_is_ready(const struct bridge *b)
{
    struct bridge_entry *e;
    LL_FOREACH (b->entries, e) {
        if (!function_can_work(e->function)) {
            return false;
        }
    }
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

bool bridge_is_over(const struct bridge *b)
{
    return b->entries == NULL;
}

void bridge_free(struct bridge *b)
{
    if (b == NULL || !bridge_is_over(b)) {
        return;
    }
    topic_writer_free(b->deps.writer);
    shared_limits_free(b->deps.limits);
    registration_client_free(b->deps.registrations);
    fetcher_free(b->deps.fetcher);
    schema_cache_free(b->deps.schemas);
    state_topic_close(b->deps.state_topic);
    uv_close((uv_handle_t *)&b->timer, on_closed);
}
