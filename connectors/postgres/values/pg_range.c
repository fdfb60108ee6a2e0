// The binary form, from range_send and multirange_send: a byte of flags and, for each bound that is there, an
// int32 length and the bound; a multirange has an int32 count and, for each range, an int32 length.
#include "connectors/postgres/values/pg_range.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"

enum {
    RANGE_EMPTY = 0x01,
    RANGE_LOWER_INCLUSIVE = 0x02,
    RANGE_UPPER_INCLUSIVE = 0x04,
    RANGE_LOWER_INFINITE = 0x08,
    RANGE_UPPER_INFINITE = 0x10,
};

static enum value_step write_bound(struct bytes *out, const struct value_type *element, struct cursor *at,
                                   struct fault *f)
{
    struct slice bound = cursor_take(at, cursor_u32(at));
    if (at->is_short) {
        return VALUE_DONE;  // the caller finds it
    }
    size_t begin = out->size;
    enum value_step step = element->ops->write_text(out, element, bound, f);
    if (step == VALUE_DONE) {
        pg_write_quote(out, begin, PG_QUOTING_RANGE, ',');
    }
    return step;
}

static enum value_step write_range(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    struct cursor at = cursor_over(data);
    uint8_t flags = cursor_u8(&at);
    enum value_step step = VALUE_DONE;
    if ((flags & RANGE_EMPTY) != 0) {
        bytes_append_string(out, "empty");
    } else {
        bytes_append_byte(out, (flags & RANGE_LOWER_INCLUSIVE) != 0 ? '[' : '(');
        if ((flags & RANGE_LOWER_INFINITE) == 0) {
            step = write_bound(out, t->element, &at, f);
        }
        bytes_append_byte(out, ',');
        if (step == VALUE_DONE && (flags & RANGE_UPPER_INFINITE) == 0) {
            step = write_bound(out, t->element, &at, f);
        }
        bytes_append_byte(out, (flags & RANGE_UPPER_INCLUSIVE) != 0 ? ']' : ')');
    }
    if (step == VALUE_DONE && (at.is_short || cursor_left(&at) > 0)) {
        return pg_write_refuse_binary("a range", data, f);
    }
    return step;
}

static enum value_step write_multirange(struct bytes *out, const struct value_type *t, struct slice data,
                                        struct fault *f)
{
    struct cursor at = cursor_over(data);
    uint32_t count = cursor_u32(&at);
    bytes_append_byte(out, '{');
    for (uint32_t i = 0; i < count && !at.is_short; i++) {
        struct slice range = cursor_take(&at, cursor_u32(&at));
        if (i > 0) {
            bytes_append_byte(out, ',');
        }
        enum value_step step = at.is_short ? VALUE_DONE : write_range(out, t->element, range, f);
        if (step != VALUE_DONE) {
            return step;
        }
    }
    bytes_append_byte(out, '}');
    if (at.is_short || cursor_left(&at) > 0) {
        return pg_write_refuse_binary("a multirange", data, f);
    }
    return VALUE_DONE;
}

const struct type_ops PG_RANGE = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_range,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_MULTIRANGE = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_multirange,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
