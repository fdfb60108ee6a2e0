#include "bridge/delivery/work_item.h"

#include <utlist.h>

#include "core/base/block_pool.h"
#include "core/base/text.h"

struct work_item *work_item_new(struct partition *p, uint64_t ticket, struct record *r)
{
    struct work_item *item = block_new(sizeof(*item));
    *item = (struct work_item){.partition = p, .ticket = ticket, .record = r};
    p->item_count++;
    return item;
}

void work_item_fail(struct work_item *item)
{
    if (!item->retry.has_failed) {
        item->retry.has_failed = true;
        DL_APPEND2(item->partition->failing, item, previous_failing, next_failing);
    }
}

uint64_t work_item_key_number(const struct work_item *item)
{
    return item->record->has_key ? text_hash(item->record->key) | 1 : work_item_identity(item);
}

enum { NOTED_WAIT_US = 5 * 1000000 };  // Kafka does not answer: calls go on

void work_item_note_attempt(struct work_item *item, int64_t now_us)
{
    item->retry.attempts++;
    item->retry.failure = ++item->partition->failures;
    item->retry.noted_by_us = now_us + NOTED_WAIT_US;
}

void work_item_forgive(struct work_item *item)
{
    struct partition *p = item->partition;
    if (item->retry.has_failed) {
        DL_DELETE2(p->failing, item, previous_failing, next_failing);
    }
    item->retry = (struct retry_state){0};
    if (progress_is_current(&p->progress, item->ticket)) {
        partition_forget_attempts(p, progress_offset_of(&p->progress, item->ticket));
    }
}

void work_item_free(struct work_item *item)
{
    if (item == NULL) {
        return;
    }
    if (item->retry.has_failed) {
        DL_DELETE2(item->partition->failing, item, previous_failing, next_failing);
    }
    record_release(item->record);
    item->partition->item_count--;
    block_free(item, sizeof(*item));
}
