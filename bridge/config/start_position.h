// A place in a topic that people write: latest, earliest, a time, an LSN, an offset.
#ifndef BRIDGE_CONFIG_START_POSITION_H
#define BRIDGE_CONFIG_START_POSITION_H

#include <stdint.h>

#include "core/base/fault.h"

enum function_start {
    FUNCTION_START_LATEST,
    FUNCTION_START_EARLIEST,
    FUNCTION_START_TIME,    // the first record with this timestamp or a later one
    FUNCTION_START_LSN,     // the first record with this position or a later one
    FUNCTION_START_OFFSET,  // only for a replay
};

struct start_position {
    enum function_start kind;
    int64_t value;  // TIME: milliseconds since 1970; LSN; OFFSET
};

/**
 * Reads `latest`, `earliest`, an RFC 3339 timestamp or an LSN (16/B374D848).
 *
 * @param f  FAULT_CONFIG: says what is wrong with the text
 */
bool start_position_parse(const char *text, struct start_position *ret, struct fault *f) MUST_USE;

/** Reads a number of decimal digits as an offset, everything else as start_position_parse. */
bool start_position_parse_any(const char *text, struct start_position *ret, struct fault *f) MUST_USE;

/** Reads an RFC 3339 timestamp: 2026-01-02T03:04:05Z, also with a fraction and another time zone. False: it
 * is none. */
bool start_position_parse_time(const char *text, int64_t *ret_ms) MUST_USE;

#endif
