#include "connectors/kafka/kafka_push.h"

#include <stdlib.h>

#include "core/base/memory.h"

struct kafka_push {
    uv_work_t work;
    uv_loop_t *loop;
    rd_kafka_t *rk;
    bool is_running;
    bool is_wanted_again;  // asked for while a call ran
    void (*on_done)(void *self);
    void *owner;
    void (*on_stopped)(void *self);
    void *self;
};

// On a worker thread. With delivery reports as events, flush only wakes librdkafka's threads and waits.
static void push(uv_work_t *work)
{
    struct kafka_push *p = work->data;
    (void)rd_kafka_flush(p->rk, KAFKA_PUSH_MS);  // ALLOW-BANNED: not on the loop
}

static void stop(struct kafka_push *p)
{
    void (*on_stopped)(void *self) = p->on_stopped;
    void *self = p->self;
    free(p);
    on_stopped(self);
}

static void run(struct kafka_push *p);

static void on_pushed(uv_work_t *work, int status)
{
    (void)status;
    struct kafka_push *p = work->data;
    p->is_running = false;
    if (p->on_stopped != NULL) {
        stop(p);
    } else if (p->is_wanted_again) {
        run(p);
    } else {
        p->on_done(p->owner);
    }
}

static void run(struct kafka_push *p)
{
    p->is_running = true;
    p->is_wanted_again = false;
    INVARIANT(uv_queue_work(p->loop, &p->work, push, on_pushed) == 0);
}

struct kafka_push *kafka_push_start(uv_loop_t *loop, rd_kafka_t *rk, void (*on_done)(void *self), void *self)
{
    struct kafka_push *p = memory_zeroed(1, sizeof(*p));
    p->loop = loop;
    p->rk = rk;
    p->work.data = p;
    p->on_done = on_done;
    p->owner = self;
    return p;
}

bool kafka_push_is_running(const struct kafka_push *p)
{
    return p->is_running;
}

void kafka_push_now(struct kafka_push *p)
{
    if (p->is_running) {
        p->is_wanted_again = true;
    } else {
        run(p);
    }
}

void kafka_push_stop(struct kafka_push *p, void (*on_stopped)(void *self), void *self)
{
    p->on_stopped = on_stopped;
    p->self = self;
    if (!p->is_running) {
        stop(p);
    }
}
