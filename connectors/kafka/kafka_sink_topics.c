#include "connectors/kafka/kafka_sink_topics.h"

#include "core/base/log.h"
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

bool kafka_sink_topics_count(struct kafka_sink_topic **topics, const char *name, int32_t partitions)
{
    struct kafka_sink_topic *topic = NULL;
    HASH_FIND_STR(*topics, name, topic);
    if (topic == NULL || topic->partitions == partitions) {
        return false;
    }
    if (topic->partitions > 0) {
        log_warn("kafka", "topic_partitions_changed",
                 LOG_WITH(LOG_TEXT("topic", name), LOG_NUMBER("partitions", partitions),
                          LOG_NUMBER("before", topic->partitions)),
                 "topic %s has %d partitions now, it had %d: keys move, and newer records of a key may be in "
                 "another partition than its older ones",
                 name, (int)partitions, (int)topic->partitions);
    }
    topic->partitions = partitions;
    return topic->is_counted;
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
