#include "bridge/function/function.h"

#include <utlist.h>

#include "bridge/delivery/delivery.h"
#include "bridge/delivery/function_metrics.h"
#include "bridge/function/function_report.h"
#include "bridge/function/function_state.h"
#include "bridge/function/membership.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum {
    TICK_MS = 500,
    RECORDS_A_TURN = 256,
};

struct function {
    struct function_deps deps;
    struct function_config *config;
    void (*on_stopped)(void *self, struct function *fn);
    void *self;
    char *component;
    struct function_state state;
    struct membership *membership;  // NULL: the delivery could not be made
    struct delivery *delivery;
    struct function_metrics metrics;
    struct schema_listener on_schemas;
    int64_t lag_records;
    uv_timer_t tick;
    uv_idle_t turn;  // active: take_turn runs in the next loop iteration
    int open_handles;
};

/** NULL while no consumer is open. */
static struct consumer *consumer_of(const struct function *fn)
{
    return fn->membership == NULL ? NULL : membership_consumer(fn->membership);
}

/** Reads a bounded number of records and starts calls; runs again while there is room and more to read. */
static void take_turn(struct function *fn)
{
    bool has_more = false;
    if (consumer_of(fn) != NULL && fn->state.now != FUNCTION_DRAINING) {
        size_t room = delivery_room(fn->delivery);
        (void)consumer_take(consumer_of(fn), room < RECORDS_A_TURN ? room : RECORDS_A_TURN);
        delivery_pump(fn->delivery);
        has_more = delivery_room(fn->delivery) > 0 && consumer_has_more(consumer_of(fn));
    }
    if (!has_more) {
        (void)uv_idle_stop(&fn->turn);
    }
}

static void on_turn(uv_idle_t *turn)
{
    take_turn(turn->data);
}

static void on_room(void *self)
{
    struct function *fn = self;
    if (consumer_of(fn) != NULL && consumer_has_more(consumer_of(fn))) {
        (void)uv_idle_start(&fn->turn, on_turn);
    }
}

static void on_records(void *self)
{
    struct function *fn = self;
    if (delivery_room(fn->delivery) > 0 && !uv_is_active((uv_handle_t *)&fn->turn)) {
        (void)uv_idle_start(&fn->turn, on_turn);
    }
}

static void on_schema_resolved(void *self)
{
    struct function *fn = self;
    if (consumer_of(fn) == NULL) {
        return;
    }
    struct partition *p;
    LL_FOREACH (consumer_partitions(consumer_of(fn)), p) {
        p->is_held = false;
    }
    (void)uv_idle_start(&fn->turn, on_turn);
}

static void on_unheld(void *self)
{
    on_schema_resolved(self);
}

static void on_throttled(void *self, const char *why)
{
    struct function *fn = self;
    if (why != NULL && fn->state.now == FUNCTION_RUNNING) {
        function_state_enter(&fn->state, FUNCTION_THROTTLED, why);
    } else if (why == NULL && fn->state.now == FUNCTION_THROTTLED) {
        function_state_enter(&fn->state, FUNCTION_RUNNING, "the endpoint responds again");
    }
}

static const char PAUSED_TEXT[] = "its file says `paused: true`; no call starts";

/** The state of a function that is in its group. */
static void enter_assigned(struct function *fn, const char *why)
{
    if (fn->config->paused) {
        function_state_enter(&fn->state, FUNCTION_PAUSED, PAUSED_TEXT);
        return;
    }
    function_state_enter(&fn->state, FUNCTION_RUNNING, why);
    CLEANUP(memory_free_pointer) char *throttled = delivery_throttled_text(fn->delivery);
    on_throttled(fn, throttled);
}

static void on_assigned(void *self)
{
    struct function *fn = self;
    if (fn->state.now == FUNCTION_STARTING) {
        enter_assigned(fn, "assigned");
    }
}

static void on_revoked(void *self, struct partition *p)
{
    struct function *fn = self;
    delivery_drop(fn->delivery, p);
}

static enum consumer_step on_record(void *self, struct partition *p, struct record *r)
{
    struct function *fn = self;
    return delivery_take(fn->delivery, p, r);
}

static size_t get_attempts(void *self, const struct partition *p, struct progress_attempt *ret, size_t max)
{
    (void)self;
    return delivery_attempts(p, ret, max);
}

static void on_kafka_error(void *self, const char *why)
{
    struct function *fn = self;
    function_state_set_kafka_error(&fn->state, why);
}

static void on_resumed(void *self)
{
    struct function *fn = self;
    delivery_pump(fn->delivery);
}

static bool may_call(void *self)
{
    struct function *fn = self;
    return consumer_of(fn) == NULL || consumer_may_call(consumer_of(fn));
}

