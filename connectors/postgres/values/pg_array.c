// The text form, from PostgreSQL's array_out:
//
//   {e,e,…}              elements; {} is empty; all types but box have ',' between elements
//   [2:4]={e,e,e}        with bounds in front when the lower one is not 1
//   {{e,e},{e,e}}        two dimensions
//   e                    NULL, a bare word, or "…" in which \ makes the next byte plain
#include "connectors/postgres/values/pg_array.h"

#include "connectors/postgres/values/pg_text.h"
#include "schemas/avro/avro_encode.h"

struct pg_array_element {
    struct slice text;  // between the quotes, still escaped
    bool is_quoted;
    bool has_escapes;
};

static bool pg_array_bad(struct slice text, const char *why, struct fault *f)
{
    int size = text.size > 64 ? 64 : (int)text.size;
    return fault_set(f, FAULT_REJECT, "array %s: %.*s", why, size, (const char *)text.data);
}

// What is between the outer braces.
static bool pg_array_body(struct slice text, struct slice *ret, struct fault *f)
{
    const uint8_t *at = text.data;
    size_t size = text.size;
    if (size > 0 && at[0] == '[') {
        const uint8_t *equals = memchr(at, '=', size);
        if (equals == NULL) {
            return pg_array_bad(text, "has bounds without an end", f);
        }
        size -= (size_t)(equals + 1 - at);
        at = equals + 1;
    }
    if (size < 2 || at[0] != '{' || at[size - 1] != '}') {
        return pg_array_bad(text, "has no braces", f);
    }
    *ret = slice_make(at + 1, size - 2);
    return true;
}

static bool pg_array_quoted(struct slice body, size_t *at, struct pg_array_element *ret)
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

// Takes the element at `*at` and the comma after it, if there is one.
static bool pg_array_next(struct slice body, size_t *at, struct pg_array_element *ret, struct fault *f)
{
    struct pg_array_element element = {0};
    if (*at < body.size && body.data[*at] == '{') {
        return pg_array_bad(body, "has more than one dimension, which an Avro array column can't say", f);
    }
    if (*at < body.size && body.data[*at] == '"') {
        if (!pg_array_quoted(body, at, &element)) {
            return pg_array_bad(body, "has a quote without an end", f);
        }
    } else {
        size_t from = *at;
        while (*at < body.size && body.data[*at] != ',') {
            ++*at;
        }
        element.text = slice_make(body.data + from, *at - from);
    }
    if (*at < body.size && body.data[*at] != ',') {
        return pg_array_bad(body, "has no comma after an element", f);
    }
    bool is_empty = element.text.size == 0 && !element.is_quoted;
    if (is_empty || *at + 1 == body.size) {
        return pg_array_bad(body, "has a comma without an element", f);
    }
    ++*at;
    *ret = element;
    return true;
}

static bool pg_array_count(struct slice body, size_t *ret, struct fault *f)
{
    size_t count = 0;
    for (size_t at = 0; at < body.size; count++) {
        struct pg_array_element element;
        if (!pg_array_next(body, &at, &element, f)) {
            return false;
        }
    }
    *ret = count;
    return true;
}

static void pg_array_unescape(struct slice text, struct bytes *out)
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

static bool pg_array_append_element(struct bytes *out, const struct column *c,
                                    const struct pg_array_element *element, struct fault *f)
{
    if (!element->is_quoted && slice_equal(element->text, slice_of("NULL"))) {
        avro_encode_long(out, 0);
        return true;
    }
    avro_encode_long(out, 1);
    if (!element->has_escapes) {
        return pg_text_append_scalar(out, c, element->text, f);
    }
    CLEANUP(bytes_clear) struct bytes plain = {0};
    pg_array_unescape(element->text, &plain);
    return pg_text_append_scalar(out, c, bytes_slice(&plain), f);
}

bool pg_array_append(struct bytes *out, const struct column *c, struct slice text, struct fault *f)
{
    struct slice body;
    size_t count;
    if (!pg_array_body(text, &body, f) || !pg_array_count(body, &count, f)) {
        return false;
    }
    if (count > 0) {
        avro_encode_long(out, (int64_t)count);
    }
    for (size_t at = 0; at < body.size;) {
        struct pg_array_element element;
        if (!pg_array_next(body, &at, &element, f) || !pg_array_append_element(out, c, &element, f)) {
            return false;
        }
    }
    avro_encode_long(out, 0);
    return true;
}
