// Which dead letters a command is about.
#ifndef BRIDGE_JOBS_LETTER_FILTER_H
#define BRIDGE_JOBS_LETTER_FILTER_H

#include "bridge/jobs/letter.h"

/** Plain data; texts are lent. LETTER_FILTER_ALL selects all letters. */
struct letter_filter {
    const char *reason;  // NULL: any
    const char *topic;   // a name or glob; where the event was read
    const char *key;     // as event_key_matches
    int64_t status;      // -1: any
    int64_t since_ms;    // when the event failed: from this time on; -1: any
    int64_t until_ms;    // and before this one; -1: any
    int64_t partition;   // place in the dead-letter topic; -1: any
    int64_t offset;
    const char *event_id;
};

#define LETTER_FILTER_ALL                                                                                    \
    {                                                                                                        \
        .status = -1, .since_ms = -1, .until_ms = -1, .partition = -1, .offset = -1                          \
    }

/** @param key  the letter's key as JSON; needed only for a filter with a key */
bool letter_filter_matches(const struct letter_filter *filter, const struct record *r,
                           const struct letter_info *letter, struct slice key) MUST_USE;

/**
 * Whether a key, as JSON, is the one that `wanted` names: by JSON with the same members ({"id":7}; a number
 * and a string of the same digits are equal), or, for a key of one column or one that is a plain string, by
 * its text.
 */
bool event_key_matches(const char *wanted, struct slice key) MUST_USE;

/** False: `wanted` begins like a JSON object or string, and is none. The fault says at which character. */
bool event_key_check(const char *wanted, struct fault *f) MUST_USE;

#endif
