// One lane, and the table of lanes by partition and key. Only the lanes*.c files use them.
#ifndef BRIDGE_DELIVERY_LANE_TABLE_H
#define BRIDGE_DELIVERY_LANE_TABLE_H

#include "bridge/delivery/ticket_queue.h"
#include "bridge/delivery/work_item.h"
#include "core/base/due_heap.h"

// clang-format off
enum lane_state {
    LANE_NEW,      // in no list
    LANE_READY,    // in the ready list
    LANE_BUSY,     // a call holds events of it
    LANE_DELAYED,  // in the heap of delayed lanes
    LANE_WANTING,  // in the wanting list
    LANE_PARKED,   // in no list: its first event is parked
};
// clang-format on

struct lane {
    enum lane_state state;
    bool is_single;   // of one event without a key: its key is the event's ticket
    bool is_loading;  // its first evicted record is being read
    bool is_fresh;    // while it is ready: its first event was never sent
    bool is_closed;   // while it is busy: an event of it was parked, and no more are taken
    struct lane *next_in_bucket;
    struct lane *next;  // in the ready or the wanting list
    struct lane *previous;
    struct due_entry delay;  // in the heap
    int64_t due_us;          // until when it is delayed once no call holds it; 0: it is not
    int64_t since_us;        // coalescing: when the first event that waits came; 0: not known
    int64_t retry_us;  // coalescing: not due before, because an event that was replaced waited for a retry
    struct work_item *first;  // queued, in order; those with a record come before those without
    struct work_item *last;
    struct work_item *evicted;     // the first of them without a record
    struct ticket_queue deferred;  // the tickets behind them
    struct partition *partition;
    uint64_t hash;
    size_t loaded_count;  // queued items with a record, and the bytes of their values
    size_t loaded_bytes;
    size_t evicted_count;  // queued items without a record
    uint32_t taken;        // items that are in a call
    size_t key_size;
    uint8_t key[];
};

/** Lanes by partition and key. */
struct lane_table {
    struct lane **buckets;  // a power of two
    size_t bucket_count;
    size_t lane_count;
};

/** Makes room for the first lanes. */
void lane_table_init(struct lane_table *t);

/** No lane is left. */
void lane_table_clear(struct lane_table *t);

/** Identifies the lane of an event. */
struct lane_key {
    struct partition *partition;
    bool is_single;
    struct slice key;
};

/** Compares the whole keys: keys with equal hashes have different lanes. NULL: there is none. */
struct lane *lane_table_find(const struct lane_table *t, const struct lane_key *key);

struct lane *lane_table_find_or_make(struct lane_table *t, const struct lane_key *key);

/** Takes the lane out of the table and frees it. */
void lane_table_remove(struct lane_table *t, struct lane *lane);

#endif
