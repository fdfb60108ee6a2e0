#include "core/kafka/kafka_client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/kafka_properties.h"

// Defaults that the user may change. A later list overrides an earlier one.
static const char *const COMMON_DEFAULTS[] = {
    "client.id",      "millrace", "client.software.name", "millrace", "client.software.version",
    MILLRACE_VERSION, NULL,
};
static const char *const PRODUCER_DEFAULTS[] = {
    "compression.type",
    "lz4",
    "linger.ms",
    "0",
    "queue.buffering.max.kbytes",
    "4096",
    "message.timeout.ms",
    "0",
    "socket.nagle.disable",
    "true",
    NULL,
};
static const char *const CONSUMER_DEFAULTS[] = {
    "partition.assignment.strategy",
    "cooperative-sticky",
    "session.timeout.ms",
    "10000",
    "topic.metadata.refresh.interval.ms",
    "10000",
    NULL,
};

// The delivery guarantees depend on these. allow.auto.create.topics is false because a topic created by a
// metadata request has the broker's defaults: one partition, and records that expire.
static const char *const PRODUCER_PROMISE[] = {
    "acks",  "all", "enable.idempotence", "true", "partitioner", "murmur2_random", "allow.auto.create.topics",
    "false", NULL,
};
static const char *const CONSUMER_PROMISE[] = {
    "isolation.level",
    "read_committed",
    "enable.auto.commit",
    "false",
    "enable.auto.offset.store",
    "false",
    "allow.auto.create.topics",
    "false",
    NULL,
};

bool kafka_client_check(const struct text_pairs *kafka, struct fault *f)
{
    for (size_t i = 0; i < kafka->count; i++) {
        const char *why = kafka_properties_refusal(kafka->items[i].key);
        if (why != NULL) {
            return fault_set(f, FAULT_CONFIG, "kafka: %s can't be set: %s", kafka->items[i].key, why);
        }
    }
    return true;
}

// Repeated messages of librdkafka (every client reports a broker that is down, again and again) are logged
// once in RECENT_S. librdkafka's threads read and write the table, so each slot is one atomic word: the
// high half of the text's hash, and the second when the text was last seen.
enum { RECENT_SLOTS = 64 };
static _Atomic uint64_t recent[RECENT_SLOTS];
#define RECENT_S 600

/** Hash of the text before the first '(': what follows has numbers that differ each time. */
static uint64_t hash_of_kind(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *c = text; *c != '\0' && *c != '('; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    }
    return hash;
}

static bool was_logged_recently(const char *text)
{
    uint64_t hash = hash_of_kind(text);
    uint64_t now_s = (uint64_t)(clock_now_us() / CLOCK_US_PER_S) & 0xffffffff;
    uint64_t seen = atomic_exchange(&recent[hash % RECENT_SLOTS], (hash & ~UINT64_C(0xffffffff)) | now_s);
    return seen >> 32 == hash >> 32 && now_s - (seen & 0xffffffff) < RECENT_S;
}

/** "[thrd:localhost:9092/bootstrap]: localhost:9092/bootstrap: Connect to … failed" without its thread. */
static const char *skip_thread(const char *text)
{
    const char *end = strncmp(text, "[thrd:", 6) == 0 ? strstr(text, "]: ") : NULL;
    return end == NULL ? text : end + 3;
}

static enum log_level level_of(int syslog_level)
{
    if (syslog_level <= LOG_ERR) {
        return LOG_LEVEL_WARN;  // librdkafka retries; errors that we must act on are returned by calls
    }
    return syslog_level <= LOG_WARNING ? LOG_LEVEL_WARN
           : syslog_level <= LOG_INFO  ? LOG_LEVEL_INFO
                                       : LOG_LEVEL_DEBUG;
}

/** Gives the line to the client's reader, if it has one. False: the user did not ask for the line. */
static bool read_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const struct kafka_log_reader *reader = rk == NULL ? NULL : rd_kafka_opaque(rk);
    if (reader == NULL) {
        return true;
    }
    if (level == LOG_DEBUG) {
        reader->on_line(reader->self, facility, text);
    }
    return level <= reader->level;
}

/** Called by librdkafka's threads: uses only the client's reader, the atomics above and log_write. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const char *message = skip_thread(text);
    if (!read_line(rk, level, facility, message)) {
        return;
    }
    // One `kafka:` section configures producers and consumers; each rightly ignores the other's properties.
    if (strcmp(facility, "CONFWARN") == 0 && strstr(text, "property and will be ignored by this") != NULL) {
        return;
    }
    // Logged for brokers that ignore allow.auto.create.topics: only the embedded one is so old.
    if (strcmp(facility, "AUTOCREATE") == 0) {
        return;
    }
    if (level <= LOG_INFO && was_logged_recently(message)) {
        return;
    }
    log_write(
        level_of(level), "kafka", "kafka_log",
        LOG_WITH(LOG_TEXT("client", rk == NULL ? "" : rd_kafka_name(rk)), LOG_TEXT("facility", facility)),
        "%s", message);
}

/**
 * Called by librdkafka's threads, for producers. Closing a socket drops what the peer has not acknowledged:
 * the kernel would go on sending the records of a producer that is gone, after those of the next one.
 */
