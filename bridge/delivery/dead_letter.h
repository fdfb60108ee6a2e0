// Events that can't be delivered go to a topic, as they were on Kafka, with headers that say why; only then
// do their offsets move. One idempotent producer for all functions of the process.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_H
#define BRIDGE_DELIVERY_DEAD_LETTER_H

#include <uv.h>

#include "bridge/delivery/dead_letter_cause.h"
#include "core/config/settings.h"

struct dead_letter;

/** Connects at the first dead event. */
struct dead_letter *dead_letter_new(uv_loop_t *loop, const struct settings *settings);

/**
 * Takes note of the event, which stays alive and as it is until on_stored or dead_letter_give_up. A record
 * that the topic refuses as too large is written without its value, with the reason `oversize` and the place
 * where it is.
 */
void dead_letter_write(struct dead_letter *d, struct event *e, const struct dead_letter_cause *cause,
                       dead_letter_on_stored on_stored, void *self);

/** What was written with this `self` and is not stored goes to another topic: the function's file names it
 * now. */
void dead_letter_redirect(struct dead_letter *d, const void *self, const char *topic);

/**
 * Gives up what was written with this `self`, was not stored within `wait_us` and is of a partition that is
 * not assigned any more: its next owner meets it again. on_given_up gets the events.
 */
void dead_letter_give_up(struct dead_letter *d, void *self, int64_t wait_us,
                         dead_letter_on_stored on_given_up);

/** Forgets whatever waits without calling back; the events are not stored. Accepts NULL. */
void dead_letter_free(struct dead_letter *d);

#endif
