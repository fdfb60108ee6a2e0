#include "bridge/delivery/delivery.h"

#include <utlist.h>

#include "bridge/delivery/delivery_state.h"
#include "core/base/clock.h"
#include "core/base/log.h"

static size_t bytes_of(const struct event *e)
{
    return sizeof(*e) + e->key.size + e->value.size;
}

void delivery_count(struct delivery *d, struct event *e)
{
    e->partition->event_count++;
    d->event_count++;
    d->event_bytes += bytes_of(e);
}

void delivery_release(struct delivery *d, struct event *e)
{
    struct partition *p = e->partition;
    if (e->lane != NULL) {
        lanes_release(&d->lanes, e);
    }
    d->event_count--;
    d->event_bytes -= bytes_of(e);
    if (d->has_full_partition && p->is_held && p->event_count <= d->lane_events_max / 2) {
        p->is_held = false;
        d->is_room_due = true;
    }
    event_free(e);
    if (--p->event_count == 0 && p->state != PARTITION_ASSIGNED) {
        consumer_partition_idle(p->consumer, p);
    }
}

void delivery_settle(struct delivery *d, struct event *e)
{
    struct partition *p = e->partition;
    if (p->state != PARTITION_LOST) {
        progress_settle(&p->progress, e->ticket);
    }
    delivery_release(d, e);
}

enum { ERROR_LOG_AFTER_US = 10 * 1000000 };
enum { REVOKED_WAIT_US = 5 * 1000000 };  // for a dead letter of a revoked partition to be stored

static void on_dead_letter_given_up(void *self, struct event *e)
{
    struct delivery *d = self;
    d->dead_letters_waiting--;
    log_warn(d->component, "dead_letter_given_up",
             LOG_WITH(LOG_TEXT("topic", e->partition->topic), LOG_NUMBER("partition", e->partition->number),
                      LOG_NUMBER("offset", e->offset)),
             "its dead letter could not be stored before the partition went to another member, which reads "
             "it again");
    delivery_release(d, e);
}

/** Logs once that calls have been failing for 10 s. */
static void log_lasting_error(struct delivery *d)
{
    if (d->is_error_logged || last_error_age_us(&d->error) < ERROR_LOG_AFTER_US) {
        return;
    }
    d->is_error_logged = true;
    log_warn(d->component, "function_failing",
             LOG_WITH(LOG_NUMBER("seconds", last_error_age_us(&d->error) / CLOCK_US_PER_S),
                      LOG_NUMBER("calls_waiting", d->target->waiting_count),
                      LOG_NUMBER("events_waiting", d->event_count + d->lanes.deferred_count)),
             "%s", d->error.text);
}

void delivery_note_error(struct delivery *d, const char *text)
{
    if (text != NULL) {
        last_error_set(&d->error, text);
        return;
    }
    if (!d->error.is_set || d->target->waiting_count > 0) {
        return;
    }
    if (d->is_error_logged) {
        log_info(d->component, "function_recovered",
                 LOG_WITH(LOG_NUMBER("seconds", last_error_age_us(&d->error) / CLOCK_US_PER_S)),
                 "no call waits for a retry");
    }
    d->is_error_logged = false;
    last_error_clear(&d->error);
}

const struct last_error *delivery_error(const struct delivery *d)
{
    return d->dead_letter_error.is_set ? &d->dead_letter_error : &d->error;
}

/** Its partitions stand still behind dead letters that can't be stored: worse than calls that fail. */
static void watch_dead_letters(struct delivery *d)
{
    const char *why = d->dead_letters_waiting == 0 ? NULL : dead_letter_trouble(d->dead_letters, d);
    if (why != NULL) {
        last_error_set(&d->dead_letter_error, why);
    } else {
        last_error_clear(&d->dead_letter_error);
    }
}

void delivery_tick(struct delivery *d)
{
    log_lasting_error(d);
    watch_dead_letters(d);
    if (d->dead_letters_waiting > 0) {
        dead_letter_give_up(d->dead_letters, d, REVOKED_WAIT_US, on_dead_letter_given_up);
    }
}

static void on_dead_letter_stored(void *self, struct event *e)
{
    struct delivery *d = self;
    d->dead_letters_waiting--;
    metric_add(d->metrics->dead_lettered, 1);
    delivery_settle(d, e);
    delivery_pump(d);
    d->on_room(d->self);
}

