// The Kafka consumer of one function, a member of the function's group. It commits; the records come from the
// process's fetcher. To librdkafka it assigns no partition, so that its client fetches nothing. A function
// that is full takes no more records; polling the main queue keeps the membership.
#ifndef BRIDGE_INTAKE_CONSUMER_H
#define BRIDGE_INTAKE_CONSUMER_H

#include "bridge/config/function_config.h"
#include "bridge/intake/job.h"
#include "bridge/intake/partition.h"

struct consumer;

/** What the listener does with a record. */
enum consumer_step {
    CONSUMER_TAKEN,
    CONSUMER_HELD,  // not now: the record is offered again once the listener has cleared p->is_held
};

struct consumer_listener {
    void (*on_ready)(void *self);     // records may be waiting: call consumer_take
    void (*on_assigned)(void *self);  // an assignment is in effect; it may be empty
    /** Drop the waiting events of the partition and start no more calls of it; running calls may end. */
    void (*on_revoked)(void *self, struct partition *p);
    /** The record is lent for the call, and may be shared (record_share). */
    enum consumer_step (*on_record)(void *self, struct partition *p, struct record *record);
    /** The unsettled records of a partition that were tried, by offset, at most `max`; returns how many. */
    size_t (*get_attempts)(void *self, const struct partition *p, struct progress_attempt *ret, size_t max);
    void (*on_offset_reset)(
        void *self,
        struct partition *p);        // its offset was out of range: the earliest record comes next
    void (*on_resumed)(void *self);  // consumer_may_call returns true again
    void (*on_kafka_error)(void *self, const char *why);  // Kafka does not respond; NULL: it responds again
    void (*on_fault)(void *self, const struct fault *f);  // CONFIG or FATAL: close the consumer
    void *self;
};

struct consumer_params {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent for consumer_open
    const struct job *job;                 // lent for consumer_open; NULL: none
    struct state_topic *state_topic;       // lent; NULL: progress is not spilled
    struct fetcher *fetcher;               // lent; reads the partitions
    struct consumer_listener listener;
};

/** Joins the group and subscribes. Assignments, records and faults come through the listener. */
bool consumer_open(const struct consumer_params *params, struct consumer **ret, struct fault *f) MUST_USE;

/** Offers records of all partitions in turn until `count` were taken; returns how many were taken. */
size_t consumer_take(struct consumer *c, size_t count);

/** Whether consumer_take may find more records. */
bool consumer_has_more(const struct consumer *c);

/**
 * Whether calls may begin now. False after the process stood still for so long that the group may have
 * expelled it, until the coordinator has accepted a commit.
 */
bool consumer_may_call(struct consumer *c);

/** The last event of a revoked or lost partition is freed. */
void consumer_partition_idle(struct consumer *c, struct partition *p);

/** Commits the attempts that were used up, at most ten times a second, and what else has moved. */
void consumer_commit_attempts(struct consumer *c);

/** Commits what has moved, at most five times a second. Call it when calls have ended. */
void consumer_commit_settled(struct consumer *c);

/**
 * A dead letter of the partition is about to be settled or held: commits that in the next loop iteration,
 * with the other letters of this one, at most 50 times a second. A kill before that stores the letter once
 * more.
 */
void consumer_commit_letter(struct partition *p);

/** Call twice a second: polls the group, commits what has moved. */
void consumer_tick(struct consumer *c);

/** The list of assigned, revoked and lost partitions. */
struct partition *consumer_partitions(const struct consumer *c);

/** Records between the safe offset and the log end that the broker reported last; -1: not known. */
int64_t consumer_lag(const struct consumer *c, const struct partition *p);

/** The timestamp of the oldest record that was read and is not settled; -1: there is none. */
int64_t consumer_oldest_ms(const struct partition *p);

/**
 * Gives all partitions back (calls on_revoked, waits for their events), commits and leaves the group. Then
 * calls on_closed, the last callback, and frees the consumer.
 */
void consumer_close(struct consumer *c, void (*on_closed)(void *self), void *self);

#endif
