#include "connectors/kafka/kafka_probe.h"

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

enum {
    ASK_MS = 3000,      // between two questions while Kafka answers
    ASK_LOST_MS = 500,  // while it does not
    ANSWER_MS = 3000,   // for an answer
    FAILURES_LOST = 2,  // questions in a row without one: Kafka is lost
};

enum probe_state { REACHABLE, DOUBTFUL, LOST };

struct kafka_probe {
    uv_work_t work;
    uv_timer_t timer;
    rd_kafka_t *rk;
    enum probe_state state;
    int failures;
    bool is_asking;
    kafka_probe_on_change on_change;
    void *self;
    rd_kafka_resp_err_t answer;  // written by the worker
    void (*on_stopped)(void *self);
    void *stopped_self;
};

static void on_due(uv_timer_t *timer);

static void ask_later(struct kafka_probe *p)
{
    (void)uv_timer_start(&p->timer, on_due, p->state == REACHABLE ? ASK_MS : ASK_LOST_MS, 0);
}

static void lose(struct kafka_probe *p, const char *why)
{
    if (p->state != LOST) {
        p->state = LOST;
        p->on_change(p->self, why);
    }
}

static void find(struct kafka_probe *p)
{
    bool was_lost = p->state == LOST;
    p->state = REACHABLE;
    p->failures = 0;
    if (was_lost) {
        p->on_change(p->self, NULL);
    }
}

// On a worker thread.
static void ask(uv_work_t *work)
{
    struct kafka_probe *p = work->data;
    const struct rd_kafka_metadata *metadata = NULL;
    p->answer = rd_kafka_metadata(p->rk, 0, NULL, &metadata, ANSWER_MS);
    if (p->answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
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
    p->is_asking = false;
    if (p->on_stopped != NULL) {
        uv_close((uv_handle_t *)&p->timer, on_timer_closed);
        return;
    }
    if (p->answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        find(p);
    } else if (++p->failures >= FAILURES_LOST) {
        lose(p, rd_kafka_err2str(p->answer));
    } else if (p->state == REACHABLE) {
        p->state = DOUBTFUL;
    }
    ask_later(p);
}

static void on_due(uv_timer_t *timer)
{
    struct kafka_probe *p = timer->data;
    if (!p->is_asking) {
        p->is_asking = true;
        INVARIANT(uv_queue_work(p->timer.loop, &p->work, ask, on_answered) == 0);
    }
}

struct kafka_probe *kafka_probe_start(uv_loop_t *loop, rd_kafka_t *rk, kafka_probe_on_change on_change,
                                      void *self)
{
    struct kafka_probe *p = memory_zeroed(1, sizeof(*p));
    p->rk = rk;
    p->on_change = on_change;
    p->self = self;
    p->work.data = p;
    (void)uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    ask_later(p);
    return p;
}

void kafka_probe_suspect(struct kafka_probe *p, const char *why)
{
    p->failures = FAILURES_LOST;
    lose(p, why);
    if (!p->is_asking) {
        ask_later(p);
    }
}

void kafka_probe_answered(struct kafka_probe *p)
{
    if (p->state != REACHABLE) {
        find(p);
    }
    if (!p->is_asking) {
        ask_later(p);  // under load acknowledgements say enough
    }
}

void kafka_probe_stop(struct kafka_probe *p, void (*on_stopped)(void *self), void *self)
{
    p->on_stopped = on_stopped;
    p->stopped_self = self;
    (void)uv_timer_stop(&p->timer);
    if (!p->is_asking) {
        uv_close((uv_handle_t *)&p->timer, on_timer_closed);
    }
}
