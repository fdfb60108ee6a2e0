// Invocations: running calls and their events. Targets: an endpoint and its running calls.
#ifndef BRIDGE_DELIVERY_INVOKE_H
#define BRIDGE_DELIVERY_INVOKE_H

#include "bridge/delivery/call_span.h"
#include "bridge/delivery/limiter.h"
#include "bridge/delivery/work_item.h"
#include "bridge/endpoints/endpoint.h"
#include "bridge/payload/payload.h"

/** One call's buffers, reused. */
struct invoke_slot {
    struct invoke_slot *next;
    struct payload payload;
};

/** A running call and the events that are sent in it. */
struct invocation {
    struct invocation *next;  // in the list of running or of unused ones
    struct invocation *previous;
    struct target *target;
    struct work_item *first;  // in order
    struct work_item *last;
    size_t event_count;
    struct limiter_call limits;  // the limiter's state when the call began
    bool wants_reply;            // the response may be an event
    struct call_span span;       // while it runs
    int64_t sent_us;
    int64_t timeout_us;          // of the running call
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
    size_t running_count;
    struct invocation *running;
    struct invocation *unused;
    struct invoke_slot *slots;  // unused
};

/** An invocation without events. */
struct invocation *invoke_open(struct target *t);
void invoke_add(struct invocation *inv, struct work_item *item);

/** Takes all its events out, as a list in order. */
struct work_item *invoke_take_events(struct invocation *inv);

/** Recycles an invocation; the caller has its events. */
void invoke_close(struct invocation *inv);

/** The buffers to build its request in; allocated at the first call. */
struct payload *invoke_payload(struct invocation *inv);

/** Sends its payload. on_response follows, with at most so much of the response's body, unless cancelled; the
 * buffers are released before that. */
void invoke_send(struct invocation *inv, int64_t timeout_us, size_t response_max_bytes);

/** Cancels the running call. */
void invoke_cancel(struct invocation *inv);

/** No call runs. */
void target_clear(struct target *t);

#endif
