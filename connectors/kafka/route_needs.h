// What routes wait for: topics to be made, and schemas to get their ids. A bounded number of requests is in
// flight; what a change waits for is requested first; what failed is requested again later.
#ifndef CONNECTORS_KAFKA_ROUTE_NEEDS_H
#define CONNECTORS_KAFKA_ROUTE_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

enum need_state {
    NEED_IDLE,       // not asked for yet; zero-initialised
    NEED_WAITING,    // for its turn
    NEED_IN_FLIGHT,  // requested
    NEED_FAILED,     // waits for the next retry
    NEED_MET,
    NEED_REFUSED,  // for ever
};

/** Embedded in what waits; zero-initialised. */
struct need {
    enum need_state state;
    bool has_failed;  // and is not MET or REFUSED since
    struct need *prev;
    struct need *next;
};

/** Plain data, embedded. The owner sets the first two. */
struct need_queue {
    size_t in_flight_max;
    // Sends the request; its answer (need_queue_answer) comes later, never from inside.
    void (*request)(struct need *n);
    size_t in_flight;
    struct need *waiting;
    struct need *failed;
};

/** Asks for it: last in the queue, or first. Without effect in other states than IDLE and WAITING. */
void need_queue_ask(struct need_queue *q, struct need *n, bool is_first);

/** Sends what may be sent now. */
void need_queue_run(struct need_queue *q);

/** The need in flight is MET, REFUSED, or FAILED. */
void need_queue_answer(struct need_queue *q, struct need *n, enum need_state state);

/** What failed waits for its turn again. */
void need_queue_retry(struct need_queue *q);

/** Sets it to IDLE, in whatever state it is. A request in flight must not be answered any more. */
void need_queue_drop(struct need_queue *q, struct need *n);

#endif
