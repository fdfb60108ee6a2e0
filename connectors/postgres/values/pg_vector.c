// The text forms: [1,2.5] and, for sparsevec, {1:1.5,3:2}/5. The binary forms, from vector_send, halfvec_send
// and sparsevec_send: an int16 dimension, an int16 0 and floats or halves; int32 dimensions, int32 count,
// int32 0, the int32 indices from 0 on, the floats.
//
// Debezium reads the text form, so that a vector's double is the number of the float's shortest text.
#include "connectors/postgres/values/pg_vector.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_float.h"
#include "connectors/postgres/values/pg_java_map.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"

static const char SCHEMA_SPARSE[] =
    "{\"type\":\"record\",\"name\":\"SparseDoubleVector\",\"namespace\":\"io.debezium.data\",\"fields\":["
    "{\"name\":\"dimensions\",\"type\":{\"type\":\"int\",\"connect.type\":\"int16\"}},"
    "{\"name\":\"vector\",\"type\":{\"type\":\"array\",\"items\":";

static const char SCHEMA_ENTRY[] =
    "{\"type\":\"record\",\"name\":\"MapEntry\",\"namespace\":\"io.confluent.connect.avro\",\"fields\":["
    "{\"name\":\"key\",\"type\":{\"type\":\"int\",\"connect.type\":\"int16\"}},"
    "{\"name\":\"value\",\"type\":\"double\"}]}";

static const char SCHEMA_SPARSE_NATIVE[] =
    "{\"type\":\"record\",\"name\":\"SparseVector\",\"namespace\":\"millrace.types\",\"fields\":["
    "{\"name\":\"dimensions\",\"type\":\"int\"},"
    "{\"name\":\"vector\",\"type\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"record\",\"name\":\"SparseVectorElement\",\"fields\":["
    "{\"name\":\"key\",\"type\":\"int\"},{\"name\":\"value\",\"type\":\"double\"}]}}}]}";

static const char SCHEMA_SPARSE_END[] = "}}],\"connect.doc\":\"Sparse double vector\",\"connect.version\":1,"
                                        "\"connect.name\":\"io.debezium.data.SparseDoubleVector\"}";

static float take_float(struct cursor *at)
{
    uint32_t bits = cursor_u32(at);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static size_t count_elements(struct slice text)
{
    size_t count = text.size > 2 ? 1 : 0;
    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == ',' ? 1 : 0;
    }
    return count;
}

static bool is_at(struct slice text, size_t at, char mark)
{
    return at < text.size && text.data[at] == (uint8_t)mark;
}

static enum value_step append_text_of(struct bytes *out, struct slice text, bool is_double, struct fault *f)
{
    size_t count = count_elements(text);
    bool is_bad = !is_at(text, 0, '[');
    if (count > 0) {
        avro_encode_long(out, (int64_t)count);
    }
    size_t at = 1;
    for (size_t i = 0; i < count && !is_bad; i++) {
        double value = 0;
        is_bad = !pg_float_take(text, &at, &value) || !is_at(text, at, i + 1 < count ? ',' : ']');
        at++;
        if (is_double) {
            avro_encode_double(out, value);
        } else {
            avro_encode_float(out, (float)value);
        }
    }
    avro_encode_long(out, 0);
    return is_bad || at != (count > 0 ? text.size : 1) || text.size < 2 ? pg_write_refuse("a vector", text, f)
                                                                        : VALUE_DONE;
}

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    (void)t;
    return append_text_of(out, text, true, f);
}

static enum value_step append_half_text(struct bytes *out, const struct value_type *t, struct slice text,
                                        struct fault *f)
{
    (void)t;
    return append_text_of(out, text, false, f);
}

static enum value_step finish(const struct cursor *at, struct slice data, struct fault *f)
{
    bool is_whole = !at->is_short && cursor_left(at) == 0;
    return is_whole ? VALUE_DONE : pg_write_refuse_binary("a vector", data, f);
}

static enum value_step append_floats(struct bytes *out, struct slice data, bool is_half, struct fault *f)
{
    struct cursor at = cursor_over(data);
    uint16_t count = cursor_u16(&at);
    (void)cursor_u16(&at);
    if (count > 0) {
        avro_encode_long(out, count);
    }
    for (uint16_t i = 0; i < count && !at.is_short; i++) {
        if (is_half) {
            avro_encode_float(out, pg_float_from_half(cursor_u16(&at)));
        } else {
            avro_encode_double(out, pg_float_read_back(take_float(&at)));
        }
    }
    avro_encode_long(out, 0);
    return finish(&at, data, f);
}

static enum value_step append_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    (void)t;
    return append_floats(out, data, false, f);
}

