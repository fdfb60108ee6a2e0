// Records that wait for their turn to be handed to librdkafka, topic by topic, and the rule that says when
// they go. Pure: it knows no Kafka.
//
// A batch of Kafka's holds records of one partition, and each costs the broker and librdkafka a request. When
// a backlog spreads over many topics, records handed on one by one would go out in batches of a few. So they
// wait here, topic by topic, as Nagle's algorithm has it: with nothing under way, or with few topics, they go
// at once; else until they outweigh what is under way. Each round's batches are then as large as the time
// that the broker took for the last one.
#ifndef CONNECTORS_KAFKA_ACCUMULATOR_H
#define CONNECTORS_KAFKA_ACCUMULATOR_H

#include "core/base/bytes.h"

enum { ACCUMULATOR_POSITION_MAX = 16 + 1 + 16 };  // of an event id

/** One topic's records, packed one behind the other. Zeroed: empty. Embedded in the topic. */
struct accumulator_queue {
    struct bytes records;
    size_t at;  // of the first that waits
    size_t count;
    struct accumulator_queue *prev;  // in the list of those that have something waiting
    struct accumulator_queue *next;
};

/** Zeroed: empty. */
struct accumulator {
    struct accumulator_queue *waiting;  // the longest first
    size_t queues;
    size_t records;
    size_t bytes;
    size_t round_left;  // records of the round that is being handed on
};

struct accumulator_record {
    uint64_t ticket;
    struct slice key;       // data NULL: null
    struct slice value;     // data NULL: null
    struct slice position;  // data NULL: none
};

/** Copies the record behind the others of its topic. */
void accumulator_put(struct accumulator *a, struct accumulator_queue *q,
                     const struct accumulator_record *record);

/** Begins a round with all that waits if it is due, with `under_way` records handed on and not yet
 * acknowledged. */
void accumulator_begin_round(struct accumulator *a, size_t under_way);

/** The topic whose first record is the next of the round; NULL: the round is over. */
struct accumulator_queue *accumulator_next(const struct accumulator *a);

/** The first record, borrowed until the next call; there must be one. */
struct accumulator_record accumulator_first(const struct accumulator_queue *q);

/** Takes the first record off: it was handed on. */
void accumulator_pop(struct accumulator *a, struct accumulator_queue *q);

/** So much waits that no more should be taken before some of it has gone. */
bool accumulator_is_full(const struct accumulator *a);

/** Drops what waits in this queue and frees it. */
void accumulator_clear_queue(struct accumulator *a, struct accumulator_queue *q);

#endif
