#include "bridge/delivery/bisect.h"

bool bisect_blames_event(const struct bisect *b, const struct work_item *first, bool is_last)
{
    bool is_half_of_last = b->failed_split != 0 && first->retry.group / 2 == b->failed_split;
    bool is_same = b->failed_event == work_item_identity(first);
    bool has_worked = b->succeeded_us > first->retry.first_attempt_us;
    return !b->has_failed || is_half_of_last || is_same || (is_last && has_worked);
}

void bisect_note_failure(struct bisect *b, const struct work_item *first)
{
    b->has_failed = true;
    b->failed_split = 0;
    b->failed_event = work_item_identity(first);
}

void bisect_split(struct bisect *b, struct work_item *items, size_t count)
{
    bisect_note_failure(b, items);
    b->failed_split = ++b->count;
    size_t half = (count + 1) / 2;
    size_t at = 0;
    for (struct work_item *item = items; item != NULL; item = item->next, at++) {
        item->retry.group = 2 * b->count + (at < half ? 0 : 1);
        item->retry.group_max = (uint32_t)half;
    }
}
