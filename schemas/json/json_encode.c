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
#include "schemas/json/json_encode.h"

#include "core/base/cursor.h"
#include "schemas/avro/avro_read.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_decimal.h"
#include "schemas/json/json_java.h"
#include "schemas/json/json_text.h"
#include "schemas/json/json_time.h"

enum {
    DEPTH_MAX = 128,
    OUT_BASE = 1024 * 1024,
    OUT_FACTOR = 128,  // a null has one byte in Avro; in JSON a name (at most 63 bytes) and "null"
};

/** One pass over Avro binary along its schema. Plain data. The first failure is kept in `bad` (or `in` is
 * short); every later read returns zeros. */
struct walk {
    struct cursor in;
    struct bytes *out;
    size_t out_max;  // limit of `out`: a few bytes of Avro must not become gigabytes of JSON
    bool int64_as_string;
    bool as_stored;
    bool decimals_as_base64;
    bool is_left_out;  // the value that was read is VALUE_UNCHANGED: its field is left out
    const char *bad;   // static text; NULL: no failure
    uint32_t depth;
};

static void walk_value(struct walk *w, const struct avro_type *type);

static void fail(struct walk *w, const char *why)
{
    if (!w->in.is_short) {
        w->bad = why;
        w->in.is_short = true;
    }
}

static __attribute__((noinline)) int64_t read_long_slow(struct walk *w)
{
    size_t left = cursor_left(&w->in);
    int64_t value = avro_read_long_slow(&w->in);
    if (w->in.is_short && left >= AVRO_READ_LONG_BYTES_MAX) {
        w->bad = "a number of more than 64 bits";
    }
    return value;
}

static inline int64_t read_long(struct walk *w)
{
    bool is_byte = !w->in.is_short && w->in.at < w->in.end && *w->in.at < 0x80;
    return is_byte ? avro_read_long(&w->in) : read_long_slow(w);
}

static int32_t read_int(struct walk *w)
{
    int64_t value = read_long(w);
    if (value < INT32_MIN || value > INT32_MAX) {
        fail(w, "an int of more than 32 bits");
        return 0;
    }
    return (int32_t)value;
}

static __attribute__((noinline)) struct slice read_string_slow(struct walk *w)
{
    int64_t size = read_long(w);
    if (size < 0) {
        fail(w, "a negative size");
        size = 0;
    }
    return cursor_take(&w->in, (size_t)size);
}

static inline struct slice read_string(struct walk *w)
{
    struct cursor *in = &w->in;
    bool is_short_text = !in->is_short && in->at < in->end && (*in->at & 0x81) == 0;
    if (__builtin_expect(is_short_text && in->end - in->at > *in->at / 2, 1)) {
        struct slice text = {in->at + 1, *in->at / 2U};
        in->at += 1 + text.size;
        return text;
    }
    return read_string_slow(w);
}

static bool read_boolean(struct walk *w)
{
    uint8_t byte = cursor_u8(&w->in);
    if (byte > 1) {
        fail(w, "a boolean that is neither 0 nor 1");
    }
    return byte == 1;
}

static void walk_number(struct walk *w, enum avro_meaning meaning, int64_t value, bool is_long)
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

static void walk_float(struct walk *w)
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

static void walk_double(struct walk *w)
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

static void check_size(struct walk *w)
{
    if (w->out->size > w->out_max) {
        fail(w, "its JSON is too large");
    }
}

static void walk_decimal(struct walk *w, struct slice unscaled, int32_t scale)
{
    const char *quote = w->as_stored ? "" : "\"";
    bytes_append_string(w->out, quote);
    if (!json_decimal_append(w->out, unscaled, scale)) {
        fail(w, "a decimal of too many digits");
    }
    bytes_append_string(w->out, quote);
    check_size(w);  // one byte may have a scale of thousands
}

static void walk_bytes(struct walk *w, const struct avro_type *type, struct slice data)
{
    if (type->meaning != AVRO_MEANING_DECIMAL || w->decimals_as_base64) {
        json_text_base64(w->out, data);
    } else {
        walk_decimal(w, data, type->scale);
    }
}

static void walk_text(struct walk *w, const struct avro_type *type)
{
    struct slice text = read_string(w);
    if (type->meaning == AVRO_MEANING_JSON && !w->as_stored && json_check_value(text)) {
        bytes_append_slice(w->out, text);
    } else {
        json_text_string(w->out, text);
    }
}

// The index of a symbol or of a union's branch.
static inline size_t read_index(struct walk *w, const struct avro_type *type, const char *bad)
{
    int64_t index = read_long(w);
    if (index < 0 || (uint64_t)index >= type->count) {
        fail(w, bad);
        index = 0;
    }
    return (size_t)index;
}

