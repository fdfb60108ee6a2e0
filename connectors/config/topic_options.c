#include "connectors/config/topic_options.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/config/kafka_properties.h"

enum { PARTITIONS_MAX = 100000, REPLICATION_MAX = 1000 };

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
     .max = PARTITIONS_MAX,
     .offset = offsetof(struct connector_config, topics.partitions),
     .doc = "Partitions of a table's topic."},
    {.key = "replication",
     .type = CONFIG_INTEGER,
     .otherwise = "the broker's",
     .min = 1,
     .max = REPLICATION_MAX,
     .offset = offsetof(struct connector_config, topics.replication),
     .doc = "Replicas of each partition."},
    {.key = "config",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct connector_config, topics.config),
     .rules = &topic_rules,
     .doc = "Kafka's topic properties."},
    {.key = "groups",
     .type = CONFIG_TREE,
     .offset = offsetof(struct connector_config, topics.groups.tree),
     .doc = "Other settings for some topics: a list of `{match: GLOB, partitions: N, replication: N, config: "
            "{…}}`; the first whose glob matches the topic's name counts. What it does not set is as for all "
            "topics ([connectors.md](connectors.md#settings-of-topics))."},
    {.key = NULL},
};

// --- groups ---

static const char FORM[] = "write {match: GLOB, partitions: N, replication: N, config: {NAME: VALUE}}, as in "
                           "{match: shop.public.orders, partitions: 12}";

static void read_number(const struct config_file *file, struct yaml_node *node, const char *key, int64_t max,
                        int64_t *ret)
{
    struct fault f;
    if (node->kind != YAML_TEXT || !config_value_integer(node->text, ret, &f) || *ret < 1 || *ret > max) {
        config_complain_at(file, node, "%s: must be a number from 1 to %lld", key, (long long)max);
    }
}

static void read_config(const struct config_file *file, const struct yaml_node *map, struct text_pairs *ret)
{
    for (size_t i = 0; i < map->count; i++) {
        struct yaml_node *value = map->items[i];
        const char *text = value->kind == YAML_TEXT ? value->text : "";
        struct fault f;
        bool is_key_bad = false;
        if (kafka_properties_check_topic(map->keys[i]->text, text, &is_key_bad, &f)) {
            text_pairs_set(ret, map->keys[i]->text, text);
        } else {
            config_complain_at(file, is_key_bad ? map->keys[i] : value, "%s", f.text);
        }
    }
}

static void read_member(const struct config_file *file, struct yaml_node *key, struct yaml_node *value,
                        struct connector_topic_group *ret)
{
    struct fault f;
    if (strcmp(key->text, "match") == 0) {
        if (value->kind != YAML_TEXT || !config_value_check_topic_glob(file, value->text, &f)) {
            config_complain_at(file, value, "match: %s",
                               value->kind != YAML_TEXT ? "must be a glob" : f.text);
        } else {
            ret->match = memory_string(value->text);
        }
    } else if (strcmp(key->text, "partitions") == 0) {
        read_number(file, value, "partitions", PARTITIONS_MAX, &ret->partitions);
    } else if (strcmp(key->text, "replication") == 0) {
        read_number(file, value, "replication", REPLICATION_MAX, &ret->replication);
    } else if (strcmp(key->text, "config") == 0 && value->kind == YAML_MAP) {
        read_config(file, value, &ret->config);
    } else {
        config_complain_at(file, key, "%s", FORM);
    }
}

static void read_group(const struct config_file *file, const struct connector_config *c,
                       struct yaml_node *node, struct connector_topic_group *ret)
{
    ret->partitions = c->topics.partitions;
    ret->replication = c->topics.replication;
    for (size_t i = 0; i < c->topics.config.count; i++) {
        text_pairs_set(&ret->config, c->topics.config.items[i].key, c->topics.config.items[i].value);
    }
    if (node->kind != YAML_MAP || yaml_get(node, "match") == NULL) {
        config_complain_at(file, node, "%s", FORM);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        read_member(file, node->keys[i], node->items[i], ret);
    }
}

// Each send would be refused: so many replicas are never in sync.
static void check_replicas(const struct config_file *file, const char *path, int64_t replication,
                           const struct text_pairs *config)
{
    int64_t least = 0;
    struct fault f;
    const char *text = text_pairs_get(config, "min.insync.replicas");
    if (text != NULL && replication > 0 && config_value_integer(text, &least, &f) && least > replication) {
        config_complain(file, path, "min.insync.replicas: %s is more than the replication, %lld", text,
                        (long long)replication);
    }
}

void topic_options_finish(const struct config_file *file, struct connector_config *c)
{
    check_replicas(file, "topics.config", c->topics.replication, &c->topics.config);
    struct yaml_node *groups = config_find(file, "topics.groups");
    if (groups == NULL || groups->kind == YAML_NULL) {
        return;
    }
    if (groups->kind != YAML_LIST) {
        config_complain_at(file, groups, "groups: write a list of {match: GLOB, …}");
        return;
    }
    c->topics.groups.count = groups->count;
    c->topics.groups.items = memory_zeroed(groups->count + 1, sizeof(*c->topics.groups.items));
    for (size_t i = 0; i < groups->count; i++) {
        read_group(file, c, groups->items[i], &c->topics.groups.items[i]);
        check_replicas(file, "topics.groups", c->topics.groups.items[i].replication,
                       &c->topics.groups.items[i].config);
    }
}
