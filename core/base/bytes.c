#include "core/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

char *slice_to_string(struct slice s)
{
    char *text = memory_new(s.size + 1);
    if (s.size > 0) {
        memcpy(text, s.data, s.size);
    }
    text[s.size] = '\0';
    return text;
}

void bytes_clear(struct bytes *b)
{
    if (b == NULL) {
        return;
    }
    if (b->is_secret && b->data != NULL) {
        explicit_bzero(b->data, b->capacity);
    }
    free(b->data);
    *b = (struct bytes){.is_secret = b->is_secret};
}

void bytes_wipe(struct bytes *b)
{
    if (b->data != NULL) {
        explicit_bzero(b->data, b->capacity);
    }
    bytes_clear(b);
}

void bytes_erase(struct bytes *b)
{
    if (b->size > 0) {
        explicit_bzero(b->data, b->size);
    }
    b->size = 0;
}

/** As memory_resize, but the old memory is overwritten. */
static void move_to(struct bytes *b, size_t capacity)
{
    uint8_t *old = b->data;
    b->data = memory_new(capacity);
    if (old != NULL) {
        memcpy(b->data, old, b->size);
        explicit_bzero(old, b->capacity);
        free(old);
    }
}

void bytes_grow(struct bytes *b, size_t extra)
{
    INVARIANT(extra < SIZE_MAX / 4);
    size_t capacity = b->capacity < 64 ? 64 : b->capacity;
    while (capacity - b->size < extra) {
        capacity *= 2;
    }
    if (b->is_secret) {
        move_to(b, capacity);
    } else {
        b->data = memory_resize(b->data, capacity);
    }
    b->capacity = capacity;
}

void bytes_format(struct bytes *b, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    INVARIANT(length >= 0);
    char *place = (char *)bytes_reserve(b, (size_t)length + 1);
    (void)vsnprintf(place, (size_t)length + 1, format, again);
    va_end(again);
    b->size += (size_t)length;
}

const char *bytes_text(struct bytes *b)
{
    *bytes_reserve(b, 1) = '\0';
    return (const char *)b->data;
}
