// One assigned partition: its queue of records read ahead, and which of its records are settled.
#ifndef BRIDGE_INTAKE_PARTITION_H
#define BRIDGE_INTAKE_PARTITION_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "bridge/intake/progress_record.h"
#include "bridge/intake/spill_state.h"
#include "core/base/last_error.h"
#include "core/kafka/kafka_client.h"

struct consumer;
struct record;
struct work_item;

enum partition_state {
    PARTITION_ASSIGNED,
    PARTITION_WAITING,  // calls of a lost assignment still run, or its spilled progress is being read
    PARTITION_REVOKED,  // starts no calls; given back once its running calls have ended and are committed
    PARTITION_LOST,     // another member has it: nothing of it is committed any more
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
    size_t item_count;                  // work items of it; counted by work_item
    struct record *held;                // the next record's, while its schema is looked up; not counted
    struct record *refetched;           // the same, of a record that is read again
    struct work_item *failing;          // items whose last call failed; listed by work_item
    struct progress_attempt *attempts;  // from before a restart or a revocation; by offset, ascending
    size_t attempt_count;
    struct partition_spill spill;
    char *committed_text;  // progress_record.h, of the last commit; NULL: none
    char *committing_text;
    uint64_t committed_hash;  // of what the texts say
    uint64_t committing_hash;
    int64_t committed_us;  // when the last commit was sent
    uint64_t failures;     // attempts that were used up since it was assigned
    uint64_t failures_committing;
    bool is_spill_committing;     // the text of the commit in flight names a spilled record
    uint64_t failures_committed;  // so many of them are known to a restart
    struct last_error *error;     // of reading the next record; NULL: none
    bool is_registered;           // the function's registration record has it
    bool is_held;                 // its next record waits (for a schema, for room in its lane)
    bool is_reset_due;            // held by an offset out of range, until a rebalance is over
    bool is_ready;                // its queue may have records
    int64_t end_offset;           // where the log ended when that was listed; -1: never listed
    int64_t fetched_us;           // when the fetched batch was read
    // Private:
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    rd_kafka_message_t *fetched[PARTITION_FETCHED_MAX];  // taken up to fetched_at
    size_t fetched_at;
    size_t fetched_count;
    size_t read_count;  // since the fetcher was woken last
    size_t read_bytes;
};

/** How much librdkafka reads ahead for one partition. */
struct partition_limits {
    size_t records;
    size_t bytes;
};

/**
 * Gives the partition its own queue instead of the consumer's. Call it before the partition is assigned.
 *
 * @param which     its offset is the first to read
 * @param on_ready  records are waiting; `self` is the partition
 */
struct partition *partition_open(uv_loop_t *loop, rd_kafka_t *rk, const rd_kafka_topic_partition_t *which,
                                 kafka_on_ready on_ready);

/**
 * Restores what is known beyond the committed offset, before anything is read.
 *
 * @param f  FAULT_REJECT: the text is not such a record; nothing is restored
 */
bool partition_restore(struct partition *p, struct slice text, struct fault *f) MUST_USE;

/** Adds what the spilled record says that the restored text names (partition_spill.h), before anything is
 * read. */
void partition_restore_more(struct partition *p, const struct progress_record *spilled, int64_t offset);

/** The restored attempts of a record; NULL: none. */
const struct progress_attempt *partition_attempt(const struct partition *p, int64_t offset);

/** Keeps the attempts of unsettled records before its work items are dropped: `live`, those of the work
 * items, by offset, and others that are known, unless their records are settled. */
void partition_keep_attempts(struct partition *p, const struct progress_attempt *live, size_t count);

/** The same for one record, whose call ended after that. */
void partition_keep_attempt(struct partition *p, const struct progress_attempt *attempt);

/** Forgets the restored attempts of a record. */
void partition_forget_attempts(struct partition *p, int64_t offset);

/** Its log ends at the offset: what was restored of later records was of another log. */
void partition_end(struct partition *p, int64_t offset);

/** The next message, borrowed until partition_pop: a record or an error. NULL: there is none now. */
rd_kafka_message_t *partition_peek(struct partition *p, const struct partition_limits *limits);
void partition_pop(struct partition *p);

/** Whether partition_peek may return a message. */
static inline bool partition_has_more(const struct partition *p)
{
    return p->is_ready || p->fetched_at < p->fetched_count;
}

/**
 * Makes librdkafka fetch at once after a full queue was read. Before 2.2 its broker thread checks such queues
 * only once a second, unless it has a request to send. The cheapest request is ListOffsets with a timeout of
 * 0; librdkafka drops the response of a request that has timed out.
 */
void partition_wake_fetcher(rd_kafka_t *rk, const char *topic, int32_t number);

/** Destroys its queue; nothing more is read. */
void partition_stop(struct partition *p);

/** item_count is 0. */
void partition_free(struct partition *p);

#endif