// The number of items of the next block, 0 at the end; limited by the bytes left, as an item has at least
// one.
static uint64_t read_block(struct walk *w)
{
    int64_t count = read_long(w);
    if (count < 0) {
        int64_t size = read_long(w);
        if (size < 0 || (uint64_t)size > cursor_left(&w->in)) {
            fail(w, "a block's size beyond the end");
            return 0;
        }
    }
    uint64_t magnitude = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    if (magnitude > cursor_left(&w->in)) {
        fail(w, "more items than bytes");
        return 0;
    }
    return magnitude;
}

static void walk_items(struct walk *w, const struct avro_type *type)
{
    bool is_map = type->kind == AVRO_KIND_MAP;
    bool is_first = true;
    bytes_append_byte(w->out, is_map ? '{' : '[');
    for (uint64_t left = read_block(w); left > 0; left = read_block(w)) {
        while (left-- > 0 && !w->in.is_short) {
            if (!is_first) {
                bytes_append_byte(w->out, ',');
            }
            is_first = false;
            if (is_map) {
                json_text_string(w->out, read_string(w));
                bytes_append_byte(w->out, ':');
            }
            walk_value(w, type->items);
            check_size(w);
        }
    }
    bytes_append_byte(w->out, is_map ? '}' : ']');
}

static inline const struct avro_type *read_branch(struct walk *w, const struct avro_type *type)
{
    return type->branches[read_index(w, type, "a union's index out of range")];
}

static inline void walk_field(struct walk *w, const struct avro_field *field)
{
    struct cursor *in = &w->in;
    bool is_byte = field->pass.is_nullable && !in->is_short && in->at < in->end && (*in->at & ~2) == 0;
    if (!is_byte) {
        walk_value(w, field->type);
        return;
    }
    bool is_null = *in->at++ / 2 == field->pass.null_branch;
    if (is_null) {
        bytes_append(w->out, "null", 4);
    } else {
        walk_value(w, field->pass.type);
    }
}

static void walk_record(struct walk *w, const struct avro_type *type)
{
    if (type->meaning == AVRO_MEANING_VARIABLE_DECIMAL && !w->as_stored) {
        int32_t scale = read_int(w);
        walk_decimal(w, read_string(w), scale);
        return;
    }
    if (type->is_unchanged) {
        w->is_left_out = read_boolean(w);
        bytes_append(w->out, "null", 4);
        return;
    }
    size_t begin = w->out->size;
    const struct avro_field *behind = type->fields + type->count;
    for (const struct avro_field *field = type->fields; field < behind && !w->in.is_short; field++) {
        size_t before = w->out->size;
        bytes_append_padded(w->out, field->label);
        walk_field(w, field);
        if (w->is_left_out) {
            w->is_left_out = false;
            w->out->size = before;
        }
    }
    if (w->out->size == begin) {
        bytes_append_byte(w->out, '{');
    }
    w->out->data[begin] = '{';  // instead of the first label's comma
    bytes_append_byte(w->out, '}');
}

static void walk_nested(struct walk *w, const struct avro_type *type)
{
    if (w->depth == DEPTH_MAX) {
        fail(w, "nested too deep");
        return;
    }
    w->depth++;
    check_size(w);
    if (type->kind == AVRO_KIND_RECORD) {
        walk_record(w, type);
    } else if (type->kind == AVRO_KIND_UNION) {
        walk_value(w, read_branch(w, type));
    } else {
        walk_items(w, type);
    }
    w->depth--;
}

static void walk_value(struct walk *w, const struct avro_type *type)
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
        walk_bytes(w, type, read_string(w));
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

static bool finish(const struct walk *w, struct fault *f)
{
    if (w->bad != NULL) {
        return fault_set(f, FAULT_REJECT, "Avro data: %s", w->bad);
    }
    return cursor_finish(&w->in, "Avro data", f);
}

bool json_encode_datum(const struct avro_type *type, struct slice avro, const struct json_options *options,
                       struct bytes *out, struct fault *f)
{
    size_t before = out->size;
    struct walk w = {
        .in = cursor_over(avro),
        .out = out,
        .out_max = before + OUT_BASE + avro.size * OUT_FACTOR,
        .int64_as_string = options != NULL && options->int64_as_string,
        .as_stored = options != NULL && options->as_stored,
        .decimals_as_base64 = options != NULL && options->decimals_as_base64,
    };
    walk_value(&w, type);
    if (!finish(&w, f)) {
        out->size = before;
        return false;
    }
    return true;
}