/** The event's lane stays busy until the dead letter is stored, so the key's next event can't overtake it. */
void delivery_dead_letter(struct delivery *d, struct event *e, struct dead_letter_cause cause)
{
    cause.function = d->config->name;
    cause.topic = d->config->delivery.on_failure.dead_letter;
    function_metrics_count_dead_letter(d->metrics, cause.reason);
    CLEANUP(memory_free_pointer) char *id = slice_to_string(e->id);
    log_warn(d->component, "event_dead_lettered",
             LOG_WITH(LOG_TEXT("reason", cause.reason), LOG_TEXT("topic", e->partition->topic),
                      LOG_NUMBER("partition", e->partition->number), LOG_NUMBER("offset", e->offset),
                      LOG_TEXT("id", id), LOG_NUMBER("status", cause.status),
                      LOG_NUMBER("attempts", cause.attempts)),
             "%s", cause.message);
    d->dead_letters_waiting++;
    dead_letter_write(d->dead_letters, e, &cause, on_dead_letter_stored, d);
}

/** Adds one event to the invocation's payload, or settles or dead-letters it. False: it does not fit; the
 * caller keeps it. */
static bool build_one(struct delivery *d, struct invocation *inv, struct event *e)
{
    struct fault f;
    struct payload *p = invoke_payload(inv);
    if (e->reject_reason != NULL) {
        delivery_dead_letter(
            d, e, (struct dead_letter_cause){.reason = e->reject_reason, .message = e->reject_message});
        return true;
    }
    switch (payload_add(p, e, &f)) {
    case PAYLOAD_ADDED:
        invoke_add(inv, e);
        return true;
    case PAYLOAD_FULL:
        return false;
    case PAYLOAD_FILTERED:
        metric_add(d->metrics->filtered, 1);
        delivery_settle(d, e);
        return true;
    case PAYLOAD_REJECTED:
        break;
    }
    delivery_dead_letter(d, e, (struct dead_letter_cause){.reason = p->reject_reason, .message = f.text});
    return true;
}

/** A new invocation of ready events; NULL: all were filtered or dead-lettered. */
static struct invocation *build_new(struct delivery *d)
{
    struct invocation *inv = invoke_open(d->target);
    payload_begin(invoke_payload(inv), &d->payload);
    struct event *e;
    while ((e = batch_next(&d->limits, &d->lanes, inv->event_count, inv->last)) != NULL) {
        if (!build_one(d, inv, e)) {
            lanes_put_back(&d->lanes, e);
            break;
        }
    }
    if (inv->event_count == 0) {
        invoke_close(inv);
        return NULL;
    }
    return inv;
}

/**
 * Returns events beyond the reduced batch limits to the head of their lanes. A lane with an event in the
 * invocation stays busy, so no event overtakes another. Their attempts start again at 0.
 *
 * @param events  a list in order
 */
static void put_back(struct delivery *d, struct event *events)
{
    struct event *last_first = NULL;
    for (struct event *e = events, *next; e != NULL; e = next) {
        next = e->next;
        LL_PREPEND(last_first, e);
    }
    for (struct event *e = last_first, *next; e != NULL; e = next) {
        next = e->next;
        if (e->partition->state == PARTITION_ASSIGNED) {
            lanes_put_back(&d->lanes, e);
        } else {
            delivery_release(d, e);
        }
    }
}

/** Builds the request of a retry: as many of its events as one call may have now, without those whose
 * partition is not assigned any more. NULL: no event is left. */
