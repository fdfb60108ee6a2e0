// Notices that a topic was deleted and made again while its partitions are being read, and that the new log
// is already longer than the old one: then the next offset is valid, and librdkafka 2.0.2 reads on in the
// middle of the new log. It has no function that gives a topic's id. But Kafka deletes the committed offsets
// of a topic together with the topic, so a partition whose committed offset is gone is of a new log.
//
// Any later commit would hide that, so commits wait from the first sign that the topic may have been deleted
// until Kafka has said, 2 s later, that the offset is still there. Signs: a fetch was refused
// (leader_watch.h), a commit was refused because there is no such topic, a partition is unknown, the
// process stood still. A partition that is not being fetched, because its function is full, is looked up
// every 5 s. A partition that is given back waits for the answer before its last commit.
#ifndef BRIDGE_INTAKE_TOPIC_CHECK_H
#define BRIDGE_INTAKE_TOPIC_CHECK_H

#include "bridge/intake/partition.h"

struct topic_check_listener {
    void (*on_made_again)(void *self, struct partition *p);
    void *self;
};

/** Plain data, embedded. */
struct topic_check {
    rd_kafka_t *rk;  // lent
    char *group;
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    struct topic_check_listener listener;
    struct partition **partitions;           // lent: the consumer's list
    rd_kafka_topic_partition_list_t *asked;  // NULL: no look-up is in progress
    int64_t asked_us;
};

void topic_check_open(struct topic_check *t, uv_loop_t *loop, rd_kafka_t *rk, const char *group,
                      struct partition **partitions, const struct topic_check_listener *listener);
void topic_check_close(struct topic_check *t);

/** Call it twice a second. */
void topic_check_run(struct topic_check *t);

/** The partition's committed offset has just been looked up. */
void topic_check_begin(struct partition *p);

/** Whether the partition's topic may have been deleted: nothing of it is committed now. */
bool topic_check_is_doubted(struct partition *p);

#endif
