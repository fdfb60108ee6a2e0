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

/** Whether a connector of the folder can write to this topic, or to one that this glob could match. */
static bool has_writer(const struct config_set *set, const char *topic)
{
    if (topic[0] == '/') {
        return true;  // a regular expression: not checked
    }
    if (strncmp(topic, "millrace.", strlen("millrace.")) == 0) {
        return true;  // a dead-letter topic
    }
    size_t plain = strcspn(topic, "*?[");
    for (size_t i = 0; i < set->connector_count; i++) {
        const char *prefix = set->connectors[i]->topic_prefix;
        size_t size = strlen(prefix);
        size_t common = plain < size + 1 ? plain : size + 1;
        CLEANUP(memory_free_pointer) char *beginning = memory_format("%s.", prefix);
        if (strncmp(topic, beginning, common) == 0 && (topic[plain] != '\0' || plain > size + 1)) {
            return true;
        }
    }
    return set->connector_count == 0;  // the connectors run elsewhere
}

static size_t warn_topics(const char *dir, const struct config_set *set, struct bytes *out)
{
    size_t count = 0;
    for (size_t i = 0; i < set->function_count; i++) {
        const struct function_config *function = set->functions[i];
        for (size_t k = 0; k < function->source.topics.count; k++) {
            const char *topic = function->source.topics.items[k];
            if (!has_writer(set, topic)) {
                bytes_format(
                    out,
                    "%s/functions/%s.yaml: warning: no connector of this folder writes to the topic \"%s\"\n",
                    dir, function->name, topic);
                count++;
            }
        }
    }
    return count;
}

static size_t warn_folders(const char *dir, struct bytes *out)
{
    static const char *const meant[][2] = {{"function", "functions"},
                                           {"connector", "connectors"},
                                           {"Functions", "functions"},
                                           {"Connectors", "connectors"}};
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(meant); i++) {
        CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", dir, meant[i][0]);
        struct stat status;
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            bytes_format(out, "%s: warning: this folder is not read; did you mean %s/?\n", path, meant[i][1]);
            count++;
        }
    }
    return count;
}

static size_t warn_empty(const char *dir, const struct config_set *set, struct bytes *out)
{
    if (set->connector_count > 0 || set->function_count > 0 || set->rejected.count > 0) {
        return 0;
    }
    bytes_format(out, "%s: warning: connectors/ and functions/ have no files: nothing would run\n", dir);
    return 1;
}

size_t check_more_warn(const char *dir, const struct config_set *set, struct bytes *out)
{
    size_t count = warn_topics(dir, set, out) + warn_folders(dir, out) + warn_empty(dir, set, out);
    return count;
}
