// Creates topics without blocking: librdkafka's admin requests report to a queue of our own. Topics requested
// in one turn of the loop go into one CreateTopics request, and the next request is sent after its result:
// a broker can create a thousand topics by ten requests, but times out on a thousand requests.
//
// The embedded broker has no CreateTopics and names a controller that does not exist, so the request would
// time out. The embedded broker is recognised by its cluster id once the first metadata has arrived; there a
// metadata request creates the topic.
#include <string.h>
#include <utlist.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/kafka/kafka_client.h"

enum {
    BATCH_MAX = 100,  // topics in a request
    REQUEST_TIMEOUT_MS = 10000,
    TOPIC_TIMEOUT_MS = 500,  // added for each topic
    LOOK_MS = 10,
};

#define LOOK_LIMIT_US (5 * CLOCK_US_PER_S)  // then a request is sent anyway: its error says what is wrong
#define EMBEDDED_CLUSTER "mockCluster"

enum job_state { JOB_WAITING, JOB_SENT, JOB_ANSWERED };

struct kafka_admin_job {
    struct kafka_admin *admin;
    char *topic;
    rd_kafka_NewTopic_t *spec;
    kafka_on_done on_done;
    void *self;
    enum job_state state;
    struct fault fault;  // FAULT_NONE: the topic exists
    struct kafka_admin_job *next;
};

enum broker_kind { BROKER_UNKNOWN, BROKER_REAL, BROKER_EMBEDDED };

struct kafka_admin {
    rd_kafka_t *rk;  // lent
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    uv_timer_t *look;  // polls for the cluster id until the kind of broker is known
    int64_t look_since_us;
    enum broker_kind broker;
    bool is_sent;  // a request has no result yet
    struct kafka_admin_job *jobs;
};

static void free_job(struct kafka_admin_job *job)
{
    if (job->spec != NULL) {
        rd_kafka_NewTopic_destroy(job->spec);
    }
    free(job->topic);
    free(job);
}

/** Whether a retry may help or the operator must change something. Too few brokers for the replication factor
 * is RETRY: a cluster that is being restarted reports it too. */
static enum fault_kind kind_of(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t CONFIG[] = {
        RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
        RD_KAFKA_RESP_ERR_INVALID_CONFIG,
        RD_KAFKA_RESP_ERR_INVALID_REQUEST,
        RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
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

static void finish_job(struct kafka_admin_job *job, rd_kafka_resp_err_t code, const char *text)
{
    job->state = JOB_ANSWERED;
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        log_info("kafka", "topic_created", LOG_WITH(LOG_TEXT("topic", job->topic)), "created topic %s",
                 job->topic);
        return;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        return;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        // The broker checks the rights first, so the topic may exist. If not, its first use fails.
        log_info("kafka", "topic_not_ours_to_make", LOG_WITH(LOG_TEXT("topic", job->topic)),
                 "not allowed to create topics; topic %s must exist", job->topic);
        return;
    default:
        (void)fault_from(&job->fault, kind_of(code), "librdkafka", code, "topic %s can't be created: %s",
                         job->topic, text != NULL && text[0] != '\0' ? text : rd_kafka_err2str(code));
    }
}

/** A topic handle makes librdkafka request the topic's metadata. No result is needed: producers and consumers
 * wait for the partition's leader. */
static void create_by_metadata(struct kafka_admin_job *job)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(job->admin->rk, job->topic, NULL);
    INVARIANT(handle != NULL);
    rd_kafka_topic_destroy(handle);  // librdkafka keeps the topic itself
    job->state = JOB_ANSWERED;
}

static void finish_sent(struct kafka_admin *a, rd_kafka_resp_err_t code, const char *text)
{
    struct kafka_admin_job *job;
    LL_FOREACH (a->jobs, job) {
        if (job->state == JOB_SENT) {
            if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) {
                create_by_metadata(job);
            } else {
                finish_job(job, code, text);
            }
        }
    }
}

static void finish_named(struct kafka_admin *a, const rd_kafka_topic_result_t *result)
{
    struct kafka_admin_job *job;
    LL_FOREACH (a->jobs, job) {
        if (job->state == JOB_SENT && strcmp(job->topic, rd_kafka_topic_result_name(result)) == 0) {
            finish_job(job, rd_kafka_topic_result_error(result), rd_kafka_topic_result_error_string(result));
        }
    }
}

static void read_result(struct kafka_admin *a, rd_kafka_event_t *event)
{
    a->is_sent = false;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t count = 0;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        for (size_t i = 0; i < count; i++) {
            finish_named(a, results[i]);
        }
        finish_sent(a, RD_KAFKA_RESP_ERR_UNKNOWN, "the broker's response does not name it");
    } else {
        finish_sent(a, code, rd_kafka_event_error_string(event));
    }
}

