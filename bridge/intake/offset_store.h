// The offsets of a group's partitions on Kafka: commits, one at a time, and log end offsets.
#ifndef BRIDGE_INTAKE_OFFSET_STORE_H
#define BRIDGE_INTAKE_OFFSET_STORE_H

#include "bridge/intake/join_watch.h"
#include "bridge/intake/partition.h"

struct offset_store_listener {
    /** A commit was answered. `is_accepted`: the coordinator accepted it from this generation of the group.
     */
    void (*on_committed)(void *self, bool is_accepted);
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
    struct partition **partitions;  // lent: the consumer's list
    const struct join_watch *join;  // lent
    bool is_committing;
    int64_t committing_since_us;
    bool is_listing_ends;
    int64_t list_ends_us;  // when to list them next
};

void offset_store_open(struct offset_store *s, uv_loop_t *loop, rd_kafka_t *rk, struct partition **partitions,
                       const struct join_watch *join, const struct offset_store_listener *listener);

/** Not while offset_store_is_busy. */
void offset_store_close(struct offset_store *s);

/** Starts a commit of the offsets that have moved. False: none has moved, a commit is in flight, or
 * librdkafka joins the group. */
bool offset_store_commit(struct offset_store *s);

/** Commits the committed offsets again: the response shows whether this is still a member of the group.
 * False: no partition has a committed offset, a commit is in flight, or librdkafka joins the group. */
bool offset_store_confirm(struct offset_store *s);

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
int64_t offset_store_lag(const struct offset_store *s, const struct partition *p);

/** Ends the commit of all partitions; those in `list` without an error are committed. `list` may be NULL. */
void offset_store_commit_ended(struct partition *partitions, rd_kafka_resp_err_t code,
                               const rd_kafka_topic_partition_list_t *list);

#endif
