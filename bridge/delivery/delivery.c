#include "bridge/delivery/delivery.h"

#include <utlist.h>

#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_delayed.h"
#include "core/base/clock.h"
#include "core/base/log.h"

void delivery_release_record(struct delivery *d, struct record *r)
{
    record_memory_remove(&d->memory, r);
    record_release(r);
}

void delivery_fail(struct delivery *d, struct work_item *item)
{
    d->failing_count += item->retry.has_failed ? 0 : 1;
    work_item_fail(item);
}

int64_t delivery_restore(struct delivery *d, struct work_item *item)
{
    const struct progress_attempt *known = partition_attempt(item->partition, item->record->offset);
    if (known == NULL) {
        return 0;
    }
    int64_t offset_us = clock_now_us() - clock_wall_us();  // from wall-clock to monotonic time
    item->retry.attempts = known->attempts;
    int64_t first_us = known->first_ms * CLOCK_US_PER_MS + offset_us;
    item->retry.first_attempt_us = first_us == 0 ? 1 : first_us;  // negative: before the machine started
    delivery_fail(d, item);
    if (known->letter.is_stored) {
        item->letter = known->letter;
        item->is_parked = true;
        d->hold.parked_count++;
        return 0;
    }
    return known->due_ms * CLOCK_US_PER_MS + offset_us;
}

static int compare_attempts(const void *a, const void *b)
{
    int64_t first = ((const struct progress_attempt *)a)->offset;
    int64_t second = ((const struct progress_attempt *)b)->offset;
    return (first > second) - (first < second);
}

struct progress_attempt delivery_attempt_of(const struct work_item *item, int64_t due_us)
{
    int64_t offset_us = clock_wall_us() - clock_now_us();  // from monotonic to wall-clock time
    return (struct progress_attempt){
        .letter = item->letter,
        .offset = progress_offset_of(&item->partition->progress, item->ticket),
        .attempts = item->retry.attempts,
        .first_ms = (item->retry.first_attempt_us + offset_us) / CLOCK_US_PER_MS,
        .due_ms = due_us == 0 || item->letter.is_stored ? 0 : (due_us + offset_us) / CLOCK_US_PER_MS,
    };
}

size_t delivery_attempts(const struct partition *p, struct progress_attempt *ret, size_t max)
{
    size_t count = 0;
    const struct work_item *item;
    DL_FOREACH2(p->failing, item, next_failing)
    {
        if (count < max && progress_is_current(&p->progress, item->ticket)) {
            ret[count++] = delivery_attempt_of(item, lanes_due_us(item));
        }
    }
    qsort(ret, count, sizeof(*ret), compare_attempts);
    return count;
}

void delivery_release(struct delivery *d, struct work_item *item)
{
    struct partition *p = item->partition;
    if (item->lane != NULL) {
        lanes_release(&d->lanes, item);
    }
    if (item->record != NULL) {
        delivery_release_record(d, TAKE(item->record));
    }
    d->failing_count -= item->retry.has_failed ? 1 : 0;
    d->hold.parked_count -= item->letter.is_stored ? 1 : 0;
    work_item_free(item);
    if (d->has_full_partition && p->is_held && p->item_count <= d->lane_events_max / 2) {
        p->is_held = false;
        d->is_room_due = true;
    }
    if (p->item_count == 0 && p->state != PARTITION_ASSIGNED) {
        consumer_partition_idle(p->consumer, p);
    }
}

void delivery_settle(struct delivery *d, struct work_item *item)
{
    if (item->partition->state != PARTITION_LOST) {
        progress_settle(&item->partition->progress, item->ticket);
    }
    delivery_release(d, item);
}

void delivery_settle_filtered(struct delivery *d, struct work_item *item)
{
    delivery_report(d, item, JOB_FILTERED);
    metric_add(d->metrics->filtered, 1);
    delivery_settle(d, item);
}

enum { ERROR_LOG_AFTER_US = 10 * 1000000 };
enum { REVOKED_WAIT_US = 5 * 1000000 };  // for a dead letter of a revoked partition to be stored

