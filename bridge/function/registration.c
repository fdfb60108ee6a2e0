#include "bridge/function/registration.h"

#include "bridge/intake/consumer_conf.h"
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
    json_t *known;    // the state record; NULL: first start
    bool is_working;  // the worker thread uses this struct
    // The worker's results:
    struct registration_result result;
    struct fault fault;
};

static void free_registration(struct registration *r)
{
    json_decref(r->known);
    json_decref(r->result.record);
    free(r->key);
    free(r->component);
    free(r);
}

/** Reports the result, or that the cancelled registration has ended. */
static void finish(struct registration *r)
{
    if (r->on_done != NULL) {
        r->on_done(r->self, &r->result, r->fault.kind == FAULT_NONE ? NULL : &r->fault);
    } else if (r->on_cancelled != NULL) {
        r->on_cancelled(r->self);
    }
    free_registration(r);
}

static bool kafka_fault(struct fault *f, rd_kafka_resp_err_t code, const char *what)
{
    bool is_forbidden = code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                        code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    bool is_refused = is_forbidden || code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    return fault_from(f, is_refused ? FAULT_CONFIG : FAULT_RETRY, "librdkafka", code, "%s: %s%s", what,
                      rd_kafka_err2str(code),
                      is_forbidden ? ": allow READ on the topics and on group millrace.*" : "");
}

/** Lists all partitions of the function's topics. */
static bool list_partitions(struct registration *r, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, NULL, &metadata, KAFKA_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fault(&r->fault, code, "listing the topics");
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

/** Fills in the committed offsets; a partition without one gets a negative offset. */
static bool ask_committed(struct registration *r, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code =
        list->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_committed(rk, list, KAFKA_TIMEOUT_MS);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_fault(&r->fault, code, "fetching the committed offsets");
}

static bool is_group_in_use(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

/** Commits the ends (or beginnings) of the partitions as the group's offsets. */
static bool commit_start(struct registration *r, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    // ListOffsets with these two special timestamps returns end and beginning, with one request per broker.
    bool is_latest = r->config->source.start == FUNCTION_START_LATEST;
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = is_latest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, KAFKA_TIMEOUT_MS);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_fault(&r->fault, code, "listing the start offsets");
    }
    code = rd_kafka_commit(rk, list, 0);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_fault(&r->fault, code,
                       is_group_in_use(code)
                           ? "committing the start offsets of added topics (other processes that run this "
                             "function must stop or load the new file first)"
                           : "committing the start offsets");
}

/** Logs a partition that does not continue at a committed offset. */
static void log_step(const struct registration *r, enum registration_step step,
                     const rd_kafka_topic_partition_t *which)
{
    bool is_expired = step == REGISTRATION_EXPIRED;
    const char *start =
        step == REGISTRATION_START && r->config->source.start == FUNCTION_START_LATEST ? "end" : "beginning";
    log_write(is_expired ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, r->component,
              is_expired ? "offset_expired" : "partition_added",
              LOG_WITH(LOG_TEXT("topic", which->topic), LOG_NUMBER("partition", which->partition)),
              is_expired ? "group millrace.%s has lost its offset: continuing at the %s"
                         : "new to function %s: starting at its %s",
              r->config->name, start);
}

/** Decides where each partition begins, and commits the offsets of those that begin at `source.start`. */
static bool register_partitions(struct registration *r, rd_kafka_t *rk,
                                const rd_kafka_topic_partition_list_t *all)
{
    rd_kafka_topic_partition_list_t *starting = rd_kafka_topic_partition_list_new(all->cnt);
    struct registration_offsets offsets = {0};
    for (int i = 0; i < all->cnt; i++) {
        offsets.has_any = offsets.has_any || all->elems[i].offset >= 0;
    }
    if (r->known == NULL && offsets.has_any) {
        log_warn(
            r->component, "registration_lost", NULL,
            "the record of this function in millrace.state is gone: continuing at the committed offsets");
    }
    for (int i = 0; i < all->cnt; i++) {
        const rd_kafka_topic_partition_t *which = &all->elems[i];
        offsets.own = which->offset;
        enum registration_step step =
            registration_decide(r->known, r->config->source.start, &offsets, which->topic, which->partition);
        if (step == REGISTRATION_START) {
            rd_kafka_topic_partition_list_add(starting, which->topic, which->partition);
        }
        if (step != REGISTRATION_KEEP && (r->known != NULL || offsets.has_any)) {
            log_step(r, step, which);
        }
        if (step != REGISTRATION_APPEARED) {  // that one is added once it has a committed offset
            (void)registration_record_add(r->result.record, which->topic, which->partition);
        }
        r->result.expired_count += step == REGISTRATION_EXPIRED ? 1 : 0;
    }
    bool is_good = starting->cnt == 0 || commit_start(r, rk, starting);
    rd_kafka_topic_partition_list_destroy(starting);
    return is_good;
}

/** Runs on a worker thread, with its own client: it may block. */
static void work(uv_work_t *work)
{
    struct registration *r = work->data;
    CLEANUP(memory_free_pointer) char *group = function_config_group(r->config->name);
    const char *extra[] = {"group.id", group, NULL};
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    if (!kafka_client_conf(r->settings, KAFKA_CONSUMER, extra, &conf, &r->fault) ||
        !kafka_client_open(conf, KAFKA_CONSUMER, &rk, &r->fault)) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    if (list_partitions(r, rk, list) && ask_committed(r, rk, list)) {
        r->result.partition_count = (size_t)list->cnt;
        r->result.record = registration_record_new(r->known, r->config);
        bool is_good = register_partitions(r, rk, list);
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
    } else if (r->known == NULL) {
        log_info(r->component, "function_registered",
                 LOG_WITH(LOG_NUMBER("partitions", r->result.partition_count)),
                 "registered: from now on it continues at its committed offsets");
    }
    finish(r);
}

static void on_work_done(uv_work_t *done, int status)
{
    (void)status;
    struct registration *r = done->data;
    r->is_working = false;
    if (r->on_done == NULL || r->fault.kind != FAULT_NONE || json_equal(r->known, r->result.record)) {
        finish(r);
        return;
    }
    if (r->result.partition_count == 0 && r->known == NULL) {
        log_warn(r->component, "topics_missing",
                 LOG_WITH(LOG_TEXT("topic", r->config->source.topics.items[0])),
                 "no topic of source.topics exists yet; each is read from its first record once it exists");
    }
    registration_save(r->state, r->config->name, r->result.record, on_written, r);
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
    INVARIANT(uv_queue_work(r->loop, &r->work, work, on_work_done) == 0);
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

void registration_save(struct state_topic *state, const char *function, const json_t *record,
                       state_on_written on_saved, void *self)
{
    CLEANUP(memory_free_pointer) char *key = memory_format("function/%s", function);
    CLEANUP(memory_free_pointer) char *text = json_dumps(record, JSON_COMPACT);
    INVARIANT(text != NULL);
    state_topic_write(state, key, slice_of(text), on_saved, self);
}

bool registration_cancel(struct registration *r, void (*on_cancelled)(void *self))
{
    r->on_done = NULL;
    r->on_cancelled = r->is_working ? on_cancelled : NULL;
    return !r->is_working;
}