static void on_offset_reset(void *self, struct partition *p)
{
    struct function *fn = self;
    metric_add(fn->metrics.offset_resets, 1);
    delivery_restart_log(fn->delivery, p);
}

static void on_consumer_fault(void *self, const struct fault *f)
{
    struct function *fn = self;
    membership_fail(fn->membership, f);
}

static void on_registered(void *self, const struct registration_result *result)
{
    struct function *fn = self;
    function_state_join(&fn->state);
    metric_add(fn->metrics.offset_resets, (double)result->expired_count);
}

static void on_delayed(void *self, const struct fault *f)
{
    struct function *fn = self;
    function_state_delay(&fn->state, f->text);
}

static void on_failed(void *self, const struct fault *f)
{
    struct function *fn = self;
    if (fn->state.now != FUNCTION_DRAINING && fn->state.now != FUNCTION_FAILED) {
        function_state_enter(&fn->state, FUNCTION_FAILED, f->text);
    }
}

static void on_retried(void *self)
{
    struct function *fn = self;
    if (fn->state.now == FUNCTION_FAILED) {
        function_state_enter(&fn->state, FUNCTION_STARTING, "retrying");
    }
}

static void on_ended(void *self)
{
    struct function *fn = self;
    function_state_enter(&fn->state, FUNCTION_STOPPED, "stopped");
    fn->on_stopped(fn->self, fn);
}

static void measure_lag(struct function *fn)
{
    struct function_lag lag = function_report_lag(consumer_of(fn));
    fn->lag_records = lag.records;
    metric_set(fn->metrics.lag_records, (double)lag.records);
    metric_set(fn->metrics.lag_seconds, (double)lag.us / (double)CLOCK_US_PER_S);
}

/** A function that can't be registered yet waits for the state topic: without this it would only be
 * `starting`. */
static void note_registration(struct function *fn)
{
    const char *why = fn->state.now == FUNCTION_STARTING && consumer_of(fn) == NULL
                          ? state_topic_outage(fn->deps.state_topic)
                          : NULL;
    if (why != NULL) {
        CLEANUP(memory_free_pointer) char *text = memory_format("Kafka does not answer: %s", why);
        last_error_set(&fn->state.kafka_error, text);
    }
}

static void on_tick(uv_timer_t *tick)
{
    struct function *fn = tick->data;
    if (fn->delivery == NULL) {
        return;
    }
    metric_set(fn->metrics.in_flight, (double)delivery_running(fn->delivery));
    delivery_tick(fn->delivery);
    note_registration(fn);
    if (consumer_of(fn) != NULL) {
        measure_lag(fn);
        on_records(fn);  // partitions that progress_is_full stopped may read again
        membership_tick(fn->membership);
    }
}

static struct partition *list_partitions(void *self)
{
    struct function *fn = self;
    return consumer_of(fn) == NULL ? NULL : consumer_partitions(consumer_of(fn));
}

static bool make_delivery(struct function *fn, struct fault *f)
{
    struct delivery_params params = {
        .loop = fn->deps.loop,
        .settings = fn->deps.settings,
        .config = fn->config,
        .schemas = fn->deps.schemas,
        .writer = fn->deps.writer,
        .state_topic = fn->deps.state_topic,
        .metrics = &fn->metrics,
        .limits = fn->deps.limits,
        .tracer = fn->deps.tracer,
        .may_call = may_call,
        .on_room = on_room,
        .on_throttled = on_throttled,
        .list_partitions = list_partitions,
        .on_unheld = on_unheld,
        .self = fn,
        .job = fn->deps.job,
        .observer = fn->deps.observer,
    };
    return delivery_new(&params, &fn->delivery, f);
}

static struct membership *start_membership(struct function *fn)
{
    const struct membership_params params = {
        .deps = &fn->deps,
        .config = fn->config,
        .component = fn->component,
        .consumer = {.on_ready = on_records,
                     .on_assigned = on_assigned,
                     .on_revoked = on_revoked,
                     .on_record = on_record,
                     .get_attempts = get_attempts,
                     .on_offset_reset = on_offset_reset,
                     .on_resumed = on_resumed,
                     .on_kafka_error = on_kafka_error,
                     .on_fault = on_consumer_fault,
                     .self = fn},
        .on_registered = on_registered,
        .on_delayed = on_delayed,
        .on_failed = on_failed,
        .on_retried = on_retried,
        .on_ended = on_ended,
        .self = fn,
    };
    return membership_start(&params);
}

