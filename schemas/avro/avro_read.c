#include "schemas/avro/avro_read.h"

static int64_t from_zigzag(uint64_t n)
{
    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

/** Moves the seven low bits of each of the eight bytes together. */
static uint64_t pack_sevens(uint64_t word)
{
    word &= UINT64_C(0x7f7f7f7f7f7f7f7f);
    word = (word & UINT64_C(0x007f007f007f007f)) | (word & UINT64_C(0x7f007f007f007f00)) >> 1;
    word = (word & UINT64_C(0x00003fff00003fff)) | (word & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (word & UINT64_C(0x000000000fffffff)) | (word & UINT64_C(0x0fffffff00000000)) >> 4;
}

/** A number of at most nine bytes that is followed by as many as the longest may have, without a loop. */
static bool read_whole(struct cursor *c, int64_t *ret)
{
    uint64_t word;
    memcpy(&word, c->at, sizeof(word));
    uint64_t last = ~word & UINT64_C(0x8080808080808080);
    if (last != 0) {
        *ret = from_zigzag(pack_sevens(word & (last ^ (last - 1))));
        c->at += __builtin_ctzll(last) / 8 + 1;
        return true;
    }
    if (c->at[8] < 0x80) {
        *ret = from_zigzag(pack_sevens(word) | (uint64_t)c->at[8] << 56);
        c->at += 9;
        return true;
    }
    return false;
}

int64_t avro_read_long_slow(struct cursor *c)
{
    int64_t whole;
    if (!c->is_short && c->end - c->at >= AVRO_READ_LONG_BYTES_MAX && read_whole(c, &whole)) {
        return whole;
    }
    uint64_t n = 0;
    const uint8_t *at = c->at;
    for (unsigned shift = 0; shift < 64 && !c->is_short && at < c->end; shift += 7) {
        uint8_t byte = *at++;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (shift == 63 && byte > 1) {
                break;
            }
            c->at = at;
            return from_zigzag(n);
        }
    }
    c->is_short = true;
    return 0;
}

uint64_t avro_read_block(struct cursor *c)
{
    int64_t count = avro_read_long(c);
    if (count < 0) {
        int64_t size = avro_read_long(c);
        if (size < 0 || (uint64_t)size > cursor_left(c)) {
            c->is_short = true;
            return 0;
        }
    }
    uint64_t magnitude = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    if (magnitude > cursor_left(c)) {
        c->is_short = true;
        return 0;
    }
    return magnitude;
}

static void skip(struct cursor *c, const struct avro_type *type, int depth);

static void skip_items(struct cursor *c, const struct avro_type *type, int depth)
{
    for (uint64_t left = avro_read_block(c); left > 0; left = avro_read_block(c)) {
        for (; left > 0 && !c->is_short; left--) {
            if (type->kind == AVRO_KIND_MAP) {
                (void)avro_read_bytes(c);
            }
            skip(c, type->items, depth);
        }
    }
}

static void skip_nested(struct cursor *c, const struct avro_type *type, int depth)
{
    if (depth == AVRO_READ_DEPTH_MAX) {
        c->is_short = true;
    } else if (type->kind == AVRO_KIND_UNION) {
        skip(c, avro_read_branch(c, type), depth);  // a branch is no union
    } else if (type->kind == AVRO_KIND_RECORD) {
        for (size_t i = 0; i < type->count && !c->is_short; i++) {
            skip(c, type->fields[i].type, depth + 1);
        }
    } else {
        skip_items(c, type, depth + 1);
    }
}

static void skip(struct cursor *c, const struct avro_type *type, int depth)
{
    switch (type->kind) {
    case AVRO_KIND_NULL:
        return;
    case AVRO_KIND_BOOLEAN:
        (void)cursor_take(c, 1);
        return;
    case AVRO_KIND_INT:
    case AVRO_KIND_LONG:
    case AVRO_KIND_ENUM:
        (void)avro_read_long(c);
        return;
    case AVRO_KIND_FLOAT:
        (void)cursor_take(c, 4);
        return;
    case AVRO_KIND_DOUBLE:
        (void)cursor_take(c, 8);
        return;
    case AVRO_KIND_BYTES:
    case AVRO_KIND_STRING:
        (void)avro_read_bytes(c);
        return;
    case AVRO_KIND_FIXED:
        (void)cursor_take(c, type->size);
        return;
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
    case AVRO_KIND_UNION:
    case AVRO_KIND_RECORD:
        skip_nested(c, type, depth);
        return;
    }
}

void avro_read_skip(struct cursor *c, const struct avro_type *type)
{
    skip(c, type, 0);
}
