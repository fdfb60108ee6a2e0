#include "bridge/intake/partition.h"

#include "bridge/intake/record.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/kafka/state_topic.h"

struct partition *partition_open(uv_loop_t *loop, rd_kafka_t *rk, const rd_kafka_topic_partition_t *which,
                                 kafka_on_ready on_ready)
{
    struct partition *p = memory_zeroed(1, sizeof(*p));
    p->rk = rk;
    p->topic = memory_string(which->topic);
    p->number = which->partition;
    p->end_offset = -1;
    progress_init(&p->progress, which->offset);
    p->committed_hash = text_hash(slice_make("", 0));
    p->queue = rd_kafka_queue_get_partition(rk, which->topic, which->partition);
    INVARIANT(p->queue != NULL);
    rd_kafka_queue_forward(p->queue, NULL);
    p->watch = kafka_watch_start(loop, p->queue, on_ready, p);
    return p;
}

static void restore(struct partition *p, const struct progress_record *record)
{
    progress_restore(&p->progress, record->ranges, record->range_count);
    free(p->attempts);
    p->attempt_count = record->attempt_count;
    p->attempts = memory_zeroed(p->attempt_count + 1, sizeof(*p->attempts));
    memcpy(p->attempts, record->attempts, p->attempt_count * sizeof(*p->attempts));
    p->spill.named = record->spill;
}

bool partition_restore(struct partition *p, struct slice text, struct fault *f)
{
    CLEANUP(memory_free_pointer) struct progress_record *record = memory_zeroed(1, sizeof(*record));
    int64_t now_ms = clock_wall_us() / CLOCK_US_PER_MS;
    if (!progress_record_read(text, p->progress.committed, now_ms, record, f)) {
        return false;
    }
    p->committed_text = slice_to_string(text);
    p->committed_hash = progress_record_hash(record);
    restore(p, record);
    return true;
}

void partition_restore_more(struct partition *p, const struct progress_record *spilled, int64_t offset)
{
    CLEANUP(memory_free_pointer) struct progress_record *record = memory_zeroed(1, sizeof(*record));
    record->spill = p->spill.named;
    record->attempt_count = p->attempt_count;
    memcpy(record->attempts, p->attempts, p->attempt_count * sizeof(*p->attempts));
    record->range_count = progress_settled(&p->progress, record->ranges, PROGRESS_RANGES_MAX);
    progress_record_merge(record, p->progress.committed, spilled, offset);
    p->committed_hash = p->spill.hash = progress_record_hash(record);
    restore(p, record);
}

