#include "core/kafka/kafka_producer.h"

#include <stdlib.h>
#include <syslog.h>

#include "core/base/memory.h"

/** A handle that a worker thread destroys. */
struct kafka_producer_end {
    uv_work_t work;
    rd_kafka_t *rk;
    struct kafka_refusal *refusal;  // the handle's log callback uses it until the handle is gone
};

bool kafka_producer_open(struct kafka_producer *p, struct fault *f)
{
    rd_kafka_conf_t *conf;
    if (p->rk != NULL) {
        return true;
    }
    if (!kafka_client_conf(p->settings, KAFKA_PRODUCER, p->extra, &conf, f)) {
        return false;
    }
    if (p->has_refusals) {
        p->refusal = kafka_refusal_new();
        kafka_client_read_log(conf, KAFKA_REFUSAL_DEBUG, kafka_refusal_reader(p->refusal));
    }
    p->message_max_bytes = kafka_client_message_max_bytes(conf);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    if (!kafka_client_open(conf, KAFKA_PRODUCER, &p->rk, f)) {
        kafka_refusal_free(TAKE(p->refusal));
        return false;
    }
    kafka_producer_explain(p, false);
    p->reports = rd_kafka_queue_get_main(p->rk);
    p->watch = kafka_watch_start(p->loop, p->reports, p->on_reports, p->self);
    p->admin = kafka_admin_start(p->loop, p->rk);
    return true;
}

bool kafka_producer_is_broken(const struct kafka_producer *p, char *why, size_t size)
{
    return rd_kafka_fatal_error(p->rk, why, size) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

// Debug lines are dropped before they are formatted unless the level lets them pass.
void kafka_producer_explain(struct kafka_producer *p, bool is_wanted)
{
    if (p->refusal != NULL) {
        rd_kafka_set_log_level(p->rk, is_wanted ? LOG_DEBUG : kafka_refusal_reader(p->refusal)->level);
    }
}

bool kafka_producer_refusal(const struct kafka_producer *p, char *ret_text, size_t size)
{
    return p->refusal != NULL && kafka_refusal_get(p->refusal, ret_text, size);
}

void kafka_producer_stop_admin(struct kafka_producer *p)
{
    kafka_admin_stop(TAKE(p->admin));
}

/** Releases everything that uses the handle; returns the handle. */
static rd_kafka_t *detach(struct kafka_producer *p)
{
    kafka_producer_stop_admin(p);
    kafka_watch_stop(TAKE(p->watch));
    rd_kafka_queue_destroy(TAKE(p->reports));
    return TAKE(p->rk);
}

static void end(rd_kafka_t *rk, struct kafka_refusal *refusal)
{
    (void)rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(rk);
    kafka_refusal_free(refusal);
}

static void on_work(uv_work_t *work)
{
    struct kafka_producer_end *job = work->data;
    end(job->rk, job->refusal);
}

static void on_ended(uv_work_t *work, int status)
{
    (void)status;
    free(work->data);
}

void kafka_producer_discard(struct kafka_producer *p)
{
    struct kafka_producer_end *job = memory_zeroed(1, sizeof(*job));
    job->work.data = job;
    job->rk = detach(p);
    job->refusal = TAKE(p->refusal);
    INVARIANT(uv_queue_work(p->loop, &job->work, on_work, on_ended) == 0);
}

void kafka_producer_close(struct kafka_producer *p)
{
    if (p->rk != NULL) {
        rd_kafka_t *rk = detach(p);
        end(rk, TAKE(p->refusal));
    }
}
