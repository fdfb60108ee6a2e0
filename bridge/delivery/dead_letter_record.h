// The record of one dead letter, and what it leaves out when it is too large.
#ifndef BRIDGE_DELIVERY_DEAD_LETTER_RECORD_H
#define BRIDGE_DELIVERY_DEAD_LETTER_RECORD_H

#include "bridge/delivery/dead_letter_cause.h"
#include "bridge/delivery/topic_writer.h"

// clang-format off
enum dead_letter_form {
    DEAD_LETTER_WHOLE,
    DEAD_LETTER_WITHOUT_VALUE,
    DEAD_LETTER_WITHOUT_HEADERS,  // nor value; only the millrace.dlq.* headers are left
    DEAD_LETTER_WITHOUT_KEY,      // nor value nor other headers
};
// clang-format on

struct dead_letter_record {
    struct topic_record record;
    enum dead_letter_form form;
    dead_letter_on_stored on_stored;
};

/** Its type, callbacks and place in a writer are the caller's. */
struct dead_letter_record *dead_letter_record_new(struct work_item *item,
                                                  const struct dead_letter_cause *cause);

/** Leaves out one more part; the reason becomes `oversize`. False: there is none left. */
bool dead_letter_record_shrink(struct dead_letter_record *r);

#endif
