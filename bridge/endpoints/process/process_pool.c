#include "bridge/endpoints/process/process_pool.h"

#include <stdio.h>

#include <utlist.h>

#include "bridge/endpoints/process/process_places.h"
#include "core/base/clock.h"

#define NEVER INT64_MAX

enum { NAME_MAX_BYTES = 96, ARN_MAX_BYTES = 160 };

enum pool_state { POOL_OPEN, POOL_CLOSING, POOL_TIMER_CLOSED };

struct process_pool {
    uv_loop_t *loop;
    struct process_config config;
    char function[NAME_MAX_BYTES];
    char component[NAME_MAX_BYTES];
    char arn[ARN_MAX_BYTES];
    enum pool_state state;
    struct process_places places;
    struct process_call *waiting;  // in the order of their calls
    struct process_call *running;  // PROCESS_CALL_RUNS and PROCESS_CALL_LATE
    uv_timer_t timer;              // the next of all deadlines
    int64_t timer_at_us;           // NEVER: it does not run
};

static void arm(struct process_pool *p, int64_t at_us);

/* ---- calls that wait ---- */

/** Of a call that is in no list any more. */
static void fail_unsent(struct process_call *call, const char *text)
{
    const struct process_result r = {.verdict = PROCESS_NOT_STARTED, .text = text};
    call->on_result(call, &r);
}

static size_t count_waiting(const struct process_pool *p)
{
    size_t count = 0;
    const struct process_call *call;
    DL_COUNT(p->waiting, call, count);
    return count;
}

/** Fails those that wait now: what fails may be called again at once. */
static void fail_waiting(struct process_pool *p, const char *text)
{
    for (size_t left = count_waiting(p); left > 0 && p->waiting != NULL; left--) {
        struct process_call *call = p->waiting;
        DL_DELETE(p->waiting, call);
        fail_unsent(call, text);
    }
}

/** A random UUID, RFC 9562 version 4: an id is never used again, so that a late result can't end another
 * call. */
static void make_id(char *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    uint8_t b[16];
    int failed = uv_random(NULL, NULL, b, sizeof(b), 0, NULL);
    INVARIANT(failed == 0);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(b); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = DIGITS[b[i] >> 4];
        *out++ = DIGITS[b[i] & 0x0f];
    }
    *out = '\0';
}

static bool try_invoke(struct process_pool *p, struct instance *i, struct process_call *call)
{
    if (instance_state(i) != INSTANCE_READY) {
        return false;
    }
    call->invocation.body = call->body;
    call->invocation.function_arn = p->arn;
    call->invocation.trace_id = call->trace_id;
    call->invocation.deadline_wall_us = clock_wall_us() + call->timeout_us;
    if (!instance_invoke(i, &call->invocation)) {
        return false;
    }
    call->state = PROCESS_CALL_RUNS;
    call->instance = i;
    call->at_us = clock_now_us();
    call->deadline_us = call->at_us + call->timeout_us;
    DL_APPEND(p->running, call);
    arm(p, call->deadline_us);
    return true;
}

/** Gives the call to the first instance that takes it, so that those behind it can become idle. */
static bool place_call(struct process_pool *p, struct process_call *call)
{
    for (size_t at = 0; at < p->places.count; at++) {
        struct instance *i = p->places.instances[at];
        if (i != NULL && try_invoke(p, i, call)) {
            return true;
        }
    }
    return false;
}

static void place_calls(struct process_pool *p)
{
    while (p->waiting != NULL) {
        struct process_call *call = p->waiting;
        DL_DELETE(p->waiting, call);
        if (!place_call(p, call)) {
            DL_PREPEND(p->waiting, call);
            return;
        }
    }
}

/* ---- calls that run ---- */

/** Kills an instance that runs nothing but calls whose time is over. */
static void kill_if_late(struct process_pool *p, struct instance *i)
{
    if (instance_state(i) != INSTANCE_RETIRING || instance_running(i) == 0) {
        return;  // one with a late call is retired: the others' results need no search
    }
    const struct process_call *call;
    DL_FOREACH (p->running, call) {
        if (call->instance == i && call->state == PROCESS_CALL_RUNS) {
            return;
        }
    }
    instance_kill(i, INSTANCE_KILL_TIMEOUT);
}

/** Its time is over. It ends when its process has ended, so that no other call for the same key runs beside
 * it; the process ends when its other calls have ended. */
