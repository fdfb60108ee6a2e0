#include "cli/try/try_topics.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/kafka/kafka_client.h"
#include "core/kafka/state_topic.h"
#include "schemas/registry/registry.h"

enum { ADMIN_WAIT_MS = 10000, TOPICS_MAX = 16, GROUP_ATTEMPTS = 150, LEADER_WAIT_MS = 60000, PAUSE_MS = 100 };

static const char *const shared_topics[] = {STATE_TOPIC_NAME, REGISTRY_TOPIC};

struct try_topics {
    const struct settings *settings;
    rd_kafka_t *client;
    rd_kafka_queue_t *results;
    bool was_there[COUNT_OF(shared_topics)];
};

static bool open_client(const struct settings *settings, enum kafka_role role, const char *const *extra,
                        rd_kafka_t **ret, struct fault *f)
{
    rd_kafka_conf_t *conf = NULL;
    return kafka_client_conf(settings, role, extra, &conf, f) && kafka_client_open(conf, role, ret, f);
}

// Which of the shared topics exist. Requests the list of all topics, as a request for one by name may create
// it.
static bool find_shared_topics(struct try_topics *t, bool *ret_is_there, struct fault *f)
{
    const struct rd_kafka_metadata *all = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(t->client, 1, NULL, &all, ADMIN_WAIT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fault_from(f, FAULT_RETRY, "librdkafka", error, "Kafka at %s does not respond: %s",
                          text_pairs_get(&t->settings->kafka, "bootstrap.servers"), rd_kafka_err2str(error));
    }
    for (int i = 0; i < all->topic_cnt; i++) {
        for (size_t k = 0; k < COUNT_OF(shared_topics); k++) {
            ret_is_there[k] = ret_is_there[k] || strcmp(all->topics[i].topic, shared_topics[k]) == 0;
        }
    }
    rd_kafka_metadata_destroy(all);
    return true;
}

static bool check_created(rd_kafka_event_t *event, struct fault *f)
{
    if (event == NULL) {
        return fault_set(f, FAULT_RETRY, "Kafka did not respond to CreateTopics");
    }
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fault_from(f, FAULT_RETRY, "librdkafka", rd_kafka_event_error(event), "CreateTopics: %s",
                          rd_kafka_event_error_string(event));
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return fault_from(f, FAULT_CONFIG, "librdkafka", error, "can't create topic %s: %s",
                              rd_kafka_topic_result_name(results[i]),
                              rd_kafka_topic_result_error_string(results[i]));
        }
    }
    return true;
}

static bool create(struct try_topics *t, const char *const *topics, int partitions, struct fault *f)
{
    rd_kafka_NewTopic_t *wanted[TOPICS_MAX];
    size_t count = 0;
    char error[256];
    for (; topics[count] != NULL; count++) {
        INVARIANT(count < TOPICS_MAX);
        wanted[count] = rd_kafka_NewTopic_new(topics[count], partitions, -1, error, sizeof error);
        INVARIANT(wanted[count] != NULL);
    }
    rd_kafka_CreateTopics(t->client, wanted, count, NULL, t->results);
    rd_kafka_NewTopic_destroy_array(wanted, count);
    rd_kafka_event_t *event = rd_kafka_queue_poll(t->results, ADMIN_WAIT_MS);
    bool is_created = check_created(event, f);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    return is_created;
}

// Waits until the leader of a new partition serves requests for it: queries the partition's end.
static bool wait_for_leader(struct try_topics *t, const char *topic, int32_t partition, struct fault *f)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    const int64_t until_us = clock_now_us() + LEADER_WAIT_MS * CLOCK_US_PER_MS;
    do {
        int64_t low = 0;
        int64_t high = 0;
        error = rd_kafka_query_watermark_offsets(t->client, topic, partition, &low, &high, ADMIN_WAIT_MS);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            return true;
        }
        (void)rd_kafka_queue_poll(t->results, PAUSE_MS);  // a pause: the queue gets no events now
    } while (clock_now_us() < until_us);
    return fault_from(f, FAULT_RETRY, "librdkafka", error, "topic %s partition %d has no leader: %s", topic,
                      (int)partition, rd_kafka_err2str(error));
}

