// Lanes that wait without end for their first event, which is parked.
#ifndef BRIDGE_DELIVERY_LANES_PARKED_H
#define BRIDGE_DELIVERY_LANES_PARKED_H

#include <stdbool.h>
#include <stdint.h>

struct lanes;
struct work_item;

/** A taken event is not sent again: it is given back by lanes_delay, or released. No more events are taken
 * from its lane before. */
void lanes_park(struct work_item *item);

/** Whether an event of the taken event's lane was parked since it was taken. */
bool lanes_is_closed(const struct work_item *item);

/** Gives an event that was read again (lanes_load) what it had before a restart: it is parked, or its lane is
 * delayed until `due_us` if it is the first one (0: it is not). */
void lanes_restored(struct lanes *l, struct work_item *item, bool is_parked, int64_t due_us);

/** Removes a parked event that is the first of its lane: the events behind it go on. False: it is not the
 * first one, or in no lane. */
bool lanes_unpark(struct lanes *l, struct work_item *item);

#endif
