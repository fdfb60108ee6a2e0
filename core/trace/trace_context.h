// W3C Trace Context: the headers traceparent and tracestate.
#ifndef CORE_TRACE_TRACE_CONTEXT_H
#define CORE_TRACE_TRACE_CONTEXT_H

#include "core/base/bytes.h"

enum {
    TRACE_ID_BYTES = 16,
    TRACE_SPAN_ID_BYTES = 8,
    TRACE_PARENT_CHARS = 2 + 1 + 32 + 1 + 16 + 1 + 2,  // of version 00
    TRACE_PARENT_MAX = 255,                            // of a later version, which may add fields
    TRACE_STATE_MAX = 512,
    TRACE_FLAG_SAMPLED = 1,
};

/** The two headers as text, borrowed. Size 0 of traceparent: none, and then tracestate is none too. */
struct trace_headers {
    struct slice traceparent;
    struct slice tracestate;
};

/** A span as others refer to it. */
struct trace_context {
    uint8_t trace_id[TRACE_ID_BYTES];
    uint8_t span_id[TRACE_SPAN_ID_BYTES];
    uint8_t flags;
};

/**
 * Reads a traceparent; *ret may be NULL. False: it is invalid (lower-case hex only, neither id may be zero,
 * version ff is forbidden, version 00 has exactly 55 characters), or over TRACE_PARENT_MAX. Source: W3C Trace
 * Context (2021), 3.2.
 */
bool trace_context_read(struct slice text, struct trace_context *ret);

/** Whether the text can be a tracestate: 1 to TRACE_STATE_MAX printable ASCII characters. */
bool trace_state_is_valid(struct slice text);

/** Writes TRACE_PARENT_CHARS characters, version 00, without a NUL. */
void trace_context_write(const struct trace_context *c, char *ret_text);

/** Spreads a number over 64 bits, so that ids made of near numbers have nothing in common. Source: the
 * finalizer of SplitMix64. */
static inline uint64_t trace_context_mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

#endif