static bool wait_for_leaders(struct try_topics *t, const char *const *topics, int partitions, struct fault *f)
{
    for (size_t i = 0; topics[i] != NULL; i++) {
        for (int32_t partition = 0; partition < partitions; partition++) {
            if (!wait_for_leader(t, topics[i], partition, f)) {
                return false;
            }
        }
    }
    return true;
}

bool try_topics_make(const struct settings *settings, const char *const *topics, int partitions,
                     struct try_topics **ret, struct fault *f)
{
    struct try_topics *t = memory_zeroed(1, sizeof *t);
    t->settings = settings;
    if (!open_client(settings, KAFKA_PRODUCER, NULL, &t->client, f)) {
        free(t);
        return false;
    }
    t->results = rd_kafka_queue_new(t->client);
    if (!find_shared_topics(t, t->was_there, f) || !create(t, topics, partitions, f) ||
        !wait_for_leaders(t, topics, partitions, f)) {
        try_topics_free(t);
        return false;
    }
    *ret = t;
    return true;
}

static void delete_topics(struct try_topics *t, const char *const *topics)
{
    rd_kafka_DeleteTopic_t *unwanted[TOPICS_MAX];
    size_t count = 0;
    for (; topics[count] != NULL; count++) {
        INVARIANT(count < TOPICS_MAX);
        unwanted[count] = rd_kafka_DeleteTopic_new(topics[count]);
    }
    rd_kafka_DeleteTopics(t->client, unwanted, count, NULL, t->results);
    rd_kafka_DeleteTopic_destroy_array(unwanted, count);
}

static bool finish_delete_topics(struct try_topics *t, struct fault *f)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(t->results, ADMIN_WAIT_MS);
    if (event == NULL) {
        return fault_set(f, FAULT_RETRY, "Kafka did not respond to DeleteTopics");
    }
    bool is_done = true;
    size_t count = 0;
    const rd_kafka_DeleteTopics_result_t *result = rd_kafka_event_DeleteTopics_result(event);
    const rd_kafka_topic_result_t **results =
        result == NULL ? NULL : rd_kafka_DeleteTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            is_done = fault_from(f, FAULT_CONFIG, "librdkafka", error, "can't delete topic %s: %s",
                                 rd_kafka_topic_result_name(results[i]), rd_kafka_err2str(error));
        }
    }
    rd_kafka_event_destroy(event);
    return is_done;
}

static bool is_group_gone(rd_kafka_event_t *event, const char *group, struct fault *f)
{
    if (event == NULL) {
        return fault_set(f, FAULT_RETRY, "Kafka did not respond to DeleteGroups");
    }
    size_t count = 0;
    const rd_kafka_group_result_t **results =
        rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_error_t *error = rd_kafka_group_result_error(results[i]);
        if (error != NULL && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
            return fault_from(f, FAULT_RETRY, "librdkafka", rd_kafka_error_code(error),
                              "can't delete consumer group %s: %s", group, rd_kafka_error_string(error));
        }
    }
    return true;
}

// Retries for longer than session.timeout.ms: the coordinator may still be loading, or may not know yet that
// the member has left.
static bool delete_group(struct try_topics *t, const char *group, struct fault *f)
{
    bool is_gone = false;
    for (int attempt = 0; attempt < GROUP_ATTEMPTS && !is_gone; attempt++) {
        if (attempt > 0) {
            (void)rd_kafka_queue_poll(t->results, PAUSE_MS);  // a pause: the queue gets no events now
        }
        rd_kafka_DeleteGroup_t *unwanted = rd_kafka_DeleteGroup_new(group);
        rd_kafka_DeleteGroups(t->client, &unwanted, 1, NULL, t->results);
        rd_kafka_DeleteGroup_destroy(unwanted);
        rd_kafka_event_t *event = rd_kafka_queue_poll(t->results, ADMIN_WAIT_MS);
        is_gone = is_group_gone(event, group, f);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
    }
    return is_gone;
}