static void give_up(struct process_pool *p, struct process_call *call)
{
    call->state = PROCESS_CALL_LATE;
    instance_retire(call->instance);
    kill_if_late(p, call->instance);
}

static void on_ready(void *self, struct instance *i)
{
    struct process_pool *p = self;
    (void)i;
    last_error_clear(&p->places.trouble);
    place_calls(p);
}

static enum process_verdict verdict_of(const struct process_call *call, enum runtime_verdict verdict)
{
    static const enum process_verdict VERDICTS[] = {
        [RUNTIME_SUCCEEDED] = PROCESS_SUCCEEDED,
        [RUNTIME_FAILED] = PROCESS_FAILED,
        [RUNTIME_TOO_LARGE] = PROCESS_TOO_LARGE,
        [RUNTIME_UNSENT] = PROCESS_NOT_STARTED,
    };
    return call->state == PROCESS_CALL_LATE ? PROCESS_TIMED_OUT : VERDICTS[verdict];
}

static void on_result(void *self, struct instance *i, struct runtime_invocation *invocation,
                      const struct runtime_result *r)
{
    struct process_pool *p = self;
    struct process_call *call = CONTAINER_OF(invocation, struct process_call, invocation);
    DL_DELETE(p->running, call);
    if (r->verdict != RUNTIME_UNSENT) {
        process_places_worked(&p->places);
    }
    int64_t now_us = clock_now_us();
    const struct process_result result = {
        .verdict = verdict_of(call, r->verdict),
        .body = r->body,
        .error_type = r->error_type,
        .text = r->verdict == RUNTIME_UNSENT
                    ? "the function closed its connection before it had the whole call"
                    : NULL,
        .took_us = now_us - call->at_us,
    };
    call->on_result(call, &result);
    kill_if_late(p, i);
    place_calls(p);  // its process may have asked for the next one before
    if (p->waiting != NULL) {
        arm(p, now_us + p->config.init_timeout_us);
    }
    if (p->config.idle_stop_us > 0) {
        arm(p, now_us + p->config.idle_stop_us);
    }
}

/** Ends the calls that ran in an instance whose process is gone. */
static void fail_running(struct process_pool *p, struct instance *i, const struct instance_end *end)
{
    struct runtime_invocation *invocation;
    while ((invocation = instance_take_running(i)) != NULL) {
        struct process_call *call = CONTAINER_OF(invocation, struct process_call, invocation);
        DL_DELETE(p->running, call);
        enum process_verdict verdict =
            end->reason == INSTANCE_END_OUT_OF_MEMORY ? PROCESS_OUT_OF_MEMORY : PROCESS_CRASHED;
        const struct process_result r = {
            .verdict = call->state == PROCESS_CALL_LATE ? PROCESS_TIMED_OUT : verdict,
            .text = end->text,
            .took_us = clock_now_us() - call->at_us,
        };
        call->on_result(call, &r);
    }
}

/* ---- what is due ---- */

/** Gives up the calls whose time is over; the earliest of the other deadlines goes to `ret_at_us`. */
static void end_late_calls(struct process_pool *p, int64_t now_us, int64_t *ret_at_us)
{
    struct process_call *call;
    DL_FOREACH (p->running, call) {
        if (call->state != PROCESS_CALL_RUNS) {
            continue;
        }
        if (call->deadline_us <= now_us) {
            give_up(p, call);
        } else if (call->deadline_us < *ret_at_us) {
            *ret_at_us = call->deadline_us;
        }
    }
    while (p->waiting != NULL && p->waiting->deadline_us <= now_us) {
        call = p->waiting;
        DL_DELETE(p->waiting, call);
        const struct last_error *trouble = &p->places.trouble;
        fail_unsent(call, trouble->is_set ? trouble->text
                                          : "no process of the function was ready for the call in time");
    }
    if (p->waiting != NULL && p->waiting->deadline_us < *ret_at_us) {
        *ret_at_us = p->waiting->deadline_us;
    }
}

/** Does all that is due. */
static void look(struct process_pool *p)
{
    if (p->state != POOL_OPEN) {
        return;
    }
    int64_t now_us = clock_now_us();
    int64_t next_us = NEVER;
    end_late_calls(p, now_us, &next_us);
    if (p->state != POOL_OPEN) {  // by the owner of a call that ended
        return;
    }
    place_calls(p);
    if (p->waiting != NULL) {
        process_places_kill_silent(&p->places, p->waiting->at_us, now_us, &next_us);
    }
    if (!process_places_start(&p->places, count_waiting(p), now_us, &next_us) &&
        !process_places_has_ready(&p->places)) {
        fail_waiting(p, p->places.trouble.text);
    }
    process_places_stop_idle(&p->places, now_us, &next_us);
    arm(p, next_us);
}

