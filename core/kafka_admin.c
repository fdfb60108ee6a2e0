// Topics made on demand, without waiting: librdkafka's admin requests answer through a queue of our own.
//
// The embedded broker knows no CreateTopics and names a controller that is not there, so that a request to it
// would wait for its time-out. It is known by its cluster id as soon as the first metadata has come; there a
// topic is made by asking for its metadata.
#include <string.h>
#include <utlist.h>

#include "core/kafka_client.h"
#include "core/log.h"

enum { REQUEST_TIMEOUT_MS = 10000, LOOK_MS = 10 };

#define EMBEDDED_CLUSTER "mockCluster"

struct kafka_admin_job {
    struct kafka_admin *admin;
    char *topic;
    kafka_on_done on_done;  // NULL: already called; librdkafka still has our pointer
    void *self;
    struct fault early;  // refused before anything was sent
    struct kafka_admin_job *next;
};

struct kafka_admin {
    rd_kafka_t *rk;  // lent
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    uv_timer_t *look;  // runs until it is known which kind of broker this is
    bool is_embedded;
    struct kafka_admin_job *jobs;
};

static void free_job(struct kafka_admin_job *job)
{
    free(job->topic);
    free(job);
}

/** Frees the job unless librdkafka will still name it, then calls back, which may stop us: nothing after it.
 */
static void finish(struct kafka_admin_job *job, bool is_pending, const struct fault *f)
{
    kafka_on_done on_done = job->on_done;
    void *self = job->self;
    job->on_done = NULL;
    if (!is_pending) {
        LL_DELETE(job->admin->jobs, job);
        free_job(job);
    }
    if (on_done != NULL) {
        on_done(self, f);
    }
}

/** Whether asking again later may help, or somebody must change something first. */
static enum fault_kind kind_of(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t CONFIG[] = {
        RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
        RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
        RD_KAFKA_RESP_ERR_INVALID_CONFIG,
        RD_KAFKA_RESP_ERR_INVALID_REQUEST,
        RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        RD_KAFKA_RESP_ERR__INVALID_ARG,
    };
    for (size_t i = 0; i < COUNT_OF(CONFIG); i++) {
        if (code == CONFIG[i]) {
            return FAULT_CONFIG;
        }
    }
    return FAULT_RETRY;
}

static void finish_with(struct kafka_admin_job *job, rd_kafka_resp_err_t code, const char *text)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && job->on_done != NULL) {
            log_info("kafka", "topic_created", LOG_WITH(LOG_TEXT("topic", job->topic)), "made topic %s",
                     job->topic);
        }
        finish(job, false, NULL);
        return;
    }
    struct fault f;
    (void)fault_from(&f, kind_of(code), "librdkafka", code, "topic %s can't be made: %s", job->topic,
                     text != NULL && text[0] != '\0' ? text : rd_kafka_err2str(code));
    finish(job, false, &f);
}

/** A topic handle makes librdkafka ask for the topic; who produces or fetches waits for its leader anyway. */
static void make_by_metadata(struct kafka_admin_job *job, bool is_pending)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(job->admin->rk, job->topic, NULL);
    INVARIANT(handle != NULL);
    rd_kafka_topic_destroy(handle);  // librdkafka keeps the topic itself
    finish(job, is_pending, NULL);
}

static struct kafka_admin_job *find_waiting(struct kafka_admin *a)
{
    struct kafka_admin_job *job;
    LL_FOREACH (a->jobs, job) {
        if (job->on_done != NULL && job->early.kind == FAULT_NONE) {
            return job;
        }
    }
    return NULL;
}

static void on_look(uv_timer_t *timer)
{
    struct kafka_admin *a = timer->data;
    struct kafka_admin_job *job = find_waiting(a);
    char *cluster = rd_kafka_clusterid(a->rk, 0);
    if (cluster != NULL) {
        a->is_embedded = strncmp(cluster, EMBEDDED_CLUSTER, strlen(EMBEDDED_CLUSTER)) == 0;
        free(cluster);
        if (!a->is_embedded) {
            (void)uv_timer_stop(timer);
            return;
        }
    }
    if (job == NULL) {
        (void)uv_timer_stop(timer);
    } else if (a->is_embedded) {
        make_by_metadata(job, true);  // one a turn
    }
}

