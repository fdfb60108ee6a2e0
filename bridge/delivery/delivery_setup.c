// Creates, reconfigures and frees a delivery.
#include <utlist.h>

#include "bridge/config/function_change.h"
#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_delayed.h"
#include "bridge/delivery/reply_write.h"
#include "core/base/clock.h"

enum {
    EVENTS_MIN = 1024,    // least limit of records in memory
    EVENTS_MAX = 16384,   // greatest
    ROUNDS_OF_CALLS = 4,  // the limit in between: events for this many rounds of concurrent calls
    LANE_EVENTS_MIN = 128,
};

static bool open_target(struct delivery *d, const struct function_config *config, struct target **ret,
                        struct fault *f)
{
    const struct endpoint_type *type = endpoint_type_of(config->endpoint);
    CLEANUP(memory_free_pointer) struct target *target = memory_zeroed(1, sizeof(*target));
    *target = (struct target){
        .endpoint_type = type,
        .on_response = delivery_on_response,
        .self = d,
    };
    if (!type->open(config, d->loop, &target->endpoint, f)) {
        return false;
    }
    *ret = TAKE(target);
    return true;
}

static void close_target(struct target *target)
{
    if (target == NULL) {
        return;
    }
    target->endpoint_type->close(target->endpoint);
    target_clear(target);
    free(target);
}

void delivery_close_replaced(struct delivery *d)
{
    struct target **at = &d->replaced;
    while (*at != NULL) {
        struct target *target = *at;
        if (target->running_count == 0) {
            *at = target->next;
            close_target(target);
        } else {
            at = &target->next;
        }
    }
}

/** Sets everything that depends on the function's file. */
static void apply_config(struct delivery *d, const struct function_config *config)
{
    d->config = config;
    d->trace.config = config;
    event_filter_free(d->filter);
    d->filter = event_filter_new(config, d->component, d->metrics);
    d->filter_generation++;
    bool can_batch = payload_type_of(config->payload)->can_batch;
    size_t batch_events = can_batch ? (size_t)config->delivery.batch.events : 1;
    size_t body_max = endpoint_type_of(config->endpoint)->body_max;
    size_t bytes = (size_t)config->delivery.batch.bytes;
    bytes = bytes < body_max ? bytes : body_max;
    size_t events = (size_t)config->delivery.concurrency * batch_events * ROUNDS_OF_CALLS;
    d->memory.count_max = events < EVENTS_MIN ? EVENTS_MIN : events > EVENTS_MAX ? EVENTS_MAX : events;
    d->lane_events_max = batch_events * 2 > LANE_EVENTS_MIN ? batch_events * 2 : LANE_EVENTS_MIN;
    d->limits = (struct batch_limits){
        .events_max = batch_events < d->memory.count_max ? batch_events : d->memory.count_max,
        .bytes_max = bytes,
        .window_us = config->delivery.batch.window_us,
        .by_key = config->delivery.batch.by_key,
    };
    payload_options_clear(&d->payload);
    d->payload = payload_options_of(config, d->component);
    d->payload.bytes_max = bytes;
    d->payload.is_endpoint_limit = bytes == body_max;
    d->payload.schemas_url = d->schemas_url;
    d->payload.bootstrap_servers =
        d->settings == NULL ? NULL : text_pairs_get(&d->settings->kafka, "bootstrap.servers");
    d->policy = (struct outcome_policy){
        .attempts_max = config->delivery.retry.attempts,
        .max_age_us = config->delivery.retry.max_age_us,
        .statuses = &config->delivery.retry.statuses,
        .kind_statuses = endpoint_type_of(config->endpoint)->statuses,
        .has_partial_failures = config->delivery.batch.partial_failures,
        .can_bisect = config->delivery.on_failure.bisect,
    };
    d->backoff.initial_us = config->delivery.retry.backoff.initial_us;
    d->backoff.max_us = config->delivery.retry.backoff.max_us;
}

static struct limiter_settings limiter_settings_of(const struct function_config *config)
{
    return (struct limiter_settings){
        .concurrency = (size_t)config->delivery.concurrency,
        .target_latency_us = config->delivery.target_latency_us,
        .breaker_failures = (size_t)config->delivery.breaker.failures,
        .backoff_initial_us = config->delivery.retry.backoff.initial_us,
        .backoff_max_us = config->delivery.retry.backoff.max_us,
        .rate = config->delivery.rate,
        .burst = config->delivery.burst,
    };
}

static char *schemas_url_of(const struct settings *settings)
{
    CLEANUP(memory_free_pointer)
    char *address = settings == NULL ? NULL : settings_registry_address(settings);
    return address == NULL ? NULL : memory_format("%s/schemas/ids/", address);
}

