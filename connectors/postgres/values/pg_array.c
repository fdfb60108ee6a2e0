// The text form, from PostgreSQL's array_out:
//
//   {e,e,…}              elements, separated by the type's delimiter (',', for box ';'); {} is empty
//   [2:4]={e,e,e}        begins with the bounds when the lower one is not 1
//   {{e,e},{e,e}}        two dimensions
//   e                    NULL, an unquoted word, or "…" in which \ escapes the next byte
#include "connectors/postgres/values/pg_array.h"

#include "connectors/postgres/values/pg_array_write.h"
#include "connectors/postgres/values/pg_scratch.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"

struct array_element {
    struct slice text;  // between the quotes, still escaped
    bool is_quoted;
    bool has_escapes;
};

static bool refuse(struct slice text, const char *why, struct fault *f)
{
    int size = text.size > 64 ? 64 : (int)text.size;
    return fault_set(f, FAULT_REJECT, "array %s: %.*s", why, size, (const char *)text.data);
}

// Finds the text between the outer braces.
static bool find_body(struct slice text, struct slice *ret, struct fault *f)
{
    const uint8_t *at = text.data;
    size_t size = text.size;
    if (size > 0 && at[0] == '[') {
        const uint8_t *equals = memchr(at, '=', size);
        if (equals == NULL) {
            return refuse(text, "has unterminated bounds", f);
        }
        size -= (size_t)(equals + 1 - at);
        at = equals + 1;
    }
    if (size < 2 || at[0] != '{' || at[size - 1] != '}') {
        return refuse(text, "has no braces", f);
    }
    *ret = slice_make(at + 1, size - 2);
    return true;
}

static bool take_quoted(struct slice body, size_t *at, struct array_element *ret)
{
    size_t from = ++*at;
    for (; *at < body.size && body.data[*at] != '"'; ++*at) {
        if (body.data[*at] == '\\') {
            ret->has_escapes = true;
            ++*at;
        }
    }
    if (*at >= body.size) {
        return false;
    }
    ret->is_quoted = true;
    ret->text = slice_make(body.data + from, *at - from);
    ++*at;
    return true;
}

// Reads the element at `*at` and the delimiter after it, if there is one.
static bool take_element(struct slice body, size_t *at, char delimiter, struct array_element *ret,
                         struct fault *f)
{
    struct array_element element = {0};
    if (*at < body.size && body.data[*at] == '"') {
        if (!take_quoted(body, at, &element)) {
            return refuse(body, "has an unterminated quote", f);
        }
    } else {
        size_t from = *at;
        while (*at < body.size && body.data[*at] != delimiter) {
            ++*at;
        }
        element.text = slice_make(body.data + from, *at - from);
    }
    if (*at < body.size && body.data[*at] != delimiter) {
        return refuse(body, "has no delimiter after an element", f);
    }
    bool is_empty = element.text.size == 0 && !element.is_quoted;
    if (is_empty || *at + 1 == body.size) {
        return refuse(body, "has a delimiter without an element", f);
    }
    ++*at;
    *ret = element;
    return true;
}

static bool count_elements(struct slice body, char delimiter, size_t *ret, struct fault *f)
{
    size_t count = 0;
    for (size_t at = 0; at < body.size; count++) {
        struct array_element element;
        if (!take_element(body, &at, delimiter, &element, f)) {
            return false;
        }
    }
    *ret = count;
    return true;
}

static struct slice unescape(struct slice text, struct bytes *plain)
{
    bytes_reset(plain);
    uint8_t *to = bytes_reserve(plain, text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\\' && i + 1 < text.size) {
            i++;
        }
        to[size++] = text.data[i];
    }
    plain->size = size;
    return bytes_slice(plain);
}

static enum value_step refuse_null(struct fault *f)
{
    (void)fault_set(f, FAULT_REJECT, "array has a NULL element, which Debezium's schema of its type forbids");
    return VALUE_NONE;
}

static enum value_step refuse_dimensions(struct fault *f)
{
    (void)fault_set(f, FAULT_REJECT,
                    "array has more than one dimension, which the column's Avro type can't hold");
    return VALUE_NONE;
}

static enum value_step refuse_bounds(struct fault *f)
{
    (void)fault_set(f, FAULT_REJECT,
                    "array begins at another index than 1, which the column's Avro type can't hold");
    return VALUE_NONE;
}

