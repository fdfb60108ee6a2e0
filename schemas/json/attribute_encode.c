#include "schemas/json/attribute_encode.h"

#include "core/base/cursor.h"
#include "schemas/avro/avro_read.h"
#include "schemas/json/attribute_number.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_decimal.h"
#include "schemas/json/json_text.h"
#include "schemas/json/json_time.h"

enum {
    DEPTH_MAX = 128,
    OUT_BASE = 1024 * 1024,
    OUT_FACTOR = 128,  // a null has one byte in Avro; here a name (at most 63 bytes) and {"NULL":true}
    NUMBER_BYTES_MAX = 40,
};

/** One pass over Avro binary along its schema. The first failure is kept in `bad`, or `in` is short. */
struct walk {
    struct cursor in;
    struct bytes *out;
    size_t out_max;
    const char *bad;  // static text; NULL: no failure
    uint32_t depth;
    bool is_left_out;  // the value that was read is VALUE_UNCHANGED: its field is left out
};

static void walk_value(struct walk *w, const struct avro_type *type);

static void fail(struct walk *w, const char *why)
{
    if (!w->in.is_short) {
        w->bad = why;
        w->in.is_short = true;
    }
}

static int32_t read_int(struct walk *w)
{
    int64_t value = avro_read_long(&w->in);
    if (value < INT32_MIN || value > INT32_MAX) {
        fail(w, "an int of more than 32 bits");
        return 0;
    }
    return (int32_t)value;
}

static void walk_integer(struct walk *w, int64_t value)
{
    bytes_append_string(w->out, "{\"N\":\"");
    json_text_integer(w->out, value);
    bytes_append_string(w->out, "\"}");
}

/** Dates and times, as JSON strings; false: it is a plain number, or a time that has no such form. */
static bool append_time(struct bytes *out, enum avro_meaning meaning, int64_t value)
{
    size_t begin = out->size;
    switch (meaning) {
    case AVRO_MEANING_DATE:
        json_time_date(out, value);
        break;
    case AVRO_MEANING_TIME_MS:
    case AVRO_MEANING_TIME_US:
    case AVRO_MEANING_TIME_NS:
        json_time_of_day(out, value, 3 * (size_t)(meaning - AVRO_MEANING_TIME_MS + 1));
        break;
    case AVRO_MEANING_LOCAL_MS:
    case AVRO_MEANING_LOCAL_US:
    case AVRO_MEANING_LOCAL_NS:
        json_time_timestamp(out, value, 3 * (size_t)(meaning - AVRO_MEANING_LOCAL_MS + 1), "");
        break;
    case AVRO_MEANING_INSTANT_MS:
    case AVRO_MEANING_INSTANT_US:
    case AVRO_MEANING_INSTANT_NS:
        json_time_timestamp(out, value, 3 * (size_t)(meaning - AVRO_MEANING_INSTANT_MS + 1), "Z");
        break;
    case AVRO_MEANING_NONE:
    case AVRO_MEANING_DECIMAL:
    case AVRO_MEANING_VARIABLE_DECIMAL:
    case AVRO_MEANING_JSON:
        return false;
    }
    bool is_text = out->data[begin] == '"';
    out->size = is_text ? out->size : begin;
    return is_text;
}

static void walk_number(struct walk *w, enum avro_meaning meaning, int64_t value)
{
    size_t begin = w->out->size;
    if (meaning == AVRO_MEANING_NONE) {
        walk_integer(w, value);
        return;
    }
    bytes_append_string(w->out, "{\"S\":");
    if (append_time(w->out, meaning, value)) {
        bytes_append_byte(w->out, '}');
        return;
    }
    w->out->size = begin;
    walk_integer(w, value);
}

