// The binary form is a byte 1, the version, and the text.
#include "connectors/postgres/values/pg_versioned.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

static bool find_text(struct slice data, struct slice *ret, struct fault *f)
{
    if (data.size == 0 || data.data[0] != 1) {
        (void)pg_write_refuse_binary("a text of version 1", data, f);
        return false;
    }
    *ret = slice_make(data.data + 1, data.size - 1);
    return true;
}

static enum value_step append_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    (void)t;
    struct slice text;
    if (!find_text(data, &text, f)) {
        return VALUE_FAULT;
    }
    avro_encode_string(out, text);
    return VALUE_DONE;
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    struct slice text;
    if (!find_text(data, &text, f)) {
        return VALUE_FAULT;
    }
    bytes_append_slice(out, text);
    return VALUE_DONE;
}

static void append_ltree_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.data.Ltree",
                                                  .default_json = default_json});
}

const struct type_ops PG_VERSIONED_LTREE = {
    .append_text = pg_write_text_string,
    .append_binary = append_binary,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = append_ltree_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_VERSIONED_TEXT = {
    .append_text = pg_write_text_string,
    .append_binary = append_binary,
    .write_text = write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
