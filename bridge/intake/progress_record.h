// What a restart must know of a partition beyond its committed offset, as the text that is committed with the
// offset: which later records are settled, and how often the unsettled ones were tried. No I/O.
//
// The text is a version, `1`, and numbers in base64 VLQ (six bits a digit, A to Z, a to z, 0 to 9, - and _,
// the lowest first, the sixth bit set in all but the last digit):
//
//   count of runs, then their lengths: unsettled, settled, unsettled, settled … from the committed offset on
//   count of attempts; nothing follows 0. Else when the text was written, in seconds since 1970, and for each
//   record that was tried:
//     its offset, minus the one before (first: minus the committed offset)
//     attempts used up, seconds since the first one, tenths of a second until the next one
#ifndef BRIDGE_INTAKE_PROGRESS_RECORD_H
#define BRIDGE_INTAKE_PROGRESS_RECORD_H

#include "bridge/intake/progress.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

/** A record that was tried and is not settled. Times are wall-clock milliseconds. */
struct progress_attempt {
    int64_t offset;
    uint32_t attempts;
    int64_t first_ms;
    int64_t due_ms;
};

enum {
    PROGRESS_TEXT_MAX = 4000,  // Kafka's default for offset.metadata.max.bytes is 4096
    PROGRESS_ATTEMPTS_MAX = 256,
    PROGRESS_RANGES_MAX = 2048,
};

struct progress_record {
    struct progress_range ranges[PROGRESS_RANGES_MAX];  // settled, ascending
    size_t range_count;
    struct progress_attempt attempts[PROGRESS_ATTEMPTS_MAX];  // by offset, ascending
    size_t attempt_count;
};

/**
 * Appends the text. What does not fit is left out, the highest offsets first: their records are delivered
 * again. Without ranges and attempts the text is empty.
 *
 * @param offset  that is committed with it; no range begins before it
 */
void progress_record_write(struct bytes *out, int64_t offset, const struct progress_record *record,
                           int64_t now_ms);

/**
 * Reads a text that was committed with the offset. An empty text, and one of another program, has no ranges.
 * A writer whose clock is ahead of `now_ms` is taken to have written it now.
 *
 * @param f  FAULT_REJECT: not such a text, with the place
 */
bool progress_record_read(struct slice text, int64_t offset, int64_t now_ms, struct progress_record *ret,
                          struct fault *f) MUST_USE;

#endif
