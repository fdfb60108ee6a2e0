#include "connectors/postgres/catalogue/pg_default.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "schemas/avro/avro_encode.h"

static const char *const PG_DEFAULT_NOW[] = {"current_timestamp", "current_time", "current_date", "localtime",
                                             "localtimestamp"};

// Whether the expression is a function call, name(…), possibly in parentheses: its value is not known.
static bool is_generated(const char *expression)
{
    for (size_t i = 0; i < COUNT_OF(PG_DEFAULT_NOW); i++) {
        if (strcasecmp(expression, PG_DEFAULT_NOW[i]) == 0) {
            return true;
        }
    }
    const char *at = expression + (expression[0] == '(' ? 1 : 0);
    size_t name = 0;
    while (isalnum((unsigned char)at[name]) || at[name] == '_' || at[name] == '.') {
        name++;
    }
    return name > 0 && at[name] == '(' && strchr(at + name, ')') != NULL;
}

// Appends the text between the first pair of quotes, in which '' is a quote; the whole expression without
// quotes.
static bool append_literal(const char *expression, struct bytes *out)
{
    const char *at = strchr(expression, '\'');
    if (at == NULL) {
        bytes_append_string(out, expression);
        return strncmp(expression, "NULL::", 6) != 0;
    }
    for (at++; *at != '\0'; at++) {
        if (*at == '\'' && at[1] != '\'') {
            return strncmp(expression, "NULL::", 6) != 0;
        }
        at += *at == '\'' ? 1 : 0;
        bytes_append_byte(out, (uint8_t)*at);
    }
    return false;
}

// The placeholder for a value that a function computes; NULL: no default for this type.
static const char *placeholder_of(const struct column *c)
{
    switch (c->type) {
    case COLUMN_BOOLEAN:
        return "false";
    case COLUMN_INT16:
    case COLUMN_INT32:
    case COLUMN_INT64:
    case COLUMN_FLOAT32:
    case COLUMN_FLOAT64:
    case COLUMN_DECIMAL:
        return "0";
    case COLUMN_STRING:
    case COLUMN_XML:
        return "";
    case COLUMN_JSON:
        return "{}";
    case COLUMN_UUID:
        return "00000000-0000-0000-0000-000000000000";
    case COLUMN_DATE:
        return "1970-01-01";
    case COLUMN_TIME_MS:
    case COLUMN_TIME_US:
        return "00:00:00";
    case COLUMN_TIMESTAMP_MS:
    case COLUMN_TIMESTAMP_US:
        return "1970-01-01 00:00:00";
    case COLUMN_ZONED_TIMESTAMP:
        return "1970-01-01 00:00:00+00";
    case COLUMN_BYTES:
    case COLUMN_VARIABLE_DECIMAL:
    case COLUMN_ZONED_TIME:
        return NULL;
    }
    return NULL;
}

// False for types that are strings only because they have no rule, and for those that Debezium gives no
// default.
static bool is_supported(const struct column *c)
{
    bool is_text = c->type_oid == 25 || c->type_oid == 1042 || c->type_oid == 1043;
    return !c->is_array && (c->type != COLUMN_STRING || is_text) && placeholder_of(c) != NULL &&
           c->type_oid != 26;
}

// Appends a number as Java writes it: 0.0 instead of 0. False for NaN and infinities, which JSON does not
// have.
static bool append_json_float(struct bytes *out, const char *text)
{
    if (strspn(text, "0123456789.-+eE") != strlen(text) || text[0] == '\0') {
        return false;
    }
    bytes_append_string(out, text);
    if (strpbrk(text, ".eE") == NULL) {
        bytes_append_string(out, ".0");
    }
    return true;
}

// Appends bytes as a JSON string of the characters U+0000 to U+00FF, Avro's format for defaults.
static void append_json_bytes(struct bytes *out, const uint8_t *data, size_t size)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    for (size_t i = 0; i < size; i++) {
        if (data[i] < 0x80) {
            bytes_append_byte(&text, data[i]);
        } else {
            bytes_append_byte(&text, (uint8_t)(0xc0 | (data[i] >> 6)));
            bytes_append_byte(&text, (uint8_t)(0x80 | (data[i] & 0x3f)));
        }
    }
    text_append_json(out, bytes_slice(&text));
}

static int64_t read_long(const struct bytes *avro, size_t *ret_size)
{
    uint64_t n = 0;
    size_t i = 0;
    for (unsigned shift = 0; i < avro->size && shift < 64; shift += 7) {
        uint8_t byte = avro->data[i++];
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    *ret_size = i;
    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static bool set_json(struct column *c, const char *text)
{
    size_t head;
    int64_t number = read_long(&c->default_avro, &head);
    struct slice body = slice_make(c->default_avro.data + head, c->default_avro.size - head);
    switch (c->type) {
    case COLUMN_BOOLEAN:
        bytes_append_string(&c->default_json, c->default_avro.data[0] == 1 ? "true" : "false");
        return true;
    case COLUMN_FLOAT32:
    case COLUMN_FLOAT64:
        return append_json_float(&c->default_json, text);
    case COLUMN_DECIMAL:
        append_json_bytes(&c->default_json, body.data, body.size);
        return true;
    case COLUMN_STRING:
    case COLUMN_XML:
    case COLUMN_JSON:
    case COLUMN_UUID:
    case COLUMN_ZONED_TIMESTAMP:
    case COLUMN_ZONED_TIME:
        text_append_json(&c->default_json, body);
        return true;
    case COLUMN_INT16:
    case COLUMN_INT32:
    case COLUMN_INT64:
    case COLUMN_DATE:
    case COLUMN_TIME_MS:
    case COLUMN_TIME_US:
    case COLUMN_TIMESTAMP_MS:
    case COLUMN_TIMESTAMP_US:
        bytes_format(&c->default_json, "%lld", (long long)number);
        return true;
    case COLUMN_BYTES:
    case COLUMN_VARIABLE_DECIMAL:
        return false;
    }
    return false;
}

void pg_default_set(struct column *c, const char *expression)
{
    if (expression == NULL || !is_supported(c)) {
        return;
    }
    CLEANUP(bytes_clear) struct bytes literal = {0};
    if (is_generated(expression)) {
        bytes_append_string(&literal, placeholder_of(c));
    } else if (!append_literal(expression, &literal)) {
        return;
    }
    if (c->type == COLUMN_BOOLEAN) {
        bool is_true = strcasecmp(bytes_text(&literal), "true") == 0;
        bytes_reset(&literal);
        bytes_append_byte(&literal, is_true ? 't' : 'f');
    }
    struct fault f;
    if (c->ops->append_text(&c->default_avro, c, bytes_slice(&literal), &f) != VALUE_DONE ||
        !set_json(c, bytes_text(&literal))) {
        bytes_clear(&c->default_avro);
        bytes_clear(&c->default_json);
    }
}
