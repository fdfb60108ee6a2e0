// The scheduler: what goes into the next call, whether it may start now, and when to look again.
#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/item_failures.h"
#include "bridge/delivery/lanes_delayed.h"
#include "core/base/clock.h"

/** With hold_key an event is not given up before those of its key that are in the same call. */
static bool is_behind_held(const struct delivery *d, const struct invocation *inv,
                           const struct work_item *item)
{
    return inv->last != NULL && inv->last->lane == item->lane && delivery_holds_key(d, item);
}

/** An event is not sent at all, because it can't be read or rendered, or has no attempts left. False: not
 * yet; the caller keeps it. */
static bool give_up(struct delivery *d, const struct invocation *inv, struct work_item *item,
                    const struct dead_letter_cause *cause)
{
    if (is_behind_held(d, inv, item)) {
        return false;
    }
    if (delivery_keeps_failed(d)) {
        delivery_keep(d, item, cause);
        lanes_delay(&d->lanes, item, 0);
    } else {
        delivery_dead_letter(d, item, *cause);
    }
    return true;
}

/** Adds one event to the call's payload, or settles or dead-letters it. False: it does not fit; the caller
 * keeps it. */
static bool build_one(struct delivery *d, struct invocation *inv, struct work_item *item)
{
    struct fault f;
    struct payload *p = invoke_payload(inv);
    const struct record *r = item->record;
    struct dead_letter_cause cause = {0};
    if (delivery_refuses(d, item)) {  // the filter changed, or its record was only read now
        delivery_settle_filtered(d, item);
        return true;
    }
    if (r->reject_reason != NULL) {
        cause = (struct dead_letter_cause){.reason = r->reject_reason, .message = r->reject_message};
        return give_up(d, inv, item, &cause);
    }
    if ((int64_t)item->retry.attempts >= d->policy.attempts_max) {
        cause = (struct dead_letter_cause){
            .reason = "attempts_exhausted",
            .message = "its attempts were used up before a restart, or before the limit was lowered; the "
                       "last response is not known",
            .attempts = item->retry.attempts};
        return give_up(d, inv, item, &cause);
    }
    char text[256];
    if (delivery_has_too_many_hops(d, r, text, sizeof(text))) {
        cause = (struct dead_letter_cause){.reason = "too_many_hops", .message = text};
        return give_up(d, inv, item, &cause);
    }
    switch (payload_add(p, item->record, &f)) {
    case PAYLOAD_ADDED:
        invoke_add(inv, item);
        return true;
    case PAYLOAD_FULL:
        return false;
    case PAYLOAD_FILTERED:
        delivery_settle_filtered(d, item);
        return true;
    case PAYLOAD_REJECTED:
        break;
    }
    cause = (struct dead_letter_cause){.reason = p->reject_reason, .message = f.text};
    return give_up(d, inv, item, &cause);
}

/** Whether the call has an event of the lane whose next one, the event that was taken last, was given up:
 * those behind that one wait until its dead letter is stored. */
static bool is_cut_off(const struct invocation *inv, const struct lane *lane, uint64_t given_up)
{
    return given_up > 0 && inv->last != NULL && inv->last->lane == lane;
}

/** A call of ready events; NULL: all were filtered or dead-lettered. */
static struct invocation *build(struct delivery *d)
{
    struct invocation *inv = invoke_open(d->target);
    payload_begin(invoke_payload(inv), &d->payload);
    struct work_item *item;
    while ((item = batch_next(&d->limits, &d->lanes, inv->event_count, inv->last)) != NULL) {
        const struct lane *lane = item->lane;
        size_t waiting = d->dead_letters_waiting;
        if (!build_one(d, inv, item)) {
            lanes_put_back(&d->lanes, item);
            break;
        }
        if (is_cut_off(inv, lane, d->dead_letters_waiting - waiting)) {
            break;
        }
    }
    if (inv->event_count == 0) {
        invoke_close(inv);
        return NULL;
    }
    return inv;
}

static void on_timer(uv_timer_t *timer)
{
    delivery_pump(timer->data);
}

static void wake_at(struct delivery *d, int64_t at_us, int64_t now_us)
{
    uint64_t wait_ms = at_us <= now_us ? 0 : (uint64_t)((at_us - now_us + 999) / CLOCK_US_PER_MS);
    if (!uv_is_active((uv_handle_t *)&d->timer) || uv_timer_get_due_in(&d->timer) > wait_ms) {
        (void)uv_timer_start(&d->timer, on_timer, wait_ms, 0);
    }
}