/** Makes an attribute value of the number, or of the quoted word, that was appended at `begin`. */
static void tag_number(struct bytes *out, size_t begin)
{
    uint8_t text[NUMBER_BYTES_MAX];
    size_t size = out->size - begin;
    INVARIANT(size <= sizeof(text));
    memcpy(text, out->data + begin, size);
    out->size = begin;
    if (text[0] != '"') {
        attribute_number_append(out, slice_make(text, size));
        return;
    }
    bytes_append_string(out, "{\"S\":");
    bytes_append(out, text, size);
    bytes_append_byte(out, '}');
}

static void walk_float(struct walk *w)
{
    uint32_t bits = __builtin_bswap32(cursor_u32(&w->in));
    float value = 0;
    memcpy(&value, &bits, sizeof value);
    size_t begin = w->out->size;
    json_text_float(w->out, value);
    tag_number(w->out, begin);
}

static void walk_double(struct walk *w)
{
    uint64_t bits = __builtin_bswap64(cursor_u64(&w->in));
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    size_t begin = w->out->size;
    json_text_double(w->out, value);
    tag_number(w->out, begin);
}

static void check_size(struct walk *w)
{
    if (w->out->size > w->out_max) {
        fail(w, "its JSON is too large");
    }
}

/** Most decimals are short: they are written where they stay. */
static void walk_decimal(struct walk *w, struct slice unscaled, int32_t scale)
{
    static const char OPENING[] = "{\"N\":\"";
    struct bytes *out = w->out;
    size_t begin = out->size;
    bytes_append_string(out, OPENING);
    size_t digits_at = out->size;
    if (!json_decimal_append(out, unscaled, scale)) {
        fail(w, "a decimal of too many digits");
    }
    check_size(w);  // one byte may have a scale of thousands
    if (out->size - digits_at < NUMBER_BYTES_MAX - 2) {
        bytes_append_string(out, "\"}");
        return;
    }
    CLEANUP(bytes_clear) struct bytes text = {0};
    bytes_append(&text, out->data + digits_at, out->size - digits_at);
    out->size = begin;
    attribute_number_append(out, bytes_slice(&text));
}

static void walk_bytes(struct walk *w, const struct avro_type *type, struct slice data)
{
    if (type->meaning == AVRO_MEANING_DECIMAL) {
        walk_decimal(w, data, type->scale);
        return;
    }
    bytes_append_string(w->out, "{\"B\":");
    json_text_base64(w->out, data);
    bytes_append_byte(w->out, '}');
}

static void walk_text(struct walk *w, const struct avro_type *type)
{
    struct slice text = avro_read_bytes(&w->in);
    if (type->meaning == AVRO_MEANING_JSON && json_check_value(text)) {
        attribute_encode_json(w->out, text);
        return;
    }
    bytes_append_string(w->out, "{\"S\":");
    json_text_string(w->out, text);
    bytes_append_byte(w->out, '}');
}

static void walk_enum(struct walk *w, const struct avro_type *type)
{
    bytes_append_string(w->out, "{\"S\":");
    bytes_append_slice(w->out, type->symbols[avro_read_index(&w->in, type->count)]);
    bytes_append_byte(w->out, '}');
}

static void walk_boolean(struct walk *w)
{
    uint8_t byte = cursor_u8(&w->in);
    if (byte > 1) {
        fail(w, "a boolean that is neither 0 nor 1");
    }
    bytes_append_string(w->out, byte == 1 ? "{\"BOOL\":true}" : "{\"BOOL\":false}");
}

static void walk_items(struct walk *w, const struct avro_type *type)
{
    bool is_map = type->kind == AVRO_KIND_MAP;
    bool is_first = true;
    bytes_append_byte(w->out, is_map ? '{' : '[');
    for (uint64_t left = avro_read_block(&w->in); left > 0; left = avro_read_block(&w->in)) {
        for (; left > 0 && !w->in.is_short; left--) {
            if (!is_first) {
                bytes_append_byte(w->out, ',');
            }
            is_first = false;
            if (is_map) {
                json_text_string(w->out, avro_read_bytes(&w->in));
                bytes_append_byte(w->out, ':');
            }
            walk_value(w, type->items);
            check_size(w);
        }
    }
    bytes_append_byte(w->out, is_map ? '}' : ']');
}

