#include "bridge/function/membership.h"

#include <utlist.h>

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"

enum { FAILED_RETRY_MS = 30000 };

// clang-format off
#define STATES(X) \
    X(REGISTERING)                                             \
    X(WAITING)    /* for the next registration, after a pause */       \
    X(OPEN)       /* the consumer is a member of the group */  \
    X(FAILING)    /* the consumer closes; then WAITING */      \
    X(LEAVING)    /* the consumer closes, or the cancelled registration ends */ \
    X(ENDED)
// clang-format on

enum state {
#define X(name) STATE_##name,
    STATES(X)
#undef X
};

struct membership {
    struct membership_params params;
    enum state state;
    struct registration *registration;  // REGISTERING
    struct consumer *consumer;          // OPEN, and while it closes
    json_t *record;                     // as last written to the state topic; NULL until registered
    struct backoff backoff;
    uv_timer_t timer;
};

#define BIT(name) (1u << STATE_##name)

static void enter(struct membership *m, enum state to)
{
    static const unsigned TO[] = {
        [STATE_REGISTERING] = BIT(WAITING) | BIT(OPEN) | BIT(LEAVING) | BIT(ENDED),
        [STATE_WAITING] = BIT(REGISTERING) | BIT(ENDED),
        [STATE_OPEN] = BIT(FAILING) | BIT(LEAVING),
        [STATE_FAILING] = BIT(WAITING) | BIT(LEAVING),
        [STATE_LEAVING] = BIT(ENDED),
        [STATE_ENDED] = 0,
    };
    INVARIANT((TO[m->state] & (1u << to)) != 0);
    m->state = to;
}

static void on_ended(uv_timer_t *timer)
{
    struct membership *m = timer->data;
    m->params.on_ended(m->params.self);
}

/** on_ended comes from the loop, never from inside membership_end. */
static void end_in_next_turn(struct membership *m)
{
    enter(m, STATE_ENDED);
    (void)uv_timer_start(&m->timer, on_ended, 0, 0);
}

static void register_function(struct membership *m);

static void on_retry(uv_timer_t *timer)
{
    struct membership *m = timer->data;
    enter(m, STATE_REGISTERING);
    m->params.on_retried(m->params.self);
    register_function(m);
}

static void wait_and_retry(struct membership *m, uint64_t wait_ms)
{
    enter(m, STATE_WAITING);
    (void)uv_timer_start(&m->timer, on_retry, wait_ms, 0);
}

static void open_consumer(struct membership *m)
{
    struct fault f;
    const struct consumer_params params = {
        .loop = m->params.deps->loop,
        .settings = m->params.deps->settings,
        .config = m->params.config,
        .job = m->params.deps->job,
        .state_topic = m->params.deps->state_topic,
        .fetcher = m->params.deps->fetcher,
        .listener = m->params.consumer,
    };
    if (consumer_open(&params, &m->consumer, &f)) {
        enter(m, STATE_OPEN);
    } else {
        m->consumer = NULL;
        wait_and_retry(m, FAILED_RETRY_MS);
        m->params.on_failed(m->params.self, &f);
    }
}

static void on_consumer_closed(void *self)
{
    struct membership *m = self;
    m->consumer = NULL;
    if (m->state == STATE_FAILING) {
        wait_and_retry(m, FAILED_RETRY_MS);
    } else {
        end_in_next_turn(m);
    }
}

static void on_registered(void *self, const struct registration_result *result, const struct fault *f)
{
    struct membership *m = self;
    m->registration = NULL;
    if (f == NULL) {
        backoff_reset(&m->backoff);
        json_decref(m->record);
        m->record = json_incref(result->record);
        m->params.on_registered(m->params.self, result);
        open_consumer(m);
    } else if (f->kind == FAULT_RETRY) {
        log_write(m->backoff.failures == 0 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, m->params.component,
                  "registration_delayed", NULL, "%s", f->text);
        m->params.on_delayed(m->params.self, f);
        wait_and_retry(m, (uint64_t)(backoff_next_us(&m->backoff) / CLOCK_US_PER_MS));
    } else {
        wait_and_retry(m, FAILED_RETRY_MS);
        m->params.on_failed(m->params.self, f);
    }
}

/** A job's group has its own beginning. */
static void begin_job(struct membership *m, const struct job *job)
{
    const struct registration_result result = {.partition_count = (size_t)job->ends->cnt};
    m->params.on_registered(m->params.self, &result);
    open_consumer(m);
}

static void register_function(struct membership *m)
{
    const struct function_deps *deps = m->params.deps;
    if (deps->job != NULL) {
        begin_job(m, deps->job);
        return;
    }
    m->registration = registration_start(deps->loop, deps->settings, deps->registrations, deps->state_topic,
                                         m->params.config, on_registered, m);
}

static void on_record_saved(void *self, const struct fault *f)
{
    (void)self;
    if (f != NULL) {
        log_warn("bridge", "registration_not_saved", NULL, "%s", f->text);  // the next start writes it again
    }
}

/** Adds to the record the partitions that appeared since the registration and have a committed offset. */
static void extend_registration(struct membership *m)
{
    bool is_extended = false;
    struct partition *p;
    LL_FOREACH (consumer_partitions(m->consumer), p) {
        if (!p->is_registered && p->progress.committed >= 0) {
            p->is_registered = true;
            is_extended = registration_record_add(m->record, p->topic, p->number) || is_extended;
        }
    }
    if (is_extended) {
        registration_save(m->params.deps->state_topic, m->params.config->name, m->record, on_record_saved,
                          NULL);
    }
}

void membership_tick(struct membership *m)
{
    if (m->consumer != NULL) {
        if (m->record != NULL) {
            extend_registration(m);
        }
        consumer_tick(m->consumer);
    }
}

struct consumer *membership_consumer(const struct membership *m)
{
    return m->consumer;
}

void membership_fail(struct membership *m, const struct fault *f)
{
    if (m->state == STATE_OPEN) {
        enter(m, STATE_FAILING);
        m->params.on_failed(m->params.self, f);
        consumer_close(m->consumer, on_consumer_closed, m);
    }
}

void membership_set_config(struct membership *m, const struct function_config *config)
{
    m->params.config = config;
}

static void on_registration_cancelled(void *self)
{
    end_in_next_turn(self);
}

void membership_end(struct membership *m)
{
    (void)uv_timer_stop(&m->timer);
    bool is_open = m->state == STATE_OPEN;
    if (is_open || m->state == STATE_FAILING) {
        enter(m, STATE_LEAVING);
        if (is_open) {
            consumer_close(m->consumer, on_consumer_closed, m);
        }
    } else if (m->registration == NULL ||
               registration_cancel(TAKE(m->registration), on_registration_cancelled)) {
        end_in_next_turn(m);
    } else {
        enter(m, STATE_LEAVING);
    }
}

struct membership *membership_start(const struct membership_params *params)
{
    struct membership *m = memory_zeroed(1, sizeof(*m));
    m->params = *params;
    m->backoff = backoff_make(200 * CLOCK_US_PER_MS, 10 * CLOCK_US_PER_S);
    (void)uv_timer_init(params->deps->loop, &m->timer);
    m->timer.data = m;
    register_function(m);
    return m;
}

static void on_closed(uv_handle_t *handle)
{
    struct membership *m = handle->data;
    json_decref(m->record);
    free(m);
}

void membership_free(struct membership *m)
{
    if (m != NULL) {
        uv_close((uv_handle_t *)&m->timer, on_closed);
    }
}
