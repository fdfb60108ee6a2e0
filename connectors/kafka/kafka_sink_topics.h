// The topics that a sink publishes to, each with the records that wait for it.
#ifndef CONNECTORS_KAFKA_KAFKA_SINK_TOPICS_H
#define CONNECTORS_KAFKA_KAFKA_SINK_TOPICS_H

#include <librdkafka/rdkafka.h>
#include <uthash.h>

#include "connectors/kafka/accumulator.h"

struct kafka_sink_topic {
    char *name;
    rd_kafka_topic_t *handle;
    struct accumulator_queue queue;
    UT_hash_handle hh;
};

/** The topic of this name, which is added if it is not there; lives until the topics are cleared. */
struct kafka_sink_topic *kafka_sink_topics_get(struct kafka_sink_topic **topics, rd_kafka_t *rk,
                                               const char *name);

/** So many records of this topic are no longer in flight. */
void kafka_sink_topics_acknowledged(struct kafka_sink_topic **topics, struct accumulator *accumulator,
                                    const char *name, size_t count);

/** Frees all, with the records that wait. */
void kafka_sink_topics_clear(struct kafka_sink_topic **topics, struct accumulator *accumulator);

#endif
