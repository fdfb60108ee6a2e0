// Invocations: the events of one call, kept together through its retries. Targets: an endpoint and its
// invocations.
#ifndef BRIDGE_DELIVERY_INVOKE_H
#define BRIDGE_DELIVERY_INVOKE_H

#include "bridge/endpoints/endpoint.h"
#include "bridge/payload/payload.h"

/** One call's buffers, reused. */
struct invoke_slot {
    struct invoke_slot *next;
    struct payload payload;
};

/** Events that are sent in one call, and again in each retry of it. */
struct invocation {
    struct invocation *next;  // in the list of running or of unused ones
    struct invocation *previous;
    struct target *target;
    struct event *first;  // in order
    struct event *last;
    size_t event_count;
    uint64_t number;           // unique in its target, from 1 on
    size_t event_max;          // the limit since a larger call was rejected; 0: no limit of its own
    uint32_t attempts;         // used up
    uint32_t throttles;        // in a row
    uint32_t generation;       // the limiter's generation when the call began
    int64_t first_attempt_us;  // 0: none yet
    int64_t due_us;            // when the next attempt is due, while it waits
    int64_t sent_us;
    struct invoke_slot *slot;    // while it is built or runs
    struct endpoint_call *call;  // while it runs
};

typedef void (*invoke_on_response)(void *self, struct invocation *inv, const struct response *r);

/** An endpoint and its calls. A replaced target is closed when its last running call has ended. */
struct target {
    struct target *next;  // in the list of replaced ones
    const struct endpoint_type *endpoint_type;
    struct endpoint *endpoint;  // lent
    invoke_on_response on_response;
    void *self;
    bool is_superseded;  // the endpoint changed: its late responses don't affect the limiter
    uint64_t opened_count;
    size_t running_count;
    struct invocation *running;
    struct invocation *unused;
    struct invoke_slot *slots;    // unused
    struct invocation **waiting;  // heap by due_us
    size_t waiting_count;
    size_t waiting_capacity;
};

/** An invocation without events. */
struct invocation *invoke_open(struct target *t);
void invoke_add(struct invocation *inv, struct event *e);

/** Takes all its events out, as a list in order. */
struct event *invoke_take_events(struct invocation *inv);

/** Recycles an invocation; the caller has its events. */
void invoke_close(struct invocation *inv);

/** The buffers to build its request in; allocated at the first call. */
struct payload *invoke_payload(struct invocation *inv);

/** Sends its payload. on_response follows, unless cancelled; the buffers are released before that. */
void invoke_send(struct invocation *inv, int64_t timeout_us);

/** Puts it into the heap of waiting ones until due_us, and releases its buffers. */
void invoke_wait(struct invocation *inv, int64_t due_us);

/** Takes the first waiting invocation if it is due; else NULL. */
struct invocation *invoke_take_due(struct target *t, int64_t now_us);

/** When the first waiting invocation is due; -1: none waits. */
int64_t invoke_next_due_us(const struct target *t);

/** Cancels the running call. */
void invoke_cancel(struct invocation *inv);

/** No call runs and no invocation waits. */
void target_clear(struct target *t);

#endif
