#include "connectors/config/topic_options.h"

#include "core/config/kafka_properties.h"

static enum config_verdict check_topic_pair(const char *key, const char *value, struct fault *f)
{
    bool is_key_bad = false;
    if (kafka_properties_check_topic(key, value, &is_key_bad, f)) {
        return CONFIG_GOOD;
    }
    return is_key_bad ? CONFIG_BAD_KEY : CONFIG_BAD_VALUE;
}

static const struct config_rules topic_rules = {.check_pair = check_topic_pair};

const struct config_option topic_options[] = {
    {.key = "partitions",
     .type = CONFIG_INTEGER,
     .otherwise = "the broker's",
     .min = 1,
     .max = 100000,
     .offset = offsetof(struct connector_config, topics.partitions),
     .doc = "Partitions of a table's topic."},
    {.key = "replication",
     .type = CONFIG_INTEGER,
     .otherwise = "the broker's",
     .min = 1,
     .max = 1000,
     .offset = offsetof(struct connector_config, topics.replication),
     .doc = "Replicas of each partition."},
    {.key = "config",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, topics.config),
     .rules = &topic_rules,
     .doc = "Kafka's topic properties."},
    {.key = NULL},
};
