#include "bridge/intake/partition.h"

#include "bridge/intake/leader_watch.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/kafka/state_topic.h"

struct partition *partition_open(struct fetcher *fetcher, const rd_kafka_topic_partition_t *which,
                                 void (*on_ready)(void *self))
{
    struct partition *p = memory_zeroed(1, sizeof(*p));
    p->fetcher = fetcher;
    p->topic = memory_string(which->topic);
    p->number = which->partition;
    p->hash = leader_watch_key(slice_of(p->topic), p->number);
    p->end_offset = -1;
    p->on_ready = on_ready;
    p->reader.position = which->offset;
    progress_init(&p->progress, which->offset);
    p->committed_hash = text_hash(slice_make("", 0));
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
    CLEANUP(memory_free_pointer) struct progress_record *record = memory_new(sizeof(*record));
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
    CLEANUP(memory_free_pointer) struct progress_record *record = memory_new(sizeof(*record));
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

void partition_read(struct partition *p)
{
    if (p->reader.feed == NULL) {
        (void)!fetcher_attach(p->fetcher, &p->reader, p->topic, p->number, p->reader.position, p->on_ready,
                              p);
    }
}

void partition_restart(struct partition *p)
{
    fetcher_detach(&p->reader);
    p->reader.position = RD_KAFKA_OFFSET_BEGINNING;
    partition_read(p);
}

const struct feed_item *partition_peek(struct partition *p)
{
    return p->reader.feed == NULL ? NULL : fetcher_peek(&p->reader);
}

void partition_pop(struct partition *p)
{
    fetcher_pop(&p->reader);
}

bool partition_has_more(const struct partition *p)
{
    return fetcher_has_more(&p->reader);
}

void partition_stop(struct partition *p)
{
    record_release(p->held);
    record_release(p->refetched);
    p->held = p->refetched = NULL;
    fetcher_detach(&p->reader);
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
