// The text form is a digit 0 or 1 for each bit. The binary form is an int32, the number of bits, and bytes
// whose top bit is the first.
#include "connectors/postgres/values/pg_bits.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum { LONG_SIZE_MAX = 10 };

static bool check_text(struct slice text, struct fault *f)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '0' && text.data[i] != '1') {
            return pg_write_refuse("bits", text, f) == VALUE_DONE;
        }
    }
    return true;
}

struct binary {
    size_t count;
    struct slice bytes;
};

static bool read_binary(struct slice data, struct binary *ret, struct fault *f)
{
    struct cursor c = cursor_over(data);
    ret->count = cursor_u32(&c);
    ret->bytes = cursor_take(&c, (ret->count + 7) / 8);
    bool is_good = !c.is_short && c.at == c.end && ret->count <= INT32_MAX;
    return is_good || pg_write_refuse_binary("bits", data, f) == VALUE_DONE;
}

static inline bool bit_at(const struct binary *b, size_t i)
{
    return (b->bytes.data[i / 8] >> (7 - i % 8) & 1) != 0;
}

static enum value_step refuse_empty(struct fault *f)
{
    (void)fault_set(f, FAULT_REJECT, "a varbit(1) without a bit is neither true nor false");
    return VALUE_NONE;
}

static enum value_step append_boolean(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    (void)t;
    if (text.size > 1 || !check_text(text, f)) {
        return text.size > 1 ? pg_write_refuse("one bit", text, f) : VALUE_FAULT;
    }
    if (text.size == 0) {
        return refuse_empty(f);
    }
    avro_encode_boolean(out, text.data[0] == '1');
    return VALUE_DONE;
}

static enum value_step append_boolean_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f)
{
    (void)t;
    struct binary b;
    if (!read_binary(data, &b, f)) {
        return VALUE_FAULT;
    }
    if (b.count > 1) {
        return pg_write_refuse_binary("one bit", data, f);
    }
    if (b.count == 0) {
        return refuse_empty(f);
    }
    avro_encode_boolean(out, bit_at(&b, 0));
    return VALUE_DONE;
}

// Makes room for the bits behind the length of theirs, which is known at the end.
static uint8_t *begin_bytes(struct bytes *out, size_t count)
{
    size_t size = (count + 7) / 8;
    uint8_t *at = bytes_reserve(out, size + LONG_SIZE_MAX) + LONG_SIZE_MAX;
    memset(at, 0, size);
    return at;
}

static void end_bytes(struct bytes *out, const uint8_t *at, size_t count)
{
    size_t size = (count + 7) / 8;
    while (size > 0 && at[size - 1] == 0) {
        size--;
    }
    avro_encode_long(out, (int64_t)size);
    memmove(out->data + out->size, at, size);
    out->size += size;
}

static enum value_step append_bytes(struct bytes *out, const struct value_type *t, struct slice text,
                                    struct fault *f)
{
    (void)t;
    if (!check_text(text, f)) {
        return VALUE_FAULT;
    }
    uint8_t *at = begin_bytes(out, text.size);
    for (size_t i = 0; i < text.size; i++) {
        size_t bit = text.size - 1 - i;
        at[bit / 8] = (uint8_t)(at[bit / 8] | (text.data[i] - '0') << bit % 8);
    }
    end_bytes(out, at, text.size);
    return VALUE_DONE;
}

// Byte k from the end of the value shifted right by the bits that the last byte does not use.
static enum value_step append_bytes_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    struct binary b;
    if (!read_binary(data, &b, f)) {
        return VALUE_FAULT;
    }
    uint8_t *at = begin_bytes(out, b.count);
    unsigned unused = (unsigned)(8 * b.bytes.size - b.count);
    for (size_t i = 0; i < b.bytes.size; i++) {
        size_t from = b.bytes.size - 1 - i;
        unsigned above = from > 0 ? b.bytes.data[from - 1] : 0;
        at[i] = (uint8_t)((above << 8 | b.bytes.data[from]) >> unused);
    }
    end_bytes(out, at, b.count);
    return VALUE_DONE;
}

static enum value_step append_string(struct bytes *out, const struct value_type *t, struct slice text,
                                     struct fault *f)
{
    (void)t;
    if (!check_text(text, f)) {
        return VALUE_FAULT;
    }
    avro_encode_string(out, text);
    return VALUE_DONE;
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    struct binary b;
    if (!read_binary(data, &b, f)) {
        return VALUE_FAULT;
    }
    uint8_t *at = bytes_reserve(out, b.count);
    for (size_t i = 0; i < b.count; i++) {
        at[i] = bit_at(&b, i) ? '1' : '0';
    }
    out->size += b.count;
    return VALUE_DONE;
}

static void append_false(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_boolean(out, false);
}

static enum value_step append_boolean_default(struct bytes *out, const struct value_type *t,
                                              struct slice text, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes avro = {0};
    enum value_step step = append_boolean(&avro, t, text, f);
    if (step == VALUE_DONE) {
        bytes_append_string(out, avro.data[0] != 0 ? "true" : "false");
    }
    return step;
}

static void append_boolean_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                  struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "boolean", .default_json = default_json});
}

// varbit without a length has the greatest, as Debezium's.
static void append_bytes_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                struct schema_names *io_names)
{
    (void)io_names;
    CLEANUP(bytes_clear) struct bytes parameters = {0};
    bytes_format(&parameters, "{\"length\":\"%d\"}", t->length < 0 ? INT32_MAX : t->length);
    type_schema_append(out, &(struct type_schema){.type = "bytes",
                                                  .name = "io.debezium.data.Bits",
                                                  .parameters = bytes_slice(&parameters),
                                                  .default_json = default_json});
}

// No placeholders: any bits could be a value.
const struct type_ops PG_BITS_BOOLEAN = {
    .append_text = append_boolean,
    .append_binary = append_boolean_binary,
    .write_text = write_text,
    .append_zero = append_false,
    .append_default = append_boolean_default,
    .append_schema = append_boolean_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_BITS_BYTES = {
    .append_text = append_bytes,
    .append_binary = append_bytes_binary,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_default = pg_json_bytes,
    .append_schema = append_bytes_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_BITS_STRING = {
    .append_text = append_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_default = pg_json_string,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