static enum value_step append_half_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                          struct fault *f)
{
    (void)t;
    return append_floats(out, data, true, f);
}

static enum value_step write_floats(struct bytes *out, struct slice data, bool is_half, struct fault *f)
{
    struct cursor at = cursor_over(data);
    uint16_t count = cursor_u16(&at);
    (void)cursor_u16(&at);
    bytes_append_byte(out, '[');
    for (uint16_t i = 0; i < count && !at.is_short; i++) {
        bytes_append_string(out, i > 0 ? "," : "");
        pg_float_write_float(out, is_half ? pg_float_from_half(cursor_u16(&at)) : take_float(&at));
    }
    bytes_append_byte(out, ']');
    return finish(&at, data, f);
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    return write_floats(out, data, false, f);
}

static enum value_step write_half_text(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f)
{
    (void)t;
    return write_floats(out, data, true, f);
}

// A sparse vector's entries: the indices, which begin with 1, and the values.
struct sparse {
    int64_t dimensions;
    uint32_t count;
    size_t indices;  // of the entries' indices in the memory behind `out`
    size_t values;
    size_t order;
    size_t begin;
    size_t end;
};

// Memory for the entries and for their order, behind what is appended to `out`.
static void reserve_entries(struct bytes *out, struct sparse *s)
{
    s->begin = out->size;
    size_t align = (0 - out->size) & (sizeof(double) - 1);
    s->values = out->size + align;
    s->indices = s->values + s->count * sizeof(double);
    s->order = s->indices + s->count * sizeof(uint32_t);
    size_t scratch = s->order + s->count * sizeof(uint32_t);
    s->end = scratch + pg_java_map_scratch(s->count) * sizeof(uint32_t);
    (void)bytes_reserve(out, s->end - s->begin);
    out->size = s->end;
}

static void set_entry(struct bytes *out, const struct sparse *s, uint32_t i, uint32_t index, double value)
{
    memcpy(out->data + s->indices + i * sizeof(index), &index, sizeof(index));
    memcpy(out->data + s->values + i * sizeof(value), &value, sizeof(value));
}

// Debezium's dimensions and indices have 16 bits: it fails on larger ones.
static enum value_step append_entries(struct bytes *out, const struct value_type *t, struct sparse *s,
                                      struct fault *f)
{
    if (s->dimensions > INT16_MAX && t->ops != &PG_VECTOR_SPARSE_NATIVE) {
        out->size = s->begin;
        (void)fault_set(
            f, FAULT_REJECT,
            "a sparsevec of %lld dimensions does not fit Debezium's form, which has 16 bits for them",
            (long long)s->dimensions);
        return VALUE_NONE;
    }
    uint32_t *indices = (uint32_t *)(void *)(out->data + s->indices);
    uint32_t *order = (uint32_t *)(void *)(out->data + s->order);
    pg_java_map_order(indices, s->count, order + s->count, order);
    avro_encode_long(out, s->dimensions);
    if (s->count > 0) {
        avro_encode_long(out, s->count);
    }
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t entry;
        uint32_t index;
        double value;
        memcpy(&entry, out->data + s->order + i * sizeof(entry), sizeof(entry));
        memcpy(&index, out->data + s->indices + entry * sizeof(index), sizeof(index));
        memcpy(&value, out->data + s->values + entry * sizeof(value), sizeof(value));
        avro_encode_long(out, index);
        avro_encode_double(out, value);
    }
    avro_encode_long(out, 0);
    size_t size = out->size - s->end;
    memmove(out->data + s->begin, out->data + s->end, size);
    out->size = s->begin + size;
    return VALUE_DONE;
}

static enum value_step append_sparse_text(struct bytes *out, const struct value_type *t, struct slice text,
                                          struct fault *f)
{
    const uint8_t *slash = text.size == 0 ? NULL : memchr(text.data, '/', text.size);
    size_t end = slash == NULL ? 0 : (size_t)(slash - text.data);
    struct sparse s = {.count = (uint32_t)count_elements(slice_make(text.data, end))};
    bool is_bad = end < 2 || !is_at(text, 0, '{') || !is_at(text, end - 1, '}');
    for (size_t i = end + 1; i < text.size && s.dimensions <= INT32_MAX && !is_bad; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            is_bad = true;
            break;
        }
        s.dimensions = s.dimensions * 10 + (text.data[i] - '0');
    }
    is_bad = is_bad || s.dimensions > INT32_MAX;
    size_t begin = out->size;
    reserve_entries(out, &s);
    size_t at = 1;
    for (uint32_t i = 0; i < s.count && !is_bad; i++) {
        double index = 0;
        double value = 0;
        is_bad = !pg_float_take(text, &at, &index) || !is_at(text, at, ':');
        at++;
        is_bad = is_bad || !pg_float_take(text, &at, &value) ||
                 !is_at(text, at, i + 1 < s.count ? ',' : '}') ||
                 !(index >= 1 && index <= (double)s.dimensions);
        at++;
        set_entry(out, &s, i, is_bad ? 0 : (uint32_t)index, value);
    }
    if (is_bad) {
        out->size = begin;
        return pg_write_refuse("a sparsevec", text, f);
    }
    return append_entries(out, t, &s, f);
}

