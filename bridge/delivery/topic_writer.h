// Writes records that events of functions leave behind (dead letters, replies) to topics, which are created
// if they are missing. All functions of the process share one idempotent producer; records of one topic keep
// their order. What can't be stored now waits, with its event, and is sent again.
#ifndef BRIDGE_DELIVERY_TOPIC_WRITER_H
#define BRIDGE_DELIVERY_TOPIC_WRITER_H

#include <uv.h>

#include "bridge/delivery/topic_record.h"
#include "core/config/settings.h"

/** The producer's message.max.bytes: any record of a source topic fits. */
#define TOPIC_WRITER_BYTES_MAX "100000000"

struct topic_writer;

/** Connects at the first record. */
struct topic_writer *topic_writer_new(uv_loop_t *loop, const struct settings *settings);

/** Drops waiting records without a callback. Accepts NULL. */
void topic_writer_free(struct topic_writer *w);

/** Takes over a record whose type, item, headers, key, value and self are set. The event must stay unchanged
 * until the record is stored, refused or given up. */
void topic_writer_put(struct topic_writer *w, struct topic_record *r, const char *topic);

/** Creates the topic now if it is missing, so that it is there before its first record. */
void topic_writer_prepare(struct topic_writer *w, const struct topic_record_type *type, const char *topic);

/** Why what was written with this `self` is not stored yet; NULL: nothing is amiss. */
const char *topic_writer_trouble(const struct topic_writer *w, const void *self);

/** Sends the records of this type with this `self` that are not stored yet to another topic. */
void topic_writer_redirect(struct topic_writer *w, const struct topic_record_type *type, const void *self,
                           const char *topic);

#define TOPIC_WRITER_ALL INT64_C(-1)

/**
 * Gives up records of this type with this `self` that were not stored within `wait_us` and whose partition is
 * not assigned any more: its next owner reads their events again. TOPIC_WRITER_ALL: all that are not stored
 * yet. Calls on_given_up for each.
 */
void topic_writer_give_up(struct topic_writer *w, const struct topic_record_type *type, void *self,
                          int64_t wait_us, void (*on_given_up)(void *self, struct work_item *item));

#endif
