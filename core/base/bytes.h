// Bytes in memory: borrowed views (slice) and growable buffers (bytes).
#ifndef CORE_BASE_BYTES_H
#define CORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** A borrowed run of bytes; not NUL-terminated; `data` may be NULL only when `size` is 0. */
struct slice {
    const uint8_t *data;
    size_t size;
};

/** A slice over the characters of a C string, without its NUL. Borrows `text`. */
static inline struct slice slice_of(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline struct slice slice_make(const void *data, size_t size)
{
    return (struct slice){(const uint8_t *)data, size};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/** A heap copy of the slice with a NUL added; the caller frees it. Aborts without memory. */
char *slice_to_string(struct slice s);

/** A growable buffer. Zero-initialised is empty and valid; `bytes_clear` releases it. */
struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool is_secret;  // memory that it gives back, also as it grows, is overwritten first
};

/** Releases the memory; the buffer is empty and usable again. Accepts NULL. */
void bytes_clear(struct bytes *b);

/** As bytes_clear, for content that may have secrets: overwrites it first. */
void bytes_wipe(struct bytes *b);

/** Empties the buffer, overwrites what was in it, and keeps its memory. */
void bytes_erase(struct bytes *b);

/** The slow path of bytes_reserve: enlarges the buffer. */
void bytes_grow(struct bytes *b, size_t extra);

/** Makes room for `extra` more bytes and returns the end of the used part; does not change `size`. Aborts
 * without memory. */
static inline uint8_t *bytes_reserve(struct bytes *b, size_t extra)
{
    if (__builtin_expect(b->capacity - b->size < extra || b->data == NULL, 0)) {
        bytes_grow(b, extra);
    }
    return b->data + b->size;
}

static inline void bytes_append(struct bytes *b, const void *data, size_t size)
{
    if (size > 0) {
        memcpy(bytes_reserve(b, size), data, size);
        b->size += size;
    }
}

static inline void bytes_append_string(struct bytes *b, const char *text)
{
    bytes_append(b, text, strlen(text));
}

void bytes_format(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void bytes_append_slice(struct bytes *b, struct slice s)
{
    bytes_append(b, s.data, s.size);
}

/** Appends a part of the buffer itself again. */
static inline void bytes_append_again(struct bytes *b, size_t at, size_t size)
{
    uint8_t *end = bytes_reserve(b, size);
    memcpy(end, b->data + at, size);
    b->size += size;
}

enum { BYTES_PADDING = 16 };  // readable behind the text of bytes_append_padded

/** As bytes_append_slice, for a short text that is often appended: copied in whole blocks, without a call. */
static inline void bytes_append_padded(struct bytes *b, struct slice s)
{
    uint8_t *at = bytes_reserve(b, s.size + BYTES_PADDING);
    for (size_t i = 0; i < s.size; i += BYTES_PADDING) {
        memcpy(at + i, s.data + i, BYTES_PADDING);
    }
    b->size += s.size;
}

static inline void bytes_append_byte(struct bytes *b, uint8_t byte)
{
    *bytes_reserve(b, 1) = byte;
    b->size++;
}

/** Empties the buffer and keeps its memory. */
static inline void bytes_reset(struct bytes *b)
{
    b->size = 0;
}

static inline struct slice bytes_slice(const struct bytes *b)
{
    return (struct slice){b->data, b->size};
}

/** Ends the text with a NUL outside `size` and returns it; borrowed until the next append. */
const char *bytes_text(struct bytes *b);

#endif
