// Writes events that can't be delivered to a dead-letter topic, unchanged, with headers that say why. An
// event is settled only after that.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_H
#define BRIDGE_DELIVERY_DEAD_LETTER_H

#include "bridge/delivery/dead_letter_cause.h"
#include "bridge/delivery/topic_writer.h"

/**
 * Writes a dead letter. The event must stay unchanged until on_stored or dead_letter_give_up. If the topic
 * refuses the record as too large, it is written without its value, with the reason `oversize` and the source
 * offset.
 */
void dead_letter_write(struct topic_writer *w, struct work_item *item, const struct dead_letter_cause *cause,
                       dead_letter_on_stored on_stored, void *self);

/** Sends the dead letters with this `self` that are not stored yet to another topic. */
void dead_letter_redirect(struct topic_writer *w, const void *self, const char *topic);

/** topic_writer_give_up for dead letters. */
void dead_letter_give_up(struct topic_writer *w, void *self, int64_t wait_us,
                         dead_letter_on_stored on_given_up);

#endif
