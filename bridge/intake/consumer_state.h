// The struct that consumer.c, consumer_read.c and consumer_assign.c share; no other file includes this.
#ifndef BRIDGE_INTAKE_CONSUMER_STATE_H
#define BRIDGE_INTAKE_CONSUMER_STATE_H

#include "bridge/intake/consumer.h"
#include "bridge/intake/group_state.h"
#include "bridge/intake/join_watch.h"
#include "bridge/intake/letter_commits.h"
#include "bridge/intake/offset_store.h"
#include "bridge/intake/standstill.h"
#include "bridge/intake/topic_check.h"
#include "core/base/backoff.h"

struct consumer {
    uv_loop_t *loop;
    rd_kafka_t *rk;
    rd_kafka_queue_t *main_queue;
    struct kafka_watch *main_watch;
    struct join_watch join;
    struct offset_store offsets;
    struct letter_commits letters;
    struct topic_check topics;
    struct consumer_listener listener;
    char *component;
    char *progress_name;              // of the group, without its prefix
    struct state_topic *state_topic;  // lent
    struct fetcher *fetcher;          // lent
    struct partition *partitions;
    struct partition *turn;  // the next to read from
    enum group_state state;
    rd_kafka_topic_partition_list_t *unanswered;  // LOOKUP_FAILED: the assignment
    int64_t retry_us;                             // when to look up its offsets again
    struct backoff lookup_backoff;
    bool is_polling;                           // on_main_ready is polling
    rd_kafka_topic_partition_list_t *revoked;  // the revocation in progress
    int64_t check_since_us;                    // since when it waits for topic_check; 0: it has not yet
    bool has_kafka_error;                      // the listener knows that Kafka does not respond
    struct standstill standstill;
    void (*on_closed)(void *self);  // not NULL: closing
    void *closed_self;
    int64_t closing_since_us;
};

struct consumer_job {
    uv_work_t work;
    struct consumer *consumer;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
    bool has_joined;  // leaving: there was an assignment
};

/** Logs that librdkafka refused an assignment, and destroys the error. Accepts NULL. */
void consumer_log_refusal(const struct consumer *c, const char *what, rd_kafka_error_t *error);

/** Kafka does not respond, or (NULL) it responds again. */
void consumer_set_kafka_error(struct consumer *c, const char *why);

/** Handles an error of the client, or of a partition that is read. */
void consumer_on_error(struct consumer *c, rd_kafka_resp_err_t code, const char *text);

/** The partition's topic was deleted and made again. `self` is the consumer. */
void consumer_topic_made_again(void *self, struct partition *p);

/** Whether the broker's ACLs deny access; then the fault says what to allow. */
bool consumer_is_refused(rd_kafka_resp_err_t code, const char *what, struct fault *f);

/** Retries the offset look-up of an assignment when it is due. */
void consumer_retry_lookup(struct consumer *c);

/** Handles a rebalance event. */
void consumer_rebalance(struct consumer *c, rd_kafka_event_t *event);

/** Continues a revocation: first when no event of its partitions is alive, then when its commit is answered.
 */
void consumer_advance_revoke(struct consumer *c);

/** A partition's spilled progress was written or read. `self` is the consumer. */
void consumer_spill_done(void *self, struct partition *p);

/** Continues closing, if nothing blocks it. */
void consumer_advance_close(struct consumer *c);

#endif