static void walk_fields(struct walk *w, const struct avro_type *type)
{
    size_t begin = w->out->size;
    for (size_t i = 0; i < type->count && !w->in.is_short; i++) {
        size_t before = w->out->size;
        bytes_append_padded(w->out, type->fields[i].label);
        walk_value(w, type->fields[i].type);
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

static void walk_members(struct walk *w, const struct avro_type *type)
{
    if (w->depth == DEPTH_MAX) {
        fail(w, "nested too deep");
        return;
    }
    w->depth++;
    check_size(w);
    if (type->kind == AVRO_KIND_RECORD) {
        walk_fields(w, type);
    } else {
        walk_items(w, type);
    }
    w->depth--;
}

static void walk_nested(struct walk *w, const struct avro_type *type)
{
    if (type->meaning == AVRO_MEANING_VARIABLE_DECIMAL) {
        int32_t scale = read_int(w);
        walk_decimal(w, avro_read_bytes(&w->in), scale);
        return;
    }
    if (type->is_unchanged) {
        walk_boolean(w);
        w->is_left_out = true;
        return;
    }
    bytes_append_string(w->out, type->kind == AVRO_KIND_ARRAY ? "{\"L\":" : "{\"M\":");
    walk_members(w, type);
    bytes_append_byte(w->out, '}');
}

static void walk_value(struct walk *w, const struct avro_type *type)
{
    type = avro_read_branch(&w->in, type);
    switch (type->kind) {
    case AVRO_KIND_NULL:
        bytes_append_string(w->out, "{\"NULL\":true}");
        return;
    case AVRO_KIND_BOOLEAN:
        walk_boolean(w);
        return;
    case AVRO_KIND_INT:
        walk_number(w, type->meaning, read_int(w));
        return;
    case AVRO_KIND_LONG:
        walk_number(w, type->meaning, avro_read_long(&w->in));
        return;
    case AVRO_KIND_FLOAT:
        walk_float(w);
        return;
    case AVRO_KIND_DOUBLE:
        walk_double(w);
        return;
    case AVRO_KIND_BYTES:
        walk_bytes(w, type, avro_read_bytes(&w->in));
        return;
    case AVRO_KIND_FIXED:
        walk_bytes(w, type, cursor_take(&w->in, type->size));
        return;
    case AVRO_KIND_STRING:
        walk_text(w, type);
        return;
    case AVRO_KIND_ENUM:
        walk_enum(w, type);
        return;
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
    case AVRO_KIND_RECORD:
        walk_nested(w, type);
        return;
    case AVRO_KIND_UNION:  // a union has no union in it
        fail(w, "a union in a union");
        return;
    }
}

/** Walks with that function; false: `out` is as before. */
static bool walk_all(void (*start)(struct walk *w, const struct avro_type *type),
                     const struct avro_type *type, struct slice avro, struct bytes *out, struct fault *f)
{
    size_t before = out->size;
    struct walk w = {
        .in = cursor_over(avro), .out = out, .out_max = before + OUT_BASE + avro.size * OUT_FACTOR};
    start(&w, type);
    if (w.bad == NULL && cursor_finish(&w.in, "Avro data", f)) {
        return true;
    }
    out->size = before;
    return w.bad == NULL ? false : fault_set(f, FAULT_REJECT, "Avro data: %s", w.bad);
}

bool attribute_encode_members(const struct avro_type *type, struct slice avro, struct bytes *out,
                              struct fault *f)
{
    return walk_all(walk_members, type, avro, out, f);
}

bool attribute_encode_datum(const struct avro_type *type, struct slice avro, struct bytes *out,
                            struct fault *f)
{
    return walk_all(walk_value, type, avro, out, f);
}
