// Debezium reads a value into a Java HashMap and writes the pairs in that map's order.
#include "connectors/postgres/values/pg_hstore.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_hstore_read.h"
#include "connectors/postgres/values/pg_java_map.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

static void append_plain(struct bytes *out, const struct pg_hstore_text *text)
{
    if (text->escapes == 0) {
        bytes_append_slice(out, text->data);
        return;
    }
    for (size_t i = 0; i < text->data.size; i++) {
        i += text->data.data[i] == '\\' ? 1 : 0;
        bytes_append_byte(out, text->data.data[i]);
    }
}

static uint32_t hash_key(struct bytes *out, const struct pg_hstore_text *key)
{
    if (key->escapes == 0) {
        return pg_java_map_hash(key->data);
    }
    size_t begin = out->size;
    append_plain(out, key);
    uint32_t hash = pg_java_map_hash(slice_make(out->data + begin, out->size - begin));
    out->size = begin;
    return hash;
}

// The pairs' places in the order of the map, in memory behind what is appended to `out`.
struct hstore_order {
    size_t begin;   // of the memory in `out`
    size_t places;  // of the pairs' places by number
    size_t order;   // of the pairs' numbers in order
    size_t end;
};

static uint32_t *numbers_at(struct bytes *out, size_t at)
{
    return (uint32_t *)(void *)(out->data + at);
}

static struct hstore_order order_pairs(struct bytes *out, const struct pg_hstore *h, size_t count)
{
    struct hstore_order o = {.begin = out->size};
    size_t size = count * sizeof(uint32_t);
    size_t align = (0 - out->size) & (sizeof(uint32_t) - 1);
    size_t hashes = out->size + align;
    o.places = hashes + size;
    o.order = o.places + size;
    size_t scratch = o.order + size;
    o.end = scratch + pg_java_map_scratch(count) * sizeof(uint32_t);
    (void)bytes_reserve(out, o.end - o.begin);
    out->size = o.end;
    size_t at = pg_hstore_begin(h);
    for (size_t i = 0; i < count; i++) {
        struct pg_hstore_pair pair;
        size_t place = at;
        (void)pg_hstore_take(h, &at, &pair);
        uint32_t hash = hash_key(out, &pair.key);
        numbers_at(out, hashes)[i] = hash;
        numbers_at(out, o.places)[i] = (uint32_t)place;
    }
    pg_java_map_order(numbers_at(out, hashes), count, numbers_at(out, scratch), numbers_at(out, o.order));
    return o;
}

static struct pg_hstore_pair pair_at(struct bytes *out, const struct pg_hstore *h,
                                     const struct hstore_order *o, size_t i)
{
    struct pg_hstore_pair pair = {0};
    size_t at = numbers_at(out, o->places)[numbers_at(out, o->order)[i]];
    (void)pg_hstore_take(h, &at, &pair);
    return pair;
}

// Moves what was appended behind the order into its place.
static void drop_order(struct bytes *out, const struct hstore_order *o)
{
    size_t size = out->size - o->end;
    memmove(out->data + o->begin, out->data + o->end, size);
    out->size = o->begin + size;
}

// As Jackson writes it: upper-case hex digits, U+007F unescaped.
static void append_json_byte(struct bytes *out, uint8_t byte)
{
    static const char short_escapes[] = "btn\0fr";  // from U+0008
    if (byte == '"' || byte == '\\') {
        bytes_append_byte(out, '\\');
        bytes_append_byte(out, byte);
    } else if (byte >= 0x20) {
        bytes_append_byte(out, byte);
    } else if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        bytes_append_byte(out, '\\');
        bytes_append_byte(out, (uint8_t)short_escapes[byte - 0x08]);
    } else {
        bytes_append_string(out, "\\u00");
        bytes_append_byte(out, byte >= 0x10 ? '1' : '0');
        bytes_append_byte(out, (uint8_t) "0123456789ABCDEF"[byte & 15]);
    }
}

static void append_json_text(struct bytes *out, const struct pg_hstore_text *text)
{
    if (text->is_null) {
        bytes_append_string(out, "null");
        return;
    }
    bytes_append_byte(out, '"');
    for (size_t i = 0; i < text->data.size; i++) {
        i += text->escapes > 0 && text->data.data[i] == '\\' ? 1 : 0;
        append_json_byte(out, text->data.data[i]);
    }
    bytes_append_byte(out, '"');
}

