#include "bridge/intake/consumer_conf.h"

#include <stdlib.h>

#include "bridge/intake/leader_watch.h"
#include "core/base/name_regex.h"

enum {
    RESPONSE_BYTES = 4 << 20,   // of one fetch, over all partitions
    FRAME_BYTES = 512,          // librdkafka demands this much beyond it
    RECEIVE_BYTES = 100000000,  // librdkafka's default
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

char *consumer_conf_subscription(const char *topic)
{
    struct fault f;
    char *posix = name_regex_is(topic) ? name_regex_posix(topic, &f) : NULL;
    if (posix != NULL) {
        return posix;
    }
    if (strpbrk(topic, "*?[") == NULL) {
        return memory_string(topic);
    }
    CLEANUP(bytes_clear) struct bytes regex = {0};
    bytes_append_byte(&regex, '^');
    for (const char *c = topic; *c != '\0'; c++) {
        if (*c == '*') {
            bytes_append_string(&regex, ".*");
        } else if (*c == '?') {
            bytes_append_byte(&regex, '.');
        } else if (c[0] == '[' && c[1] == '!') {
            bytes_append_string(&regex, "[^");
            c++;
        } else if (*c == '.' || *c == '+' || *c == '(' || *c == ')' || *c == '$' || *c == '|') {
            bytes_append_byte(&regex, '\\');
            bytes_append_byte(&regex, (uint8_t)*c);
        } else {
            bytes_append_byte(&regex, (uint8_t)*c);
        }
    }
    bytes_append_byte(&regex, '$');
    return slice_to_string(bytes_slice(&regex));
}

static rd_kafka_resp_err_t subscribe(rd_kafka_t *rk, const struct text_list *topics)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)topics->count);
    for (size_t i = 0; i < topics->count; i++) {
        CLEANUP(memory_free_pointer) char *subscription = consumer_conf_subscription(topics->items[i]);
        rd_kafka_topic_partition_list_add(list, subscription, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

/** A size from the user's properties, which librdkafka has validated. */
static size_t bytes_of(const struct settings *settings, const char *property, size_t initial)
{
    const char *text = text_pairs_get(&settings->kafka, property);
    return text == NULL ? initial : (size_t)strtoull(text, NULL, 10);
}

/** @param group  NULL: a client without a group, for reading at given offsets */
static bool make_conf(const struct settings *settings, const char *group,
                      const struct partition_limits *limits, const char *reset, rd_kafka_conf_t **ret,
                      struct fault *f)
{
    CLEANUP(memory_free_pointer) char *kbytes = memory_format("%zu", limits->bytes / 1024);
    CLEANUP(memory_free_pointer) char *records = memory_format("%zu", limits->records);
    // Fetched data is compressed and takes several times as much memory.
    CLEANUP(memory_free_pointer) char *fetch = memory_format("%zu", limits->bytes / 4);
    // librdkafka refuses fetch.max.bytes < message.max.bytes, and receive.message.max.bytes <
    // fetch.max.bytes.
    size_t response_bytes = larger(RESPONSE_BYTES, bytes_of(settings, "message.max.bytes", 0));
    size_t receive_bytes =
        larger(response_bytes + FRAME_BYTES, bytes_of(settings, "receive.message.max.bytes", RECEIVE_BYTES));
    CLEANUP(memory_free_pointer) char *response = memory_format("%zu", response_bytes);
    CLEANUP(memory_free_pointer) char *receive = memory_format("%zu", receive_bytes);
    const char *wait_ms = text_pairs_get(&settings->kafka, "fetch.wait.max.ms");
    // clang-format off
    const char *extra[] = {
        "partition.assignment.strategy", "cooperative-sticky",  // as consumer_assign.c expects
        "auto.offset.reset", reset,  // "error": logged, counted, then earliest
        "enable.partition.eof", "true",  // a log may end in markers that are no records
        "queued.min.messages", records,
        "queued.max.messages.kbytes", kbytes,
        "fetch.wait.max.ms", wait_ms == NULL ? "50" : wait_ms,
        "fetch.error.backoff.ms", "100",
        "fetch.message.max.bytes", fetch,
        "fetch.max.bytes", response,
        "receive.message.max.bytes", receive,
        // NULL ends the list.
        group == NULL ? NULL : "group.id", group,
        rd_kafka_version() >= 0x02020000 ? "fetch.queue.backoff.ms" : NULL, "5",
        NULL,
    };
    // clang-format on
    return kafka_client_conf(settings, KAFKA_CONSUMER, extra, ret, f);
}

bool consumer_conf_open_reader(const struct settings *settings, const struct partition_limits *limits,
                               rd_kafka_t **ret, struct fault *f)
{
    rd_kafka_conf_t *conf;
    return make_conf(settings, NULL, limits, "earliest", &conf, f) &&
           kafka_client_open(conf, KAFKA_CONSUMER, ret, f);
}

bool consumer_conf_open_fetcher(const struct settings *settings, const struct partition_limits *limits,
                                struct kafka_log_reader *reader, rd_kafka_t **ret, struct fault *f)
{
    rd_kafka_conf_t *conf;
    if (!make_conf(settings, NULL, limits, "error", &conf, f)) {
        return false;
    }
    kafka_client_read_log(conf, LEADER_WATCH_DEBUG, reader);
    return kafka_client_open(conf, KAFKA_CONSUMER, ret, f);
}

void consumer_conf_wake(rd_kafka_t *rk, const char *topic, int32_t number)
{
    if (rd_kafka_version() >= 0x02020000) {
        return;  // fetch.queue.backoff.ms is set
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, number)->offset = RD_KAFKA_OFFSET_END;
    (void)rd_kafka_offsets_for_times(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}

int64_t consumer_conf_number(rd_kafka_t *rk, const char *property)
{
    char text[32] = "";
    size_t size = sizeof(text);
    (void)rd_kafka_conf_get(rd_kafka_conf(rk), property, text, &size);
    return strtoll(text, NULL, 10);
}

bool consumer_conf_open(const struct settings *settings, const struct consumer_group *member,
                        struct join_watch *join, rd_kafka_t **ret, struct fault *f)
{
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    // This client fetches nothing: the fetcher reads for all functions.
    static const struct partition_limits LEAST = {.records = 1, .bytes = 64 << 10};
    if (!make_conf(settings, member->group, &LEAST, "error", &conf, f)) {
        return false;
    }
    join_watch_init(join);
    kafka_client_read_log(conf, JOIN_WATCH_DEBUG, &join->reader);
    rd_kafka_conf_set_events(conf,
                             RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_OFFSET_COMMIT);
    if (!kafka_client_open(conf, KAFKA_CONSUMER, &rk, f)) {
        return false;
    }
    (void)rd_kafka_poll_set_consumer(rk);
    rd_kafka_resp_err_t code = subscribe(rk, member->topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_destroy(rk);
        return fault_from(f, FAULT_CONFIG, "librdkafka", code, "source.topics: %s", rd_kafka_err2str(code));
    }
    *ret = rk;
    return true;
}
