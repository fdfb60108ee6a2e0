// Handles the response to an invocation: outcome.c decides, this file acts.
#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_delayed.h"
#include "bridge/delivery/response_text.h"
#include "core/base/clock.h"
#include "core/base/log.h"

/** A response, what it means for its call, and when the events that failed are sent again. */
struct verdict {
    const struct response *r;
    struct outcome o;
    struct fault invalid;  // o.is_invalid: what is wrong with the body
    int64_t timeout_us;    // of the call
    int64_t due_us;
    const struct lane *reported;  // PARTIAL: the lane of the last event that was named
};

void delivery_settle_delivered(struct delivery *d, struct work_item *item, int64_t now_wall_us)
{
    if (item->record->commit_time_us != 0) {
        metric_observe_us(d->metrics->event_latency, now_wall_us - item->record->commit_time_us);
    }
    delivery_report(d, item, JOB_DELIVERED);
    call_trace_settled(&d->trace, item, true);
    delivery_settle(d, item);
}

static void finish_delivered(struct delivery *d, struct invocation *inv, const struct response *r)
{
    int64_t now_wall_us = clock_wall_us();
    for (struct work_item *item = inv->first, *next; item != NULL; item = next) {
        next = item->next;
        delivery_observe(d, item, r,
                         &(struct call_end){OBSERVED_DELIVERED, item->retry.attempts + 1, true, NULL});
        if (!delivery_reply(d, inv, item, r)) {
            metric_add(d->metrics->delivered, 1);
            delivery_settle_delivered(d, item, now_wall_us);
        }
    }
    invoke_close(inv);
    delivery_note_error(d, NULL);
}

static void describe(const struct verdict *v, char *text, size_t size)
{
    response_text_write(v->r, &v->o, &v->invalid, v->timeout_us, text, size);
}

/** `is_dead`: the event becomes a dead letter now. */
static void observe(struct delivery *d, const struct work_item *item, const struct verdict *v,
                    const struct outcome *o, bool is_dead)
{
    if (d->observer == NULL) {
        return;
    }
    char text[512];
    describe(v, text, sizeof(text));
    bool is_done = o->kind == OUTCOME_DONE;
    const struct call_end end = {
        .end = is_done   ? OBSERVED_DELIVERED
               : is_dead ? OBSERVED_FAILED
                         : OBSERVED_RETRIED,
        .attempts = item->retry.attempts + (is_done || o->is_attempt ? 1 : 0),
        .is_attempt = is_done || o->is_attempt,
        .error = is_done ? NULL : text,
    };
    delivery_observe(d, item, v->r, &end);
}

/** Writes the dead letter of an event, unless another member has its partition. True: a job keeps it in its
 * lane. */
