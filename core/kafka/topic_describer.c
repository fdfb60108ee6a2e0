#include "core/kafka/topic_describer.h"

#include <stdlib.h>
#include <utlist.h>

#include "core/base/memory.h"
#include "core/kafka/kafka_client.h"

enum { BATCH_MAX = 100, REQUEST_TIMEOUT_MS = 10000 };

enum job_state { JOB_WAITING, JOB_SENT, JOB_ANSWERED };

struct job {
    rd_kafka_ConfigResource_t *resource;
    char *topic;
    enum job_state state;
    bool is_known;  // ANSWERED: config has the settings
    struct text_pairs config;
    topic_described on_described;
    void *self;
    struct job *prev;
    struct job *next;
};

struct topic_describer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct kafka_watch *watch;
    struct job *jobs;
    bool is_sent;  // a request has no result yet
};

static void free_job(struct job *job)
{
    rd_kafka_ConfigResource_destroy(job->resource);
    text_pairs_clear(&job->config);
    free(job->topic);
    free(job);
}

static void send_waiting(struct topic_describer *d)
{
    rd_kafka_ConfigResource_t *resources[BATCH_MAX];
    size_t count = 0;
    struct job *job;
    DL_FOREACH (d->jobs, job) {
        if (count == BATCH_MAX) {
            break;
        }
        if (job->state == JOB_WAITING) {
            job->state = JOB_SENT;
            resources[count++] = job->resource;
        }
    }
    if (count == 0) {
        return;
    }
    char why[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(d->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof(why));
    rd_kafka_DescribeConfigs(d->rk, resources, count, options, d->queue);
    rd_kafka_AdminOptions_destroy(options);
    d->is_sent = true;
}

static void read_entries(const rd_kafka_ConfigResource_t *resource, struct job *job)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    job->is_known = rd_kafka_ConfigResource_error(resource) == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (size_t i = 0; i < count && job->is_known; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value != NULL) {
            text_pairs_set(&job->config, rd_kafka_ConfigEntry_name(entries[i]), value);
        }
    }
}

static void read_result(struct topic_describer *d, rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources = NULL;
    struct job *job;
    d->is_sent = false;
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        resources =
            rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    }
    DL_FOREACH (d->jobs, job) {
        if (job->state != JOB_SENT) {
            continue;
        }
        job->state = JOB_ANSWERED;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(rd_kafka_ConfigResource_name(resources[i]), job->topic) == 0) {
                read_entries(resources[i], job);
            }
        }
    }
}

static void on_ready(void *self)
{
    struct topic_describer *d = self;
    rd_kafka_event_t *event = rd_kafka_queue_poll(d->queue, 0);
    if (event != NULL) {
        kafka_watch_again(d->watch);
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT) {
            read_result(d, event);
        }
        rd_kafka_event_destroy(event);
    }
    if (!d->is_sent) {
        send_waiting(d);
    }
    struct job *job = d->jobs;
    if (job == NULL || job->state != JOB_ANSWERED) {
        return;
    }
    // One callback a turn, and the last access to `d`, which it may stop.
    kafka_watch_again(d->watch);
    DL_DELETE(d->jobs, job);
    job->on_described(job->self, job->is_known ? &job->config : NULL);
    free_job(job);
}

struct topic_describer *topic_describer_start(uv_loop_t *loop, rd_kafka_t *rk)
{
    struct topic_describer *d = memory_zeroed(1, sizeof(*d));
    d->rk = rk;
    d->queue = rd_kafka_queue_new(rk);
    d->watch = kafka_watch_start(loop, d->queue, on_ready, d);
    return d;
}

void topic_describer_ask(struct topic_describer *d, const char *topic, const struct text_list *names,
                         topic_described on_described, void *self)
{
    struct job *job = memory_zeroed(1, sizeof(*job));
    job->topic = memory_string(topic);
    job->resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    for (size_t i = 0; i < names->count; i++) {  // asks for these alone; the value is not sent
        (void)rd_kafka_ConfigResource_set_config(job->resource, names->items[i], "");
    }
    job->on_described = on_described;
    job->self = self;
    DL_APPEND(d->jobs, job);
    kafka_watch_again(d->watch);
}

void topic_describer_stop(struct topic_describer *d)
{
    if (d == NULL) {
        return;
    }
    kafka_watch_stop(d->watch);
    struct job *job;
    struct job *next;
    DL_FOREACH_SAFE (d->jobs, job, next) {
        free_job(job);
    }
    rd_kafka_queue_destroy(d->queue);
    free(d);
}