/** Where the attempts of the offset are, or would be. */
static size_t place_of(const struct partition *p, int64_t offset)
{
    size_t low = 0;
    size_t high = p->attempt_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->attempts[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct progress_attempt *partition_attempt(const struct partition *p, int64_t offset)
{
    size_t at = place_of(p, offset);
    return at < p->attempt_count && p->attempts[at].offset == offset ? &p->attempts[at] : NULL;
}

void partition_keep_attempts(struct partition *p, const struct progress_attempt *live, size_t count)
{
    struct progress_attempt *merged = memory_zeroed(p->attempt_count + count + 1, sizeof(*merged));
    size_t merged_count = 0;
    size_t at = 0;
    for (size_t i = 0; i <= count; i++) {
        int64_t offset = i < count ? live[i].offset : INT64_MAX;
        for (; at < p->attempt_count && p->attempts[at].offset <= offset; at++) {
            bool is_known =
                p->attempts[at].offset == offset || progress_is_settled(&p->progress, p->attempts[at].offset);
            if (!is_known) {
                merged[merged_count++] = p->attempts[at];
            }
        }
        if (i < count) {
            merged[merged_count++] = live[i];
        }
    }
    free(p->attempts);
    p->attempts = merged;
    p->attempt_count = merged_count;
}

void partition_keep_attempt(struct partition *p, const struct progress_attempt *attempt)
{
    size_t at = place_of(p, attempt->offset);
    if (at < p->attempt_count && p->attempts[at].offset == attempt->offset) {
        p->attempts[at] = *attempt;
        return;
    }
    p->attempts = memory_resize(p->attempts, (p->attempt_count + 1) * sizeof(*attempt));
    memmove(p->attempts + at + 1, p->attempts + at, (p->attempt_count - at) * sizeof(*attempt));
    p->attempts[at] = *attempt;
    p->attempt_count++;
}

void partition_forget_attempts(struct partition *p, int64_t offset)
{
    size_t at = place_of(p, offset);
    if (at < p->attempt_count && p->attempts[at].offset == offset) {
        p->attempt_count--;
        memmove(p->attempts + at, p->attempts + at + 1, (p->attempt_count - at) * sizeof(*p->attempts));
    }
}

void partition_end(struct partition *p, int64_t offset)
{
    progress_end(&p->progress, offset);
    while (p->attempt_count > 0 && p->attempts[p->attempt_count - 1].offset >= offset) {
        p->attempt_count--;
    }
}

void partition_wake_fetcher(rd_kafka_t *rk, const char *topic, int32_t number)
{
    if (rd_kafka_version() >= 0x02020000) {
        return;  // consumer_conf sets fetch.queue.backoff.ms
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, number)->offset = RD_KAFKA_OFFSET_END;
    (void)rd_kafka_offsets_for_times(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

static void kick(struct partition *p)
{
    p->read_count = 0;
    p->read_bytes = 0;
    partition_wake_fetcher(p->rk, p->topic, p->number);
}

/** Reads up to a batch of messages without waiting. */
static void refill(struct partition *p, const struct partition_limits *limits)
{
    p->fetched_at = 0;
    p->fetched_count = 0;
    if (!p->is_ready) {
        return;
    }
    ssize_t count = rd_kafka_consume_batch_queue(p->queue, 0, p->fetched, PARTITION_FETCHED_MAX);
    p->fetched_count = count < 0 ? 0 : (size_t)count;
    p->fetched_us = clock_now_us();
    // The queue signals only when it becomes non-empty: read until it is empty before waiting for the signal.
    p->is_ready = p->fetched_count > 0;
    for (size_t i = 0; i < p->fetched_count; i++) {
        p->read_bytes += p->fetched[i]->len + p->fetched[i]->key_len;
    }
    p->read_count += p->fetched_count;
    bool is_half_read = p->read_count >= limits->records / 2 || p->read_bytes >= limits->bytes / 2;
    if (is_half_read || (p->fetched_count == 0 && p->read_count > PARTITION_FETCHED_MAX)) {
        kick(p);
    }
}

rd_kafka_message_t *partition_peek(struct partition *p, const struct partition_limits *limits)
{
    if (p->fetched_at == p->fetched_count) {
        refill(p, limits);
    }
    return p->fetched_at < p->fetched_count ? p->fetched[p->fetched_at] : NULL;
}

void partition_pop(struct partition *p)
{
    rd_kafka_message_destroy(p->fetched[p->fetched_at++]);
}

void partition_stop(struct partition *p)
{
    while (p->fetched_at < p->fetched_count) {
        rd_kafka_message_destroy(p->fetched[p->fetched_at++]);
    }
    record_release(p->held);
    record_release(p->refetched);
    p->held = p->refetched = NULL;
    p->is_ready = false;
    if (p->queue != NULL) {
        kafka_watch_stop(p->watch);
        rd_kafka_queue_destroy(p->queue);
        p->queue = NULL;
        p->watch = NULL;
    }
}

void partition_free(struct partition *p)
{
    INVARIANT(p->item_count == 0);
    partition_stop(p);
    if (p->spill.state != NULL) {
        state_topic_forget(p->spill.state, p);
    }
    free(p->spill.key);
    progress_clear(&p->progress);
    free(p->attempts);
    free(p->committed_text);
    free(p->committing_text);
    free(p->error);
    free(p->topic);
    free(p);
}
