// One assigned partition: its own queue of records read ahead, and how far it is settled.
#ifndef BRIDGE_INTAKE_PARTITION_H
#define BRIDGE_INTAKE_PARTITION_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "bridge/intake/progress.h"
#include "core/kafka/kafka_client.h"

struct consumer;
struct event;

enum partition_state {
    PARTITION_ASSIGNED,
    PARTITION_WAITING,  // assigned to us again after it was lost: calls of that time still run
    PARTITION_REVOKED,  // ours until what runs has ended and is committed: no new work
    PARTITION_LOST,     // somebody else's already: nothing of it is committed any more
};

enum { PARTITION_FETCHED_MAX = 128 };

struct partition {
    struct partition *next;
    struct consumer *consumer;  // lent
    rd_kafka_t *rk;             // lent
    char *topic;
    int32_t number;
    enum partition_state state;
    struct progress progress;
    size_t event_count;       // alive: event_new counts, event_free uncounts
    struct event *held;       // made of the next record, whose schema is asked for; not counted
    struct event *refetched;  // the same of a record that is read a second time
    bool is_registered;       // the function's state record has it
    bool is_held;             // its next record waits for something (a schema, room behind an unsettled one)
    bool is_ready;            // its queue may hold records
    int64_t next_offset;      // after the record read last; -1: none
    int64_t end_offset;       // where the log ended when we asked; -1: not asked
    int64_t fetched_us;       // when the fetched batch was read
    // Its own:
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    rd_kafka_message_t
        *fetched[PARTITION_FETCHED_MAX];  // the fetched batch, not yet taken from fetched_at on
    size_t fetched_at;
    size_t fetched_count;
    size_t read_count;  // since the last kick
    size_t read_bytes;
};

/** How much librdkafka reads ahead for one partition. */
struct partition_limits {
    size_t records;
    size_t bytes;
};

/**
 * Takes the partition's records out of the consumer's queue into one of its own; before it is assigned.
 *
 * @param which     its offset is the first to be read
 * @param on_ready  records wait (self is the partition)
 */
struct partition *partition_open(uv_loop_t *loop, rd_kafka_t *rk, const rd_kafka_topic_partition_t *which,
                                 kafka_on_ready on_ready);

/** The next record, borrowed until partition_pop; NULL when there is none now. An error is given as a
 * message, too. */
rd_kafka_message_t *partition_peek(struct partition *p, const struct partition_limits *limits);
void partition_pop(struct partition *p);

/** Whether partition_peek may give something. */
static inline bool partition_has_more(const struct partition *p)
{
    return p->is_ready || p->fetched_at < p->fetched_count;
}

/**
 * librdkafka before 2.2 looks at a queue that was full only once a second, unless its broker thread has
 * something else to do. Any request through that thread makes it look: the cheapest is to ask for the newest
 * offset and not to wait for the answer. (A request that nobody waits for is foreseen there: its answer is
 * thrown away.)
 */
void partition_wake_fetcher(rd_kafka_t *rk, const char *topic, int32_t number);

/** Gives its queue back; nothing more is read. */
void partition_stop(struct partition *p);

/** No event of it is alive. */
void partition_free(struct partition *p);

#endif