struct function *function_start(const struct function_deps *deps, struct function_config *config,
                                void (*on_stopped)(void *self, struct function *fn), void *self)
{
    struct function *fn = memory_zeroed(1, sizeof(*fn));
    fn->deps = *deps;
    fn->config = config;
    fn->on_stopped = on_stopped;
    fn->self = self;
    fn->component = memory_format("function/%s", config->name);
    fn->on_schemas = (struct schema_listener){.on_resolved = on_schema_resolved, .self = fn};
    schema_cache_join(deps->schemas, &fn->on_schemas);
    function_metrics_init(&fn->metrics, deps->metrics, config->name);
    function_state_init(&fn->state, fn->component, &fn->metrics);
    (void)uv_timer_init(deps->loop, &fn->tick);
    (void)uv_idle_init(deps->loop, &fn->turn);
    fn->tick.data = fn->turn.data = fn;
    fn->open_handles = 2;
    (void)uv_timer_start(&fn->tick, on_tick, TICK_MS, TICK_MS);
    struct fault f;
    if (make_delivery(fn, &f)) {
        fn->membership = start_membership(fn);
    } else {
        function_state_enter(&fn->state, FUNCTION_FAILED, f.text);  // only a new configuration cures this
    }
    return fn;
}

const char *function_name(const struct function *fn)
{
    return fn->config->name;
}

const struct function_config *function_config_of(const struct function *fn)
{
    return fn->config;
}

static void free_config(struct function_config *config)
{
    function_config_clear(config);
    free(config);
}

static void on_ended_without_membership(uv_timer_t *tick)
{
    on_ended(tick->data);
}

void function_stop(struct function *fn)
{
    if (fn->state.now == FUNCTION_DRAINING || fn->state.now == FUNCTION_STOPPED) {
        return;
    }
    function_state_enter(&fn->state, FUNCTION_DRAINING, "asked to stop");
    (void)uv_idle_stop(&fn->turn);
    if (fn->membership != NULL) {
        membership_end(fn->membership);
    } else {
        (void)uv_timer_start(&fn->tick, on_ended_without_membership, 0,
                             0);  // never from inside function_stop
    }
}

void function_abandon(struct function *fn)
{
    log_warn(fn->component, "drain_abandoned",
             LOG_WITH(LOG_NUMBER("in_flight", delivery_running(fn->delivery))),
             "running calls are cancelled; their events will be delivered again");
    delivery_abandon(fn->delivery);
}

void function_change_config(struct function *fn, struct function_config *config)
{
    struct fault f;
    struct function_config *old = fn->config;
    bool is_taken = fn->delivery == NULL || delivery_reconfigure(fn->delivery, config, &f);
    if (!is_taken) {
        log_error(fn->component, "configuration_refused", NULL, "%s; keeping the old configuration", f.text);
        free_config(config);
        return;
    }
    fn->config = config;
    if (fn->membership != NULL) {
        membership_set_config(fn->membership, config);
    }
    bool was_paused = old->paused;
    free_config(old);
    if (was_paused != config->paused) {
        enter_assigned(fn, "no longer paused");
    }
    log_info(fn->component, "configuration_changed", NULL, "the new configuration is in effect");
}

static void on_closed(uv_handle_t *handle)
{
    struct function *fn = handle->data;
    if (--fn->open_handles == 0) {
        function_state_clear(&fn->state);
        free(fn->component);
        free(fn);
    }
}

void function_free(struct function *fn)
{
    if (fn == NULL) {
        return;
    }
    schema_cache_leave(fn->deps.schemas, &fn->on_schemas);
    membership_free(fn->membership);
    fn->membership = NULL;
    delivery_free(fn->delivery);
    fn->delivery = NULL;
    function_metrics_clear(&fn->metrics);
    free_config(fn->config);
    uv_close((uv_handle_t *)&fn->tick, on_closed);
    uv_close((uv_handle_t *)&fn->turn, on_closed);
}

bool function_is_ready(const struct function *fn)
{
    return function_state_is_ready(&fn->state);
}

bool function_can_work(const struct function *fn)
{
    return function_is_ready(fn) && !fn->state.kafka_error.is_set;
}

static struct function_view view_of(const struct function *fn)
{
    return (struct function_view){.config = fn->config,
                                  .state = &fn->state,
                                  .delivery = fn->delivery,
                                  .consumer = consumer_of(fn),
                                  .schemas = fn->deps.schemas,
                                  .job = fn->deps.job,
                                  .lag_records = fn->lag_records};
}

struct job_state function_job(const struct function *fn)
{
    const struct function_view view = view_of(fn);
    return function_report_job(&view);
}

void function_status(const struct function *fn, struct bytes *out)
{
    const struct function_view view = view_of(fn);
    function_report_status(&view, out);
}
