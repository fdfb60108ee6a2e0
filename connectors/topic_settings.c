#include "connectors/topic_settings.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/text.h"

static const char OWN[] = "millrace.";  // topics of ours have settings of their own

struct topic_settings {
    const struct connector_config *config;
    struct text_pairs none;
    struct text_pairs schema_changes;  // properties of the schema-change topic
};

struct topic_settings *topic_settings_new(const struct connector_config *config)
{
    struct topic_settings *s = memory_zeroed(1, sizeof(*s));
    s->config = config;
    text_pairs_set(&s->schema_changes, "cleanup.policy", "delete");
    text_pairs_set(&s->schema_changes, "retention.ms", "-1");
    return s;
}

static const struct connector_topic_group *find_group(const struct connector_config *config, const char *name)
{
    for (size_t i = 0; i < config->topics.groups.count; i++) {
        const struct connector_topic_group *group = &config->topics.groups.items[i];
        if (group->match != NULL && text_glob_match(group->match, name)) {
            return group;
        }
    }
    return NULL;
}

void topic_settings_apply(void *self, struct kafka_topic_spec *io)
{
    const struct topic_settings *s = self;
    const struct connector_config *config = s->config;
    const struct connector_topic_group *group = find_group(config, io->name);
    io->partitions = (int)(group == NULL ? config->topics.partitions : group->partitions);
    io->replication = (int)(group == NULL ? config->topics.replication : group->replication);
    io->config = group == NULL ? &config->topics.config : &group->config;
    if (strncmp(io->name, OWN, strlen(OWN)) == 0) {
        io->partitions = 0;
        io->config = &s->none;
    } else if (config->schema_changes.topic && strcmp(io->name, config->topic_prefix) == 0) {
        io->partitions = 1;  // its records are in order
        io->config = &s->schema_changes;
    }
}

void topic_settings_free(struct topic_settings *s)
{
    if (s != NULL) {
        text_pairs_clear(&s->schema_changes);
        free(s);
    }
}
