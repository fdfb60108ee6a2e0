// The struct that the delivery*.c files share; no other file includes this.
#ifndef BRIDGE_DELIVERY_DELIVERY_STATE_H
#define BRIDGE_DELIVERY_DELIVERY_STATE_H

#include "bridge/delivery/batch.h"
#include "bridge/delivery/bisect.h"
#include "bridge/delivery/call_trace.h"
#include "bridge/delivery/delivery.h"
#include "bridge/delivery/delivery_steps.h"
#include "bridge/delivery/event_filter.h"
#include "bridge/delivery/hold_state.h"
#include "bridge/delivery/invoke.h"
#include "bridge/delivery/limiter.h"
#include "bridge/delivery/outcome.h"
#include "bridge/delivery/record_memory.h"
#include "bridge/delivery/reply_state.h"
#include "bridge/delivery/response_log.h"
#include "bridge/intake/job.h"
#include "bridge/intake/refetch.h"
#include "core/base/last_error.h"

struct delivery {
    uv_loop_t *loop;
    const struct settings *settings;       // lent
    const struct function_config *config;  // lent
    struct schema_cache *schemas;          // lent
    struct topic_writer *writer;           // lent
    struct state_topic *state_topic;       // lent; may be NULL
    struct function_metrics *metrics;      // lent
    bool (*may_call)(void *self);
    void (*on_room)(void *self);
    void (*on_throttled)(void *self, const char *why);
    void (*on_unheld)(void *self);
    struct partition *(*list_partitions)(void *self);
    void *self;
    struct call_trace_function trace;
    struct job *job;                       // lent; NULL: none
    const struct call_observer *observer;  // lent; NULL: none
    char *component;
    struct lanes lanes;
    struct limiter limiter;
    struct shared_limits *shared_limits;  // lent; NULL: none
    enum limiter_reason waits_for;        // the limit that events wait for that could be sent otherwise
    int64_t waits_since_us;
    struct backoff backoff;  // shared settings; each event counts its own failures
    struct batch_limits limits;
    struct event_filter *filter;  // NULL: every event is wanted
    uint32_t filter_generation;   // goes up with each filter, from 1
    char *schemas_url;            // of the registry's schemas, with a slash at its end; NULL: not known
    struct payload_options payload;
    struct outcome_policy policy;
    struct target *target;    // for new calls
    struct target *replaced;  // earlier ones with running calls
    struct bisect bisect;
    struct response_log response_log;
    uv_timer_t timer;         // fires when the limiter opens, or a delayed lane or a batch is due
    struct last_error error;  // of failed calls, until no event waits to be sent again
    bool is_error_logged;
    size_t dead_letters_waiting;  // events whose dead letter is not stored
    struct last_error dead_letter_error;
    size_t failing_count;  // events whose last call failed and that are not settled
    struct record_memory memory;
    size_t lane_events_max;   // with order `partition`, where a lane is a partition
    struct refetch *refetch;  // NULL: no event was evicted yet
    bool is_room_due;         // call on_room at the end of the pump
    bool may_evict_ready;     // a call has begun since ready lanes were evicted
    bool is_refetching;       // the pump was called by on_turn_end
    bool has_full_partition;  // a partition was held because its lane was full
    bool is_throttled;
    bool is_pumping;
    bool is_reduction_logged;  // latency reduces the concurrency
    bool is_miss_logged;       // and not enough
    struct hold_state hold;
    struct reply_waits replies;
};

#endif
