// The text form of bytea is \x and two hex digits for each byte (bytea_output=hex); other types' text is
// copied.
#include "connectors/postgres/values/pg_string.h"

#include "schemas/avro/avro_encode.h"

// Debezium's placeholder for uuid: the name-based (MD5) UUID of PG_STRING_UNCHANGED.
#define UNCHANGED_UUID "b68a35a7-17ad-35b3-af2a-ae46edb4545a"

static enum value_step append_text(struct bytes *out, const struct column *c, struct slice text,
                                   struct fault *f)
{
    (void)c;
    (void)f;
    avro_encode_string(out, text);
    return VALUE_DONE;
}

static int hex_digit(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    uint8_t letter = digit | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static enum value_step refuse_bytes(struct slice text, struct fault *f)
{
    int size = text.size > 64 ? 64 : (int)text.size;
    (void)fault_set(f, FAULT_REJECT, "not bytea in hex as PostgreSQL writes it: \"%.*s\"", size,
                    (const char *)text.data);
    return VALUE_FAULT;
}

static enum value_step append_bytes(struct bytes *out, const struct column *c, struct slice text,
                                    struct fault *f)
{
    (void)c;
    if (text.size < 2 || text.data[0] != '\\' || text.data[1] != 'x' || text.size % 2 != 0) {
        return refuse_bytes(text, f);
    }
    size_t size = text.size / 2 - 1;
    avro_encode_long(out, (int64_t)size);
    uint8_t *at = bytes_reserve(out, size);
    int bad = 0;
    for (size_t i = 0; i < size; i++) {
        int byte = hex_digit(text.data[2 + 2 * i]) * 16 | hex_digit(text.data[3 + 2 * i]);
        bad |= byte;
        at[i] = (uint8_t)byte;
    }
    out->size += size;
    return bad < 0 ? refuse_bytes(text, f) : VALUE_DONE;
}

static void append_empty(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_long(out, 0);
}

static void append_unchanged(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_string(out, slice_of(PG_STRING_UNCHANGED));
}

static void append_unchanged_uuid(struct bytes *out, const struct column *c)
{
    (void)c;
    avro_encode_string(out, slice_of(UNCHANGED_UUID));
}

const struct value_ops PG_STRING_TEXT = {append_text, append_empty, append_unchanged};
const struct value_ops PG_STRING_NO_PLACEHOLDER = {append_text, append_empty, NULL};
const struct value_ops PG_STRING_UUID = {append_text, append_empty, append_unchanged_uuid};
const struct value_ops PG_STRING_BYTES = {append_bytes, append_empty, append_unchanged};
