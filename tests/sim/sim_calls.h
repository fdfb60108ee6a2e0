// Running calls, which sim_endpoint.c makes and sim_checks.c judges; no other file includes this.
#ifndef TESTS_SIM_SIM_CALLS_H
#define TESTS_SIM_SIM_CALLS_H

#include "tests/sim/sim.h"

struct endpoint_call {
    struct endpoint_call *next;
    int process;
    endpoint_on_response on_response;
    void *self;
    struct {
        int partition;
        int64_t offset;
        bool is_named;  // in the response's body, as failed
    } events[CALL_EVENTS];
    size_t event_count;
    struct response response;
    struct bytes body;  // of the response
    bool is_attempt;    // for all events
    int64_t sent_us;
};

/** Decides what the call is answered with, and returns after what time. */
int64_t sim_answer(struct endpoint_call *call);

/** All that run. */
extern struct endpoint_call *sim_calls;

/** The call is about to be sent: fails if it must not be. */
void sim_check_call(const struct endpoint_call *call);

#endif
