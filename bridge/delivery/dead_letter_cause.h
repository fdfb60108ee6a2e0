// Why an event becomes a dead letter.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_CAUSE_H
#define BRIDGE_DELIVERY_DEAD_LETTER_CAUSE_H

#include "bridge/delivery/work_item.h"

/** Borrowed for the call. */
struct dead_letter_cause {
    const char *function;
    const char *topic;    // the dead-letter topic
    const char *reason;   // attempts_exhausted, expired, rejected …
    const char *message;  // one line
    int status;           // of the last response; 0: none came
    uint32_t attempts;
};

/** The record was acknowledged by all in-sync replicas: the event may be settled. */
typedef void (*dead_letter_on_stored)(void *self, struct work_item *item);

#endif
