// The memory for events: the records that a function has read, and that are not settled or evicted.
#ifndef BRIDGE_DELIVERY_RECORD_MEMORY_H
#define BRIDGE_DELIVERY_RECORD_MEMORY_H

#include "bridge/intake/record.h"

enum { RECORD_MEMORY_BYTES_MAX = 12 << 20 };  // exceeded by one record at most

/** Plain data, embedded. */
struct record_memory {
    size_t count;
    size_t count_max;
    size_t bytes;
};

enum record_memory_use {
    RECORD_MEMORY_NEW,
    RECORD_MEMORY_RELOADED,  // for records that are read again: a quarter more
};

void record_memory_add(struct record_memory *m, const struct record *r);
void record_memory_remove(struct record_memory *m, const struct record *r);

/** How many more records fit; 0: it is full. */
size_t record_memory_left(const struct record_memory *m, enum record_memory_use use);

bool record_memory_is_half_empty(const struct record_memory *m);

#endif
