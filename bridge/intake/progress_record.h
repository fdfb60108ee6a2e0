// What a restart must know of a partition beyond its committed offset, as the text that is committed with the
// offset: which later records are settled, and how often the unsettled ones were tried. No I/O.
//
// The text is a version, `1` or `2`, and numbers in base64 VLQ (six bits a digit, A to Z, a to z, 0 to 9, -
// and _, the lowest first, the sixth bit set in all but the last digit):
//
//   count of runs, then their lengths: unsettled, settled, unsettled, settled … from the committed offset on
//   count of attempts; nothing follows 0. Else when the text was written, in seconds since 1970, and for each
//   record that was tried:
//     its offset, minus the one before (first: minus the committed offset)
//     attempts used up, seconds since the first one, tenths of a second until the next one
//
// Version 2 begins with two more numbers, and is written when they or letters are needed: the identity of the
// spilled record that completes this text, or 0 0 (partition_spill.h). With each record that was tried it has
// 0, or for a parked one: the offset of its dead letter plus 1, that one's partition, seconds since it was
// parked, and a hash of the topic that the letter is in (32-bit FNV-1a of its name).
#ifndef BRIDGE_INTAKE_PROGRESS_RECORD_H
#define BRIDGE_INTAKE_PROGRESS_RECORD_H

#include "bridge/intake/progress.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

/** Where the dead letter of a parked record is. */
struct progress_letter {
    bool is_stored;  // false: the record is not parked
    uint32_t topic;  // progress_letter_topic
    int32_t partition;
    int64_t offset;
    int64_t since_ms;  // wall clock
};

/** A record that was tried and is not settled. Times are wall-clock milliseconds. */
struct progress_attempt {
    int64_t offset;
    uint32_t attempts;
    int64_t first_ms;
    int64_t due_ms;
    struct progress_letter letter;
};

/** Identifies a spilled record. */
struct progress_spill {
    uint64_t log;       // of the partition's log: a replaced log gets another; 0: nothing is spilled
    uint64_t sequence;  // grows with each record
};

enum {
    PROGRESS_TEXT_MAX = 4000,     // Kafka's default for offset.metadata.max.bytes is 4096
    PROGRESS_SPILL_MAX = 900000,  // a spilled text: below Kafka's default for max.message.bytes
    PROGRESS_ATTEMPTS_MAX = 1 << 15,
    PROGRESS_RANGES_MAX = 1 << 17,
};

struct progress_record {
    struct progress_range ranges[PROGRESS_RANGES_MAX];  // settled, ascending
    size_t range_count;
    struct progress_attempt attempts[PROGRESS_ATTEMPTS_MAX];  // by offset, ascending
    size_t attempt_count;
    struct progress_spill spill;  // what completes it
};

/**
 * Appends the text. What does not fit is left out, the highest offsets first: their records are delivered
 * again. Without ranges and attempts the text is empty.
 *
 * @param offset  that is committed with it; no range begins before it
 * @return        whether all of it fits
 */
bool progress_record_write(struct bytes *out, int64_t offset, const struct progress_record *record,
                           int64_t now_ms);

/** The same with another limit than PROGRESS_TEXT_MAX. */
bool progress_record_write_up_to(struct bytes *out, int64_t offset, const struct progress_record *record,
                                 int64_t now_ms, size_t size_max);

/** Stands for the name of a dead-letter topic. */
uint32_t progress_letter_topic(const char *name);

/** A hash of what the text says but for the time at which it was written and the spilled record. */
uint64_t progress_record_hash(const struct progress_record *record);

/**
 * Adds what a spilled record of the same log says. It may be older or newer than `record`: what was settled
 * stays settled, and the higher count of attempts holds.
 *
 * @param offset          that `record` was committed with
 * @param spilled_offset  that `spilled` was written for: what is before it is settled
 */
void progress_record_merge(struct progress_record *record, int64_t offset,
                           const struct progress_record *spilled, int64_t spilled_offset);

/**
 * Reads a text that was committed with the offset. An empty text, and one of another program, has no ranges.
 * A writer whose clock is ahead of `now_ms` is taken to have written it now.
 *
 * @param f  FAULT_REJECT: not such a text, with the place
 */
bool progress_record_read(struct slice text, int64_t offset, int64_t now_ms, struct progress_record *ret,
                          struct fault *f) MUST_USE;

#endif
