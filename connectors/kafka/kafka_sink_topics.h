// The topics that a sink publishes to, each with the records that wait for it.
#ifndef CONNECTORS_KAFKA_KAFKA_SINK_TOPICS_H
#define CONNECTORS_KAFKA_KAFKA_SINK_TOPICS_H

#include <librdkafka/rdkafka.h>
#include <uthash.h>

#include "connectors/kafka/accumulator.h"
#include "connectors/kafka/kafka_probe.h"

struct kafka_sink_topic {
    char *name;
    rd_kafka_topic_t *handle;
    struct accumulator_queue queue;
    struct kafka_probe *probe;  // lent
    int32_t partitions;         // 0: not known yet
    bool is_counted;            // somebody waits for their number
    UT_hash_handle hh;
};

/** The topic of this name, which is added if it is not there; lives until the topics are cleared. */
struct kafka_sink_topic *kafka_sink_topics_get(struct kafka_sink_topic **topics, rd_kafka_t *rk,
                                               const char *name);

/** Notes the number of a topic's partitions; logs that it has changed. True: somebody waits for it. */
bool kafka_sink_topics_count(struct kafka_sink_topic **topics, const char *name, int32_t partitions);

/** So many records of this topic are no longer in flight. */
void kafka_sink_topics_acknowledged(struct kafka_sink_topic **topics, struct accumulator *accumulator,
                                    const char *name, size_t count);

/** Frees all, with the records that wait. */
void kafka_sink_topics_clear(struct kafka_sink_topic **topics, struct accumulator *accumulator);

#endif
