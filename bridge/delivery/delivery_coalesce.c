// Of the events of a key that wait, only the latest is sent; the others are settled as coalesced.
#include "bridge/delivery/delivery_state.h"
#include "bridge/delivery/lanes_latest.h"
#include "core/base/clock.h"

enum { MAX_WAIT_FACTOR = 10 };  // a key that is never quiet is sent after this many times the quiet time

bool delivery_coalesces(const struct delivery *d, bool has_key)
{
    return has_key && d->config->delivery.coalesce_us > 0 && d->job == NULL;
}

static void on_replaced(void *self, struct partition *p, uint64_t ticket, struct work_item *item)
{
    struct delivery *d = self;
    metric_add(d->metrics->coalesced, 1);
    if (item != NULL) {
        delivery_settle(d, item);
    } else {
        progress_settle(&p->progress, ticket);
    }
}

void delivery_put_latest(struct delivery *d, struct work_item *item, int64_t due_us)
{
    int64_t quiet_us = d->config->delivery.coalesce_us;
    const struct lanes_latest latest = {.quiet_us = quiet_us,
                                        .max_us = quiet_us * MAX_WAIT_FACTOR,
                                        .now_us = clock_now_us(),
                                        .retry_us = due_us,
                                        .on_replaced = on_replaced,
                                        .self = d};
    lanes_put_latest(&d->lanes, item, &latest);
}

bool delivery_is_replaced(struct delivery *d, struct work_item *item, int64_t due_us)
{
    if (!delivery_coalesces(d, item->record->has_key) || !lanes_has_later(item)) {
        return false;
    }
    lanes_hold(item, due_us);
    metric_add(d->metrics->coalesced, 1);
    delivery_settle(d, item);
    return true;
}