static enum value_step append_element(struct bytes *out, const struct value_type *t, bool is_required,
                                      const struct array_element *element, struct bytes *plain,
                                      struct fault *f)
{
    const struct value_type *type = t->element;
    bool is_null = !element->is_quoted && slice_equal(element->text, slice_of("NULL"));
    if (is_null && is_required) {
        return refuse_null(f);
    }
    if (!is_required) {
        avro_encode_long(out, is_null ? 0 : 1);
    }
    if (is_null) {
        return VALUE_DONE;
    }
    struct slice text = element->has_escapes ? unescape(element->text, plain) : element->text;
    return type->ops->append_text(out, type, text, f);
}

static enum value_step append_text_items(struct bytes *out, const struct value_type *t, bool is_required,
                                         struct slice text, struct bytes *plain, struct fault *f)
{
    struct slice body;
    size_t count;
    if (!find_body(text, &body, f)) {
        return VALUE_FAULT;
    }
    if (body.size > 0 && body.data[0] == '{') {
        return refuse_dimensions(f);
    }
    if (!count_elements(body, t->delimiter, &count, f)) {
        return VALUE_FAULT;
    }
    if (count > 0) {
        avro_encode_long(out, (int64_t)count);
    }
    enum value_step step = VALUE_DONE;
    for (size_t at = 0; at < body.size && (step == VALUE_DONE || step == VALUE_STALE);) {
        struct array_element element;
        if (!take_element(body, &at, t->delimiter, &element, f)) {
            return VALUE_FAULT;
        }
        enum value_step one = append_element(out, t, is_required, &element, plain, f);
        step = one == VALUE_DONE ? step : one;
    }
    avro_encode_long(out, 0);
    return step;
}

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    CLEANUP(pg_scratch_give) struct bytes *plain = pg_scratch_take();
    return append_text_items(out, t, false, text, plain, f);
}

static enum value_step append_required_text(struct bytes *out, const struct value_type *t, struct slice text,
                                            struct fault *f)
{
    CLEANUP(pg_scratch_give) struct bytes *plain = pg_scratch_take();
    return append_text_items(out, t, true, text, plain, f);
}

static enum value_step append_vector_text(struct bytes *out, const struct value_type *t, struct slice text,
                                          struct fault *f)
{
    size_t count = text.size > 0 ? 1 : 0;
    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == ' ' ? 1 : 0;
    }
    if (count > 0) {
        avro_encode_long(out, (int64_t)count);
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++, at++) {
        size_t begin = at;
        while (at < text.size && text.data[at] != ' ') {
            at++;
        }
        struct slice element = slice_make(text.data + begin, at - begin);
        if (t->element->ops->append_text(out, t->element, element, f) != VALUE_DONE) {
            return VALUE_FAULT;
        }
    }
    avro_encode_long(out, 0);
    return VALUE_DONE;
}

static enum value_step append_items(struct bytes *out, const struct value_type *t, bool is_required,
                                    size_t count, struct cursor *at, struct fault *f)
{
    const struct value_type *type = t->element;
    enum value_step step = VALUE_DONE;
    for (size_t i = 0; i < count && (step == VALUE_DONE || step == VALUE_STALE); i++) {
        uint32_t size = cursor_u32(at);
        bool is_null = size == UINT32_MAX;
        if (is_null && is_required) {
            return refuse_null(f);
        }
        if (!is_required) {
            bytes_append_byte(out, is_null ? 0 : 2);  // the union's branch: zig-zag of 0 and 1
        }
        if (is_null) {
            continue;
        }
        struct slice value = cursor_take(at, size);
        if (at->is_short) {
            break;  // the caller finds it
        }
        enum value_step one = type->ops->append_binary(out, type, value, f);
        step = one == VALUE_DONE ? step : one;
    }
    return step;
}

