// The format of Avro binary:
//
//   null             nothing             boolean   one byte, 0 or 1
//   int, long        zig-zag, 7 bits a byte, low bits first
//   float, double    4, 8 bytes, little-endian
//   bytes, string    long size, bytes    fixed     its bytes        enum   int index
//   array, map       blocks: long count, items; a negative count is followed by the block's size in bytes;
//   count 0 ends union            long index, value   record    its fields in order
//
// Source: Apache Avro 1.11, "Binary Encoding".
#include "schemas/json/json_walk.h"

#include "schemas/avro/avro_read.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_decimal.h"
#include "schemas/json/json_java.h"
#include "schemas/json/json_text.h"
#include "schemas/json/json_time.h"

enum {
    JSON_WALK_DEPTH_MAX = 128,
    JSON_WALK_OUT_BASE = 1024 * 1024,
    JSON_WALK_OUT_FACTOR = 128,  // a null has one byte in Avro; in JSON a name (at most 63 bytes) and "null"
};

void json_walk_begin(struct json_walk *w, struct slice avro, const struct json_options *options,
                     struct bytes *out)
{
    *w = (struct json_walk){
        .in = cursor_over(avro),
        .out = out,
        .out_max = out->size + JSON_WALK_OUT_BASE + avro.size * JSON_WALK_OUT_FACTOR,
        .int64_as_string = options != NULL && options->int64_as_string,
        .as_stored = options != NULL && options->as_stored,
    };
}

void json_walk_fail(struct json_walk *w, const char *why)
{
    if (!w->in.is_short) {
        w->bad = why;
        w->in.is_short = true;
    }
}

bool json_walk_finish(const struct json_walk *w, struct fault *f)
{
    if (w->bad != NULL) {
        return fault_set(f, FAULT_REJECT, "Avro data: %s", w->bad);
    }
    return cursor_finish(&w->in, "Avro data", f);
}

static __attribute__((noinline)) int64_t read_long_slow(struct json_walk *w)
{
    size_t left = cursor_left(&w->in);
    int64_t value = avro_read_long_slow(&w->in);
    if (w->in.is_short && left >= AVRO_READ_LONG_BYTES_MAX) {
        w->bad = "a number of more than 64 bits";
    }
    return value;
}

static inline int64_t read_long(struct json_walk *w)
{
    bool is_byte = !w->in.is_short && w->in.at < w->in.end && *w->in.at < 0x80;
    return is_byte ? avro_read_long(&w->in) : read_long_slow(w);
}

static int32_t read_int(struct json_walk *w)
{
    int64_t value = read_long(w);
    if (value < INT32_MIN || value > INT32_MAX) {
        json_walk_fail(w, "an int of more than 32 bits");
        return 0;
    }
    return (int32_t)value;
}

struct slice json_walk_string(struct json_walk *w)
{
    int64_t size = read_long(w);
    if (size < 0) {
        json_walk_fail(w, "a negative size");
        size = 0;
    }
    return cursor_take(&w->in, (size_t)size);
}

static bool read_boolean(struct json_walk *w)
{
    uint8_t byte = cursor_u8(&w->in);
    if (byte > 1) {
        json_walk_fail(w, "a boolean that is neither 0 nor 1");
    }
    return byte == 1;
}

static void walk_number(struct json_walk *w, enum avro_meaning meaning, int64_t value, bool is_long)
{
    switch (w->as_stored ? AVRO_MEANING_NONE : meaning) {
    case AVRO_MEANING_DATE:
        json_time_date(w->out, value);
        return;
    case AVRO_MEANING_TIME_MS:
    case AVRO_MEANING_TIME_US:
    case AVRO_MEANING_TIME_NS:
        json_time_of_day(w->out, value, 3 * (size_t)(meaning - AVRO_MEANING_TIME_MS + 1));
        return;
    case AVRO_MEANING_LOCAL_MS:
    case AVRO_MEANING_LOCAL_US:
    case AVRO_MEANING_LOCAL_NS:
        json_time_timestamp(w->out, value, 3 * (size_t)(meaning - AVRO_MEANING_LOCAL_MS + 1), "");
        return;
    case AVRO_MEANING_INSTANT_MS:
    case AVRO_MEANING_INSTANT_US:
    case AVRO_MEANING_INSTANT_NS:
        json_time_timestamp(w->out, value, 3 * (size_t)(meaning - AVRO_MEANING_INSTANT_MS + 1), "Z");
        return;
    case AVRO_MEANING_NONE:
    case AVRO_MEANING_DECIMAL:
    case AVRO_MEANING_VARIABLE_DECIMAL:
    case AVRO_MEANING_JSON:
        break;
    }
    bool is_quoted = is_long && w->int64_as_string;
    if (is_quoted) {
        bytes_append_byte(w->out, '"');
    }
    json_text_integer(w->out, value);
    if (is_quoted) {
        bytes_append_byte(w->out, '"');
    }
}

