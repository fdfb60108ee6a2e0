// What a pipeline has published.
#ifndef TESTS_COMPONENT_CONNECTORS_PIPELINE_SEEN_H
#define TESTS_COMPONENT_CONNECTORS_PIPELINE_SEEN_H

#include "tests/component/connectors/pipeline_case.h"

enum { PIPELINE_SEEN_MAX = 1024 };  // kept; a test has it on its stack

/** What was read of a topic; the caller clears last_value. */
struct pipeline_seen {
    size_t count;
    size_t tombstones;
    // Of the first records only:
    char positions[PIPELINE_SEEN_MAX][40];
    char first_value[64];  // as text, cut off
    struct bytes last_value;
    char reason[32];
    char trace[128];                      // traceparent/tracestate of the last record; "/" without
    char markers[PIPELINE_SEEN_MAX][32];  // source.snapshot; "" for a record without
};

/** Adds all records of the topic. */
void pipeline_seen_read(struct pipeline_case *x, const char *topic, struct pipeline_seen *seen);

/** The newest state record. */
void pipeline_seen_record(struct pipeline_case *x, struct bytes *ret);

#endif
