#include "core/config/kafka_properties.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/config_value.h"

struct kafka_property {
    const char *name;
    const char *why;  // why it can't be set; NULL: it can
    bool is_secret;
};

static const char WHY_REPLICAS[] = "it is always all: a change counts only when every replica has it";
static const char WHY_COMMIT[] = "it is always false: an offset is committed when its calls are settled";
static const char WHY_STORE[] = "it is always false: an offset is stored when its calls are settled";
static const char WHY_MEMORY[] = "what is read ahead is bounded per function and divided by its partitions";
static const char WHY_EXPIRY[] =
    "it is always 0: a record waits for Kafka however long that takes, and none expires";
static const char WHY_CODE[] = "it would load code into millrace";

// The delivery guarantees (nothing lost, reordered or skipped) depend on the properties that have a reason
// here.
static const struct kafka_property PROPERTIES[] = {
    {"acks", WHY_REPLICAS, false},
    {"request.required.acks", WHY_REPLICAS, false},
    {"enable.idempotence", "it is always true: else retries double and reorder changes", false},
    {"partitioner",
     "it is always murmur2_random, as Java's: else keys land where no other Kafka client looks", false},
    {"message.timeout.ms", WHY_EXPIRY, false},
    {"delivery.timeout.ms", WHY_EXPIRY, false},
    {"delivery.report.only.error", "it is always false: else nothing would ever be confirmed", false},
    {"allow.auto.create.topics", "it is always false: topics are made with the settings of the files", false},
    {"transactional.id", "millrace names its own transactions", false},
    {"enable.auto.commit", WHY_COMMIT, false},
    {"auto.commit.enable", WHY_COMMIT, false},
    {"enable.auto.offset.store", WHY_STORE, false},
    {"isolation.level", "it is always read_committed: aborted records are not changes", false},
    {"auto.offset.reset", "where a function begins is source.start in its file", false},
    {"offset.store.method", "offsets are kept by the brokers", false},
    {"partition.assignment.strategy",
     "it is always cooperative-sticky: a rebalance stops only the partitions that move", false},
    {"group.id", "each function has a group of its own, millrace.<function>", false},
    {"group.instance.id", "bridge processes share it, and one would throw out the other", false},
    {"group.protocol", "it is always classic: the assignment depends on it", false},
    {"group.remote.assignor", "it belongs to another group protocol", false},
    {"enable.partition.eof", "millrace sets it where it reads to an end", false},
    {"queued.min.messages", WHY_MEMORY, false},
    {"queued.max.messages.kbytes", WHY_MEMORY, false},
    {"fetch.max.bytes", WHY_MEMORY, false},
    {"fetch.message.max.bytes", WHY_MEMORY, false},
    {"max.partition.fetch.bytes", WHY_MEMORY, false},
    {"fetch.error.backoff.ms", WHY_MEMORY, false},
    {"fetch.queue.backoff.ms", WHY_MEMORY, false},
    {"log.queue", "it is always false: millrace writes the lines as they come", false},
    {"plugin.library.paths", WHY_CODE, false},
    {"ssl.engine.location", WHY_CODE, false},
    {"ssl.providers", WHY_CODE, false},
    {"sasl.password", NULL, true},
    {"ssl.key.password", NULL, true},
    {"ssl.keystore.password", NULL, true},
    {"ssl.key.pem", NULL, true},
    {"ssl_key", NULL, true},
    {"sasl.oauthbearer.client.secret", NULL, true},
    {"sasl.oauthbearer.config", NULL, true},
};

static const struct kafka_property *find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(PROPERTIES); i++) {
        if (strcmp(PROPERTIES[i].name, name) == 0) {
            return &PROPERTIES[i];
        }
    }
    return NULL;
}

const char *kafka_properties_refusal(const char *property)
{
    const struct kafka_property *found = find(property);
    return found == NULL ? NULL : found->why;
}

bool kafka_properties_is_secret(const char *property)
{
    const struct kafka_property *found = find(property);
    return found != NULL && found->is_secret;
}

enum topic_value {
    TOPIC_NUMBER,
    TOPIC_RATIO,
    TOPIC_BOOL,
    TOPIC_TEXT,
    TOPIC_POLICY,
    TOPIC_CODEC,
    TOPIC_CLOCK
};

static const char *const POLICIES[] = {
    "compact", "delete", "compact,delete", "delete,compact", "compact, delete", "delete, compact", NULL};
static const char *const CODECS[] = {"producer", "uncompressed", "none", "gzip",
                                     "snappy",   "lz4",          "zstd", NULL};
static const char *const CLOCKS[] = {"CreateTime", "LogAppendTime", NULL};

