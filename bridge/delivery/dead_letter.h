// Events that can't be delivered go to a topic, as they were on Kafka, with headers that say why; only then
// do their offsets move. One idempotent producer for all functions of the process.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_H
#define BRIDGE_DELIVERY_DEAD_LETTER_H

#include <uv.h>

#include "bridge/intake/event.h"
#include "core/config/settings.h"

struct dead_letter;

/** Why an event ends here. All borrowed for the call. */
struct dead_letter_cause {
    const char *function;
    const char *topic;    // the dead-letter topic
    const char *reason;   // attempts_exhausted, expired, rejected …
    const char *message;  // one line
    int status;           // of the last answer; 0: none came
    uint32_t attempts;
};

/** Acknowledged by all brokers: the event may be settled. */
typedef void (*dead_letter_on_stored)(void *self, struct event *e);

/** Connects at the first dead event. */
struct dead_letter *dead_letter_new(uv_loop_t *loop, const struct settings *settings);

/** Takes note of the event, which stays alive and as it is until on_stored, however long that takes. */
void dead_letter_put(struct dead_letter *d, struct event *e, const struct dead_letter_cause *cause,
                     dead_letter_on_stored on_stored, void *self);

/** Forgets whatever waits without calling back; the events are not stored. Accepts NULL. */
void dead_letter_free(struct dead_letter *d);

#endif
