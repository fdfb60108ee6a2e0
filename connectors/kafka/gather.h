// One topic's records that wait for their turn to be handed to Kafka, packed one behind the other.
#ifndef CONNECTORS_KAFKA_GATHER_H
#define CONNECTORS_KAFKA_GATHER_H

#include "core/base/bytes.h"

enum { GATHER_POSITION_SIZE = 25 };  // of an event id

/** Zeroed: empty. */
struct gather {
    struct bytes records;
    size_t at;  // of the first that waits
    size_t count;
};

struct gather_record {
    uint64_t ticket;
    struct slice key;    // data NULL: null
    struct slice value;  // data NULL: null
    struct slice position;
};

/** Copies the record behind the others. */
void gather_put(struct gather *g, const struct gather_record *record);

/** The first record, borrowed until the next call; there must be one. */
struct gather_record gather_first(const struct gather *g);

/** Takes the first record off. The last one's room is kept when it is at most `keep_bytes`. */
void gather_pop(struct gather *g, size_t keep_bytes);

/** Bytes that wait. */
static inline size_t gather_bytes(const struct gather *g)
{
    return g->records.size - g->at;
}

void gather_clear(struct gather *g);

#endif
