#include "core/kafka/kafka_producer.h"

#include "core/base/memory.h"

/** A handle that a worker thread destroys. */
struct kafka_producer_end {
    uv_work_t work;
    rd_kafka_t *rk;
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
    p->message_max_bytes = kafka_client_message_max_bytes(conf);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    if (!kafka_client_open(conf, KAFKA_PRODUCER, &p->rk, f)) {
        return false;
    }
    p->reports = rd_kafka_queue_get_main(p->rk);
    p->watch = kafka_watch_start(p->loop, p->reports, p->on_reports, p->self);
    p->admin = kafka_admin_start(p->loop, p->rk);
    return true;
}

bool kafka_producer_is_broken(const struct kafka_producer *p, char *why, size_t size)
{
    return rd_kafka_fatal_error(p->rk, why, size) != RD_KAFKA_RESP_ERR_NO_ERROR;
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

static void end(rd_kafka_t *rk)
{
    (void)rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(rk);
}

static void on_work(uv_work_t *work)
{
    struct kafka_producer_end *job = work->data;
    end(job->rk);
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
    INVARIANT(uv_queue_work(p->loop, &job->work, on_work, on_ended) == 0);
}

void kafka_producer_close(struct kafka_producer *p)
{
    if (p->rk != NULL) {
        end(detach(p));
    }
}