static void walk_float(struct json_walk *w)
{
    uint32_t bits = __builtin_bswap32(cursor_u32(&w->in));
    float value = 0;
    memcpy(&value, &bits, sizeof value);
    if (w->as_stored) {
        json_java_float(w->out, value);
    } else {
        json_text_float(w->out, value);
    }
}

static void walk_double(struct json_walk *w)
{
    uint64_t bits = __builtin_bswap64(cursor_u64(&w->in));
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    if (w->as_stored) {
        json_java_double(w->out, value);
    } else {
        json_text_double(w->out, value);
    }
}

static void walk_decimal(struct json_walk *w, struct slice unscaled, int32_t scale)
{
    const char *quote = w->as_stored ? "" : "\"";
    bytes_append_string(w->out, quote);
    if (!json_decimal_append(w->out, unscaled, scale)) {
        json_walk_fail(w, "a decimal of too many digits");
    }
    bytes_append_string(w->out, quote);
}

static void walk_bytes(struct json_walk *w, const struct avro_type *type, struct slice data)
{
    if (type->meaning != AVRO_MEANING_DECIMAL) {
        json_text_base64(w->out, data);
    } else {
        walk_decimal(w, data, type->scale);
    }
}

static void walk_text(struct json_walk *w, const struct avro_type *type)
{
    struct slice text = json_walk_string(w);
    if (type->meaning == AVRO_MEANING_JSON && !w->as_stored && json_check_value(text)) {
        bytes_append_slice(w->out, text);
    } else {
        json_text_string(w->out, text);
    }
}

// The index of a symbol or of a union's branch.
static inline size_t read_index(struct json_walk *w, const struct avro_type *type, const char *bad)
{
    int64_t index = read_long(w);
    if (index < 0 || (uint64_t)index >= type->count) {
        json_walk_fail(w, bad);
        index = 0;
    }
    return (size_t)index;
}

// The number of items of the next block, 0 at the end; limited by the bytes left, as an item has at least
// one.
static uint64_t read_block(struct json_walk *w)
{
    int64_t count = read_long(w);
    if (count < 0) {
        int64_t size = read_long(w);
        if (size < 0 || (uint64_t)size > cursor_left(&w->in)) {
            json_walk_fail(w, "a block's size beyond the end");
            return 0;
        }
    }
    uint64_t magnitude = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    if (magnitude > cursor_left(&w->in)) {
        json_walk_fail(w, "more items than bytes");
        return 0;
    }
    return magnitude;
}

static void check_size(struct json_walk *w)
{
    if (w->out->size > w->out_max) {
        json_walk_fail(w, "its JSON is too large");
    }
}

static void walk_items(struct json_walk *w, const struct avro_type *type)
{
    bool is_map = type->kind == AVRO_KIND_MAP;
    bool is_first = true;
    bytes_append_byte(w->out, is_map ? '{' : '[');
    for (uint64_t left = read_block(w); left > 0; left = read_block(w)) {
        while (left-- > 0 && !json_walk_has_failed(w)) {
            if (!is_first) {
                bytes_append_byte(w->out, ',');
            }
            is_first = false;
            if (is_map) {
                json_text_string(w->out, json_walk_string(w));
                bytes_append_byte(w->out, ':');
            }
            json_walk_value(w, type->items);
            check_size(w);
        }
    }
    bytes_append_byte(w->out, is_map ? '}' : ']');
}

static inline const struct avro_type *read_branch(struct json_walk *w, const struct avro_type *type)
{
    return type->branches[read_index(w, type, "a union's index out of range")];
}

static void walk_record(struct json_walk *w, const struct avro_type *type)
{
    if (type->meaning == AVRO_MEANING_VARIABLE_DECIMAL && !w->as_stored) {
        int32_t scale = read_int(w);
        walk_decimal(w, json_walk_string(w), scale);
        return;
    }
    bytes_append_byte(w->out, '{');
    for (size_t i = 0; i < type->count && !json_walk_has_failed(w); i++) {
        if (i > 0) {
            bytes_append_byte(w->out, ',');
        }
        bytes_append_slice(w->out, type->fields[i].label);
        json_walk_value(w, type->fields[i].type);
    }
    bytes_append_byte(w->out, '}');
}