static bool is_topic_in_request(const struct kafka_admin *a, const struct kafka_admin_job *job)
{
    const struct kafka_admin_job *other;
    LL_FOREACH (a->jobs, other) {
        if (other == job) {
            return false;
        }
        if (other->state == JOB_SENT && strcmp(other->topic, job->topic) == 0) {
            return true;
        }
    }
    return false;
}

/** Sends one request for the waiting topics. A topic that waits twice goes into two successive requests. */
static void send_waiting(struct kafka_admin *a)
{
    rd_kafka_NewTopic_t *specs[BATCH_MAX];
    size_t count = 0;
    struct kafka_admin_job *job;
    LL_FOREACH (a->jobs, job) {
        if (job->state == JOB_WAITING && count < BATCH_MAX && !is_topic_in_request(a, job)) {
            specs[count++] = job->spec;
            job->state = JOB_SENT;
        }
    }
    if (count == 0) {
        return;
    }
    char why[128];
    int timeout_ms = REQUEST_TIMEOUT_MS + TOPIC_TIMEOUT_MS * (int)count;
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(a->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why));
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, why, sizeof(why));
    rd_kafka_CreateTopics(a->rk, specs, count, options, a->queue);
    rd_kafka_AdminOptions_destroy(options);
    a->is_sent = true;
}

static struct kafka_admin_job *find(const struct kafka_admin *a, enum job_state state)
{
    struct kafka_admin_job *job;
    LL_FOREACH (a->jobs, job) {
        if (job->state == state) {
            return job;
        }
    }
    return NULL;
}

static void on_look(uv_timer_t *timer);

static void advance(struct kafka_admin *a)
{
    struct kafka_admin_job *job = find(a, JOB_WAITING);
    if (job != NULL && a->broker == BROKER_EMBEDDED) {
        create_by_metadata(job);
    } else if (job != NULL && a->broker == BROKER_REAL && !a->is_sent) {
        send_waiting(a);
    } else if (job != NULL && a->broker == BROKER_UNKNOWN && !uv_is_active((uv_handle_t *)a->look)) {
        a->look_since_us = clock_now_us();
        (void)uv_timer_start(a->look, on_look, 0, LOOK_MS);
    }
    job = find(a, JOB_ANSWERED);
    if (job == NULL) {
        return;
    }
    // One callback a turn, and the last access to `a`: the callback may stop it and destroy the client.
    kafka_watch_again(a->watch);
    kafka_on_done on_done = job->on_done;
    void *self = job->self;
    struct fault f = job->fault;
    LL_DELETE(a->jobs, job);
    free_job(job);
    on_done(self, f.kind == FAULT_NONE ? NULL : &f);
}

static void on_look(uv_timer_t *timer)
{
    struct kafka_admin *a = timer->data;
    char *cluster = rd_kafka_clusterid(a->rk, 0);
    if (cluster != NULL) {
        a->broker =
            strncmp(cluster, EMBEDDED_CLUSTER, strlen(EMBEDDED_CLUSTER)) == 0 ? BROKER_EMBEDDED : BROKER_REAL;
        free(cluster);
        (void)uv_timer_stop(timer);
        kafka_watch_again(a->watch);
    } else if (!a->is_sent && clock_now_us() - a->look_since_us > LOOK_LIMIT_US) {
        send_waiting(a);
    }
}

static void on_ready(void *self)
{
    struct kafka_admin *a = self;
    rd_kafka_event_t *event = rd_kafka_queue_poll(a->queue, 0);
    if (event != NULL) {
        kafka_watch_again(a->watch);
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT) {
            read_result(a, event);
        }
        rd_kafka_event_destroy(event);
    }
    advance(a);
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

/** NULL and *f when librdkafka refuses the topic's settings. */
static rd_kafka_NewTopic_t *new_topic(const struct kafka_topic_spec *spec, struct fault *f)
{
    char why[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(spec->name, spec->partitions > 0 ? spec->partitions : -1,
                              spec->replication > 0 ? spec->replication : -1, why, sizeof(why));
    if (topic == NULL) {
        (void)fault_set(f, FAULT_CONFIG, "topic %s can't be created: %s", spec->name, why);
        return NULL;
    }
    for (size_t i = 0; spec->config != NULL && i < spec->config->count; i++) {
        const struct text_pair *pair = &spec->config->items[i];
        rd_kafka_resp_err_t code = rd_kafka_NewTopic_set_config(topic, pair->key, pair->value);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            (void)fault_from(f, FAULT_CONFIG, "librdkafka", code, "topic %s can't be created: %s: %s",
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
    job->spec = new_topic(spec, &job->fault);
    job->state = job->spec == NULL ? JOB_ANSWERED : JOB_WAITING;
    LL_APPEND(a->jobs, job);
    kafka_watch_again(a->watch);  // on_done is called from the loop, never from inside this call
}

bool kafka_admin_is_embedded(const struct kafka_admin *a)
{
    return a->broker == BROKER_EMBEDDED;
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