// Whether the key contains `needle`, not followed by a digit: "/try-47" is not in "connector/try-471".
static bool contains(const rd_kafka_message_t *message, const char *needle)
{
    size_t size = strlen(needle);
    const char *at = message->key == NULL ? NULL : memmem(message->key, message->key_len, needle, size);
    const char *end = (const char *)message->key + message->key_len;
    return at != NULL && (at + size == end || at[size] < '0' || at[size] > '9');
}

static void write_tombstone(struct try_topics *t, const char *topic, const rd_kafka_message_t *message)
{
    const rd_kafka_vu_t record[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {message->key, message->key_len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(t->client, record, COUNT_OF(record));
    if (error != NULL) {
        rd_kafka_error_destroy(error);  // the key remains; it does no harm, as no connector has its name
    }
}

// Reads one record of a shared topic; writes a tombstone if it is the run's. True at the end of the
// partition.
static bool erase_one(struct try_topics *t, const char *topic, const char *needle,
                      const rd_kafka_message_t *message, int64_t *others)
{
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    }
    if (message->payload == NULL) {
        return false;
    }
    if (contains(message, needle)) {
        write_tombstone(t, topic, message);
    } else if (!contains(message, "\"NOOP\"")) {
        (*others)++;
    }
    return false;
}

static bool open_reader(struct try_topics *t, const char *topic, rd_kafka_t **ret, struct fault *f)
{
    const char *const extra[] = {"group.id", "millrace.try", "enable.partition.eof", "true", NULL};
    if (!open_client(t->settings, KAFKA_CONSUMER, extra, ret, f)) {
        return false;
    }
    rd_kafka_topic_partition_list_t *place = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(place, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(*ret, place);
    rd_kafka_topic_partition_list_destroy(place);
    return true;
}

// Reads the topic to its current end and writes a tombstone for each key that contains `needle`.
// ret_others: the number of records with other keys.
static bool erase_keys(struct try_topics *t, const char *topic, const char *needle, int64_t *ret_others,
                       struct fault *f)
{
    rd_kafka_t *reader = NULL;
    if (!open_reader(t, topic, &reader, f)) {
        return false;
    }
    bool is_at_end = false;
    int64_t until_us = clock_now_us() + ADMIN_WAIT_MS * CLOCK_US_PER_MS;
    while (!is_at_end && clock_now_us() < until_us) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 100);
        if (message != NULL) {
            is_at_end = erase_one(t, topic, needle, message, ret_others);
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
    rd_kafka_flush(t->client, ADMIN_WAIT_MS);
    return is_at_end || fault_set(f, FAULT_RETRY, "topic %s could not be read to its end", topic);
}

static bool clean_shared_topics(struct try_topics *t, const struct try_topics_leftovers *left,
                                struct fault *f)
{
    const char *const needles[COUNT_OF(shared_topics)] = {left->state_keys, left->subject_prefix};
    bool is_there[COUNT_OF(shared_topics)] = {false};
    bool is_done = find_shared_topics(t, is_there, f);
    for (size_t i = 0; i < COUNT_OF(shared_topics) && is_done; i++) {
        int64_t others = 0;
        if (!is_there[i]) {
            continue;
        }
        bool is_erased = erase_keys(t, shared_topics[i], needles[i], &others, f);
        is_done = is_done && is_erased;
        if (is_erased && !t->was_there[i] && others == 0) {
            delete_topics(t, (const char *const[]){shared_topics[i], NULL});
            is_done = finish_delete_topics(t, f) && is_done;
        }
    }
    return is_done;
}

bool try_topics_remove(struct try_topics *t, const struct try_topics_leftovers *left, struct fault *f)
{
    bool is_clean = clean_shared_topics(t, left, f);
    is_clean = delete_group(t, left->group, f) && is_clean;
    delete_topics(t, left->topics);
    is_clean = finish_delete_topics(t, f) && is_clean;
    try_topics_free(t);
    return is_clean;
}

void try_topics_free(struct try_topics *t)
{
    if (t == NULL) {
        return;
    }
    rd_kafka_queue_destroy(t->results);
    rd_kafka_destroy(t->client);
    free(t);
}