static void on_dead_letter_given_up(void *self, struct work_item *item)
{
    struct delivery *d = self;
    d->dead_letters_waiting--;
    log_warn(d->component, "dead_letter_given_up",
             LOG_WITH(LOG_TEXT("topic", item->record->topic),
                      LOG_NUMBER("partition", item->record->partition),
                      LOG_NUMBER("offset", item->record->offset)),
             "its dead letter could not be stored before the partition went to another member, which reads "
             "it again");
    delivery_release(d, item);
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
                      LOG_NUMBER("events_failing", d->failing_count),
                      LOG_NUMBER("events_waiting", delivery_event_count(d))),
             "%s", d->error.text);
}

void delivery_note_error(struct delivery *d, const char *text)
{
    if (text != NULL) {
        last_error_set(&d->error, text);
        return;
    }
    if (!d->error.is_set || d->failing_count > d->hold.parked_count) {
        return;
    }
    if (d->is_error_logged) {
        log_info(d->component, "function_recovered",
                 LOG_WITH(LOG_NUMBER("seconds", last_error_age_us(&d->error) / CLOCK_US_PER_S)),
                 "no event waits to be sent again");
    }
    d->is_error_logged = false;
    last_error_clear(&d->error);
}

const struct last_error *delivery_error(const struct delivery *d)
{
    if (d->dead_letter_error.is_set) {
        return &d->dead_letter_error;
    }
    const struct target *target = d->target;
    bool can_tell = !d->error.is_set && target->endpoint_type->trouble != NULL;
    return can_tell ? target->endpoint_type->trouble(target->endpoint) : &d->error;
}

/** Its partitions stand still behind records that can't be stored: worse than calls that fail. */
static void watch_dead_letters(struct delivery *d)
{
    const char *why =
        d->dead_letters_waiting + d->replies.events == 0 ? NULL : topic_writer_trouble(d->writer, d);
    if (why != NULL) {
        last_error_set(&d->dead_letter_error, why);
    } else {
        last_error_clear(&d->dead_letter_error);
    }
}

void delivery_tick(struct delivery *d)
{
    delivery_tick_job(d);
    delivery_tick_hold(d);
    if (d->limiter.running == 0 && d->dead_letters_waiting == 0) {
        delivery_note_error(d, NULL);  // what failed was filtered, replaced or revoked since
    }
    log_lasting_error(d);
    delivery_tick_limits(d);
    watch_dead_letters(d);
    delivery_tick_replies(d, REVOKED_WAIT_US);
    if (d->dead_letters_waiting > 0) {
        dead_letter_give_up(d->writer, d, REVOKED_WAIT_US, on_dead_letter_given_up);
    }
}

static void on_dead_letter_stored(void *self, struct work_item *item)
{
    struct delivery *d = self;
    d->dead_letters_waiting--;
    delivery_report(d, item, JOB_DEAD_LETTERED);
    metric_add(d->metrics->dead_lettered, 1);
    call_trace_settled(&d->trace, item, false);
    consumer_commit_letter(item->partition);
    if (delivery_holds_key(d, item)) {
        delivery_hold(d, item);
    } else {
        delivery_settle(d, item);
    }
    delivery_pump(d);
    if (d->limiter.running == 0 && d->dead_letters_waiting == 0) {
        delivery_note_error(d, NULL);  // nothing that failed is left
    }
    d->on_room(d->self);
}

/** The event's lane stays busy until the dead letter is stored, so the key's next event can't overtake it. */
void delivery_dead_letter(struct delivery *d, struct work_item *item, struct dead_letter_cause cause)
{
    const struct record *r = item->record;
    cause.function = d->config->name;
    cause.topic = d->config->delivery.on_failure.dead_letter;
    function_metrics_count_dead_letter(d->metrics, cause.reason);
    CLEANUP(memory_free_pointer) char *id = slice_to_string(r->id);
    log_warn(d->component, "event_dead_lettered",
             LOG_WITH(LOG_TEXT("reason", cause.reason), LOG_TEXT("topic", r->topic),
                      LOG_NUMBER("partition", r->partition), LOG_NUMBER("offset", r->offset),
                      LOG_TEXT("id", id), LOG_NUMBER("status", cause.status),
                      LOG_NUMBER("attempts", cause.attempts)),
             "%s", cause.message);
    if (delivery_holds_key(d, item)) {
        lanes_park(item);
    }
    d->dead_letters_waiting++;
    dead_letter_write(d->writer, item, &cause, on_dead_letter_stored, d);
}