static enum value_step append_sparse_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                            struct fault *f)
{
    struct cursor at = cursor_over(data);
    struct sparse s = {.dimensions = (int32_t)cursor_u32(&at)};
    s.count = cursor_u32(&at);
    (void)cursor_u32(&at);
    if (at.is_short || s.dimensions < 0 || cursor_left(&at) != (size_t)s.count * 8) {
        return pg_write_refuse_binary("a sparsevec", data, f);
    }
    struct cursor values = cursor_over(slice_make(at.at + (size_t)s.count * 4, (size_t)s.count * 4));
    reserve_entries(out, &s);
    bool is_bad = false;
    for (uint32_t i = 0; i < s.count; i++) {
        uint32_t index = cursor_u32(&at);
        is_bad = is_bad || index >= s.dimensions;
        set_entry(out, &s, i, index + 1, pg_float_read_back(take_float(&values)));
    }
    if (is_bad) {
        return pg_write_refuse_binary("a sparsevec", data, f);
    }
    return append_entries(out, t, &s, f);
}

static enum value_step write_sparse_text(struct bytes *out, const struct value_type *t, struct slice data,
                                         struct fault *f)
{
    (void)t;
    struct cursor at = cursor_over(data);
    int32_t dimensions = (int32_t)cursor_u32(&at);
    uint32_t count = cursor_u32(&at);
    (void)cursor_u32(&at);
    if (at.is_short || dimensions < 0 || cursor_left(&at) != (size_t)count * 8) {
        return pg_write_refuse_binary("a sparsevec", data, f);
    }
    struct cursor values = cursor_over(slice_make(at.at + (size_t)count * 4, (size_t)count * 4));
    bytes_append_byte(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        bytes_format(out, "%s%u:", i > 0 ? "," : "", cursor_u32(&at) + 1);
        pg_float_write_float(out, take_float(&values));
    }
    bytes_format(out, "}/%d", dimensions);
    return VALUE_DONE;
}

static void append_sparse_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);  // dimensions
    avro_encode_long(out, 0);
}

static void append_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    (void)io_names;
    bytes_append_string(out, "{\"type\":\"array\",\"items\":\"double\",\"connect.version\":1,"
                             "\"connect.name\":\"io.debezium.data.DoubleVector\"}");
}

static void append_half_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    (void)io_names;
    bytes_append_string(out, "{\"type\":\"array\",\"items\":\"float\",\"connect.version\":1,"
                             "\"connect.name\":\"io.debezium.data.FloatVector\"}");
}

static void append_sparse_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    CLEANUP(bytes_clear) struct bytes record = {0};
    bytes_append_string(&record, SCHEMA_SPARSE);
    pg_write_schema_record(&record, "io.confluent.connect.avro.MapEntry", SCHEMA_ENTRY, "", io_names);
    bytes_append_string(&record, SCHEMA_SPARSE_END);
    pg_write_schema_record(out, "io.debezium.data.SparseDoubleVector", bytes_text(&record), "", io_names);
}

static void append_sparse_native_schema(struct bytes *out, const struct value_type *t,
                                        struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    pg_write_schema_record(out, "millrace.types.SparseVector", SCHEMA_SPARSE_NATIVE, "", io_names);
}

const struct type_ops PG_VECTOR = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = NULL,
    .append_schema = append_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_VECTOR_HALF = {
    .append_text = append_half_text,
    .append_binary = append_half_binary,
    .write_text = write_half_text,
    .append_zero = pg_write_empty,
    .append_placeholder = NULL,
    .append_schema = append_half_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_VECTOR_SPARSE = {
    .append_text = append_sparse_text,
    .append_binary = append_sparse_binary,
    .write_text = write_sparse_text,
    .append_zero = append_sparse_zero,
    .append_placeholder = NULL,
    .append_schema = append_sparse_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_VECTOR_SPARSE_NATIVE = {
    .append_text = append_sparse_text,
    .append_binary = append_sparse_binary,
    .write_text = write_sparse_text,
    .append_zero = append_sparse_zero,
    .append_placeholder = NULL,
    .append_schema = append_sparse_native_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
