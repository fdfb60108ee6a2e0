#include "schemas/avro/avro_pass.h"

const uint8_t *avro_pass_any(const struct avro_type *type, const uint8_t *at, const uint8_t *end)
{
    struct cursor c = {at, end, false};
    avro_read_skip(&c, type);
    return c.is_short ? NULL : c.at;
}

const uint8_t *avro_pass_branch_slow(const uint8_t *at, const uint8_t *end, size_t *ret)
{
    struct cursor c = {at, end, false};
    *ret = avro_read_index(&c, 2);
    return c.is_short ? NULL : c.at;
}

const uint8_t *avro_pass_whole(const struct avro_type *type, const uint8_t *at, const uint8_t *end)
{
    if (type->kind != AVRO_KIND_RECORD) {
        return avro_pass_any(type, at, end);
    }
    const struct avro_field *behind = type->fields + type->count;
    for (const struct avro_field *field = type->fields; field < behind && at != NULL; field++) {
        at = avro_pass_field(field, at, end);
    }
    return at;
}
