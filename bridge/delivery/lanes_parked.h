// Lanes that wait without end for their first event (lanes_park); lanes.c implements it.
#ifndef BRIDGE_DELIVERY_LANES_PARKED_H
#define BRIDGE_DELIVERY_LANES_PARKED_H

#include <stdbool.h>

struct lanes;
struct work_item;

/** Whether an event of the taken event's lane was parked. */
bool lanes_is_parked(const struct work_item *item);

/** Undoes lanes_park for a taken event. */
void lanes_resume(struct work_item *item);

/** Removes a parked event that is the first of its lane: the events behind it go on. False: it is not. */
bool lanes_unpark(struct lanes *l, struct work_item *item);

#endif
