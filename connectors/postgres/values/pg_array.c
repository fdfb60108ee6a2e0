// The text form, from PostgreSQL's array_out:
//
//   {e,e,…}              elements, separated by the type's delimiter (',', for box ';'); {} is empty
//   [2:4]={e,e,e}        begins with the bounds when the lower one is not 1
//   {{e,e},{e,e}}        two dimensions
//   e                    NULL, an unquoted word, or "…" in which \ escapes the next byte
#include "connectors/postgres/values/pg_array.h"

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

static void unescape(struct slice text, struct bytes *out)
{
    uint8_t *to = bytes_reserve(out, text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\\' && i + 1 < text.size) {
            i++;
        }
        to[size++] = text.data[i];
    }
    out->size += size;
}

static enum value_step append_element(struct bytes *out, const struct value_type *t,
                                      const struct array_element *element, struct fault *f)
{
    if (!element->is_quoted && slice_equal(element->text, slice_of("NULL"))) {
        avro_encode_long(out, 0);
        return VALUE_DONE;
    }
    avro_encode_long(out, 1);
    if (!element->has_escapes) {
        return t->element->ops->append_text(out, t->element, element->text, f);
    }
    CLEANUP(bytes_clear) struct bytes plain = {0};
    unescape(element->text, &plain);
    return t->element->ops->append_text(out, t->element, bytes_slice(&plain), f);
}

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    struct slice body;
    size_t count;
    if (!find_body(text, &body, f)) {
        return VALUE_FAULT;
    }
    if (body.size > 0 && body.data[0] == '{') {
        (void)refuse(text, "has more than one dimension, which the column's Avro type can't hold", f);
        return VALUE_NONE;
    }
    if (!count_elements(body, t->delimiter, &count, f)) {
        return VALUE_FAULT;
    }
    if (count > 0) {
        avro_encode_long(out, (int64_t)count);
    }
    for (size_t at = 0; at < body.size;) {
        struct array_element element;
        if (!take_element(body, &at, t->delimiter, &element, f)) {
            return VALUE_FAULT;
        }
        enum value_step step = append_element(out, t, &element, f);
        if (step != VALUE_DONE) {
            return step;
        }
    }
    avro_encode_long(out, 0);
    return VALUE_DONE;
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

const struct type_ops PG_ARRAY_NO_PLACEHOLDER = {
    .append_text = append_text,
    .append_zero = append_zero,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_PLACEHOLDER = {
    .append_text = append_text,
    .append_zero = append_zero,
    .append_placeholder = append_placeholder,
    .append_schema = append_schema,
};
const struct type_ops PG_ARRAY_PLACEHOLDER_CODES = {
    .append_text = append_text,
    .append_zero = append_zero,
    .append_placeholder = append_codes,
    .append_schema = append_schema,
};
