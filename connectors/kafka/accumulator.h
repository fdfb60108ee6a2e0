// Records that wait to be handed to librdkafka, topic by topic, and the rule that decides when. It knows no
// Kafka.
//
// A batch has records of one partition, and each batch costs librdkafka and the broker a request. With a
// backlog over many topics, handing records over one by one would make small batches. So records wait here,
// as in Nagle's algorithm: with nothing in flight, or with few topics, they are handed over at once; else
// when they outnumber the records in flight several times. The slower the broker, the larger the batches.
#ifndef CONNECTORS_KAFKA_ACCUMULATOR_H
#define CONNECTORS_KAFKA_ACCUMULATOR_H

#include "core/trace/trace_context.h"

enum { ACCUMULATOR_POSITION_MAX = 16 + 1 + 16 };  // of an event id

/** One topic's records, packed one after another. Zero-initialised is empty. Embedded in the topic. */
struct accumulator_queue {
    struct bytes records;
    size_t at;  // offset of the first record
    size_t count;
    struct accumulator_queue *prev;  // in the list of queues with records
    struct accumulator_queue *next;
};

/** Zero-initialised is empty. */
struct accumulator {
    struct accumulator_queue *waiting;  // queues with records; the one that waits longest first
    size_t queues;
    size_t records;
    size_t bytes;
    size_t round_left;  // records of the round that are not handed over yet
};

struct accumulator_record {
    uint64_t ticket;
    struct slice key;       // data NULL: null
    struct slice value;     // data NULL: null
    struct slice position;  // data NULL: none
    struct trace_headers trace;
    struct slice headers;  // more of them, as record_headers.h has them; size 0: none
    int32_t partition;     // RD_KAFKA_PARTITION_UA: the key chooses
};

/** Appends a copy of the record to the queue of its topic. */
void accumulator_put(struct accumulator *a, struct accumulator_queue *q,
                     const struct accumulator_record *record);

/** Begins a round with all records if it is due. @param in_flight  records handed over and not acknowledged
 */
void accumulator_begin_round(struct accumulator *a, size_t in_flight);

/** The queue whose first record is the next of the round; NULL: the round is over. */
struct accumulator_queue *accumulator_next(const struct accumulator *a);

/** The first record, borrowed until the next call. The queue must not be empty. */
struct accumulator_record accumulator_first(const struct accumulator_queue *q);

/** Removes the first record. */
void accumulator_pop(struct accumulator *a, struct accumulator_queue *q);

/** Whether no more records should be put before some were handed over. */
bool accumulator_is_full(const struct accumulator *a);

/** Drops the records of the queue and frees its buffer. */
void accumulator_clear_queue(struct accumulator *a, struct accumulator_queue *q);

#endif
