// on_failure.hold_key: an event whose dead letter is stored parks its lane, until the letter is settled.
#include <utlist.h>

#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_delayed.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"

enum { KEY_BYTES_MAX = 256, MISSING_LOOKS = 3 };

bool delivery_holds_key(const struct delivery *d, const struct work_item *item)
{
    return d->job == NULL && d->config->delivery.on_failure.hold_key &&
           (d->lanes.order == FUNCTION_ORDER_PARTITION ||
            (d->lanes.order == FUNCTION_ORDER_KEY && item->record != NULL && item->record->has_key));
}

static void log_parked(const struct delivery *d, const struct work_item *item)
{
    const struct record *r = item->record;
    const struct json_options options = {.int64_as_string = d->config->int64_as_string};
    CLEANUP(bytes_clear) struct bytes key = {0};
    record_decode_key(r, &options, &key);
    CLEANUP(memory_free_pointer) char *key_text = slice_to_string(text_cut(bytes_slice(&key), KEY_BYTES_MAX));
    CLEANUP(memory_free_pointer) char *id = slice_to_string(r->id);
    const char *name = d->config->name;
    log_warn(
        d->component, "key_parked",
        LOG_WITH(LOG_TEXT("key", key_text), LOG_TEXT("id", id), LOG_TEXT("topic", r->topic),
                 LOG_NUMBER("partition", r->partition), LOG_NUMBER("offset", r->offset),
                 LOG_NUMBER("letter_partition", item->letter.partition),
                 LOG_NUMBER("letter_offset", item->letter.offset)),
        "later events of this key wait until its dead letter is settled: `millrace dlq show %s %s` prints "
        "it, `millrace dlq redrive %s` and `millrace dlq drop %s` settle it (--key selects it)",
        name, id, name, name);
}

void delivery_hold(struct delivery *d, struct work_item *item)
{
    struct partition *p = item->partition;
    item->letter.is_stored = true;
    item->letter.since_ms = clock_wall_us() / CLOCK_US_PER_MS;
    d->hold.parked_count++;
    if (item->retry.first_attempt_us == 0) {
        item->retry.first_attempt_us = clock_now_us();
    }
    if (p->state != PARTITION_ASSIGNED) {
        if (p->state == PARTITION_REVOKED && progress_is_current(&p->progress, item->ticket)) {
            const struct progress_attempt attempt = delivery_attempt_of(item, 0);
            partition_keep_attempt(p, &attempt);  // its next owner parks the key
        }
        delivery_release(d, item);
        return;
    }
    p->failures++;  // a restart must know of it
    delivery_fail(d, item);
    log_parked(d, item);
    item->next = NULL;
    lanes_park(item);
    lanes_delay(&d->lanes, item, 0);
}

static bool is_letter_settled(const struct letter_state *s, int64_t offset)
{
    for (size_t i = 0; i < s->beyond->range_count; i++) {
        if (offset >= s->beyond->ranges[i].from && offset < s->beyond->ranges[i].to) {
            return true;
        }
    }
    return offset < s->settled;
}

static void release_key(struct delivery *d, struct work_item *item, const char *why)
{
    if (!lanes_unpark(&d->lanes, item)) {
        return;  // its partition was dropped, or it is behind another event: looked for again
    }
    log_info(d->component, "key_released",
             LOG_WITH(LOG_TEXT("topic", item->partition->topic),
                      LOG_NUMBER("partition", item->partition->number),
                      LOG_NUMBER("offset", progress_offset_of(&item->partition->progress, item->ticket)),
                      LOG_NUMBER("letter_partition", item->letter.partition),
                      LOG_NUMBER("letter_offset", item->letter.offset)),
             "%s: the events behind it go on", why);
    delivery_settle(d, item);
}

/** Calls `visit` for each parked event; it may free the event. */
static void each_parked(struct delivery *d, void (*visit)(struct delivery *d, struct work_item *item))
{
    struct partition *p;
    LL_FOREACH (d->list_partitions(d->self), p) {
        struct work_item *item;
        struct work_item *next;
        DL_FOREACH_SAFE2(p->failing, item, next, next_failing)
        {
            if (item->letter.is_stored) {
                visit(d, item);
            }
        }
    }
}

/** A broker that has just started may not know the topic yet, and a new leader not its end. */
static bool is_letter_deleted(const struct letter_state *s, struct work_item *item)
{
    int64_t offset = item->letter.offset;
    if (s->exists && offset < s->high) {
        item->missing_looks = 0;
        return offset < s->low;
    }
    return ++item->missing_looks >= MISSING_LOOKS;
}

