// The record of one dead letter, and what it leaves out when it is too large.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_RECORD_H
#define BRIDGE_DELIVERY_DEAD_LETTER_RECORD_H

#include "bridge/delivery/dead_letter_cause.h"

struct dead_letter_topic;

// clang-format off
enum dead_letter_form {
    DEAD_LETTER_WHOLE,
    DEAD_LETTER_WITHOUT_VALUE,
    DEAD_LETTER_WITHOUT_HEADERS,  // nor value; only the millrace.dlq.* headers are left
    DEAD_LETTER_WITHOUT_KEY,      // nor value nor other headers
};
// clang-format on

struct dead_letter_record {
    struct dead_letter_record *next;
    struct dead_letter_record *prev;
    uint64_t number;         // in order of arrival
    struct work_item *item;  // NULL: given up after it was sent
    const struct partition *partition;
    struct dead_letter_topic *topic;
    rd_kafka_headers_t *headers;
    enum dead_letter_form form;
    bool is_suspect;  // refused as too large, perhaps because of other records in its batch
    int64_t arrived_us;
    dead_letter_on_stored on_stored;
    void *self;
};

struct dead_letter_record *dead_letter_record_new(struct work_item *item,
                                                  const struct dead_letter_cause *cause);
void dead_letter_record_free(struct dead_letter_record *r);

/** Leaves out one more part; the reason becomes `oversize`. False: there is none left. */
bool dead_letter_record_shrink(struct dead_letter_record *r);

/** Hands a copy to librdkafka. The delivery report's opaque is `r`. */
rd_kafka_resp_err_t dead_letter_record_produce(const struct dead_letter_record *r, rd_kafka_t *rk,
                                               const char *topic);

#endif