static void on_timer(uv_timer_t *timer)
{
    struct process_pool *p = timer->data;
    p->timer_at_us = NEVER;
    look(p);
}

/** Looks at this time at the latest. */
static void arm(struct process_pool *p, int64_t at_us)
{
    if (at_us >= p->timer_at_us || p->state != POOL_OPEN) {
        return;
    }
    p->timer_at_us = at_us;
    int64_t wait_us = at_us - clock_now_us();
    uint64_t wait_ms = wait_us <= 0 ? 0 : (uint64_t)((wait_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS);
    uv_update_time(p->loop);
    (void)uv_timer_start(&p->timer, on_timer, wait_ms, 0);
}

/* ---- ends ---- */

static void on_end(void *self, struct instance *i, const struct instance_end *end)
{
    struct process_pool *p = self;
    process_places_leave(&p->places, i);
    if (end->reason != INSTANCE_END_STOPPED && end->reason != INSTANCE_END_KILLED) {
        process_places_failed(&p->places, end->text, clock_now_us());
    }
    fail_running(p, i, end);
    if (end->reason == INSTANCE_END_INIT_FAILED && !process_places_has_ready(&p->places)) {
        fail_waiting(p, end->text);
    }
    look(p);
}

static void free_if_over(struct process_pool *p)
{
    if (p->state == POOL_TIMER_CLOSED && p->places.live == 0) {
        process_places_clear(&p->places);
        process_config_clear(&p->config);
        free(p);
    }
}

static void on_instance_closed(void *self, struct instance *i)
{
    struct process_pool *p = self;
    (void)i;
    p->places.live--;
    free_if_over(p);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct process_pool *p = handle->data;
    p->state = POOL_TIMER_CLOSED;
    free_if_over(p);
}

/* ---- the pool ---- */

struct process_pool *process_pool_new(const struct process_pool_params *params)
{
    struct process_pool *p = memory_zeroed(1, sizeof(*p));
    p->loop = params->loop;
    process_config_copy(params->config, &p->config);
    p->timer_at_us = NEVER;
    (void)snprintf(p->function, sizeof(p->function), "%s", params->function);
    (void)snprintf(p->component, sizeof(p->component), "function/%s", params->function);
    (void)snprintf(p->arn, sizeof(p->arn), "arn:aws:lambda:local:000000000000:function:%s", params->function);
    const struct instance_params instances = {
        .loop = p->loop,
        .config = &p->config,
        .function = p->function,
        .component = p->component,
        .program = params->program,
        .on_ready = on_ready,
        .on_result = on_result,
        .on_end = on_end,
        .on_closed = on_instance_closed,
        .self = p,
    };
    process_places_init(&p->places, &instances);
    (void)uv_timer_init(p->loop, &p->timer);
    p->timer.data = p;
    arm(p, clock_now_us());
    return p;
}

void process_pool_call(struct process_pool *p, struct process_call *call)
{
    call->state = PROCESS_CALL_WAITS;
    call->instance = NULL;
    make_id(call->invocation.id);
    if (p->waiting == NULL && place_call(p, call)) {
        return;
    }
    call->at_us = clock_now_us();
    call->deadline_us = call->at_us + p->config.init_timeout_us + call->timeout_us;
    DL_APPEND(p->waiting, call);
    bool has_room = process_places_room(&p->places) >= count_waiting(p);
    arm(p, has_room ? call->at_us + p->config.init_timeout_us
                    : call->at_us);  // the timer, since no result may come from here
}

void process_pool_cancel(struct process_pool *p, struct process_call *call)
{
    if (call->state == PROCESS_CALL_WAITS) {
        DL_DELETE(p->waiting, call);
        return;
    }
    DL_DELETE(p->running, call);
    instance_abandon(call->instance, &call->invocation);
    kill_if_late(p, call->instance);
}

const struct last_error *process_pool_trouble(const struct process_pool *p)
{
    return &p->places.trouble;
}

size_t process_pool_instances(const struct process_pool *p)
{
    return p->places.live;
}

void process_pool_close(struct process_pool *p)
{
    if (p == NULL) {
        return;
    }
    INVARIANT(p->waiting == NULL && p->running == NULL);
    p->state = POOL_CLOSING;
    process_places_stop_all(&p->places);
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}
