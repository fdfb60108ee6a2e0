#include "connectors/kafka/kafka_probe.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

enum {
    PROBE_MS = 3000,      // between requests while Kafka answers
    PROBE_LOST_MS = 500,  // while it does not
    TIMEOUT_MS = 3000,    // timeout of a request
    FAILURES_LOST = 2,    // failed requests in a row: Kafka is lost
};

enum probe_state { REACHABLE, DOUBTFUL, LOST };

struct kafka_probe {
    uv_work_t work;
    uv_timer_t timer;
    rd_kafka_t *rk;
    enum probe_state state;
    int failures;
    bool is_requesting;
    bool is_asked;  // for a request as soon as possible
    kafka_probe_on_change on_change;
    kafka_probe_on_topic on_topic;
    void *self;
    const struct rd_kafka_metadata *metadata;  // written by the worker; NULL: no answer
    rd_kafka_resp_err_t answer;                // written by the worker
    char found[320];                           // written by the worker
    char trouble[320];                         // copy of it for the loop; "": none
    void (*on_stopped)(void *self);
    void *stopped_self;
};

static void on_due(uv_timer_t *timer);

static void probe_later(struct kafka_probe *p)
{
    uint64_t wait_ms = p->is_asked && p->state == REACHABLE   ? 0
                       : p->is_asked || p->state != REACHABLE ? PROBE_LOST_MS
                                                              : PROBE_MS;
    (void)uv_timer_start(&p->timer, on_due, wait_ms, 0);
}

static void set_lost(struct kafka_probe *p, const char *why)
{
    if (p->state != LOST) {
        p->state = LOST;
        p->on_change(p->self, why);
    }
}

static void set_reachable(struct kafka_probe *p)
{
    bool was_lost = p->state == LOST;
    p->state = REACHABLE;
    p->failures = 0;
    if (was_lost) {
        p->on_change(p->self, NULL);
    }
}

static void note_partition(struct kafka_probe *p, const char *topic, const rd_kafka_metadata_partition_t *m)
{
    rd_kafka_resp_err_t error = m->err == RD_KAFKA_RESP_ERR_NO_ERROR && m->leader < 0
                                    ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
                                    : m->err;
    // A missing replica is no obstacle by itself.
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE) {
        (void)snprintf(p->found, sizeof(p->found), "topic %s, partition %d: %s (%s)", topic, (int)m->id,
                       rd_kafka_err2str(error), rd_kafka_err2name(error));
    }
}

static void note_topics(struct kafka_probe *p, const struct rd_kafka_metadata *metadata)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
        for (int j = 0; j < topic->partition_cnt; j++) {
            note_partition(p, topic->topic, &topic->partitions[j]);
        }
        if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            (void)snprintf(p->found, sizeof(p->found), "topic %s: %s (%s)", topic->topic,
                           rd_kafka_err2str(topic->err), rd_kafka_err2name(topic->err));
        }
    }
}

// Runs on a worker thread.
static void request(uv_work_t *work)
{
    struct kafka_probe *p = work->data;
    p->found[0] = '\0';
    p->metadata = NULL;
    p->answer = rd_kafka_metadata(p->rk, 0, NULL, &p->metadata, TIMEOUT_MS);
    if (p->answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_topics(p, p->metadata);
    }
}

static void give_topics(struct kafka_probe *p, const struct rd_kafka_metadata *metadata)
{
    for (int i = 0; i < metadata->topic_cnt && p->on_stopped == NULL; i++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
        if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt > 0) {
            p->on_topic(p->self, topic->topic, topic->partition_cnt);
        }
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct kafka_probe *p = handle->data;
    void (*on_stopped)(void *self) = p->on_stopped;
    void *self = p->stopped_self;
    free(p);
    on_stopped(self);
}

static void on_answered(uv_work_t *work, int status)
{
    (void)status;
    struct kafka_probe *p = work->data;
    const struct rd_kafka_metadata *metadata = p->answer == RD_KAFKA_RESP_ERR_NO_ERROR ? p->metadata : NULL;
    if (metadata != NULL) {
        give_topics(p, metadata);  // may stop the probe
        rd_kafka_metadata_destroy(metadata);
    }
    p->is_requesting = false;
    if (p->on_stopped != NULL) {
        uv_close((uv_handle_t *)&p->timer, on_timer_closed);
        return;
    }
    memcpy(p->trouble, p->found, sizeof(p->trouble));
    if (p->answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        set_reachable(p);
    } else if (++p->failures >= FAILURES_LOST) {
        set_lost(p, rd_kafka_err2str(p->answer));
    } else if (p->state == REACHABLE) {
        p->state = DOUBTFUL;
    }
    probe_later(p);
}

static void on_due(uv_timer_t *timer)
{
    struct kafka_probe *p = timer->data;
    if (!p->is_requesting) {
        p->is_requesting = true;
        p->is_asked = false;
        INVARIANT(uv_queue_work(p->timer.loop, &p->work, request, on_answered) == 0);
    }
}

struct kafka_probe *kafka_probe_start(uv_loop_t *loop, rd_kafka_t *rk, kafka_probe_on_change on_change,
                                      kafka_probe_on_topic on_topic, void *self)
{
    struct kafka_probe *p = memory_zeroed(1, sizeof(*p));
    p->rk = rk;
    p->on_change = on_change;
    p->on_topic = on_topic;
    p->self = self;
    p->work.data = p;
    (void)uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    probe_later(p);
    return p;
}

void kafka_probe_ask(struct kafka_probe *p)
{
    if (!p->is_asked) {
        p->is_asked = true;
        if (!p->is_requesting && p->on_stopped == NULL) {
            probe_later(p);
        }
    }
}

void kafka_probe_suspect(struct kafka_probe *p, const char *why)
{
    p->failures = FAILURES_LOST;
    set_lost(p, why);
    if (!p->is_requesting) {
        probe_later(p);
    }
}

void kafka_probe_answered(struct kafka_probe *p)
{
    if (p->state != REACHABLE) {
        set_reachable(p);
    }
    if (!p->is_requesting && !p->is_asked) {
        probe_later(p);  // postponed: under load acknowledgements suffice
    }
}

const char *kafka_probe_trouble(const struct kafka_probe *p)
{
    return p->trouble[0] == '\0' ? NULL : p->trouble;
}

void kafka_probe_stop(struct kafka_probe *p, void (*on_stopped)(void *self), void *self)
{
    p->on_stopped = on_stopped;
    p->stopped_self = self;
    (void)uv_timer_stop(&p->timer);
    if (!p->is_requesting) {
        uv_close((uv_handle_t *)&p->timer, on_timer_closed);
    }
}
