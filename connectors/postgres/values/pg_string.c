// The binary forms: text and json are their bytes, jsonb a 1 and the text, uuid 16 bytes.
#include "connectors/postgres/values/pg_string.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_json.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

// Debezium's placeholder for uuid: the name-based (MD5) UUID of VALUE_PLACEHOLDER.
#define UNCHANGED_UUID "b68a35a7-17ad-35b3-af2a-ae46edb4545a"

static enum value_step write_uuid(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    static const uint8_t GROUPS[] = {4, 2, 2, 2, 6};
    if (data.size != 16) {
        return pg_write_refuse_binary("a uuid", data, f);
    }
    const uint8_t *at = data.data;
    for (size_t i = 0; i < sizeof(GROUPS); i++) {
        if (i > 0) {
            bytes_append_byte(out, '-');
        }
        text_append_hex(out, slice_make(at, GROUPS[i]));
        at += GROUPS[i];
    }
    return VALUE_DONE;
}

static bool read_jsonb(struct slice data, struct slice *ret, struct fault *f)
{
    if (data.size == 0 || data.data[0] != 1) {
        (void)pg_write_refuse_binary("a jsonb of version 1", data, f);
        return false;
    }
    *ret = slice_make(data.data + 1, data.size - 1);
    return true;
}

static enum value_step append_jsonb_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                           struct fault *f)
{
    (void)t;
    struct slice text;
    if (!read_jsonb(data, &text, f)) {
        return VALUE_FAULT;
    }
    avro_encode_string(out, text);
    return VALUE_DONE;
}

static enum value_step write_jsonb(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    (void)t;
    struct slice text;
    if (!read_jsonb(data, &text, f)) {
        return VALUE_FAULT;
    }
    bytes_append_slice(out, text);
    return VALUE_DONE;
}

static void append_placeholder_uuid(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of(UNCHANGED_UUID));
}

static void append_schema(struct bytes *out, const char *name, struct slice default_json)
{
    type_schema_append(out,
                       &(struct type_schema){.type = "string", .name = name, .default_json = default_json});
}

static void append_json_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "io.debezium.data.Json", default_json);
}

static void append_xml_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                              struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "io.debezium.data.Xml", default_json);
}

static void append_uuid_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                               struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    append_schema(out, "io.debezium.data.Uuid", default_json);
}

static void append_uuid_native_schema(struct bytes *out, const struct value_type *t,
                                      struct slice default_json, struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(
        out, &(struct type_schema){.type = "string", .logical = "uuid", .default_json = default_json});
}

const struct type_ops PG_STRING_TEXT = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_text_string,
    .write_text = pg_write_copy,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_default = pg_json_string,
    .append_schema = pg_write_schema_string,
    .computed_default = "",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_OTHER = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_text_string,
    .write_text = pg_write_copy,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_PLAIN = {
    .append_text = pg_write_text_string,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_STRING_NO_PLACEHOLDER = {
    .append_text = pg_write_text_string,
    .append_zero = pg_write_empty,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
const struct type_ops PG_STRING_JSON = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_text_string,
    .write_text = pg_write_copy,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_default = pg_json_string,
    .append_schema = append_json_schema,
    .computed_default = "{}",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_JSONB = {
    .append_text = pg_write_text_string,
    .append_binary = append_jsonb_binary,
    .write_text = write_jsonb,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_default = pg_json_string,
    .append_schema = append_json_schema,
    .computed_default = "{}",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_XML = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_text_string,
    .write_text = pg_write_copy,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_default = pg_json_string,
    .append_schema = append_xml_schema,
    .computed_default = "",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_UUID = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_uuid,
    .append_zero = pg_write_empty,
    .append_placeholder = append_placeholder_uuid,
    .append_default = pg_json_string,
    .append_schema = append_uuid_schema,
    .computed_default = "00000000-0000-0000-0000-000000000000",
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_STRING_UUID_NATIVE = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_uuid,
    .append_zero = pg_write_empty,
    .append_placeholder = append_placeholder_uuid,
    .append_default = pg_json_string,
    .append_schema = append_uuid_native_schema,
    .computed_default = "00000000-0000-0000-0000-000000000000",
    .array = &PG_ARRAY_PLACEHOLDER,
};
