// One event of a function from arrival to settlement: its offset, its attempts and, unless it was evicted,
// its record.
#ifndef BRIDGE_DELIVERY_WORK_ITEM_H
#define BRIDGE_DELIVERY_WORK_ITEM_H

#include "bridge/intake/partition.h"
#include "bridge/intake/record.h"

struct lane;

/** What failed calls leave behind. Zero-initialised: the event was never sent. */
struct retry_state {
    int64_t first_attempt_us;  // monotonic; 0: never sent
    uint32_t attempts;         // used up
    uint32_t throttles;        // in a row
    bool has_failed;           // its last call failed
    bool is_reported;          // the response to its call named it as failed, or one before it
    bool is_behind;            // it is reported only because it follows the event that was named
    uint64_t failure;          // of partition->failures, its last attempt; 0: none since it was assigned
    int64_t noted_by_us;       // it is sent again at this time even if that attempt is not committed
    // A batch that failed is bisected: events of one group are sent together, and with no others.
    uint32_t group_max;  // the most events in one call
    uint64_t group;      // 0: none
};

/** In order of weight: the heaviest of an event's replies decides. */
enum item_reply_state {
    ITEM_REPLY_NONE,
    ITEM_REPLY_WAITS,      // its replies are not all stored
    ITEM_REPLY_TOO_LARGE,  // one was too large for its topic
    ITEM_REPLY_GIVEN_UP,   // one was not stored before the partition was given back
};

/** The replies to an event whose call has succeeded. */
struct item_reply {
    enum item_reply_state state;
    uint32_t waiting;  // replies that are not stored
    size_t bytes;      // of all of them
};

struct work_item {
    struct work_item *next;       // in its lane, its invocation, or a list of released items
    struct partition *partition;  // counted in partition->item_count
    struct lane *lane;            // NULL outside the lanes
    uint64_t ticket;              // of the partition's progress
    struct record *record;        // NULL: evicted; it is read again
    struct retry_state retry;
    bool is_parked;      // never sent again: the events of its lane wait behind it
    bool is_looked_for;  // a look at the letters has begun since its letter was stored
    struct item_reply reply;
    uint8_t missing_looks;           // looks in a row that did not find its letter
    struct progress_letter letter;   // is_stored: it was dead-lettered, and its key is held
    uint32_t filter_generation;      // of the filter that accepted it; 0: none did yet
    struct work_item *next_failing;  // in partition->failing, while retry.has_failed
    struct work_item *previous_failing;
};

/** An attempt is used up. Before it is sent again that is committed, so that a kill forgets one attempt at
 * most. */
void work_item_note_attempt(struct work_item *item, int64_t now_us);

/** Whether a restart would know of its last attempt, or that was waited for in vain. */
static inline bool work_item_is_noted(const struct work_item *item, int64_t now_us)
{
    const struct retry_state *retry = &item->retry;
    return retry->failure <= item->partition->failures_committed || now_us >= retry->noted_by_us;
}

/** Forgets its attempts, the restored ones too: a later job begins anew. */
void work_item_forgive(struct work_item *item);

/** Takes over the reference to the record. */
struct work_item *work_item_new(struct partition *p, uint64_t ticket, struct record *r);

/** Sets retry.has_failed and lists it. */
void work_item_fail(struct work_item *item);

/** Accepts NULL. */
void work_item_free(struct work_item *item);

/** A number of its event, which is the same after its partition was given back and assigned again. Not 0. */
static inline uint64_t work_item_identity(const struct work_item *item)
{
    return (item->partition->hash ^ item->ticket) | UINT64_C(1) << 63;
}

/** A number of its key, the same in all partitions, or of the event if it has none. Its record is in memory.
 * Not 0. */
uint64_t work_item_key_number(const struct work_item *item);

/** Whether it was sent before, so that its retry state must be kept. */
static inline bool work_item_was_tried(const struct work_item *item)
{
    return item->retry.first_attempt_us != 0;
}

#endif
