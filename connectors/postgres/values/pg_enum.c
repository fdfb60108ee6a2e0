// Both forms of an enum value are its label.
#include "connectors/postgres/values/pg_enum.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

static enum value_step append_label(struct bytes *out, const struct value_type *t, struct slice label,
                                    struct fault *f)
{
    avro_encode_string(out, label);
    for (size_t i = 0; i < t->labels.count; i++) {
        if (slice_equal(slice_of(t->labels.items[i]), label)) {
            return VALUE_DONE;
        }
    }
    (void)fault_set(f, FAULT_REJECT, "type %s had no label \"%.*s\" when the table's schema was made",
                    t->name, (int)label.size, (const char *)label.data);
    return VALUE_STALE;
}

static enum value_step append_default(struct bytes *out, const struct value_type *t, struct slice text,
                                      struct fault *f)
{
    (void)t;
    (void)f;
    text_append_json(out, text);
    return VALUE_DONE;
}

// The labels in sort order, joined by commas. Labels may have commas themselves, as in Debezium.
static void append_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names)
{
    (void)io_names;
    CLEANUP(bytes_clear) struct bytes labels = {0};
    CLEANUP(bytes_clear) struct bytes parameters = {0};
    for (size_t i = 0; i < t->labels.count; i++) {
        bytes_append_string(&labels, i > 0 ? "," : "");
        bytes_append_string(&labels, t->labels.items[i]);
    }
    bytes_append_string(&parameters, "{\"allowed\":");
    text_append_json(&parameters, bytes_slice(&labels));
    bytes_append_byte(&parameters, '}');
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.data.Enum",
                                                  .parameters = bytes_slice(&parameters),
                                                  .default_json = default_json});
}

const struct type_ops PG_ENUM = {
    .append_text = append_label,
    .append_binary = append_label,
    .write_text = pg_write_copy,
    .append_zero = pg_write_empty,
    .append_placeholder = NULL,  // labels are never TOASTed
    .append_default = append_default,
    .append_schema = append_schema,
    .array = &PG_ARRAY_REQUIRED,
};
