#include "connectors/kafka/route_needs.h"

#include <utlist.h>

void need_queue_ask(struct need_queue *q, struct need *n, bool is_first)
{
    if (n->state == NEED_WAITING && is_first && q->waiting != n) {
        DL_DELETE(q->waiting, n);
        DL_PREPEND(q->waiting, n);
    } else if (n->state == NEED_IDLE) {
        n->state = NEED_WAITING;
        if (is_first) {
            DL_PREPEND(q->waiting, n);
        } else {
            DL_APPEND(q->waiting, n);
        }
    }
}

void need_queue_run(struct need_queue *q)
{
    while (q->waiting != NULL && q->in_flight < q->in_flight_max) {
        struct need *n = q->waiting;
        DL_DELETE(q->waiting, n);
        n->state = NEED_IN_FLIGHT;
        q->in_flight++;
        q->request(n);
    }
}

void need_queue_answer(struct need_queue *q, struct need *n, enum need_state state)
{
    q->in_flight--;
    n->state = state;
    n->has_failed = state == NEED_FAILED;
    if (state == NEED_FAILED) {
        DL_APPEND(q->failed, n);
    }
}

void need_queue_retry(struct need_queue *q)
{
    struct need *n;
    struct need *next;
    DL_FOREACH_SAFE (q->failed, n, next) {
        n->state = NEED_WAITING;
    }
    DL_CONCAT(q->waiting, q->failed);
    q->failed = NULL;
}

void need_queue_drop(struct need_queue *q, struct need *n)
{
    switch (n->state) {
    case NEED_WAITING:
        DL_DELETE(q->waiting, n);
        break;
    case NEED_FAILED:
        DL_DELETE(q->failed, n);
        break;
    case NEED_IN_FLIGHT:
        q->in_flight--;
        break;
    case NEED_IDLE:
    case NEED_MET:
    case NEED_REFUSED:
        break;
    }
    n->state = NEED_IDLE;
}
