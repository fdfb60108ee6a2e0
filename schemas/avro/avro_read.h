// Reads Avro binary where it lies: numbers, sizes, and values that are skipped. The format is described in
// schemas/json/json_encode.c.
#ifndef SCHEMAS_AVRO_AVRO_READ_H
#define SCHEMAS_AVRO_AVRO_READ_H

#include "core/base/cursor.h"
#include "schemas/avro/avro_type.h"

enum {
    AVRO_READ_DEPTH_MAX = 128,
    AVRO_READ_LONG_BYTES_MAX = 10,  // of a number of 64 bits
};

/** The slow part of avro_read_long. */
int64_t avro_read_long_slow(struct cursor *c);

/** A zig-zag number of 64 bits; what has more bits, or does not end, makes the cursor short. */
static inline int64_t avro_read_long(struct cursor *c)
{
    if (__builtin_expect(!c->is_short && c->at < c->end && *c->at < 0x80, 1)) {
        uint8_t n = *c->at++;
        return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
    }
    return avro_read_long_slow(c);
}

/** Bytes or a string, borrowed. */
static inline struct slice avro_read_bytes(struct cursor *c)
{
    int64_t size = avro_read_long(c);
    if (__builtin_expect(size < 0, 0)) {
        c->is_short = true;
        size = 0;
    }
    return cursor_take(c, (size_t)size);
}

/** An index below `count`; what is beyond makes the cursor short. */
static inline size_t avro_read_index(struct cursor *c, size_t count)
{
    int64_t index = avro_read_long(c);
    if (__builtin_expect(index < 0 || (uint64_t)index >= count, 0)) {
        c->is_short = true;
        index = 0;
    }
    return (size_t)index;
}

/** How many items the next block of an array or map has; 0: the end. An item takes at least one byte. */
uint64_t avro_read_block(struct cursor *c);

/** The type of the union's branch that follows; any other type is returned as it is. */
static inline const struct avro_type *avro_read_branch(struct cursor *c, const struct avro_type *type)
{
    return type->kind == AVRO_KIND_UNION ? type->branches[avro_read_index(c, type->count)] : type;
}

/** Moves behind one value. A value that is cut off, or nested deeper than AVRO_READ_DEPTH_MAX, makes the
 * cursor short. */
void avro_read_skip(struct cursor *c, const struct avro_type *type);

/** A record field's name, cut out of its label. */
static inline struct slice avro_field_name(const struct avro_field *field)
{
    return slice_make(field->label.data + 2, field->label.size - sizeof(",\"\":") + 1);
}

#endif
