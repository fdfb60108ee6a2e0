// The binary forms, big-endian: xid, cid uint32; xid8, pg_lsn uint64; tid uint32 block, uint16 offset;
// pg_snapshot int32 count, int64 xmin, int64 xmax, int64 for each transaction; "char" one byte, 0 for the
// empty one.
#include "connectors/postgres/values/pg_system.h"

#include <inttypes.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"

static enum value_step finish(const struct cursor *c, const char *what, struct slice data, struct fault *f)
{
    return !c->is_short && c->at == c->end ? VALUE_DONE : pg_write_refuse_binary(what, data, f);
}

// From PostgreSQL 16 on a byte that is no ASCII is \ooo, in octal; before, it is the byte alone, which is no
// UTF-8.
static void write_char(struct bytes *out, uint8_t byte)
{
    if (byte >= 0x80) {
        bytes_format(out, "\\%03o", byte);
    } else if (byte != 0) {
        bytes_append_byte(out, byte);
    }
}

static enum value_step append_char(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    (void)t;
    (void)f;
    size_t begin = out->size;
    if (text.size == 1) {
        write_char(out, text.data[0]);
    } else {
        bytes_append_slice(out, text);
    }
    pg_write_length(out, begin);
    return VALUE_DONE;
}

static enum value_step write_char_text(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f)
{
    (void)t;
    if (data.size != 1) {
        return pg_write_refuse_binary("a \"char\"", data, f);
    }
    write_char(out, data.data[0]);
    return VALUE_DONE;
}

static enum value_step write_number(struct bytes *out, const struct value_type *t, struct slice data,
                                    struct fault *f)
{
    (void)t;
    struct cursor c = cursor_over(data);
    uint64_t value = data.size == 4 ? cursor_u32(&c) : cursor_u64(&c);
    bytes_format(out, "%" PRIu64, value);
    return finish(&c, "a transaction", data, f);
}

static enum value_step write_lsn(struct bytes *out, const struct value_type *t, struct slice data,
                                 struct fault *f)
{
    (void)t;
    struct cursor c = cursor_over(data);
    uint32_t high = cursor_u32(&c);
    uint32_t low = cursor_u32(&c);
    bytes_format(out, "%" PRIX32 "/%" PRIX32, high, low);
    return finish(&c, "a pg_lsn", data, f);
}

static enum value_step write_tid(struct bytes *out, const struct value_type *t, struct slice data,
                                 struct fault *f)
{
    (void)t;
    struct cursor c = cursor_over(data);
    uint32_t block = cursor_u32(&c);
    unsigned offset = cursor_u16(&c);
    bytes_format(out, "(%" PRIu32 ",%u)", block, offset);
    return finish(&c, "a tid", data, f);
}

static enum value_step write_snapshot(struct bytes *out, const struct value_type *t, struct slice data,
                                      struct fault *f)
{
    (void)t;
    struct cursor c = cursor_over(data);
    uint32_t count = cursor_u32(&c);
    uint64_t from = cursor_u64(&c);
    uint64_t to = cursor_u64(&c);
    bytes_format(out, "%" PRIu64 ":%" PRIu64 ":", from, to);
    for (uint32_t i = 0; i < count && !c.is_short; i++) {
        bytes_format(out, "%s%" PRIu64, i == 0 ? "" : ",", cursor_u64(&c));
    }
    return finish(&c, "a snapshot", data, f);
}

const struct type_ops PG_SYSTEM_CHAR = {
    .append_text = append_char,
    .append_binary = pg_write_binary_string,
    .write_text = write_char_text,
    .append_zero = pg_write_empty,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_SYSTEM_NUMBER = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_number,
    .append_zero = pg_write_empty,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_SYSTEM_LSN = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_lsn,
    .append_zero = pg_write_empty,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_SYSTEM_TID = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_tid,
    .append_zero = pg_write_empty,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_SYSTEM_SNAPSHOT = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_snapshot,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_SYSTEM_NAME_OF = {
    .append_text = pg_write_text_string,
    .append_zero = pg_write_empty,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