static struct invocation *rebuild(struct delivery *d, struct invocation *inv)
{
    struct event *e = invoke_take_events(inv);
    bool is_halved = inv->event_max > 0 && inv->event_max < d->limits.events_max;
    size_t event_max = is_halved ? inv->event_max : d->limits.events_max;
    payload_begin(invoke_payload(inv), &d->payload);
    for (struct event *next; e != NULL && inv->event_count < event_max; e = next) {
        next = e->next;
        if (e->partition->state != PARTITION_ASSIGNED) {
            delivery_release(d, e);
        } else if (!build_one(d, inv, e)) {
            break;
        }
    }
    put_back(d, e);
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

/** Starts the timer for the first of: the limiter opens, a retry is due, a batch's window ends. */
static void wake_when_due(struct delivery *d, int64_t now_us, int64_t batch_wait_us)
{
    if (limiter_is_closed(&d->limiter, now_us)) {
        wake_at(d, d->limiter.open_us, now_us);
        return;
    }
    if (!limiter_admits(&d->limiter, d->running_count, now_us)) {
        return;  // the next response calls the pump
    }
    int64_t due_us = invoke_next_due_us(d->target);
    if (due_us >= 0) {
        wake_at(d, due_us, now_us);
    }
    if (batch_wait_us >= 0) {
        wake_at(d, now_us + batch_wait_us, now_us);
    }
}

/**
 * The next invocation to send: a retry that is due, or a new one of ready events. They alternate, so that
 * neither starves the other when the limiter admits one call. NULL with *ret_has_more: its events are all
 * gone.
 */
static struct invocation *next_invocation(struct delivery *d, int64_t now_us, int64_t *ret_batch_wait_us,
                                          bool *ret_has_more)
{
    int64_t due_us = invoke_next_due_us(d->target);
    bool is_due = due_us >= 0 && due_us <= now_us;
    bool is_ready = batch_is_due(&d->limits, &d->lanes, now_us, ret_batch_wait_us);
    *ret_has_more = is_due || is_ready;
    d->was_retry = is_due && !(is_ready && d->was_retry);
    if (d->was_retry) {
        return rebuild(d, invoke_take_due(d->target, now_us));
    }
    return is_ready ? build_new(d) : NULL;
}

static void start_calls(struct delivery *d, int64_t now_us, int64_t *ret_batch_wait_us)
{
    bool has_more = true;
    while (has_more && limiter_admits(&d->limiter, d->running_count, now_us)) {
        struct invocation *inv = next_invocation(d, now_us, ret_batch_wait_us, &has_more);
        if (inv != NULL) {
            payload_finish(invoke_payload(inv));
            d->running_count++;
            inv->generation = d->limiter.generation;
            invoke_send(inv, d->config->delivery.timeout_us);
        }
    }
}

void delivery_pump(struct delivery *d)
{
    if (d->is_pumping || !d->may_call(d->self)) {
        return;
    }
    d->is_pumping = true;
    int64_t now_us = clock_now_us();
    int64_t batch_wait_us = -1;
    start_calls(d, now_us, &batch_wait_us);
    if (limiter_admits(&d->limiter, d->running_count, now_us)) {
        delivery_evict(d);
    }
    delivery_read_wanted(d);
    d->is_pumping = false;
    wake_when_due(d, now_us, batch_wait_us);
    if (d->is_room_due) {
        d->is_room_due = false;
        d->on_room(d->self);
    }
}

void delivery_retry(struct delivery *d, struct invocation *inv, int64_t due_us)
{
    for (struct event *e = invoke_take_events(inv), *next; e != NULL; e = next) {
        next = e->next;
        if (e->partition->state == PARTITION_ASSIGNED) {
            invoke_add(inv, e);
        } else {
            delivery_release(d, e);
        }
    }
    if (inv->event_count == 0) {
        invoke_close(inv);
    } else {
        invoke_wait(inv, due_us);
    }
}

size_t delivery_room(const struct delivery *d)
{
    if (d->event_bytes >= DELIVERY_BYTES_MAX || d->event_count >= d->events_max) {
        return 0;
    }
    return d->events_max - d->event_count;
}

bool delivery_wants_more(const struct delivery *d)
{
    bool is_half_empty = d->event_count <= d->events_max / 2 && d->event_bytes <= DELIVERY_BYTES_MAX / 2;
    // However much is held by keys that fail: the others must not wait for a tick.
    bool has_nothing_ready = d->lanes.ready_first == NULL && delivery_room(d) > 0;
    return is_half_empty || has_nothing_ready;
}

enum consumer_step delivery_take(struct delivery *d, struct partition *p, rd_kafka_message_t *message)
{
    enum consumer_step step;
    if (delivery_defer(d, p, message, &step)) {
        if (step == CONSUMER_TAKEN) {
            event_free(TAKE(p->held));
        }
        return step;
    }
    struct event *e = p->held != NULL ? p->held : event_new(p, message, p->fetched_us);
    p->held = NULL;
    if (!event_is_tombstone(e) && !event_resolve(e, d->schemas)) {
        p->held = e;
        return CONSUMER_HELD;
    }
    e->ticket = progress_open(&p->progress, e->offset, e->timestamp_ms);
    delivery_count(d, e);
    if (event_is_tombstone(e)) {
        metric_add(d->metrics->filtered, 1);
        delivery_settle(d, e);
    } else {
        lanes_put(&d->lanes, e);
    }
    return CONSUMER_TAKEN;
}

void delivery_drop(struct delivery *d, const struct partition *p)
{
    if (d->refetch != NULL) {
        refetch_stop(d->refetch, p);
    }
    for (struct event *e = lanes_drop(&d->lanes, p), *next; e != NULL; e = next) {
        next = e->next;
        delivery_release(d, e);
    }
    // Each waiting invocation loses its events of the partition and waits on.
    struct invocation *kept = NULL;
    for (struct invocation *inv; (inv = invoke_take_due(d->target, INT64_MAX)) != NULL;) {
        LL_PREPEND(kept, inv);
    }
    struct invocation *next_inv;
    for (struct invocation *inv = kept; inv != NULL; inv = next_inv) {
        next_inv = inv->next;
        delivery_retry(d, inv, inv->due_us);
    }
}

size_t delivery_running(const struct delivery *d)
{
    return d->running_count;
}

size_t delivery_event_count(const struct delivery *d)
{
    return d->event_count;
}

void delivery_status(const struct delivery *d, struct bytes *out)
{
    bytes_format(out, ",\"deferred_events\":%zu,\"calls_waiting\":%zu,\"dead_letters_waiting\":%zu",
                 d->lanes.deferred_count, d->target->waiting_count, d->dead_letters_waiting);
}
