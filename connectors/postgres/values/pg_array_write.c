// The binary form, from array_send: an int32 count of dimensions (0: empty), an int32 flag for NULLs, the
// element type's oid, an int32 length and an int32 lower bound for each dimension, and for each element an
// int32 length
// (-1: NULL) and the value, the last dimension's index first. The text form is array_out's: see pg_array.c.
#include "connectors/postgres/values/pg_array_write.h"

#include "connectors/postgres/values/pg_write.h"

bool pg_array_take_head(struct cursor *at, struct pg_array_head *ret)
{
    *ret = (struct pg_array_head){.dimensions = cursor_u32(at), .count = 0};
    (void)cursor_u32(at);  // whether there are NULLs
    (void)cursor_u32(at);  // the element type's oid: a domain's, where `element` is its base type
    if (at->is_short || ret->dimensions > PG_ARRAY_DIMENSIONS_MAX) {
        return false;
    }
    size_t count = ret->dimensions > 0 ? 1 : 0;
    for (uint32_t i = 0; i < ret->dimensions; i++) {
        ret->lengths[i] = cursor_u32(at);
        ret->lower[i] = (int32_t)cursor_u32(at);
        if (__builtin_mul_overflow(count, ret->lengths[i], &count)) {
            return false;
        }
    }
    ret->count = count;
    return !at->is_short && count <= cursor_left(at) / sizeof(uint32_t);
}

static enum value_step write_element(struct bytes *out, const struct value_type *t, struct cursor *at,
                                     struct fault *f)
{
    uint32_t size = cursor_u32(at);
    if (size == UINT32_MAX) {
        bytes_append_string(out, "NULL");
        return VALUE_DONE;
    }
    struct slice value = cursor_take(at, size);
    if (at->is_short) {
        return VALUE_DONE;  // the caller finds it
    }
    size_t begin = out->size;
    enum value_step step = t->element->ops->write_text(out, t->element, value, f);
    if (step == VALUE_DONE) {
        pg_write_quote(out, begin, PG_QUOTING_ARRAY, t->delimiter);
    }
    return step;
}

static void write_bounds(struct bytes *out, const struct pg_array_head *head)
{
    bool is_plain = true;
    for (uint32_t i = 0; i < head->dimensions; i++) {
        is_plain = is_plain && head->lower[i] == 1;
    }
    for (uint32_t i = 0; i < head->dimensions && !is_plain; i++) {
        bytes_format(out, "[%d:%lld]", head->lower[i], (long long)head->lower[i] + head->lengths[i] - 1);
    }
    bytes_append_string(out, is_plain ? "" : "=");
}

// How many dimensions end behind element `i` (or, of `i` elements, begin in front of the next one).
static uint32_t turning(const struct pg_array_head *head, size_t i)
{
    uint32_t ending = 0;
    size_t block = 1;
    for (uint32_t d = head->dimensions; d > 0; d--) {
        block *= head->lengths[d - 1];
        if (i % block != 0) {
            break;
        }
        ending++;
    }
    return ending;
}

static void write_braces(struct bytes *out, char brace, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bytes_append_byte(out, (uint8_t)brace);
    }
}

enum value_step pg_array_write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                    struct fault *f)
{
    struct cursor at = cursor_over(data);
    struct pg_array_head head;
    if (!pg_array_take_head(&at, &head)) {
        return pg_write_refuse_binary("an array", data, f);
    }
    if (head.count == 0) {
        bytes_append_string(out, "{}");
        return VALUE_DONE;
    }
    write_bounds(out, &head);
    for (size_t i = 0; i < head.count; i++) {
        if (i > 0) {
            bytes_append_byte(out, (uint8_t)t->delimiter);
        }
        write_braces(out, '{', turning(&head, i));
        enum value_step step = write_element(out, t, &at, f);
        if (step != VALUE_DONE) {
            return step;
        }
        write_braces(out, '}', turning(&head, i + 1));
    }
    return at.is_short || cursor_left(&at) > 0 ? pg_write_refuse_binary("an array", data, f) : VALUE_DONE;
}

enum value_step pg_array_write_vector(struct bytes *out, const struct value_type *t, struct slice data,
                                      struct fault *f)
{
    struct cursor at = cursor_over(data);
    struct pg_array_head head;
    if (!pg_array_take_head(&at, &head)) {
        return pg_write_refuse_binary("a vector", data, f);
    }
    for (size_t i = 0; i < head.count; i++) {
        bytes_append_string(out, i > 0 ? " " : "");
        struct slice value = cursor_take(&at, cursor_u32(&at));
        enum value_step step = t->element->ops->write_text(out, t->element, value, f);
        if (step != VALUE_DONE) {
            return step;
        }
    }
    return at.is_short || cursor_left(&at) > 0 ? pg_write_refuse_binary("a vector", data, f) : VALUE_DONE;
}