static bool finish_dead(struct delivery *d, struct work_item *item, const struct verdict *v,
                        const char *reason)
{
    if (item->partition->state == PARTITION_LOST) {
        delivery_release(d, item);
        return false;
    }
    char text[512];
    describe(v, text, sizeof(text));
    const struct dead_letter_cause cause = {
        .reason = reason, .message = text, .status = v->r->status, .attempts = item->retry.attempts};
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

/** Tells the owner when the breaker opens, and when a call has succeeded after that. */
static void report_breaker(struct delivery *d)
{
    bool is_open = limiter_is_open(&d->limiter);
    if (is_open == d->is_throttled) {
        return;
    }
    d->is_throttled = is_open;
    CLEANUP(memory_free_pointer) char *why = is_open ? delivery_throttled_text(d) : NULL;
    d->on_throttled(d->self, why);
}

static struct limiter_subject subject_of(const struct invocation *inv)
{
    int64_t first_us = inv->first->retry.first_attempt_us;
    return (struct limiter_subject){.key = work_item_key_number(inv->first),
                                    .tried_us = first_us == inv->sent_us ? 0 : first_us};
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
    limiter_throttle(&d->limiter, inv->limits, subject_of(inv), wait_us, now_us);
    return due_us > d->limiter.breaker.until_us ? due_us : d->limiter.breaker.until_us;
}

static int64_t wait_for_endpoint(struct delivery *d)
{
    limiter_unreachable(&d->limiter, clock_now_us());
    return d->limiter.breaker.until_us;
}

static int64_t retry(struct delivery *d, const struct invocation *inv, const struct response *r)
{
    bool is_response = r->transport.kind == FAULT_NONE;
    enum limiter_failure how = is_response     ? LIMITER_FAILED
                               : r->is_timeout ? LIMITER_TIMED_OUT
                                               : LIMITER_LOST;
    int64_t now_us = clock_now_us();
    limiter_fail(&d->limiter, inv->limits, subject_of(inv), how, now_us);
    return now_us + backoff_wait_us(&d->backoff, worst_of(inv).attempts);
}

static void log_retry(struct delivery *d, const struct invocation *inv, const char *reason)
{
    uint32_t attempts = worst_of(inv).attempts + 1;
    CLEANUP(memory_free_pointer) char *id = slice_to_string(inv->first->record->id);
    bool is_shown = attempts == 1 && log_may_repeat(d->component, "invocation_retried");
    log_write(is_shown ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, d->component, "invocation_retried",
              LOG_WITH(LOG_TEXT("reason", reason), LOG_TEXT("id", id), LOG_NUMBER("events", inv->event_count),
                       LOG_NUMBER("attempts", attempts)),
              "%s", d->error.text);
}

/** A call whose events are done with, one way or another, shows that the endpoint works. */
static void note_health(struct delivery *d, const struct invocation *inv, const struct outcome *o)
{
    if (o->kind == OUTCOME_DONE || o->kind == OUTCOME_PARTIAL || o->kind == OUTCOME_DEAD ||
        o->kind == OUTCOME_BISECT) {
        limiter_succeed(&d->limiter, inv->limits, clock_now_us());
    }
}

/** Sets the error that the status shows; with no room left for more events, that as well. */
static void note_failure(struct delivery *d, const struct verdict *v)
{
    char text[sizeof(d->error.text)];
    describe(v, text, sizeof(text));
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
static int64_t due_after(struct delivery *d, const struct invocation *inv, const struct response *r,
                         const struct outcome *o)
{
    if (inv->target->is_superseded) {
        return d->limiter.breaker.until_us;
    }
    switch (o->kind) {
    case OUTCOME_THROTTLE:
        return throttle(d, inv, o->wait_us);
    case OUTCOME_UNREACHABLE:
        return wait_for_endpoint(d);
    case OUTCOME_PARTIAL:
        log_retry(d, inv, o->reason);
        return clock_now_us() + backoff_wait_us(&d->backoff, worst_of(inv).attempts);
    case OUTCOME_RETRY:
        log_retry(d, inv, o->reason);
        return retry(d, inv, r);
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

/** What the response means for one event. Behind a named event of its lane, another one that is named uses up
 * no attempt: a function that stops at the first failure of a key names it without having tried it. Nor does
 * one that was not named and is sent again because it follows one that was. */
static struct outcome outcome_of(const struct delivery *d, const struct work_item *item, struct verdict *v)
{
    struct outcome o = v->o;
    if (o.kind == OUTCOME_PARTIAL && item->retry.is_behind) {
        o.is_attempt = false;
    } else if (o.kind == OUTCOME_PARTIAL && item->retry.is_reported) {
        o.is_attempt = item->lane != v->reported;
        v->reported = item->lane;
    }
    return outcome_of_event(o, &item->retry, clock_now_us(), &d->policy);
}

/** With hold_key, an event behind one of its key that is dead-lettered waits as if it had not been sent.
 * False: it was released. */
static bool keep_behind(struct delivery *d, struct work_item *item)
{
    if (item->partition->state != PARTITION_ASSIGNED) {
        delivery_release(d, item);
        return false;
    }
    return true;
}

/**
 * Updates the retry state of one event. False: it was settled, dead-lettered or released.
 *
 * @param last  the event of the call before it that is sent again; NULL: there is none
 */
static bool finish_one(struct delivery *d, struct work_item *item, struct verdict *v,
                       const struct work_item *last)
{
    struct retry_state *retry = &item->retry;
    bool is_held = delivery_holds_key(d, item);
    struct outcome o = outcome_of(d, item, v);
    bool is_behind = is_held && lanes_is_closed(item);
    bool is_dead =
        o.kind == OUTCOME_DEAD && !is_behind && !(is_held && last != NULL && last->lane == item->lane);
    observe(d, item, v, &o, is_dead);
    if (o.kind == OUTCOME_DONE) {
        metric_add(d->metrics->delivered, 1);
        delivery_settle_delivered(d, item, clock_wall_us());
        return false;
    }
    if (is_behind) {
        return keep_behind(d, item);
    }
    if (o.is_attempt) {
        work_item_note_attempt(item, clock_now_us());
    }
    retry->throttles = o.kind == OUTCOME_THROTTLE ? retry->throttles + 1 : 0;
    if (is_dead) {
        return finish_dead(d, item, v, o.reason);
    }
    if (item->partition->state != PARTITION_ASSIGNED) {
        keep_attempt(item, v->due_us);
        delivery_release(d, item);
        return false;
    }
    if (delivery_is_replaced(d, item, v->due_us)) {
        return false;
    }
    delivery_fail(d, item);
    return true;
}

static void finish_call(struct delivery *d, struct invocation *inv, struct verdict *v)
{
    struct work_item *again = NULL;
    struct work_item **end = &again;
    struct work_item *last = NULL;
    for (struct work_item *item = invoke_take_events(inv), *next; item != NULL; item = next) {
        next = item->next;
        if (finish_one(d, item, v, last)) {
            last = item;
            item->next = NULL;
            *end = item;
            end = &item->next;
        }
    }
    lanes_delay(&d->lanes, again, v->due_us);
    invoke_close(inv);
}

/** The event that a batch failed for. */
static void log_isolated(struct delivery *d, const struct work_item *item)
{
    const struct record *r = item->record;
    CLEANUP(memory_free_pointer) char *id = slice_to_string(r->id);
    log_warn(d->component, "batch_bisected",
             LOG_WITH(LOG_TEXT("id", id), LOG_TEXT("topic", r->topic), LOG_NUMBER("partition", r->partition),
                      LOG_NUMBER("offset", r->offset)),
             "a batch failed and was halved until this event failed alone: %s", d->error.text);
}

/** Notes who seems to fail, an event or the function, and splits a batch in which it is an event. */
static void bisect(struct delivery *d, struct invocation *inv, struct verdict *v)
{
    bool is_last = (int64_t)worst_of(inv).attempts + 1 >= d->policy.attempts_max;
    bool is_up = is_last || !limiter_is_open(&d->limiter);  // while the breaker is open, calls are probes
    bool is_event = is_up && bisect_blames_event(&d->bisect, inv->first, is_last);
    bool is_failure = v->o.kind == OUTCOME_BISECT || v->o.kind == OUTCOME_RETRY || v->o.kind == OUTCOME_DEAD;
    if (!is_failure || inv->target->is_superseded) {
        return;
    }
    if (inv->event_count == 1 && inv->first->retry.group != 0 && inv->first->retry.attempts == 0) {
        log_isolated(d, inv->first);
    }
    if (v->o.kind != OUTCOME_BISECT &&
        !(is_event && outcome_may_bisect(&d->policy, &v->o, inv->event_count))) {
        bisect_note_failure(&d->bisect, inv->first);
        return;
    }
    v->o.kind = OUTCOME_BISECT;
    v->o.is_attempt = false;
    metric_add(d->metrics->bisected, 1);
    bisect_split(&d->bisect, inv->first, inv->event_count);
}

static void finish_failed(struct delivery *d, struct invocation *inv, struct verdict *v)
{
    note_failure(d, v);
    if (v->o.is_invalid) {
        response_log_invalid(&d->response_log, d->metrics, d->component, v->r->status, v->invalid.text);
    }
    if (v->o.kind != OUTCOME_DEAD) {
        function_metrics_count_retry(d->metrics, v->o.reason);
    }
    v->due_us = due_after(d, inv, v->r, &v->o);
    bisect(d, inv, v);
    finish_call(d, inv, v);
}

void delivery_on_response(void *self, struct invocation *inv, const struct response *r)
{
    struct delivery *d = self;
    struct consumer *consumer = inv->first->partition->consumer;
    limiter_end(&d->limiter);
    call_trace_end(&d->trace, inv, r);
    struct verdict v = {.r = r, .timeout_us = inv->timeout_us};
    v.o = outcome_judge(&d->policy, r, inv->first, inv->event_count, &v.invalid);
    metric_observe_us(d->metrics->invocation_duration, r->took_us);
    if (r->is_cut) {
        response_log_cut(&d->response_log, d->metrics, d->component, r->status);
    }
    bool counts = !inv->target->is_superseded;
    if (counts) {
        note_health(d, inv, &v.o);
    }
    if (v.o.kind == OUTCOME_DONE || v.o.kind == OUTCOME_PARTIAL) {
        bisect_note_success(&d->bisect, clock_now_us());
    }
    if (v.o.kind == OUTCOME_DONE) {
        finish_delivered(d, inv, r);
    } else {
        finish_failed(d, inv, &v);
    }
    if (counts) {
        report_breaker(d);
    }
    if (d->replaced != NULL) {
        delivery_close_replaced(d);
    }
    delivery_pump(d);
    consumer_commit_settled(consumer);
    if (delivery_wants_more(d)) {
        d->on_room(d->self);
    }
}