static int open_socket(int domain, int type, int protocol, void *opaque)
{
    (void)opaque;
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    const struct linger drop = {.l_onoff = 1, .l_linger = 0};
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &drop, sizeof(drop));
    }
    return fd;
}

static bool set_one(rd_kafka_conf_t *conf, const char *key, const char *value, struct fault *f)
{
    char why[256];
    if (rd_kafka_conf_set(conf, key, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        // The fault must not quote the value: it may be a password.
        return fault_set(f, FAULT_CONFIG, "kafka: %s: %s", key,
                         strstr(why, value) != NULL && value[0] != '\0' ? "librdkafka refuses this value"
                                                                        : why);
    }
    return true;
}

static bool set_list(rd_kafka_conf_t *conf, const char *const *pairs, struct fault *f)
{
    for (size_t i = 0; pairs != NULL && pairs[i] != NULL; i += 2) {
        if (!set_one(conf, pairs[i], pairs[i + 1], f)) {
            return false;
        }
    }
    return true;
}

static void destroy_conf(rd_kafka_conf_t **conf)
{
    if (*conf != NULL) {
        rd_kafka_conf_destroy(*conf);
    }
}

static size_t number_of(const rd_kafka_conf_t *conf, const char *key)
{
    char text[32] = "";
    size_t size = sizeof(text);
    (void)rd_kafka_conf_get(conf, key, text, &size);
    return (size_t)strtoull(text, NULL, 10);
}

void kafka_client_read_log(rd_kafka_conf_t *conf, const char *debug_context, struct kafka_log_reader *reader)
{
    // With `debug` set librdkafka ignores log_level and logs all levels; without it nothing of level debug.
    char debug[512] = "";
    size_t size = sizeof(debug);
    (void)rd_kafka_conf_get(conf, "debug", debug, &size);
    size_t level = number_of(conf, "log_level");
    reader->level = debug[0] != '\0' ? LOG_DEBUG : level < LOG_INFO ? (int)level : LOG_INFO;
    rd_kafka_conf_set_opaque(conf, reader);
    // This adds to the contexts that are set.
    INVARIANT(rd_kafka_conf_set(conf, "debug", debug_context, NULL, 0) == RD_KAFKA_CONF_OK);
}

size_t kafka_client_message_max_bytes(const rd_kafka_conf_t *conf)
{
    return number_of(conf, "message.max.bytes");
}

/** Enlarges the queue for two of the largest records: a record larger than the whole queue never fits. */
static bool fit_queue(rd_kafka_conf_t *conf, struct fault *f)
{
    size_t kbytes = 2 * (kafka_client_message_max_bytes(conf) / 1024 + 1);
    if (number_of(conf, "queue.buffering.max.kbytes") >= kbytes) {
        return true;
    }
    char text[32];
    (void)snprintf(text, sizeof(text), "%zu", kbytes);
    return set_one(conf, "queue.buffering.max.kbytes", text, f);
}

bool kafka_client_conf(const struct settings *settings, enum kafka_role role, const char *const *extra,
                       rd_kafka_conf_t **ret, struct fault *f)
{
    bool is_consumer = role == KAFKA_CONSUMER;
    if (!kafka_client_check(&settings->kafka, f)) {
        return false;
    }
    CLEANUP(destroy_conf) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (!is_consumer) {
        rd_kafka_conf_set_socket_cb(conf, open_socket);
    }
    if (!set_list(conf, COMMON_DEFAULTS, f) ||
        !set_list(conf, is_consumer ? CONSUMER_DEFAULTS : PRODUCER_DEFAULTS, f)) {
        return false;
    }
    for (size_t i = 0; i < settings->kafka.count; i++) {
        if (!set_one(conf, settings->kafka.items[i].key, settings->kafka.items[i].value, f)) {
            return false;
        }
    }
    if (!set_list(conf, is_consumer ? CONSUMER_PROMISE : PRODUCER_PROMISE, f) || !set_list(conf, extra, f) ||
        (!is_consumer && !fit_queue(conf, f))) {
        return false;
    }
    *ret = TAKE(conf);
    return true;
}

bool kafka_client_open(rd_kafka_conf_t *conf, enum kafka_role role, rd_kafka_t **ret, struct fault *f)
{
    char why[256];
    rd_kafka_t *rk =
        rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (rk == NULL) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        rd_kafka_conf_destroy(conf);
        return fault_from(f, FAULT_CONFIG, "librdkafka", code, "kafka: %s", why);
    }
    *ret = rk;
    return true;
}
