// Records that wait to be handed to librdkafka, topic by topic, and the rule that decides when. It knows no
// Kafka.
//
// A batch has records of one partition, and each batch costs librdkafka and the broker a request. So records
// wait here, as in Nagle's algorithm: a topic's go to librdkafka in rounds, each when the one before is
// acknowledged, and with many topics when they outnumber the records in flight several times. The slower the
// broker, the larger the batches.
//
// librdkafka sends nothing more of a partition while five of its records are in flight, and its thread polls
// without rest while records that are due wait for that. So a topic with as many in flight is handed nothing.
#ifndef CONNECTORS_KAFKA_ACCUMULATOR_H
#define CONNECTORS_KAFKA_ACCUMULATOR_H

#include "core/trace/trace_context.h"

enum { ACCUMULATOR_POSITION_MAX = 16 + 1 + 16 };  // of an event id

/** Which list a queue is in. */
enum accumulator_list {
    ACCUMULATOR_NONE,   // empty, or too much of it is in flight
    ACCUMULATOR_READY,  // waits for a round
    ACCUMULATOR_ROUND,  // is part of the running round
};

/** One topic's records, packed one after another. Zero-initialised is empty. Embedded in the topic. */
struct accumulator_queue {
    struct bytes older;  // records are taken from here
    struct bytes newer;  // and put here while there is one in `older`
    size_t at;           // offset of the first record in `older`
    size_t count;
    size_t in_flight;   // handed over and not acknowledged
    size_t round_left;  // of the records, those that the running round takes; 0: not begun
    enum accumulator_list list;
    struct accumulator_queue *prev;  // in that list
    struct accumulator_queue *next;
};

/** Zero-initialised is empty. */
struct accumulator {
    bool has_no_limit;                // topics are handed records whatever is in flight
    struct accumulator_queue *ready;  // the one that waits longest first
    struct accumulator_queue *round;
    size_t queues;  // with records
    size_t records;
    size_t bytes;
};

struct accumulator_record {
    uint64_t ticket;
    struct slice key;       // data NULL: null
    struct slice value;     // data NULL: null
    struct slice position;  // data NULL: none
    struct trace_headers trace;
    struct slice headers;  // more of them, as record_headers.h has them; size 0: none
    int32_t partition;     // RD_KAFKA_PARTITION_UA: the key chooses
    int64_t timestamp_ms;  // 0: when it is handed over
};

/** Appends a copy of the record to the queue of its topic. */
void accumulator_put(struct accumulator *a, struct accumulator_queue *q,
                     const struct accumulator_record *record);

/** Begins a round of the ready queues if it is due. @param in_flight  records of all topics, handed over and
 * not acknowledged */
void accumulator_begin_round(struct accumulator *a, size_t in_flight);

/** The queue whose first record is the next of the round; NULL: the round is over. */
struct accumulator_queue *accumulator_next(struct accumulator *a);

/** Ends the round: its other records wait for another one. */
void accumulator_end_round(struct accumulator *a);

/** The first record, borrowed until the next call. The queue must not be empty. */
struct accumulator_record accumulator_first(const struct accumulator_queue *q);

/** Counts a record of this topic as in flight; before accumulator_pop if it was the first record. */
void accumulator_sent(struct accumulator_queue *q);

/** So many records of the topic are no longer in flight. */
void accumulator_acknowledged(struct accumulator *a, struct accumulator_queue *q, size_t count);

/** Removes the first record. */
void accumulator_pop(struct accumulator *a, struct accumulator_queue *q);

/** Whether no more records should be put before some were handed over. */
bool accumulator_is_full(const struct accumulator *a);

/** Drops the records of the queue and frees its buffers. */
void accumulator_clear_queue(struct accumulator *a, struct accumulator_queue *q);

#endif
