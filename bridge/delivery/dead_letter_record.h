// One event on its way to a dead-letter topic: its record, and what is left out of it when it is too large.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_RECORD_H
#define BRIDGE_DELIVERY_DEAD_LETTER_RECORD_H

#include "bridge/delivery/dead_letter_cause.h"

struct dead_letter_topic;

// clang-format off
enum dead_letter_form {
    DEAD_LETTER_WHOLE,
    DEAD_LETTER_VALUELESS,  // its value left out
    DEAD_LETTER_BARE,       // and the headers that it had on its own topic
    DEAD_LETTER_KEYLESS,    // and its key: nothing is left but where to find it
};
// clang-format on

struct dead_letter_record {
    struct dead_letter_record *next;
    struct dead_letter_record *prev;
    uint64_t number;      // in order of arrival
    struct event *event;  // NULL: given up while it was under way
    const struct partition *partition;
    struct dead_letter_topic *topic;
    rd_kafka_headers_t *headers;
    enum dead_letter_form form;
    bool is_suspect;  // refused as too large, perhaps for the sake of others in its batch
    int64_t arrived_us;
    dead_letter_on_stored on_stored;
    void *self;
};

struct dead_letter_record *dead_letter_record_new(struct event *e, const struct dead_letter_cause *cause);
void dead_letter_record_free(struct dead_letter_record *r);

/** Leaves out what comes next; the reason becomes `oversize`. False: there is nothing left to leave out. */
bool dead_letter_record_shrink(struct dead_letter_record *r);

/** Hands it to librdkafka, which copies it; its report carries the record. */
rd_kafka_resp_err_t dead_letter_record_produce(const struct dead_letter_record *r, rd_kafka_t *rk,
                                               const char *topic);

#endif
