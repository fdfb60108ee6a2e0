// A record that an event leaves behind, on its way to its topic; its kind decides what is done with it.
#ifndef BRIDGE_DELIVERY_TOPIC_RECORD_H
#define BRIDGE_DELIVERY_TOPIC_RECORD_H

#include "bridge/delivery/work_item.h"

struct topic_record;
struct writer_topic;

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

void topic_record_free(struct topic_record *r);

/** Hands a copy to librdkafka. The delivery report's opaque is `r`. */
rd_kafka_resp_err_t topic_record_produce(const struct topic_record *r, rd_kafka_t *rk, const char *topic);

#endif
