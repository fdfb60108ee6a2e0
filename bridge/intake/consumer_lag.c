// How far a function is behind. Answers to fetches say where a log ends; a function that is full fetches
// nothing, so then we ask.
#include <utlist.h>

#include "bridge/intake/consumer_state.h"
#include "bridge/intake/event.h"
#include "core/base/clock.h"

enum { ANSWER_TIMEOUT_MS = 2000 };
#define ASK_AGAIN_US (5 * CLOCK_US_PER_S)
#define ASK_AFTER_FAILURE_US (60 * CLOCK_US_PER_S)  // the worker threads have other work, too

static void look_up_ends(uv_work_t *work)
{
    struct consumer_job *job = work->data;
    job->code = rd_kafka_offsets_for_times(job->consumer->rk, job->list, ANSWER_TIMEOUT_MS);
}

static void on_ends_known(uv_work_t *work, int status)
{
    (void)status;
    struct consumer_job *job = work->data;
    struct consumer *c = job->consumer;
    c->is_asking_ends = false;
    bool is_known = job->code == RD_KAFKA_RESP_ERR_NO_ERROR;
    c->ask_ends_us = clock_now_us() + (is_known ? ASK_AGAIN_US : ASK_AFTER_FAILURE_US);
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        const rd_kafka_topic_partition_t *which =
            is_known ? rd_kafka_topic_partition_list_find(job->list, p->topic, p->number) : NULL;
        if (which != NULL && which->err == RD_KAFKA_RESP_ERR_NO_ERROR && which->offset >= 0) {
            p->end_offset = which->offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(job->list);
    free(job);
    consumer_advance_close(c);
}

void consumer_ask_ends(struct consumer *c)
{
    if (c->is_asking_ends || c->on_closed != NULL || clock_now_us() < c->ask_ends_us) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    struct partition *p;
    LL_FOREACH (c->partitions, p) {
        if (p->state == PARTITION_ASSIGNED && (p->is_held || partition_has_more(p))) {
            rd_kafka_topic_partition_list_add(list, p->topic, p->number)->offset = RD_KAFKA_OFFSET_END;
        }
    }
    if (list->cnt == 0) {
        rd_kafka_topic_partition_list_destroy(list);
        return;
    }
    struct consumer_job *job = memory_zeroed(1, sizeof(*job));
    job->consumer = c;
    job->list = list;
    job->work.data = job;
    c->is_asking_ends = true;
    INVARIANT(uv_queue_work(c->loop, &job->work, look_up_ends, on_ends_known) == 0);
}

int64_t consumer_oldest_ms(const struct partition *p)
{
    int64_t oldest_ms = progress_oldest_ms(&p->progress);
    return oldest_ms < 0 && p->held != NULL ? p->held->timestamp_ms : oldest_ms;
}

int64_t consumer_lag(const struct consumer *c, const struct partition *p)
{
    int64_t low = 0;
    int64_t high = -1;
    (void)rd_kafka_get_watermark_offsets(c->rk, p->topic, p->number, &low, &high);
    high = p->end_offset > high ? p->end_offset : high;
    if (high < 0) {
        return -1;
    }
    int64_t safe = progress_safe(&p->progress);
    safe = safe < low ? low : safe;
    return high > safe ? high - safe : 0;
}