void delivery_on_turn(void *self)
{
    wake_at(self, 0, 0);
}

/** Starts the timer for the first of: the limiter admits a call, a delayed lane is due, a batch's window
 * ends.
 */
static void wake_when_due(struct delivery *d, const struct limiter_verdict *verdict, int64_t now_us,
                          int64_t batch_wait_us)
{
    if (verdict->reason != LIMITER_ADMITS && verdict->at_us != LIMITER_WHEN_CALLED) {
        wake_at(d, verdict->at_us, now_us);
        return;
    }
    if (verdict->reason != LIMITER_ADMITS && d->waits_for == verdict->reason) {
        return;  // the next response calls the pump, or the shared limit does
    }
    int64_t due_us = lanes_next_due_us(&d->lanes);
    if (due_us >= 0) {
        wake_at(d, due_us, now_us);
    }
    if (batch_wait_us >= 0) {
        wake_at(d, now_us + batch_wait_us, now_us);
    }
}

static void start_call(struct delivery *d, int64_t now_us)
{
    if (limiter_is_open(&d->limiter)) {
        lanes_prefer_fresh(&d->lanes);  // a probe with an event that failed before proves less
    }
    struct invocation *inv = build(d);
    if (inv != NULL) {
        payload_finish(invoke_payload(inv));
        size_t response_max =
            d->policy.has_partial_failures ? item_failures_body_max(inv->event_count) + 1 : 0;
        if (delivery_wants_replies(d)) {
            response_max = (size_t)d->config->reply.max_bytes + 1;
            inv->wants_reply = true;
        }
        call_trace_begin(&d->trace, inv, &invoke_payload(inv)->lines);
        d->may_evict_ready = true;
        inv->limits = limiter_begin(&d->limiter, now_us);
        invoke_send(inv, d->config->delivery.timeout_us, delivery_observed_bytes(d, response_max));
    }
}

static struct limiter_verdict admits(const struct delivery *d, int64_t now_us)
{
    return limiter_admits(&d->limiter, d->lanes.fresh_count > 0, now_us);
}

/** Starts calls until the limiter refuses one, which is returned, or no event is left. */
static struct limiter_verdict start_calls(struct delivery *d, int64_t now_us, int64_t *ret_batch_wait_us)
{
    const struct partition *unnoted = lanes_wake(&d->lanes, now_us);
    if (unnoted != NULL) {
        consumer_commit_attempts(unnoted->consumer);
    }
    struct limiter_verdict verdict = admits(d, now_us);
    bool is_due;
    while ((is_due = batch_is_due(&d->limits, &d->lanes, now_us, ret_batch_wait_us)) &&
           verdict.reason == LIMITER_ADMITS) {
        start_call(d, now_us);
        verdict = admits(d, now_us);
    }
    enum limiter_reason reason = is_due ? verdict.reason : LIMITER_ADMITS;
    if (reason != d->waits_for) {
        delivery_note_wait(d, reason, now_us);
    }
    if (reason == LIMITER_SHARED) {
        shared_limit_wait(&d->limiter.shared);
    } else {
        shared_limit_pass(&d->limiter.shared);
    }
    return verdict;
}

/** Whether calls may begin at all. If not, other functions can have the turn at the shared limit. */
static bool may_call(struct delivery *d)
{
    bool is_paused = d->config->paused && d->job == NULL;
    bool ret = !is_paused && !delivery_replies_are_full(d) && d->may_call(d->self);
    if (!ret) {
        shared_limit_pass(&d->limiter.shared);
    }
    return ret;
}

void delivery_pump(struct delivery *d)
{
    if (d->is_pumping || !may_call(d)) {
        return;
    }
    d->is_pumping = true;
    int64_t now_us = clock_now_us();
    int64_t batch_wait_us = -1;
    struct limiter_verdict verdict = start_calls(d, now_us, &batch_wait_us);
    // While no call may start and nothing is ready, more records would only wait, too.
    if (d->lanes.ready_first != NULL || !limiter_breaker_waits(&d->limiter.breaker, now_us)) {
        delivery_evict(d);
    }
    delivery_read_wanted(d);
    d->is_pumping = false;
    wake_when_due(d, &verdict, now_us, batch_wait_us);
    if (d->is_room_due) {
        d->is_room_due = false;
        d->on_room(d->self);
    }
}
