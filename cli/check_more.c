#include "cli/check_more.h"

#include <sys/stat.h>

#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"

static bool open_role(const struct settings *settings, enum kafka_role role, const char *const *extra,
                      struct fault *f)
{
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    if (!kafka_client_conf(settings, role, extra, &conf, f) || !kafka_client_open(conf, role, &rk, f)) {
        return false;
    }
    rd_kafka_destroy(rk);
    return true;
}

bool check_more_kafka(const struct settings *settings, struct fault *f)
{
    // librdkafka's level 4 is warnings: its notice that no bootstrap.servers is set is about this check
    // alone.
    static const char *const producer[] = {"log_level", "4", NULL};
    static const char *const consumer[] = {
        "log_level",          "4", "group.id", "millrace.check", "partition.assignment.strategy",
        "cooperative-sticky", NULL};
    struct settings unconnected = {0};
    for (size_t i = 0; i < settings->kafka.count; i++) {
        const struct text_pair *pair = &settings->kafka.items[i];
        if (strcmp(pair->key, "bootstrap.servers") != 0 && strcmp(pair->key, "metadata.broker.list") != 0) {
            text_pairs_set(&unconnected.kafka, pair->key, pair->value);
        }
    }
    bool is_good = open_role(&unconnected, KAFKA_PRODUCER, producer, f) &&
                   open_role(&unconnected, KAFKA_CONSUMER, consumer, f);
    text_pairs_clear(&unconnected.kafka);
    return is_good;
}

static void warn_folders(const char *dir, struct complaints *warnings)
{
    static const char *const meant[][2] = {{"function", "functions"},
                                           {"connector", "connectors"},
                                           {"Functions", "functions"},
                                           {"Connectors", "connectors"}};
    for (size_t i = 0; i < COUNT_OF(meant); i++) {
        CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", dir, meant[i][0]);
        struct stat status;
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            complaints_add(warnings, path, 0, 0, "this folder is not read; did you mean %s/?", meant[i][1]);
        }
    }
}

// Who has a registry of Confluent's kind has consumers with its deserialisers, and events of an outbox have
// no schema.
static void warn_outboxes(const char *dir, struct config_set *set)
{
    for (size_t i = 0; i < set->connector_count; i++) {
        const struct connector_config *c = set->connectors[i];
        if (set->settings->registry.url != NULL && c->outbox.table != NULL) {
            CLEANUP(memory_free_pointer) char *path = memory_format("%s/connectors/%s.yaml", dir, c->name);
            complaints_add(
                &set->warnings, path, 0, 0,
                "outbox: events are published without a schema, as by Kafka Connect's StringConverter; "
                "a consumer with an Avro deserializer can't read them (docs/debezium.md)");
        }
    }
}

void check_more_warn(const char *dir, struct config_set *set)
{
    warn_folders(dir, &set->warnings);
    warn_outboxes(dir, set);
    if (set->connector_count == 0 && set->function_count == 0 && set->rejected.count == 0) {
        complaints_add(&set->warnings, dir, 0, 0,
                       "connectors/ and functions/ have no files: nothing would run");
    }
}
