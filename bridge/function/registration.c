#include "bridge/function/registration.h"

#include <jansson.h>

#include "bridge/intake/consumer_handle.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_client.h"

enum { KAFKA_TIMEOUT_MS = 10000 };

struct registration {
    uv_work_t work;
    uv_loop_t *loop;
    const struct settings *settings;
    struct state_topic *state;
    const struct function_config *config;
    registration_on_done on_done;  // NULL: cancelled
    void (*on_cancelled)(void *self);
    void *self;
    char *key;
    char *component;
    json_t *known;  // the state record; NULL: first start
    // The worker's results:
    bool is_working;
    size_t partition_count;
    struct fault fault;
    json_t *made;  // the record to write; NULL: nothing new
};

static void free_registration(struct registration *r)
{
    json_decref(r->known);
    json_decref(r->made);
    free(r->key);
    free(r->component);
    free(r);
}

/** Gives the result, or says that the cancelled one has come to rest. */
static void finish(struct registration *r)
{
    if (r->on_done != NULL) {
        r->on_done(r->self, r->partition_count, r->fault.kind == FAULT_NONE ? NULL : &r->fault);
    } else if (r->on_cancelled != NULL) {
        r->on_cancelled(r->self);
    }
    free_registration(r);
}

static bool from_kafka(struct fault *f, rd_kafka_resp_err_t code, const char *what)
{
    bool is_refused = code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                      code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                      code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    return fault_from(f, is_refused ? FAULT_CONFIG : FAULT_RETRY, "librdkafka", code, "%s: %s", what,
                      rd_kafka_err2str(code));
}

/** All partitions of the topics that the function names, whatever their number. */
static bool list_partitions(struct registration *r, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, NULL, &metadata, KAFKA_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return from_kafka(&r->fault, code, "asking Kafka for its topics");
    }
    for (int t = 0; t < metadata->topic_cnt; t++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[t];
        for (int p = 0;
             p < topic->partition_cnt && text_list_glob_match(&r->config->source.topics, topic->topic); p++) {
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[p].id);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/** Commits the ends (or beginnings) of the partitions as the group's offsets. */
static bool commit_start(struct registration *r, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    // A query by time with these two special times gives the end and the beginning, one request a broker.
    bool is_latest = r->config->source.start == FUNCTION_START_LATEST;
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = is_latest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, KAFKA_TIMEOUT_MS);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return from_kafka(&r->fault, code, "asking Kafka where its partitions end");
    }
    code = rd_kafka_commit(rk, list, 0);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || from_kafka(&r->fault, code, "committing the first offsets");
}

static bool register_first(struct registration *r, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    if (list->cnt > 0 && !commit_start(r, rk, list)) {
        return false;
    }
    json_t *topics = json_object();
    for (int i = 0; i < list->cnt; i++) {
        json_t *numbers = json_object_get(topics, list->elems[i].topic);
        if (numbers == NULL) {
            numbers = json_array();
            json_object_set_new(topics, list->elems[i].topic, numbers);
        }
        json_array_append_new(numbers, json_integer(list->elems[i].partition));
    }
    r->made = json_pack(
        "{s:s, s:I, s:o}", "start", r->config->source.start == FUNCTION_START_LATEST ? "latest" : "earliest",
        "registered_at_ms", (json_int_t)(clock_wall_us() / CLOCK_US_PER_MS), "partitions", topics);
    return r->made != NULL || fault_set(&r->fault, FAULT_RETRY, "the state record can't be written");
}

static bool is_registered(const json_t *topics, const rd_kafka_topic_partition_t *which)
{
    size_t at;
    json_t *number;
    json_array_foreach(json_object_get(topics, which->topic), at, number)
    {
        if (json_integer_value(number) == which->partition) {
            return true;
        }
    }
    return false;
}