bool delivery_new(const struct delivery_params *params, struct delivery **ret, struct fault *f)
{
    const struct function_config *config = params->config;
    CLEANUP(memory_free_pointer) struct delivery *d = memory_zeroed(1, sizeof(*d));
    d->loop = params->loop;
    d->settings = params->settings;
    d->schemas = params->schemas;
    d->writer = params->writer;
    d->state_topic = params->state_topic;
    d->metrics = params->metrics;
    d->trace.tracer = params->tracer;
    d->shared_limits = params->limits;
    d->may_call = params->may_call;
    d->on_room = params->on_room;
    d->on_throttled = params->on_throttled;
    d->on_unheld = params->on_unheld;
    d->list_partitions = params->list_partitions;
    d->job = params->job;
    d->observer = params->observer;
    d->self = params->self;
    if (!open_target(d, config, &d->target, f)) {
        return false;
    }
    d->component = memory_format("function/%s", config->name);
    d->backoff = backoff_make(0, 0);
    d->schemas_url = schemas_url_of(params->settings);
    apply_config(d, config);
    d->limiter.shared = (struct shared_member){.on_turn = delivery_on_turn, .self = d};
    const struct limiter_settings limits = limiter_settings_of(config);
    d->may_evict_ready = true;
    limiter_init(&d->limiter, &limits, clock_now_us());
    shared_limit_join(d->shared_limits, &d->limiter.shared, config->delivery.limit);
    lanes_init(&d->lanes, config->delivery.order);
    (void)uv_timer_init(d->loop, &d->timer);
    d->timer.data = d;
    if (delivery_wants_replies(d)) {
        reply_prepare(d->writer, config->reply.topic);
    }
    *ret = TAKE(d);
    return true;
}

/** A new endpoint is called at once, even if lanes were delayed and the limiter was closed for the old one.
 */
static void replace_target(struct delivery *d, struct target *target, bool is_same_endpoint)
{
    struct target *old = d->target;
    d->target = target;
    LL_PREPEND(d->replaced, old);
    if (!is_same_endpoint) {
        LL_FOREACH (d->replaced, old) {
            old->is_superseded = true;
        }
        limiter_reopen(&d->limiter);
        lanes_retry_now(&d->lanes);
    }
    delivery_close_replaced(d);
}

bool delivery_reconfigure(struct delivery *d, const struct function_config *config, struct fault *f)
{
    INVARIANT(config->delivery.order == d->lanes.order);
    bool is_same_endpoint = function_change_is_same_endpoint(d->config, config);
    bool is_kept = is_same_endpoint && d->target->endpoint_type->is_lasting;
    struct target *target = NULL;
    if (!is_kept && !open_target(d, config, &target, f)) {
        return false;
    }
    const char *dead_letters = config->delivery.on_failure.dead_letter;
    if (strcmp(d->config->delivery.on_failure.dead_letter, dead_letters) != 0) {
        dead_letter_redirect(d->writer, d, dead_letters);
    }
    delivery_redirect_replies(d, config);
    apply_config(d, config);
    const struct limiter_settings limits = limiter_settings_of(config);
    limiter_adjust(&d->limiter, &limits, clock_now_us());
    shared_limit_join(d->shared_limits, &d->limiter.shared, config->delivery.limit);
    if (!is_kept) {
        replace_target(d, target, is_same_endpoint);
    }
    delivery_pump(d);
    return true;
}

static void abandon_target(struct delivery *d, struct target *target)
{
    while (target->running != NULL) {
        struct invocation *inv = target->running;
        invoke_cancel(inv);
        call_trace_end(&d->trace, inv, NULL);
        limiter_end(&d->limiter);
        for (struct work_item *item = inv->first, *next; item != NULL; item = next) {
            next = item->next;
            delivery_release(d, item);
        }
        invoke_close(inv);
    }
}

void delivery_abandon(struct delivery *d)
{
    d->is_pumping = true;  // no new call starts
    shared_limit_pass(&d->limiter.shared);
    abandon_target(d, d->target);
    struct target *target;
    LL_FOREACH (d->replaced, target) {
        abandon_target(d, target);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct delivery *d = handle->data;
    free(d->component);
    free(d->schemas_url);
    free(d);
}

void delivery_free(struct delivery *d)
{
    if (d == NULL) {
        return;
    }
    INVARIANT(d->limiter.running == 0);
    shared_limit_join(d->shared_limits, &d->limiter.shared, NULL);
    delivery_close_replaced(d);
    close_target(d->target);
    refetch_free(d->refetch);
    letter_watch_free(d->hold.watch);
    lanes_clear(&d->lanes);
    payload_options_clear(&d->payload);
    event_filter_free(d->filter);
    uv_close((uv_handle_t *)&d->timer, on_closed);
}
