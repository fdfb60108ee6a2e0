// Writes records that events of functions leave behind (dead letters, replies) to topics, which are created
// if they are missing. All functions of the process share one idempotent producer; records of one topic keep
// their order. What can't be stored now waits, with its event, and is sent again.
#ifndef BRIDGE_DELIVERY_TOPIC_WRITER_H
#define BRIDGE_DELIVERY_TOPIC_WRITER_H

#include <uv.h>

#include "bridge/delivery/work_item.h"
#include "core/config/settings.h"

/** The producer's message.max.bytes: any record of a source topic fits. */
#define TOPIC_WRITER_BYTES_MAX "100000000"

struct topic_writer;
struct topic_record;

/** Where a record was stored. Borrowed. */
struct topic_place {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/** One kind of record. */
struct topic_record_type {
    const char *what;       // "dead letters", in texts
    const char *failed;     // the log event of a record that can't be stored now
    const char *retention;  // retention.ms of a topic that is created; NULL: the broker's
    bool is_large;          // a topic that is created takes TOPIC_WRITER_BYTES_MAX, if the broker allows that
    /** The record, alone in its batch, is too large: leaves out one more part. False: there is none. NULL: as
     * if it always returned false. */
    bool (*shrink)(struct topic_record *r);
    /** All in-sync replicas have it. The record is freed after that. */
    void (*stored)(struct topic_record *r, const struct topic_place *place);
    /** It is too large and can't be shrunk; it is freed after that. NULL: it waits until the topic takes it.
     */
    void (*refused)(struct topic_record *r);
};

/** The first member of a record of any kind, which is one allocation. */
struct topic_record {
    struct topic_record *next;
    struct topic_record *prev;
    const struct topic_record_type *type;
    uint64_t number;         // in order of arrival
    struct work_item *item;  // NULL: given up after it was sent
    const struct partition *partition;
    struct writer_topic *topic;
    rd_kafka_headers_t *headers;  // owned
    struct slice key;             // lent; data NULL: none; so is the value
    struct slice value;
    bool is_suspect;  // refused as too large, perhaps because of other records in its batch
    int64_t arrived_us;
    void *self;  // of the delivery whose event it is
};

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

/**
 * Gives up records of this type with this `self` that were not stored within `wait_us` and whose partition is
 * not assigned any more: its next owner reads their events again. Calls on_given_up for each.
 */
void topic_writer_give_up(struct topic_writer *w, const struct topic_record_type *type, void *self,
                          int64_t wait_us, void (*on_given_up)(void *self, struct work_item *item));

#endif