static bool check_known(struct registration *r, rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *all)
{
    const json_t *topics = json_object_get(r->known, "partitions");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(all->cnt);
    for (int i = 0; i < all->cnt; i++) {
        if (is_registered(topics, &all->elems[i])) {
            rd_kafka_topic_partition_list_add(list, all->elems[i].topic, all->elems[i].partition);
        }
    }
    rd_kafka_resp_err_t code =
        list->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_committed(rk, list, KAFKA_TIMEOUT_MS);
    bool is_good =
        code == RD_KAFKA_RESP_ERR_NO_ERROR || from_kafka(&r->fault, code, "asking for the group's offsets");
    for (int i = 0; i < list->cnt && is_good; i++) {
        const rd_kafka_topic_partition_t *which = &list->elems[i];
        if (which->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            is_good = from_kafka(&r->fault, which->err, "asking for the group's offsets");
        } else if (which->offset < 0) {
            is_good =
                fault_set(&r->fault, FAULT_CONFIG,
                          "group millrace.%s has lost its offset of %s [%d]: say where to go on, e.g. "
                          "kafka-consumer-groups.sh --bootstrap-server … --group millrace.%s --topic %s "
                          "--reset-offsets --to-earliest --execute (or --to-latest, --to-datetime …)",
                          r->config->name, which->topic, which->partition, r->config->name, which->topic);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return is_good;
}

/** On a worker thread, with a client of its own: it may wait. */
static void work(uv_work_t *work)
{
    struct registration *r = work->data;
    CLEANUP(memory_free_pointer) char *group = consumer_handle_group(r->config->name);
    const char *extra[] = {"group.id", group, NULL};
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    if (!kafka_client_conf(r->settings, KAFKA_CONSUMER, extra, &conf, &r->fault) ||
        !kafka_client_open(conf, KAFKA_CONSUMER, &rk, &r->fault)) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    if (list_partitions(r, rk, list)) {
        r->partition_count = (size_t)list->cnt;
        bool is_good = r->known == NULL ? register_first(r, rk, list) : check_known(r, rk, list);
        INVARIANT(is_good == (r->fault.kind == FAULT_NONE));
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void on_written(void *self, const struct fault *f)
{
    struct registration *r = self;
    if (f != NULL) {
        r->fault = *f;
    } else {
        log_info(r->component, "function_registered", LOG_WITH(LOG_NUMBER("partitions", r->partition_count)),
                 "registered: from now on it begins where it left off");
    }
    finish(r);
}

static void on_worked(uv_work_t *done, int status)
{
    (void)status;
    struct registration *r = done->data;
    r->is_working = false;
    if (r->on_done == NULL || r->fault.kind != FAULT_NONE || r->made == NULL) {
        finish(r);
        return;
    }
    if (r->partition_count == 0) {
        log_warn(r->component, "topics_missing",
                 LOG_WITH(LOG_TEXT("topic", r->config->source.topics.items[0])),
                 "no topic of source.topics exists yet; each is read from its first record once it does");
    }
    char *text = json_dumps(r->made, JSON_COMPACT);
    INVARIANT(text != NULL);
    state_topic_write(r->state, r->key, slice_of(text), on_written, r);
    free(text);
}

static void on_state_read(void *self, struct slice value, const struct fault *f)
{
    struct registration *r = self;
    if (r->on_done == NULL || f != NULL) {
        if (f != NULL) {
            r->fault = *f;
        }
        finish(r);
        return;
    }
    if (value.data != NULL) {
        r->known = json_loadb((const char *)value.data, value.size, 0, NULL);
        if (r->known == NULL) {
            (void)fault_set(&r->fault, FAULT_CONFIG, "millrace.state: the record %s is not JSON", r->key);
            finish(r);
            return;
        }
    }
    r->work.data = r;
    r->is_working = true;
    INVARIANT(uv_queue_work(r->loop, &r->work, work, on_worked) == 0);
}

struct registration *registration_start(uv_loop_t *loop, const struct settings *settings,
                                        struct state_topic *state, const struct function_config *config,
                                        registration_on_done on_done, void *self)
{
    struct registration *r = memory_zeroed(1, sizeof(*r));
    *r = (struct registration){.loop = loop,
                               .settings = settings,
                               .state = state,
                               .config = config,
                               .on_done = on_done,
                               .self = self};
    r->key = memory_format("function/%s", config->name);
    r->component = memory_string(r->key);
    state_topic_read(state, r->key, on_state_read, r);
    return r;
}

bool registration_cancel(struct registration *r, void (*on_cancelled)(void *self))
{
    r->on_done = NULL;
    r->on_cancelled = r->is_working ? on_cancelled : NULL;
    return !r->is_working;
}
