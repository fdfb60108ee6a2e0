// Reads the last records of topics, without a group and without committing anything.
#ifndef CLI_FILTER_TOPICS_H
#define CLI_FILTER_TOPICS_H

#include <librdkafka/rdkafka.h>

#include "core/config/settings.h"
#include "schemas/avro/avro_type.h"

struct filter_topics;

/** A record with its schemas; borrowed for the call. */
struct filter_record {
    const rd_kafka_message_t *message;
    const char *topic;
    const struct avro_type *value_type;  // NULL: a tombstone, JSON, or `why` says why it can't be read
    bool is_json;
    const struct avro_type *key_type;  // NULL: the key is absent or not Avro
    const char *why;
};

struct filter_topics_params {
    const struct settings *settings;
    const struct text_list *topics;  // names, globs or regular expressions
    int64_t last;                    // so many records of all partitions together, the latest ones
    void (*on_record)(void *self, const struct filter_record *record);
    void *self;
};

/** Calls on_record for each, by their timestamps. False: a topic or Kafka or the registry can't be read. */
bool filter_topics_read(const struct filter_topics_params *params, struct fault *f) MUST_USE;

#endif
