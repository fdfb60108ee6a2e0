// Writes events that can't be delivered to a dead-letter topic, unchanged, with headers that say why. An
// event is settled only after that. All functions of the process share one idempotent producer.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_H
#define BRIDGE_DELIVERY_DEAD_LETTER_H

#include <uv.h>

#include "bridge/delivery/dead_letter_cause.h"
#include "core/config/settings.h"

struct dead_letter;

/** Connects at the first dead letter. */
struct dead_letter *dead_letter_new(uv_loop_t *loop, const struct settings *settings);

/**
 * Writes a dead letter. The event must stay unchanged until on_stored or dead_letter_give_up. If the topic
 * refuses the record as too large, it is written without its value, with the reason `oversize` and the source
 * offset.
 */
void dead_letter_write(struct dead_letter *d, struct work_item *item, const struct dead_letter_cause *cause,
                       dead_letter_on_stored on_stored, void *self);

/** Why what was written with this `self` is not stored yet; NULL: nothing is amiss. */
const char *dead_letter_trouble(const struct dead_letter *d, const void *self);

/** Sends the records with this `self` that are not stored yet to another topic. */
void dead_letter_redirect(struct dead_letter *d, const void *self, const char *topic);

/**
 * Gives up records with this `self` that were not stored within `wait_us` and whose partition is not assigned
 * any more: its next owner reads them again. Calls on_given_up for each event.
 */
void dead_letter_give_up(struct dead_letter *d, void *self, int64_t wait_us,
                         dead_letter_on_stored on_given_up);

/** Drops waiting records without a callback. Accepts NULL. */
void dead_letter_free(struct dead_letter *d);

#endif
