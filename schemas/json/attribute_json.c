// JSON as DynamoDB's attribute values.
#include "schemas/json/attribute_encode.h"

#include "schemas/json/attribute_number.h"

/** Where valid JSON is read. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    struct bytes *out;
};

static void read_value(struct reader *r);

static uint8_t next(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
    return r->at < r->end ? *r->at : '\0';
}

/** Copies a string with its quotes and escapes. */
static void copy_text(struct reader *r)
{
    const uint8_t *begin = r->at++;
    while (r->at < r->end && *r->at != '"') {
        r->at += *r->at == '\\' ? 2 : 1;
    }
    r->at++;
    bytes_append(r->out, begin, (size_t)(r->at - begin));
}

static void read_number(struct reader *r)
{
    const uint8_t *begin = r->at;
    while (r->at < r->end && *r->at != '\0' && strchr("+-.0123456789eE", *r->at) != NULL) {
        r->at++;
    }
    attribute_number_append(r->out, slice_make(begin, (size_t)(r->at - begin)));
}

/** The items between brackets of either kind, which it copies. */
static void read_items(struct reader *r)
{
    uint8_t closing = *r->at == '{' ? '}' : ']';
    bytes_append_byte(r->out, *r->at++);
    while (next(r) != closing) {
        if (*r->at == ',') {
            bytes_append_byte(r->out, *r->at++);
            (void)next(r);
        }
        if (closing == '}') {
            copy_text(r);
            (void)next(r);
            bytes_append_byte(r->out, *r->at++);  // the colon
        }
        read_value(r);
    }
    bytes_append_byte(r->out, *r->at++);
}

static void put_word(struct reader *r, const char *word, const char *value)
{
    r->at += strlen(word);
    bytes_append_string(r->out, value);
}

static void read_value(struct reader *r)
{
    switch (next(r)) {
    case '{':
    case '[':
        bytes_append_string(r->out, *r->at == '{' ? "{\"M\":" : "{\"L\":");
        read_items(r);
        bytes_append_byte(r->out, '}');
        return;
    case '"':
        bytes_append_string(r->out, "{\"S\":");
        copy_text(r);
        bytes_append_byte(r->out, '}');
        return;
    case 't':
        put_word(r, "true", "{\"BOOL\":true}");
        return;
    case 'f':
        put_word(r, "false", "{\"BOOL\":false}");
        return;
    case 'n':
        put_word(r, "null", "{\"NULL\":true}");
        return;
    default:
        read_number(r);
        return;
    }
}

void attribute_encode_json(struct bytes *out, struct slice json)
{
    struct reader r = {json.data, json.data + json.size, out};
    read_value(&r);
}

void attribute_encode_json_members(struct bytes *out, struct slice json)
{
    struct reader r = {json.data, json.data + json.size, out};
    (void)next(&r);
    read_items(&r);
}
