// What consumer.c and the consumer_*.c beside it share; nobody else looks in.
#ifndef BRIDGE_INTAKE_CONSUMER_STATE_H
#define BRIDGE_INTAKE_CONSUMER_STATE_H

#include "bridge/intake/consumer.h"
#include "bridge/intake/group_state.h"
#include "bridge/intake/offset_store.h"
#include "bridge/intake/standstill.h"
#include "core/base/backoff.h"

struct consumer {
    uv_loop_t *loop;
    rd_kafka_t *rk;
    rd_kafka_queue_t *main_queue;
    struct kafka_watch *main_watch;
    struct offset_store offsets;
    struct consumer_listener listener;
    char *component;
    struct partition_limits limits;
    size_t planned_count;  // of partitions, that the limits were made for
    struct partition *partitions;
    struct partition *turn;  // the next to be read from
    enum group_state state;
    rd_kafka_topic_partition_list_t *unanswered;  // ASKING_AGAIN: what was assigned
    int64_t ask_again_us;
    struct backoff asking;
    bool is_polling;                           // on_main_ready is at work
    rd_kafka_topic_partition_list_t *revoked;  // that the group waits for
    bool is_in_trouble;                        // the listener knows that Kafka does not answer
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

/** Logs what librdkafka has against an assignment; accepts NULL. */
void consumer_log_refusal(const struct consumer *c, const char *what, rd_kafka_error_t *error);

/** Kafka does not answer, or (NULL) it does again. */
void consumer_set_trouble(struct consumer *c, const char *why);

/** Whether the broker refuses us by its rules; then the fault says what to allow. */
bool consumer_is_refused(rd_kafka_resp_err_t code, const char *what, struct fault *f);

/** Goes on with an assignment whose offsets could not be asked for, when it is time. */
void consumer_ask_again(struct consumer *c);

/** Partitions come or go, as the event says. */
void consumer_rebalance(struct consumer *c, rd_kafka_event_t *event);

/** A revocation goes on when nothing of its partitions runs, and again when its commit is answered. */
void consumer_advance_revoke(struct consumer *c);

/** Closing goes on, if nothing is in its way any more. */
void consumer_advance_close(struct consumer *c);

#endif
