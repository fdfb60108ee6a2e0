// The offsets of a group's partitions on Kafka: commits, one at a time, and log end offsets. With each offset
// goes what is known beyond it (progress_record.h).
#ifndef BRIDGE_INTAKE_OFFSET_STORE_H
#define BRIDGE_INTAKE_OFFSET_STORE_H

#include "bridge/intake/join_watch.h"
#include "bridge/intake/partition.h"
#include "core/base/clock.h"

struct offset_store_listener {
    /** A commit was answered. `is_accepted`: the coordinator accepted it from this generation of the group.
     */
    void (*on_committed)(void *self, bool is_accepted);
    /** The unsettled records of a partition that were tried, by offset, at most `max`; returns how many. */
    size_t (*get_attempts)(void *self, const struct partition *p, struct progress_attempt *ret, size_t max);
    /** offset_store_is_busy is false again. */
    void (*on_worker_done)(void *self);
    void *self;
};

/** Plain data, embedded. */
struct offset_store {
    uv_loop_t *loop;
    rd_kafka_t *rk;  // lent
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    struct offset_store_listener listener;
    struct partition **partitions;   // lent: the consumer's list
    const struct join_watch *join;   // lent
    struct progress_record *record;  // to describe a partition in
    bool is_text_refused;  // by a broker with a low offset.metadata.max.bytes: offsets are committed alone
    bool is_repeat_due;    // the last commit before a revocation must be repeated: its text was refused, or
                           // does not name the newest spilled record
    bool is_committing;
    int64_t committing_since_us;
    bool is_listing_ends;
    int64_t list_ends_us;  // when to list them next
};

void offset_store_open(struct offset_store *s, uv_loop_t *loop, rd_kafka_t *rk, struct partition **partitions,
                       const struct join_watch *join, const struct offset_store_listener *listener);

/** Not while offset_store_is_busy. */
void offset_store_close(struct offset_store *s);

/** While calls end, what is settled is committed at most this often: so much a kill repeats. */
#define OFFSET_STORE_AGAIN_US (200 * CLOCK_US_PER_MS)

/** What is known beyond an offset that stands still, when it has outgrown the offset's metadata. */
#define OFFSET_STORE_SPILLED_AGAIN_US (1 * CLOCK_US_PER_S)

/** Attempts that no restart would know of: their events wait for it. */
#define OFFSET_STORE_ATTEMPTS_AGAIN_US (100 * CLOCK_US_PER_MS)

/** Dead letters that were stored: a kill before the commit stores them once more. */
#define OFFSET_STORE_LETTERS_AGAIN_US (20 * CLOCK_US_PER_MS)

/** Whether this time has passed since the last commit. */
static inline bool offset_store_may_commit(const struct offset_store *s, int64_t again_us)
{
    return !s->is_committing && clock_now_us() - s->committing_since_us >= again_us;
}

/**
 * Starts a commit of what has changed. False: nothing has, or no commit may start now (one is in flight, or
 * librdkafka joins the group: join_watch.h).
 *
 * @param is_last  the partitions are given back after this: also commits what changed a moment ago
 */
bool offset_store_commit(struct offset_store *s, bool is_last);

/** The partition is about to be revoked, and its events dropped: keeps their attempts for the last commit. */
void offset_store_keep_attempts(struct offset_store *s, struct partition *p);

/** Commits the committed offsets again: the response shows whether this is still a member of the group.
 * False: no partition has a committed offset, a commit is in flight, or librdkafka joins the group. */
bool offset_store_confirm(struct offset_store *s);

/** Whether something that is known of the partition is not committed. */
bool offset_store_is_behind(struct offset_store *s, struct partition *p);

/** Whether a revoked partition waits for its spilled progress to be stored or deleted, for 5 s at most. */
bool offset_store_is_spilling(const struct offset_store *s);

/** A partition's progress was spilled, or that was refused. */
void offset_store_spilled(struct offset_store *s, const struct partition *p);

/** The age of the commit in flight; 0: there is none. */
int64_t offset_store_waiting_us(const struct offset_store *s);

/** Whether a worker thread uses the client. */
static inline bool offset_store_is_busy(const struct offset_store *s)
{
    return s->is_listing_ends;
}

/** Lists the end offsets of partitions that have unread records, at most every 5 s. */
void offset_store_list_ends(struct offset_store *s);

/** Records between the safe offset and the log end that the broker reported last; -1: not known. */
int64_t offset_store_lag(const struct partition *p);

/** Ends the commit of all partitions; those in `list` without an error are committed. `list` may be NULL. */
void offset_store_commit_ended(struct offset_store *s, rd_kafka_resp_err_t code,
                               const rd_kafka_topic_partition_list_t *list);

#endif
