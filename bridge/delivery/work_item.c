#include "bridge/delivery/work_item.h"

#include <utlist.h>

#include "core/base/memory.h"

struct work_item *work_item_new(struct partition *p, uint64_t ticket, struct record *r)
{
    struct work_item *item = memory_new(sizeof(*item));
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
    free(item);
}
