// What a program that hosts the bridge may learn of the calls: each event of each call, what the function
// answered, and what becomes of the event. The bridge itself needs none of it.
#ifndef BRIDGE_INTAKE_CALL_OBSERVER_H
#define BRIDGE_INTAKE_CALL_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

enum { CALL_OBSERVER_RESULT_MAX = 4096 };

enum observed_end {
    OBSERVED_DELIVERED,
    OBSERVED_RETRIED,  // it will be sent again
    OBSERVED_FAILED,   // it becomes a dead letter
};

/** One event of one call; all is borrowed for on_event. */
struct observed_event {
    struct slice id;
    const char *topic;
    int32_t partition;
    int64_t offset;
    char op;                 // of the envelope: r c u d t m
    struct slice key;        // as JSON; size 0: it has none
    int64_t commit_time_us;  // of the change; 0: not known
    enum observed_end end;
    uint32_t attempts;    // used up by it, this call included
    bool is_attempt;      // this call used one up
    int status;           // as HTTP; 0: no response came
    struct slice result;  // of the call, at most CALL_OBSERVER_RESULT_MAX bytes of it
    bool is_cut;          // the result is longer
    const char *error;    // why the event was not delivered, in one line; NULL: it was
};

struct call_observer {
    void (*on_event)(void *self, const struct observed_event *event);
    void *self;
};

#endif
