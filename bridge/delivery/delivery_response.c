// Handles the response to an invocation: outcome.c decides, this file acts.
#include <stdio.h>

#include "bridge/delivery/delivery_state.h"
#include "core/base/clock.h"
#include "core/base/log.h"

static void finish_delivered(struct delivery *d, struct invocation *inv)
{
    int64_t now_wall_us = clock_wall_us();
    metric_add(d->metrics->delivered, (double)inv->event_count);
    for (struct work_item *item = inv->first, *next; item != NULL; item = next) {
        next = item->next;
        if (item->record->commit_time_us != 0) {
            metric_observe_us(d->metrics->event_latency, now_wall_us - item->record->commit_time_us);
        }
        delivery_report(d, item, JOB_DELIVERED);
        delivery_settle(d, item);
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

/** Writes the dead letter of an event, unless another member has its partition. True: a job keeps it in its
 * lane. */
static bool finish_dead(struct delivery *d, struct work_item *item, const struct response *r,
                        const char *reason)
{
    if (item->partition->state == PARTITION_LOST) {
        delivery_release(d, item);
        return false;
    }
    char text[512];
    describe(r, text, sizeof(text));
    const struct dead_letter_cause cause = {
        .reason = reason, .message = text, .status = r->status, .attempts = item->retry.attempts};
    if (!delivery_keeps_failed(d)) {
        delivery_dead_letter(d, item, cause);
        return false;
    }
    delivery_keep(d, item, &cause);
    if (item->partition->state != PARTITION_ASSIGNED) {
        delivery_release(d, item);
        return false;
    }
    return true;
}

static void report_throttled(struct delivery *d)
{
    if (!d->is_throttled) {
        d->is_throttled = true;
        d->on_throttled(d->self, d->error.text);
    }
}

/** Identifies the event that a throttled call began with, across its calls. */
static uint64_t identity_of(const struct invocation *inv)
{
    return ((uint64_t)(uintptr_t)inv->first->partition << 20) ^ (inv->first->ticket + 1);
}

/** The highest counts among the events of a call. */
struct worst {
    uint32_t attempts;
    uint32_t throttles;
};

static struct worst worst_of(const struct invocation *inv)
{
    struct worst w = {0, 0};
    for (const struct work_item *item = inv->first; item != NULL; item = item->next) {
        w.attempts = item->retry.attempts > w.attempts ? item->retry.attempts : w.attempts;
        w.throttles = item->retry.throttles > w.throttles ? item->retry.throttles : w.throttles;
    }
    return w;
}

/** When throttled events are due: after the wait that the endpoint asked for, and not before the limiter
 * opens. Then they are behind the events that are ready. */
static int64_t throttle(struct delivery *d, const struct invocation *inv, int64_t wait_us)
{
    int64_t now_us = clock_now_us();
    int64_t due_us = now_us + (wait_us > 0 ? wait_us : backoff_wait_us(&d->backoff, worst_of(inv).throttles));
    if (limiter_throttle(&d->limiter, identity_of(inv), wait_us, now_us)) {
        report_throttled(d);
    }
    return due_us > d->limiter.open_us ? due_us : d->limiter.open_us;
}

static int64_t close_limiter(struct delivery *d)
{
    report_throttled(d);
    return limiter_close(&d->limiter, 0, clock_now_us());
}

static void log_retry(struct delivery *d, const struct invocation *inv, const char *reason)
{
    uint32_t attempts = worst_of(inv).attempts + 1;
    CLEANUP(memory_free_pointer) char *id = slice_to_string(inv->first->record->id);
    log_write(attempts == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, d->component, "invocation_retried",
              LOG_WITH(LOG_TEXT("reason", reason), LOG_TEXT("id", id), LOG_NUMBER("events", inv->event_count),
                       LOG_NUMBER("attempts", attempts)),
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

/** Sets the error that the status shows; with no room left for more events, that as well. */
static void note_failure(struct delivery *d, const struct response *r)
{
    char text[sizeof(d->error.text)];
    describe(r, text, sizeof(text));
    if (delivery_room(d) > 0 || d->lanes.loaded_count > 0) {
        delivery_note_error(d, text);
        return;
    }
    CLEANUP(memory_free_pointer)
    char *full =
        memory_format("no room for more events: %zu wait to be sent again; %s", d->failing_count, text);
    delivery_note_error(d, full);
}

/** When the events of a failed call are sent again. */
static int64_t due_after(struct delivery *d, const struct invocation *inv, const struct outcome *o)
{
    if (inv->target->is_superseded) {
        return d->limiter.open_us;
    }
    switch (o->kind) {
    case OUTCOME_THROTTLE:
        return throttle(d, inv, o->wait_us);
    case OUTCOME_UNREACHABLE:
        return close_limiter(d);
    case OUTCOME_RETRY:
        log_retry(d, inv, o->reason);
        return clock_now_us() + backoff_wait_us(&d->backoff, worst_of(inv).attempts);
    case OUTCOME_DONE:
    case OUTCOME_BISECT:
    case OUTCOME_DEAD:
        break;
    }
    return 0;
}

/** Keeps the attempts of an event for the commit before its partition is given back. */
static void keep_attempt(const struct work_item *item, int64_t due_us)
{
    if (progress_is_current(&item->partition->progress, item->ticket)) {
        const struct progress_attempt attempt = delivery_attempt_of(item, due_us);
        partition_keep_attempt(item->partition, &attempt);
    }
}

/** Updates the retry state of one event of a failed call. False: it was dead-lettered or released. */
static bool finish_failed(struct delivery *d, struct work_item *item, const struct response *r,
                          const struct outcome *call, int64_t due_us)
{
    struct retry_state *retry = &item->retry;
    struct outcome o = outcome_of_event(*call, retry, clock_now_us(), &d->policy);
    if (o.is_attempt) {
        work_item_note_attempt(item, clock_now_us());
    }
    retry->throttles = o.kind == OUTCOME_THROTTLE ? retry->throttles + 1 : 0;
    if (o.kind == OUTCOME_DEAD) {
        return finish_dead(d, item, r, o.reason);
    }
    if (item->partition->state != PARTITION_ASSIGNED) {
        keep_attempt(item, due_us);
        delivery_release(d, item);
        return false;
    }
    delivery_fail(d, item);
    return true;
}

static void finish_call(struct delivery *d, struct invocation *inv, const struct response *r,
                        const struct outcome *o)
{
    int64_t due_us = due_after(d, inv, o);
    if (o->kind == OUTCOME_BISECT) {
        batch_bisect(inv->first, inv->event_count, ++d->bisected_count);
    }
    struct work_item *again = NULL;
    struct work_item **end = &again;
    for (struct work_item *item = invoke_take_events(inv), *next; item != NULL; item = next) {
        next = item->next;
        if (finish_failed(d, item, r, o, due_us)) {
            item->next = NULL;
            *end = item;
            end = &item->next;
        }
    }
    lanes_delay(&d->lanes, again, due_us);
    invoke_close(inv);
}

void delivery_on_response(void *self, struct invocation *inv, const struct response *r)
{
    struct delivery *d = self;
    d->running_count--;
    struct outcome o = outcome_judge(r, inv->event_count);
    metric_observe_us(d->metrics->invocation_duration, r->took_us);
    if (!inv->target->is_superseded) {
        note_health(d, inv, &o, r);
    }
    if (o.kind == OUTCOME_DONE) {
        finish_delivered(d, inv);
    } else {
        note_failure(d, r);
        if (o.kind != OUTCOME_DEAD) {
            function_metrics_count_retry(d->metrics, o.reason);
        }
        finish_call(d, inv, r, &o);
    }
    if (d->replaced != NULL) {
        delivery_close_replaced(d);
    }
    delivery_pump(d);
    if (delivery_wants_more(d)) {
        d->on_room(d->self);
    }
}
