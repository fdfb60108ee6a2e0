// Handles the response to an invocation: outcome.c decides, this file acts.
#include <stdio.h>

#include "bridge/delivery/delivery_state.h"
#include "core/base/clock.h"
#include "core/base/log.h"

static void finish_delivered(struct delivery *d, struct invocation *inv)
{
    int64_t now_wall_us = clock_wall_us();
    metric_add(d->metrics->delivered, (double)inv->event_count);
    for (struct event *e = inv->first, *next; e != NULL; e = next) {
        next = e->next;
        if (e->commit_time_us != 0) {
            metric_observe_us(d->metrics->event_latency, now_wall_us - e->commit_time_us);
        }
        delivery_settle(d, e);
    }
    invoke_close(inv);
    delivery_note_error(d, NULL);
}

/** One line about a response, for logs and dead letters. It never contains the response's body. */
static void describe(const struct response *r, char *text, size_t size)
{
    if (r->transport.kind != FAULT_NONE) {
        (void)snprintf(text, size, "%s", r->transport.text);
    } else if (r->location != NULL) {
        (void)snprintf(text, size, "the function answered %d, to %s; redirects are not followed", r->status,
                       r->location);
    } else {
        (void)snprintf(text, size, "the function answered %d", r->status);
    }
}

static void finish_dead(struct delivery *d, struct invocation *inv, const struct response *r,
                        const char *reason)
{
    char text[512];
    describe(r, text, sizeof(text));
    delivery_note_error(d, text);
    struct dead_letter_cause cause = {
        .reason = reason, .message = text, .status = r->status, .attempts = inv->attempts};
    for (struct event *e = inv->first, *next; e != NULL; e = next) {
        next = e->next;
        if (e->partition->state == PARTITION_LOST) {
            delivery_release(d, e);
        } else {
            delivery_dead_letter(d, e, cause);
        }
    }
    invoke_close(inv);
}

static void report_throttled(struct delivery *d)
{
    if (!d->is_throttled) {
        d->is_throttled = true;
        d->on_throttled(d->self, d->error.text);
    }
}

/** Returns when the throttled invocation is due: after the wait that the endpoint asked for, and not before
 * the limiter opens. After that a new invocation comes first (was_retry). */
static int64_t throttle(struct delivery *d, struct invocation *inv, int64_t wait_us)
{
    int64_t now_us = clock_now_us();
    int64_t due_us = now_us + (wait_us > 0 ? wait_us : backoff_wait_us(&d->backoff, inv->throttles));
    inv->throttles++;
    if (limiter_throttle(&d->limiter, inv->number, wait_us, now_us)) {
        d->was_retry = true;
        report_throttled(d);
    }
    return due_us > d->limiter.open_us ? due_us : d->limiter.open_us;
}

static int64_t close_limiter(struct delivery *d)
{
    d->was_retry = true;
    report_throttled(d);
    return limiter_close(&d->limiter, 0, clock_now_us());
}

static void log_retry(struct delivery *d, const struct invocation *inv, const char *reason)
{
    CLEANUP(memory_free_pointer) char *id = slice_to_string(inv->first->id);
    log_write(inv->attempts == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, d->component, "invocation_retried",
              LOG_WITH(LOG_TEXT("reason", reason), LOG_TEXT("id", id), LOG_NUMBER("events", inv->event_count),
                       LOG_NUMBER("attempts", inv->attempts)),
              "%s", d->error.text);
}

/** Any response except a throttling one shows that the endpoint works: widens the limiter. */
static void note_health(struct delivery *d, const struct invocation *inv, const struct outcome *o,
                        const struct response *r)
{
    if (o->kind == OUTCOME_THROTTLE || r->transport.kind != FAULT_NONE) {
        return;
    }
    limiter_widen(&d->limiter, inv->generation);
    if (d->is_throttled && inv->generation == d->limiter.generation) {
        d->is_throttled = false;
        d->on_throttled(d->self, NULL);
    }
}

/** What the status says: also that calls which fail have taken all the room there is. */
static void note_failure(struct delivery *d, const struct response *r)
{
    char text[sizeof(d->error.text)];
    describe(r, text, sizeof(text));
    if (delivery_room(d) > 0 || d->lanes.waiting_count > 0) {
        delivery_note_error(d, text);
        return;
    }
    CLEANUP(memory_free_pointer)
    char *full = memory_format("no room for more events: %zu calls wait to be made again; %s",
                               d->target->waiting_count + 1, text);
    delivery_note_error(d, full);
}

/** Schedules a retry of the same events, or of half of them. */
static void try_again(struct delivery *d, struct invocation *inv, const struct outcome *o,
                      const struct response *r, bool is_superseded)
{
    int64_t now_us = clock_now_us();
    int64_t due_us = now_us;
    note_failure(d, r);
    function_metrics_count_retry(d->metrics, o->reason);
    if (o->kind == OUTCOME_HALVE) {
        inv->event_max = inv->event_count / 2;
    } else if (o->kind == OUTCOME_THROTTLE) {
        due_us = is_superseded ? d->limiter.open_us : throttle(d, inv, o->wait_us);
    } else if (o->kind == OUTCOME_UNREACHABLE) {
        due_us = is_superseded ? d->limiter.open_us : close_limiter(d);
    } else {
        log_retry(d, inv, o->reason);
        due_us = is_superseded ? now_us : now_us + backoff_wait_us(&d->backoff, inv->attempts - 1);
    }
    inv->throttles = o->kind == OUTCOME_THROTTLE ? inv->throttles : 0;
    delivery_retry(d, inv, due_us);
}

void delivery_on_response(void *self, struct invocation *inv, const struct response *r)
{
    struct delivery *d = self;
    d->running_count--;
    bool is_superseded = inv->target->is_superseded;
    inv->target = d->target;  // retries go to the current target
    struct outcome_history history = {inv->attempts, inv->first_attempt_us, clock_now_us(), inv->event_count};
    struct outcome o = outcome_judge(r, &history, &d->policy);
    metric_observe_us(d->metrics->invocation_duration, r->took_us);
    inv->attempts += o.is_attempt ? 1 : 0;
    if (!is_superseded) {
        note_health(d, inv, &o, r);
    }
    switch (o.kind) {
    case OUTCOME_DONE:
        finish_delivered(d, inv);
        break;
    case OUTCOME_DEAD:
        finish_dead(d, inv, r, o.reason);
        break;
    case OUTCOME_RETRY:
    case OUTCOME_THROTTLE:
    case OUTCOME_UNREACHABLE:
    case OUTCOME_HALVE:
        try_again(d, inv, &o, r, is_superseded);
        break;
    }
    if (d->replaced != NULL) {
        delivery_close_replaced(d);
    }
    delivery_pump(d);
    if (delivery_wants_more(d)) {
        d->on_room(d->self);
    }
}