static enum value_step append_binary_items(struct bytes *out, const struct value_type *t, bool is_required,
                                           struct slice data, struct fault *f)
{
    struct cursor at = cursor_over(data);
    struct pg_array_head head;
    if (!pg_array_take_head(&at, &head)) {
        return pg_write_refuse_binary("an array", data, f);
    }
    if (head.dimensions > 1 && head.count > 0) {
        return refuse_dimensions(f);
    }
    if (head.count > 0) {
        avro_encode_long(out, (int64_t)head.count);
    }
    enum value_step step = append_items(out, t, is_required, head.count, &at, f);
    avro_encode_long(out, 0);
    bool is_whole = !at.is_short && cursor_left(&at) == 0;
    return is_whole || step == VALUE_NONE || step == VALUE_FAULT
               ? step
               : pg_write_refuse_binary("an array", data, f);
}

static enum value_step append_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    return append_binary_items(out, t, false, data, f);
}

static enum value_step append_required_binary(struct bytes *out, const struct value_type *t,
                                              struct slice data, struct fault *f)
{
    return append_binary_items(out, t, true, data, f);
}

static enum value_step append_exact_text(struct bytes *out, const struct value_type *t, struct slice text,
                                         struct fault *f)
{
    return text.size > 0 && text.data[0] == '[' ? refuse_bounds(f) : append_text(out, t, text, f);
}

static enum value_step append_exact_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    struct cursor at = cursor_over(data);
    struct pg_array_head head;
    if (!pg_array_take_head(&at, &head)) {
        return pg_write_refuse_binary("an array", data, f);
    }
    bool is_shifted = head.dimensions == 1 && head.count > 0 && head.lower[0] != 1;
    return is_shifted ? refuse_bounds(f) : append_binary(out, t, data, f);
}

static void append_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names)
{
    bytes_append_string(out, "{\"type\":\"array\",\"items\":[\"null\",");
    t->element->ops->append_schema(out, t->element, (struct slice){NULL, 0}, io_names);
    bytes_append_byte(out, ']');
    if (default_json.size > 0) {
        bytes_append_string(out, ",\"connect.default\":");
        bytes_append_slice(out, default_json);
    }
    bytes_append_byte(out, '}');
}

static void append_required_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                   struct schema_names *io_names)
{
    (void)default_json;
    bytes_append_string(out, "{\"type\":\"array\",\"items\":");
    t->element->ops->append_schema(out, t->element, (struct slice){NULL, 0}, io_names);
    bytes_append_byte(out, '}');
}

static void append_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_placeholder(struct bytes *out, const struct value_type *t)
{
    avro_encode_long(out, 1);
    avro_encode_long(out, 1);  // the union's branch
    t->element->ops->append_placeholder(out, t->element);
    avro_encode_long(out, 0);
}

static void append_codes(struct bytes *out, const struct value_type *t)
{
    (void)t;
    const struct slice mark = slice_of(VALUE_PLACEHOLDER);
    avro_encode_long(out, (int64_t)mark.size);
    for (size_t i = 0; i < mark.size; i++) {
        avro_encode_long(out, 1);
        avro_encode_long(out, mark.data[i]);
    }
    avro_encode_long(out, 0);
}

const struct type_ops PG_ARRAY_NO_PLACEHOLDER = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = pg_array_write_text,
    .append_zero = append_zero,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_PLACEHOLDER = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = pg_array_write_text,
    .append_zero = append_zero,
    .append_placeholder = append_placeholder,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_PLACEHOLDER_CODES = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = pg_array_write_text,
    .append_zero = append_zero,
    .append_placeholder = append_codes,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_EXACT = {
    .append_text = append_exact_text,
    .append_binary = append_exact_binary,
    .write_text = pg_array_write_text,
    .append_zero = append_zero,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_EXACT_PLACEHOLDER = {
    .append_text = append_exact_text,
    .append_binary = append_exact_binary,
    .write_text = pg_array_write_text,
    .append_zero = append_zero,
    .append_placeholder = append_placeholder,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_EXACT_PLACEHOLDER_CODES = {
    .append_text = append_exact_text,
    .append_binary = append_exact_binary,
    .write_text = pg_array_write_text,
    .append_zero = append_zero,
    .append_placeholder = append_codes,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_REQUIRED = {
    .append_text = append_required_text,
    .append_binary = append_required_binary,
    .write_text = pg_array_write_text,
    .append_zero = append_zero,
    .append_schema = append_required_schema,
};
const struct type_ops PG_ARRAY_VECTOR = {
    .append_text = append_vector_text,
    .append_binary = append_required_binary,
    .write_text = pg_array_write_vector,
    .append_zero = append_zero,
    .append_schema = append_required_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