bool delivery_refuses(struct delivery *d, struct work_item *item)
{
    if (item->filter_generation == d->filter_generation) {
        return false;
    }
    item->filter_generation = d->filter_generation;
    return event_filter_refuses(d->filter, item->record);
}

/** No more is read while the last calls of so many events have failed. Each takes some 300 bytes even when
 * its record is evicted. */
enum { FAILING_MAX = 1 << 15 };

size_t delivery_room(const struct delivery *d)
{
    return d->failing_count >= FAILING_MAX ? 0 : record_memory_left(&d->memory, RECORD_MEMORY_NEW);
}

bool delivery_wants_more(const struct delivery *d)
{
    // However much is held by keys that fail: the others must not wait for a tick.
    bool has_nothing_fresh = d->lanes.fresh_count == 0 && delivery_room(d) > 0;
    return record_memory_is_half_empty(&d->memory) || has_nothing_fresh;
}

/** A parked event keeps its lane parked; without hold_key its dead letter has settled it. */
static void put_restored(struct delivery *d, struct work_item *item)
{
    int64_t due_us = delivery_restore(d, item);
    if (item->letter.is_stored && !delivery_holds_key(d, item)) {
        delivery_settle(d, item);
        return;
    }
    if (delivery_coalesces(d, item->record->has_key)) {
        delivery_put_latest(d, item, due_us);
        return;
    }
    lanes_put(&d->lanes, item, due_us);
}

enum consumer_step delivery_take(struct delivery *d, struct partition *p, struct record *r)
{
    enum consumer_step step;
    if (d->job != NULL && delivery_take_job(d, p, r, &step)) {
        return step;
    }
    if (delivery_defer(d, p, r, &step)) {
        if (step == CONSUMER_TAKEN) {
            record_release(TAKE(p->held));
        }
        return step;
    }
    if (!record_is_tombstone(r) && !record_resolve(r, d->schemas)) {
        p->held = p->held == NULL ? record_share(r) : p->held;
        return CONSUMER_HELD;
    }
    record_release(TAKE(p->held));
    uint64_t ticket = progress_open(&p->progress, r->offset, r->timestamp_ms);
    record_memory_add(&d->memory, r);
    struct work_item *item = work_item_new(p, ticket, record_share(r));
    if (!record_is_event(r) || delivery_refuses(d, item)) {
        delivery_settle_filtered(d, item);
    } else {
        put_restored(d, item);
    }
    return CONSUMER_TAKEN;
}

void delivery_drop(struct delivery *d, const struct partition *p)
{
    if (d->refetch != NULL) {
        refetch_stop(d->refetch, p);
    }
    for (struct work_item *item = lanes_drop(&d->lanes, p), *next; item != NULL; item = next) {
        next = item->next;
        delivery_release(d, item);
    }
}

size_t delivery_running(const struct delivery *d)
{
    return d->limiter.running;
}

size_t delivery_event_count(const struct delivery *d)
{
    return d->memory.count + d->lanes.evicted_count + d->lanes.deferred_count;
}

void delivery_status(const struct delivery *d, struct bytes *out)
{
    delivery_status_limits(d, out);
    bytes_format(out,
                 ",\"deferred_events\":%zu,\"failing_events\":%zu,\"dead_letters_waiting\":%zu,"
                 "\"replies_waiting\":%zu",
                 d->lanes.deferred_count + d->lanes.evicted_count, d->failing_count, d->dead_letters_waiting,
                 d->replies.events);
    delivery_status_hold(d, out);
}