// Apache Kafka 3.9, "Topic Configs".
static const struct {
    const char *name;
    enum topic_value value;
} TOPIC_PROPERTIES[] = {
    {"cleanup.policy", TOPIC_POLICY},
    {"compression.gzip.level", TOPIC_NUMBER},
    {"compression.lz4.level", TOPIC_NUMBER},
    {"compression.type", TOPIC_CODEC},
    {"compression.zstd.level", TOPIC_NUMBER},
    {"delete.retention.ms", TOPIC_NUMBER},
    {"file.delete.delay.ms", TOPIC_NUMBER},
    {"flush.messages", TOPIC_NUMBER},
    {"flush.ms", TOPIC_NUMBER},
    {"follower.replication.throttled.replicas", TOPIC_TEXT},
    {"index.interval.bytes", TOPIC_NUMBER},
    {"leader.replication.throttled.replicas", TOPIC_TEXT},
    {"local.retention.bytes", TOPIC_NUMBER},
    {"local.retention.ms", TOPIC_NUMBER},
    {"max.compaction.lag.ms", TOPIC_NUMBER},
    {"max.message.bytes", TOPIC_NUMBER},
    {"message.downconversion.enable", TOPIC_BOOL},
    {"message.format.version", TOPIC_TEXT},
    {"message.timestamp.after.max.ms", TOPIC_NUMBER},
    {"message.timestamp.before.max.ms", TOPIC_NUMBER},
    {"message.timestamp.difference.max.ms", TOPIC_NUMBER},
    {"message.timestamp.type", TOPIC_CLOCK},
    {"min.cleanable.dirty.ratio", TOPIC_RATIO},
    {"min.compaction.lag.ms", TOPIC_NUMBER},
    {"min.insync.replicas", TOPIC_NUMBER},
    {"preallocate", TOPIC_BOOL},
    {"remote.storage.enable", TOPIC_BOOL},
    {"retention.bytes", TOPIC_NUMBER},
    {"retention.ms", TOPIC_NUMBER},
    {"segment.bytes", TOPIC_NUMBER},
    {"segment.index.bytes", TOPIC_NUMBER},
    {"segment.jitter.ms", TOPIC_NUMBER},
    {"segment.ms", TOPIC_NUMBER},
    {"unclean.leader.election.enable", TOPIC_BOOL},
};

static bool refuse_topic_property(const char *property, struct fault *f)
{
    const char *names[COUNT_OF(TOPIC_PROPERTIES) + 1] = {NULL};
    for (size_t i = 0; i < COUNT_OF(TOPIC_PROPERTIES); i++) {
        names[i] = TOPIC_PROPERTIES[i].name;
    }
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(property, &quoted);
    const char *near = text_nearest(property, names);
    if (near != NULL) {
        return fault_set(f, FAULT_CONFIG, "topics have no property %s; did you mean \"%s\"?",
                         bytes_text(&quoted), near);
    }
    return fault_set(f, FAULT_CONFIG, "topics have no property %s; write one such as retention.ms",
                     bytes_text(&quoted));
}

static bool is_word(const char *const *words, const char *value)
{
    while (*words != NULL && strcmp(*words, value) != 0) {
        words++;
    }
    return *words != NULL;
}

static bool is_topic_value(enum topic_value kind, const char *value)
{
    char *end = NULL;
    switch (kind) {
    case TOPIC_NUMBER:
        (void)strtoll(value, &end, 10);
        return end != value && *end == '\0';
    case TOPIC_RATIO:
        (void)strtod(value, &end);
        return end != value && *end == '\0';
    case TOPIC_BOOL:
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    case TOPIC_TEXT:
        return value[0] != '\0';
    case TOPIC_POLICY:
        return is_word(POLICIES, value);
    case TOPIC_CODEC:
        return is_word(CODECS, value);
    case TOPIC_CLOCK:
        return is_word(CLOCKS, value);
    }
    return false;
}

static const char *wanted_of(enum topic_value kind)
{
    switch (kind) {
    case TOPIC_NUMBER:
        return "a whole number, as brokers take it: 604800000, not 7d";
    case TOPIC_RATIO:
        return "a number from 0 to 1";
    case TOPIC_BOOL:
        return "true or false";
    case TOPIC_POLICY:
        return "compact, delete or \"compact,delete\"";
    case TOPIC_CODEC:
        return "producer, uncompressed, gzip, snappy, lz4 or zstd";
    case TOPIC_CLOCK:
        return "CreateTime or LogAppendTime";
    case TOPIC_TEXT:
        break;
    }
    return "not empty";
}

bool kafka_properties_check_topic(const char *property, const char *value, bool *ret_is_key_bad,
                                  struct fault *f)
{
    *ret_is_key_bad = false;
    for (size_t i = 0; i < COUNT_OF(TOPIC_PROPERTIES); i++) {
        if (strcmp(TOPIC_PROPERTIES[i].name, property) != 0) {
            continue;
        }
        enum topic_value kind = TOPIC_PROPERTIES[i].value;
        if (value == NULL || is_topic_value(kind, value)) {
            return true;
        }
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        config_value_quote(value, &quoted);
        return fault_set(f, FAULT_CONFIG, "%s must be %s", bytes_text(&quoted), wanted_of(kind));
    }
    *ret_is_key_bad = true;
    return refuse_topic_property(property, f);
}
