// What all functions of a process share.
#ifndef BRIDGE_FUNCTION_FUNCTION_DEPS_H
#define BRIDGE_FUNCTION_FUNCTION_DEPS_H

#include <uv.h>

#include "bridge/delivery/shared_limit.h"
#include "bridge/delivery/topic_writer.h"
#include "bridge/function/registration_client.h"
#include "bridge/intake/call_observer.h"
#include "bridge/intake/fetcher.h"
#include "bridge/intake/schema_cache.h"
#include "core/kafka/state_topic.h"
#include "core/metrics.h"
#include "core/trace/tracer.h"

/** Plain data; all of it is lent. */
struct function_deps {
    uv_loop_t *loop;
    const struct settings *settings;
    struct state_topic *state_topic;
    struct schema_cache *schemas;
    struct topic_writer *writer;
    struct metrics *metrics;
    struct fetcher *fetcher;
    struct registration_client *registrations;
    struct job *job;                       // NULL: functions are run as their files say
    const struct call_observer *observer;  // NULL: none
    struct shared_limits *limits;
    struct tracer *tracer;  // NULL: no spans
};

#endif