static void walk_nested(struct json_walk *w, const struct avro_type *type)
{
    if (w->depth == JSON_WALK_DEPTH_MAX) {
        json_walk_fail(w, "nested too deep");
        return;
    }
    w->depth++;
    check_size(w);
    if (type->kind == AVRO_KIND_RECORD) {
        walk_record(w, type);
    } else if (type->kind == AVRO_KIND_UNION) {
        json_walk_value(w, read_branch(w, type));
    } else {
        walk_items(w, type);
    }
    w->depth--;
}

void json_walk_value(struct json_walk *w, const struct avro_type *type)
{
    if (type->kind == AVRO_KIND_UNION) {
        type = read_branch(w, type);
    }
    switch (type->kind) {
    case AVRO_KIND_NULL:
        bytes_append(w->out, "null", 4);
        return;
    case AVRO_KIND_BOOLEAN:
        bytes_append_string(w->out, read_boolean(w) ? "true" : "false");
        return;
    case AVRO_KIND_INT:
        walk_number(w, type->meaning, read_int(w), false);
        return;
    case AVRO_KIND_LONG:
        walk_number(w, type->meaning, read_long(w), true);
        return;
    case AVRO_KIND_FLOAT:
        walk_float(w);
        return;
    case AVRO_KIND_DOUBLE:
        walk_double(w);
        return;
    case AVRO_KIND_BYTES:
        walk_bytes(w, type, json_walk_string(w));
        return;
    case AVRO_KIND_FIXED:
        walk_bytes(w, type, cursor_take(&w->in, type->size));
        return;
    case AVRO_KIND_STRING:
        walk_text(w, type);
        return;
    case AVRO_KIND_ENUM:
        bytes_append_slice(w->out, type->symbols[read_index(w, type, "an enum's index out of range")]);
        return;
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
    case AVRO_KIND_UNION:
    case AVRO_KIND_RECORD:
        walk_nested(w, type);
        return;
    }
}

// Arrays and maps are rare where values are skipped: they are encoded, and the output is cut off again.
static void skip_items(struct json_walk *w, const struct avro_type *type)
{
    size_t size = w->out->size;
    json_walk_value(w, type);
    w->out->size = size;
}

static void skip_nested(struct json_walk *w, const struct avro_type *type)
{
    if (w->depth == JSON_WALK_DEPTH_MAX) {
        json_walk_fail(w, "nested too deep");
        return;
    }
    w->depth++;
    if (type->kind == AVRO_KIND_UNION) {
        json_walk_skip(w, read_branch(w, type));
    }
    for (size_t i = 0; type->kind == AVRO_KIND_RECORD && i < type->count && !json_walk_has_failed(w); i++) {
        json_walk_skip(w, type->fields[i].type);
    }
    w->depth--;
}

void json_walk_skip(struct json_walk *w, const struct avro_type *type)
{
    if (type->kind == AVRO_KIND_UNION) {
        type = read_branch(w, type);
    }
    switch (type->kind) {
    case AVRO_KIND_NULL:
        return;
    case AVRO_KIND_BOOLEAN:
        (void)read_boolean(w);
        return;
    case AVRO_KIND_INT:
        (void)read_int(w);
        return;
    case AVRO_KIND_LONG:
        (void)read_long(w);
        return;
    case AVRO_KIND_FLOAT:
        (void)cursor_u32(&w->in);
        return;
    case AVRO_KIND_DOUBLE:
        (void)cursor_u64(&w->in);
        return;
    case AVRO_KIND_BYTES:
    case AVRO_KIND_STRING:
        (void)json_walk_string(w);
        return;
    case AVRO_KIND_FIXED:
        (void)cursor_take(&w->in, type->size);
        return;
    case AVRO_KIND_ENUM:
        (void)read_index(w, type, "an enum's index out of range");
        return;
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
        skip_items(w, type);
        return;
    case AVRO_KIND_UNION:
    case AVRO_KIND_RECORD:
        skip_nested(w, type);
        return;
    }
}

int64_t json_walk_peek_long(const struct json_walk *w, const struct avro_type *type)
{
    struct json_walk probe = *w;
    if (type->kind == AVRO_KIND_UNION) {
        type = read_branch(&probe, type);
    }
    bool is_number = type->kind == AVRO_KIND_LONG || type->kind == AVRO_KIND_INT;
    return is_number ? read_long(&probe) : 0;
}
