// Making, changing and ending a delivery.
#include <utlist.h>

#include "bridge/delivery/delivery_state.h"
#include "bridge/function/function_change.h"
#include "core/base/clock.h"

enum {
    EVENTS_MIN = 1024,    // held at once, at least
    EVENTS_MAX = 16384,   // and at most
    ROUNDS_OF_CALLS = 4,  // to hold the events of
    LANE_EVENTS_MIN = 128,
};

static bool open_line(struct delivery *d, const struct function_config *config, struct delivery_line **ret,
                      struct fault *f)
{
    CLEANUP(memory_free_pointer) struct delivery_line *line = memory_zeroed(1, sizeof(*line));
    line->invoker = (struct invoker){
        .endpoint_type = &endpoint_http,
        .on_answer = delivery_on_answer,
        .self = d,
    };
    if (!endpoint_http.open(config, d->loop, &line->invoker.endpoint, f)) {
        return false;
    }
    *ret = TAKE(line);
    return true;
}

static void close_line(struct delivery_line *line)
{
    if (line == NULL) {
        return;
    }
    line->invoker.endpoint_type->close(line->invoker.endpoint);
    invoker_clear(&line->invoker);
    free(line);
}

void delivery_close_replaced(struct delivery *d)
{
    struct delivery_line **at = &d->replaced;
    while (*at != NULL) {
        struct delivery_line *line = *at;
        if (line->invoker.running_count == 0) {
            *at = line->next;
            close_line(line);
        } else {
            at = &line->next;
        }
    }
}

/** Everything that follows from the function's file. */
static void take_config(struct delivery *d, const struct function_config *config)
{
    d->config = config;
    bool can_batch = payload_type_of(config->payload)->can_batch;
    size_t batch_events = can_batch ? (size_t)config->delivery.batch.events : 1;
    size_t events = (size_t)config->delivery.concurrency * batch_events * ROUNDS_OF_CALLS;
    d->events_max = events < EVENTS_MIN ? EVENTS_MIN : events > EVENTS_MAX ? EVENTS_MAX : events;
    d->lane_events_max = batch_events * 2 > LANE_EVENTS_MIN ? batch_events * 2 : LANE_EVENTS_MIN;
    d->limits = (struct batch_limits){
        .events_max = batch_events < d->events_max ? batch_events : d->events_max,
        .bytes_max = (size_t)config->delivery.batch.bytes,
        .window_us = config->delivery.batch.window_us,
    };
    d->payload = (struct payload_options){
        .kind = config->payload,
        .operations = config->source.operations,
        .is_array = batch_events > 1,
        .bytes_max = (size_t)config->delivery.batch.bytes,
        .json = {.int64_as_string = config->int64_as_string},
    };
    d->policy = (struct outcome_policy){
        .attempts_max = config->delivery.retry.attempts,
        .max_age_us = config->delivery.retry.max_age_us,
    };
    d->backoff.initial_us = config->delivery.retry.backoff.initial_us;
    d->backoff.max_us = config->delivery.retry.backoff.max_us;
}

bool delivery_new(const struct delivery_params *params, struct delivery **ret, struct fault *f)
{
    const struct function_config *config = params->config;
    CLEANUP(memory_free_pointer) struct delivery *d = memory_zeroed(1, sizeof(*d));
    d->loop = params->loop;
    d->settings = params->settings;
    d->schemas = params->schemas;
    d->dead_letters = params->dead_letters;
    d->metrics = params->metrics;
    d->may_call = params->may_call;
    d->on_room = params->on_room;
    d->on_throttled = params->on_throttled;
    d->self = params->self;
    if (!open_line(d, config, &d->line, f)) {
        return false;
    }
    d->component = memory_format("function/%s", config->name);
    d->backoff = backoff_make(0, 0);
    take_config(d, config);
    limiter_init(&d->limiter, (size_t)config->delivery.concurrency, d->backoff.initial_us, d->backoff.max_us);
    lanes_init(&d->lanes, config->delivery.order);
    (void)uv_timer_init(d->loop, &d->timer);
    d->timer.data = d;
    *ret = TAKE(d);
    return true;
}

/** Moves what waits to the new line. A new endpoint is tried at once, however long the former one is to be
 * left alone. */
static void replace_line(struct delivery *d, struct delivery_line *line, bool is_same_endpoint)
{
    struct delivery_line *old = d->line;
    int64_t now_us = clock_now_us();
    d->line = line;
    for (struct invocation *inv; (inv = invoke_take_due(&old->invoker, INT64_MAX)) != NULL;) {
        inv->invoker = &line->invoker;
        invoke_wait(inv, is_same_endpoint ? inv->due_us : now_us);
    }
    LL_PREPEND(d->replaced, old);
    if (!is_same_endpoint) {
        LL_FOREACH (d->replaced, old) {
            old->invoker.is_superseded = true;
        }
        limiter_reopen(&d->limiter, d->running_count);
    }
    delivery_close_replaced(d);
}

bool delivery_reconfigure(struct delivery *d, const struct function_config *config, struct fault *f)
{
    INVARIANT(config->delivery.order == d->lanes.order);
    struct delivery_line *line;
    if (!open_line(d, config, &line, f)) {
        return false;
    }
    bool is_same_endpoint = function_change_is_same_endpoint(d->config, config);
    const char *dead_letters = config->delivery.on_failure.dead_letter;
    if (strcmp(d->config->delivery.on_failure.dead_letter, dead_letters) != 0) {
        dead_letter_redirect(d->dead_letters, d, dead_letters);
    }
    take_config(d, config);
    limiter_adjust(&d->limiter, (size_t)config->delivery.concurrency, d->backoff.initial_us,
                   d->backoff.max_us);
    replace_line(d, line, is_same_endpoint);
    delivery_pump(d);
    return true;
}

static void abandon_line(struct delivery *d, struct delivery_line *line)
{
    while (line->invoker.running != NULL) {
        struct invocation *inv = line->invoker.running;
        invoke_cancel(inv);
        d->running_count--;
        for (struct event *e = inv->first, *next; e != NULL; e = next) {
            next = e->next;
            delivery_release(d, e);
        }
        invoke_close(inv);
    }
}

void delivery_abandon(struct delivery *d)
{
    d->is_pumping = true;  // nothing new starts
    abandon_line(d, d->line);
    struct delivery_line *line;
    LL_FOREACH (d->replaced, line) {
        abandon_line(d, line);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct delivery *d = handle->data;
    free(d->component);
    free(d);
}

void delivery_free(struct delivery *d)
{
    if (d == NULL) {
        return;
    }
    INVARIANT(d->running_count == 0);
    delivery_close_replaced(d);
    close_line(d->line);
    refetch_free(d->refetch);
    lanes_clear(&d->lanes);
    uv_close((uv_handle_t *)&d->timer, on_closed);
}
