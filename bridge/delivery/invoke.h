// Invocations: the events of one call, kept together through its retries, and the calls that run now.
#ifndef BRIDGE_DELIVERY_INVOKE_H
#define BRIDGE_DELIVERY_INVOKE_H

#include "bridge/endpoints/endpoint.h"
#include "bridge/payload/payload.h"

/** One call's buffers, reused. */
struct invoke_slot {
    struct invoke_slot *next;
    struct payload payload;
};

/** Events that are called together until they are settled. */
struct invocation {
    struct invocation *next;  // in the list of running or of unused ones
    struct invocation *previous;
    struct target *target;
    struct event *first;  // in order
    struct event *last;
    size_t event_count;
    uint64_t number;           // its own, from 1 on
    size_t event_max;          // of one call, since a larger one was rejected; 0: as the function's file says
    uint32_t attempts;         // consumed
    uint32_t throttles;        // in a row
    uint32_t generation;       // the limiter's, when the call began
    int64_t first_attempt_us;  // 0: none yet
    int64_t due_us;            // of the next attempt, while it waits for one
    int64_t sent_us;
    struct invoke_slot *slot;    // while it is built or runs
    struct endpoint_call *call;  // while it runs
};

typedef void (*invoke_on_response)(void *self, struct invocation *inv, const struct response *r);

/** An endpoint and its calls. A replaced one lasts until the last call that it runs has ended. */
struct target {
    struct target *next;  // in the list of replaced ones
    const struct endpoint_type *endpoint_type;
    struct endpoint *endpoint;  // lent
    invoke_on_response on_response;
    void *self;
    bool is_superseded;  // another endpoint is called by now: its late answers say nothing about that one
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

/** Gives it back; its events are somebody else's by now. */
void invoke_close(struct invocation *inv);

/** Gives it buffers to build its request in. */
struct payload *invoke_payload(struct invocation *inv);

/** Sends what its payload says; on_response follows, unless cancelled. Its buffers go back before
 * on_response. */
void invoke_send(struct invocation *inv, int64_t timeout_us);

/** Lets it wait until due_us; its buffers go back. */
void invoke_wait(struct invocation *inv, int64_t due_us);

/** Takes the waiting one that is due first, if it is due. */
struct invocation *invoke_take_due(struct target *t, int64_t now_us);

/** When the first waiting one is due; -1: none waits. */
int64_t invoke_next_due_us(const struct target *t);

/** Gives the running call up. */
void invoke_cancel(struct invocation *inv);

/** Nothing runs and nothing waits. */
void target_clear(struct target *t);

#endif
