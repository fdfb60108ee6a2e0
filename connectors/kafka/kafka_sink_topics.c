#include "connectors/kafka/kafka_sink_topics.h"

#include "core/base/memory.h"

struct kafka_sink_topic *kafka_sink_topics_get(struct kafka_sink_topic **topics, rd_kafka_t *rk,
                                               const char *name)
{
    struct kafka_sink_topic *topic = NULL;
    HASH_FIND_STR(*topics, name, topic);
    if (topic == NULL) {
        topic = memory_zeroed(1, sizeof(*topic));
        topic->name = memory_string(name);
        topic->handle = rd_kafka_topic_new(rk, name, NULL);
        INVARIANT(topic->handle != NULL);
        HASH_ADD_KEYPTR(hh, *topics, topic->name, strlen(topic->name), topic);
    }
    return topic;
}

void kafka_sink_topics_acknowledged(struct kafka_sink_topic **topics, struct accumulator *accumulator,
                                    const char *name, size_t count)
{
    struct kafka_sink_topic *topic = NULL;
    HASH_FIND_STR(*topics, name, topic);
    INVARIANT(topic != NULL);
    accumulator_acknowledged(accumulator, &topic->queue, count);
}

void kafka_sink_topics_clear(struct kafka_sink_topic **topics, struct accumulator *accumulator)
{
    struct kafka_sink_topic *topic;
    struct kafka_sink_topic *next;
    HASH_ITER (hh, *topics, topic, next) {
        HASH_DEL(*topics, topic);
        rd_kafka_topic_destroy(topic->handle);
        accumulator_clear_queue(accumulator, &topic->queue);
        free(topic->name);
        free(topic);
    }
}