static enum value_step append_json(struct bytes *out, const struct pg_hstore *h, struct fault *f)
{
    size_t count;
    if (!pg_hstore_count(h, &count)) {
        return pg_hstore_refuse(h, f);
    }
    struct hstore_order o = order_pairs(out, h, count);
    bytes_append_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        struct pg_hstore_pair pair = pair_at(out, h, &o, i);
        bytes_append_string(out, i > 0 ? "," : "");
        append_json_text(out, &pair.key);
        bytes_append_byte(out, ':');
        append_json_text(out, &pair.value);
    }
    bytes_append_byte(out, '}');
    drop_order(out, &o);
    pg_write_length(out, o.begin);
    return VALUE_DONE;
}

static void append_avro_text(struct bytes *out, const struct pg_hstore_text *text)
{
    avro_encode_long(out, (int64_t)(text->data.size - text->escapes));
    append_plain(out, text);
}

static enum value_step append_map(struct bytes *out, const struct pg_hstore *h, struct fault *f)
{
    size_t count;
    if (!pg_hstore_count(h, &count)) {
        return pg_hstore_refuse(h, f);
    }
    struct hstore_order o = order_pairs(out, h, count);
    if (count > 0) {
        avro_encode_long(out, (int64_t)count);
    }
    for (size_t i = 0; i < count; i++) {
        struct pg_hstore_pair pair = pair_at(out, h, &o, i);
        append_avro_text(out, &pair.key);
        avro_encode_long(out, pair.value.is_null ? 0 : 1);
        if (!pair.value.is_null) {
            append_avro_text(out, &pair.value);
        }
    }
    avro_encode_long(out, 0);
    drop_order(out, &o);
    return VALUE_DONE;
}

static enum value_step append_text_json(struct bytes *out, const struct value_type *t, struct slice text,
                                        struct fault *f)
{
    (void)t;
    struct pg_hstore h = {text, false};
    return append_json(out, &h, f);
}

static enum value_step append_binary_json(struct bytes *out, const struct value_type *t, struct slice data,
                                          struct fault *f)
{
    (void)t;
    struct pg_hstore h = {data, true};
    return append_json(out, &h, f);
}

static enum value_step append_text_map(struct bytes *out, const struct value_type *t, struct slice text,
                                       struct fault *f)
{
    (void)t;
    struct pg_hstore h = {text, false};
    return append_map(out, &h, f);
}

static enum value_step append_binary_map(struct bytes *out, const struct value_type *t, struct slice data,
                                         struct fault *f)
{
    (void)t;
    struct pg_hstore h = {data, true};
    return append_map(out, &h, f);
}

static void write_quoted(struct bytes *out, struct slice text)
{
    bytes_append_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            bytes_append_byte(out, '\\');
        }
        bytes_append_byte(out, text.data[i]);
    }
    bytes_append_byte(out, '"');
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    struct pg_hstore h = {data, true};
    size_t count;
    if (!pg_hstore_count(&h, &count)) {
        return pg_hstore_refuse(&h, f);
    }
    size_t first = pg_hstore_begin(&h);
    for (size_t at = first; at < data.size;) {
        struct pg_hstore_pair pair;
        bytes_append_string(out, at == first ? "" : ", ");
        (void)pg_hstore_take(&h, &at, &pair);
        write_quoted(out, pair.key.data);
        bytes_append_string(out, "=>");
        if (pair.value.is_null) {
            bytes_append_string(out, "NULL");
        } else {
            write_quoted(out, pair.value.data);
        }
    }
    return VALUE_DONE;
}

static void append_json_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("{}"));
}

static void append_json_placeholder(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of("{\"" VALUE_PLACEHOLDER "\":\"" VALUE_PLACEHOLDER "\"}"));
}

static void append_map_placeholder(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 1);
    avro_encode_string(out, slice_of(VALUE_PLACEHOLDER));
    avro_encode_long(out, 1);  // the union's branch
    avro_encode_string(out, slice_of(VALUE_PLACEHOLDER));
    avro_encode_long(out, 0);
}

static void append_json_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.data.Json",
                                                  .default_json = default_json});
}

static void append_map_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                              struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    (void)io_names;
    bytes_append_string(out, "{\"type\":\"map\",\"values\":[\"null\",\"string\"]}");
}

const struct type_ops PG_HSTORE_JSON = {
    .append_text = append_text_json,
    .append_binary = append_binary_json,
    .write_text = write_text,
    .append_zero = append_json_zero,
    .append_placeholder = append_json_placeholder,
    .append_schema = append_json_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_HSTORE_MAP = {
    .append_text = append_text_map,
    .append_binary = append_binary_map,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = append_map_placeholder,
    .append_schema = append_map_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
