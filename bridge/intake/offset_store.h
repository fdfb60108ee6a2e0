// The offsets of a group's partitions on Kafka: committed one commit at a time, and where the logs end.
#ifndef BRIDGE_INTAKE_OFFSET_STORE_H
#define BRIDGE_INTAKE_OFFSET_STORE_H

#include "bridge/intake/partition.h"

struct offset_store_listener {
    /** A commit was answered; `is_accepted`: by the coordinator of our generation. */
    void (*on_committed)(void *self, bool is_accepted);
    /** A job on a worker thread that used the client has ended. */
    void (*on_rested)(void *self);
    void *self;
};

/** Plain data, embedded. */
struct offset_store {
    uv_loop_t *loop;
    rd_kafka_t *rk;  // lent
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    struct offset_store_listener listener;
    struct partition **partitions;  // lent: the list of the consumer
    bool is_committing;
    int64_t committing_since_us;
    bool is_asking_ends;
    int64_t ask_ends_us;  // not before that
};

/** The first five and the list are the owner's to fill in. */
void offset_store_open(struct offset_store *s, uv_loop_t *loop, rd_kafka_t *rk, struct partition **partitions,
                       const struct offset_store_listener *listener);

/** Not while offset_store_is_busy. */
void offset_store_close(struct offset_store *s);

/** Starts a commit of what has moved. False when there is nothing to commit, or a commit is under way. */
bool offset_store_commit(struct offset_store *s);

/** Starts a commit of what is committed already: its answer says whether the group still knows us. */
bool offset_store_confirm(struct offset_store *s);

/** How long the commit under way has not been answered; 0 without one. */
int64_t offset_store_waiting_us(const struct offset_store *s);

/** A job on a worker thread uses the client. */
static inline bool offset_store_is_busy(const struct offset_store *s)
{
    return s->is_asking_ends;
}

/** Asks where the logs end of which nothing is fetched now, every few seconds. */
void offset_store_ask_ends(struct offset_store *s);

/** Records behind the newest, by what the broker last said; -1 when not known. */
int64_t offset_store_lag(const struct offset_store *s, const struct partition *p);

/** A commit was answered: only partitions that it names, without an error, have come on. */
void offset_store_commit_ended(struct partition *partitions, rd_kafka_resp_err_t code,
                               const rd_kafka_topic_partition_list_t *list);

#endif
