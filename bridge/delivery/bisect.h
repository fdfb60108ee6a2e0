// Bisecting: a batch that fails is sent again in two halves, and each half that fails again is halved, until
// the event that fails is alone. Splits use up no attempt.
//
// A batch that is rejected (a final 4xx) is always split: the function works, and it has judged. A batch
// whose call fails otherwise (5xx, time-out, lost connection) is split only while the failures look like
// those of one event. While the function as a whole fails, every batch would be cut into pieces for nothing.
// Evidence for one event:
//
//   - since the last call that succeeded no call has failed, or
//   - the last call that failed was the batch that this one is a half of, or
//   - the last call that failed began with the same event: nothing else fails, or
//   - this is the last attempt, and a call has succeeded since the first one.
//
// A half is a group: its events are sent together and with no others. A group ends when its events are
// settled.
#ifndef BRIDGE_DELIVERY_BISECT_H
#define BRIDGE_DELIVERY_BISECT_H

#include "bridge/delivery/work_item.h"

/** Plain data, embedded; zero-initialised. */
struct bisect {
    uint64_t count;         // batches split; the last one's number
    int64_t succeeded_us;   // the last call that succeeded; 0: none
    bool has_failed;        // a call, since then
    uint64_t failed_split;  // the last call that failed: its number as a split batch; 0: it was not split
    uint64_t failed_event;  // and the identity of the event that it began with
};

/** Notes a call of which at least one event was delivered. */
static inline void bisect_note_success(struct bisect *b, int64_t now_us)
{
    b->succeeded_us = now_us;
    b->has_failed = false;
}

/** Whether the failure of this call looks like that of one event. `first` is the call's first event,
 * `is_last` whether attempts end with this one. */
bool bisect_blames_event(const struct bisect *b, const struct work_item *first, bool is_last);

/** Notes a failed call, which is not split. */
void bisect_note_failure(struct bisect *b, const struct work_item *first);

/** Notes a failed call and splits it. `items` is a list of at least two, in order. */
void bisect_split(struct bisect *b, struct work_item *items, size_t count);

#endif