/** What one answer says about its only topic; `ret_text` lives as long as the event. */
static rd_kafka_resp_err_t read_result(rd_kafka_event_t *event, const char **ret_text)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        *ret_text = rd_kafka_event_error_string(event);
        return code;
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    if (count == 0) {
        *ret_text = "the broker's answer names no topic";
        return RD_KAFKA_RESP_ERR_UNKNOWN;
    }
    *ret_text = rd_kafka_topic_result_error_string(results[0]);
    return rd_kafka_topic_result_error(results[0]);
}

static void finish_refused(struct kafka_admin *a)
{
    struct kafka_admin_job *job;
    LL_FOREACH (a->jobs, job) {
        if (job->early.kind != FAULT_NONE) {
            kafka_watch_again(a->watch);
            struct fault f = job->early;
            finish(job, false, &f);
            return;  // on_done may have stopped us
        }
    }
}

static void on_ready(void *self)
{
    struct kafka_admin *a = self;
    rd_kafka_event_t *event = rd_kafka_queue_poll(a->queue, 0);
    if (event == NULL) {
        finish_refused(a);
        return;
    }
    // One event a turn, and nothing of it is held during its callback, which may stop us and destroy the
    // client.
    kafka_watch_again(a->watch);
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_CREATETOPICS_RESULT) {
        rd_kafka_event_destroy(event);
        return;
    }
    struct kafka_admin_job *job = rd_kafka_event_opaque(event);
    const char *why = NULL;
    rd_kafka_resp_err_t code = read_result(event, &why);
    CLEANUP(memory_free_pointer) char *text = memory_string(why != NULL ? why : "");
    rd_kafka_event_destroy(event);
    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE && job->on_done != NULL) {
        make_by_metadata(job, false);
    } else {
        finish_with(job, code, text);
    }
}

struct kafka_admin *kafka_admin_start(uv_loop_t *loop, rd_kafka_t *rk)
{
    struct kafka_admin *a = memory_zeroed(1, sizeof(*a));
    a->rk = rk;
    a->queue = rd_kafka_queue_new(rk);
    a->watch = kafka_watch_start(loop, a->queue, on_ready, a);
    a->look = memory_zeroed(1, sizeof(*a->look));
    (void)uv_timer_init(loop, a->look);
    a->look->data = a;
    return a;
}

/** NULL and *f when librdkafka refuses the wish itself. */
static rd_kafka_NewTopic_t *new_topic(const struct kafka_topic_spec *spec, struct fault *f)
{
    char why[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(spec->name, spec->partitions > 0 ? spec->partitions : -1,
                              spec->replication > 0 ? spec->replication : -1, why, sizeof(why));
    if (topic == NULL) {
        (void)fault_set(f, FAULT_CONFIG, "topic %s can't be made: %s", spec->name, why);
        return NULL;
    }
    for (size_t i = 0; spec->config != NULL && i < spec->config->count; i++) {
        const struct text_pair *pair = &spec->config->items[i];
        rd_kafka_resp_err_t code = rd_kafka_NewTopic_set_config(topic, pair->key, pair->value);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            (void)fault_from(f, FAULT_CONFIG, "librdkafka", code, "topic %s can't be made: %s: %s",
                             spec->name, pair->key, rd_kafka_err2str(code));
            rd_kafka_NewTopic_destroy(topic);
            return NULL;
        }
    }
    return topic;
}

void kafka_admin_ensure_topic(struct kafka_admin *a, const struct kafka_topic_spec *spec,
                              kafka_on_done on_done, void *self)
{
    struct kafka_admin_job *job = memory_zeroed(1, sizeof(*job));
    job->admin = a;
    job->topic = memory_string(spec->name);
    job->on_done = on_done;
    job->self = self;
    LL_APPEND(a->jobs, job);
    rd_kafka_NewTopic_t *topic = new_topic(spec, &job->early);
    if (topic == NULL) {
        kafka_watch_again(a->watch);  // on_done comes from the loop, never from inside this call
        return;
    }
    char why[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(a->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof(why));
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof(why));
    rd_kafka_AdminOptions_set_opaque(options, job);
    rd_kafka_CreateTopics(a->rk, &topic, 1, options, a->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    (void)uv_timer_start(a->look, on_look, a->is_embedded ? 0 : LOOK_MS, LOOK_MS);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

void kafka_admin_stop(struct kafka_admin *a)
{
    if (a == NULL) {
        return;
    }
    kafka_watch_stop(a->watch);
    uv_close((uv_handle_t *)a->look, on_closed);
    struct kafka_admin_job *job;
    struct kafka_admin_job *next;
    LL_FOREACH_SAFE (a->jobs, job, next) {
        free_job(job);
    }
    rd_kafka_queue_destroy(a->queue);
    free(a);
}
