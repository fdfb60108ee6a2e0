// What the headers of a dead letter say (delivery/dead_letter_record.h writes them).
#ifndef BRIDGE_JOBS_LETTER_H
#define BRIDGE_JOBS_LETTER_H

#include "bridge/intake/record.h"

/** Slices are borrowed from the record. A header that is missing is empty, or -1. */
struct letter_info {
    struct slice reason;
    struct slice message;
    struct slice topic;  // where the event was read
    struct slice event_id;
    int64_t status;  // of the last response; -1: there was none
    int64_t attempts;
    int64_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    int64_t failed_at_ms;
};

/** False: the record is no dead letter. */
bool letter_read(const struct record *r, struct letter_info *ret) MUST_USE;

/**
 * Makes the event of a dead letter: its headers, and the place and timestamp that it had at its origin. An
 * event whose value was left out is rejected. Does nothing to another record.
 */
void letter_unwrap(struct record *r);

#endif