/** A letter that was stored since the look began is beyond the end that was found. */
static void check_letter(struct delivery *d, struct work_item *item)
{
    const struct letter_state *s = d->hold.letters;
    if (!item->is_looked_for || s->partition != item->letter.partition || s->topic != item->letter.topic) {
        return;
    }
    if (is_letter_settled(s, item->letter.offset)) {
        release_key(d, item, "its dead letter is settled");
    } else if (is_letter_deleted(s, item)) {
        release_key(d, item, "its dead letter was deleted");
    }
}

static void on_letters(void *self, const struct letter_state *s)
{
    struct delivery *d = self;
    d->hold.letters = s;
    each_parked(d, check_letter);
    d->hold.letters = NULL;
    delivery_pump(d);
    d->on_room(d->self);
}

/** Adds the partition of the event's letter to those that are looked at. */
static void add_partition(struct delivery *d, struct work_item *item)
{
    if (item->letter.topic != progress_letter_topic(d->config->delivery.on_failure.dead_letter)) {
        d->hold.elsewhere_count++;
        return;
    }
    item->is_looked_for = true;
    INVARIANT(d->hold.partition_count < d->hold.parked_count);
    d->hold.partitions[d->hold.partition_count++] = item->letter.partition;
}

static int compare_partitions(const void *a, const void *b)
{
    int32_t first = *(const int32_t *)a;
    int32_t second = *(const int32_t *)b;
    return (first > second) - (first < second);
}

/** Sorts the numbers and leaves each out that was there before; returns how many are left. */
static size_t unique_partitions(int32_t *partitions, size_t count)
{
    size_t kept = 0;
    qsort(partitions, count, sizeof(*partitions), compare_partitions);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || partitions[kept - 1] != partitions[i]) {
            partitions[kept++] = partitions[i];
        }
    }
    return kept;
}

static void release_all(struct delivery *d, struct work_item *item)
{
    release_key(d, item, "hold_key is off");
}

/** `millrace dlq`, too, sees only the topic that is configured now. */
static void log_elsewhere(struct delivery *d)
{
    if (d->hold.elsewhere_count > 0 && !d->hold.is_elsewhere_logged) {
        log_warn(
            d->component, "letters_elsewhere",
            LOG_WITH(LOG_NUMBER("keys", d->hold.elsewhere_count),
                     LOG_TEXT("topic", d->config->delivery.on_failure.dead_letter)),
            "keys stay held whose dead letters are in another topic than `dead_letter` names: name that one "
            "again until they are settled, or turn hold_key off");
    }
    d->hold.is_elsewhere_logged = d->hold.elsewhere_count > 0;
}

/** All partitions at once: a letter may be settled in any of them. */
static void look_for_letters(struct delivery *d)
{
    struct hold_state *h = &d->hold;
    h->partition_count = h->elsewhere_count = 0;
    h->partitions = memory_zeroed(h->parked_count, sizeof(*h->partitions));
    each_parked(d, add_partition);
    log_elsewhere(d);
    letter_watch_look(h->watch, d->config->delivery.on_failure.dead_letter, h->partitions,
                      unique_partitions(h->partitions, h->partition_count));
    free(TAKE(h->partitions));
}

void delivery_tick_hold(struct delivery *d)
{
    metric_set(d->metrics->parked_keys, (double)d->hold.parked_count);
    if (d->hold.parked_count == 0) {
        return;
    }
    if (!d->config->delivery.on_failure.hold_key) {
        each_parked(d, release_all);
        delivery_pump(d);
        return;
    }
    if (d->hold.watch == NULL) {
        d->hold.watch =
            letter_watch_new(d->loop, d->settings, d->state_topic, d->config->name, on_letters, d);
    }
    if (letter_watch_is_due(d->hold.watch)) {
        look_for_letters(d);
    }
}

static void note_oldest(struct delivery *d, struct work_item *item)
{
    if (d->hold.oldest_ms == 0 || item->letter.since_ms < d->hold.oldest_ms) {
        d->hold.oldest_ms = item->letter.since_ms;
    }
}

void delivery_status_hold(const struct delivery *d, struct bytes *out)
{
    struct delivery *scan = (struct delivery *)(uintptr_t)d;
    scan->hold.oldest_ms = 0;
    bytes_format(out, ",\"parked_keys\":%zu", d->hold.parked_count);
    if (d->hold.parked_count > 0) {
        each_parked(scan, note_oldest);
        bytes_format(out, ",\"oldest_parked_ms\":%lld,\"letters_elsewhere\":%zu",
                     (long long)d->hold.oldest_ms, d->hold.elsewhere_count);
    }
}
