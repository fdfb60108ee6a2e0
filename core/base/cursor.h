// Reads bytes from outside. The first read past the end latches `is_short`; cursor_finish refuses input that
// was too short or was not read to its end.
#ifndef CORE_BASE_CURSOR_H
#define CORE_BASE_CURSOR_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool is_short;  // a read went past the end: every later read returns zeros
};

static inline struct cursor cursor_over(struct slice input)
{
    return (struct cursor){input.data, input.data == NULL ? NULL : input.data + input.size, false};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return c->is_short ? 0 : (size_t)(c->end - c->at);
}

/** The next `size` bytes, borrowed from the input; an empty slice, and is_short, when fewer are left. */
static inline struct slice cursor_take(struct cursor *c, size_t size)
{
    if (__builtin_expect(c->is_short || (size_t)(c->end - c->at) < size, 0)) {
        c->is_short = true;
        return (struct slice){NULL, 0};
    }
    struct slice taken = {c->at, size};
    c->at += size;
    return taken;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    struct slice s = cursor_take(c, 1);
    return s.size == 1 ? s.data[0] : 0;
}

/** Big-endian integers, as PostgreSQL and Kafka put them on the wire. */
static inline uint16_t cursor_u16(struct cursor *c)
{
    struct slice s = cursor_take(c, 2);
    return s.size == 2 ? (uint16_t)((s.data[0] << 8) | s.data[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    struct slice s = cursor_take(c, 4);
    uint32_t value = 0;
    if (s.size == 4) {
        memcpy(&value, s.data, 4);
    }
    return __builtin_bswap32(value);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    struct slice s = cursor_take(c, 8);
    uint64_t value = 0;
    if (s.size == 8) {
        memcpy(&value, s.data, 8);
    }
    return __builtin_bswap64(value);
}

/** A NUL-terminated string; `size` does not count the NUL, but `data` may be used as a C string. */
struct slice cursor_string(struct cursor *c);

/** True when everything was read and nothing is left; else a FAULT_REJECT naming `what`. */
bool cursor_finish(const struct cursor *c, const char *what, struct fault *f) MUST_USE;

#endif
