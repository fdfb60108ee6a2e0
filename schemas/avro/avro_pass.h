// Passes Avro values without reading them: how each field of a record is passed was found when its schema was
// parsed, and the place is a plain pointer. The functions return NULL if the bytes end too soon or don't
// match the schema.
#ifndef SCHEMAS_AVRO_AVRO_PASS_H
#define SCHEMAS_AVRO_AVRO_PASS_H

#include "schemas/avro/avro_read.h"

/** Values of other kinds than those of avro_pass_value. */
const uint8_t *avro_pass_any(const struct avro_type *type, const uint8_t *at, const uint8_t *end);

/** The branch of a nullable field, when it is not one byte. */
const uint8_t *avro_pass_branch_slow(const uint8_t *at, const uint8_t *end, size_t *ret);

static inline const uint8_t *avro_pass_size(size_t size, const uint8_t *at, const uint8_t *end)
{
    return (size_t)(end - at) < size ? NULL : at + size;
}

static inline const uint8_t *avro_pass_long(const uint8_t *at, const uint8_t *end)
{
    if (__builtin_expect(end - at >= AVRO_READ_LONG_BYTES_MAX, 1)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        uint64_t last = ~word & UINT64_C(0x8080808080808080);  // the bytes that end a number
        if (last != 0) {
            return at + __builtin_ctzll(last) / 8 + 1;
        }
        return at[8] < 0x80 ? at + 9 : at[9] < 2 ? at + 10 : NULL;
    }
    while (at < end && *at >= 0x80) {
        at++;
    }
    return at == end ? NULL : at + 1;
}

static inline const uint8_t *avro_pass_bytes(const uint8_t *at, const uint8_t *end)
{
    if (__builtin_expect(at < end && (*at & 0x81) == 0, 1)) {
        return avro_pass_size(*at / 2, at + 1, end);
    }
    struct cursor c = {at, end, false};
    (void)avro_read_bytes(&c);
    return c.is_short ? NULL : c.at;
}

/** Moves behind the index of a nullable field's branch. */
static inline const uint8_t *avro_pass_branch(const struct avro_pass *pass, const uint8_t *at,
                                              const uint8_t *end, bool *ret_is_null)
{
    size_t branch;
    if (!pass->is_nullable) {
        *ret_is_null = false;
        return at;
    }
    if (__builtin_expect(at < end && (*at == 0 || *at == 2), 1)) {  // a number is twice the index
        branch = *at++ / 2;
    } else {
        at = avro_pass_branch_slow(at, end, &branch);
    }
    *ret_is_null = branch == pass->null_branch;
    return at;
}

/** Moves behind a field's value, which is not null. */
static inline const uint8_t *avro_pass_value(const struct avro_pass *pass, const uint8_t *at,
                                             const uint8_t *end)
{
    switch (pass->kind) {
    case AVRO_PASS_LONG:
        return avro_pass_long(at, end);
    case AVRO_PASS_BYTES:
        return avro_pass_bytes(at, end);
    case AVRO_PASS_SIZE:
        return avro_pass_size(pass->size, at, end);
    case AVRO_PASS_ANY:
        break;
    }
    return avro_pass_any(pass->type, at, end);
}

/** Moves behind a record's field. */
static inline const uint8_t *avro_pass_field(const struct avro_field *field, const uint8_t *at,
                                             const uint8_t *end)
{
    bool is_null;
    at = avro_pass_branch(&field->pass, at, end, &is_null);
    return at == NULL || is_null ? at : avro_pass_value(&field->pass, at, end);
}

/** Moves behind a value of a type that is no union. */
const uint8_t *avro_pass_whole(const struct avro_type *type, const uint8_t *at, const uint8_t *end);

#endif
