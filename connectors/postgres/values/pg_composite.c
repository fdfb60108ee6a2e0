// The text form, from record_out: (field,"field",,) with nothing for NULL. The binary form, from record_send:
// an int32 count of the fields that are not dropped and, for each, its type's oid, an int32 length (-1: NULL)
// and the value.
#include "connectors/postgres/values/pg_composite.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"

enum { FIXED_OID_END = 10000 };  // types with smaller oids have them in all databases

// A field's type is the domain's where `fields` has the base type's, so the oids of users' types may differ.
static bool has_type(const struct value_type *field, uint32_t oid)
{
    return oid == field->oid || oid >= FIXED_OID_END;
}

static enum value_step write_field(struct bytes *out, const struct value_type *field, struct cursor *at,
                                   struct fault *f)
{
    uint32_t oid = cursor_u32(at);
    if (!at->is_short && !has_type(field, oid)) {
        (void)fault_set(f, FAULT_REJECT,
                        "a composite value of another version of its type: a field has type %u, not %u", oid,
                        field->oid);
        return VALUE_FAULT;
    }
    uint32_t size = cursor_u32(at);
    if (size == UINT32_MAX) {
        return VALUE_DONE;
    }
    struct slice value = cursor_take(at, size);
    if (at->is_short) {
        return VALUE_DONE;  // the caller finds it
    }
    size_t begin = out->size;
    enum value_step step = field->ops->write_text(out, field, value, f);
    if (step == VALUE_DONE) {
        pg_write_quote(out, begin, PG_QUOTING_COMPOSITE, ',');
    }
    return step;
}

enum value_step pg_composite_write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                        struct fault *f)
{
    struct cursor at = cursor_over(data);
    if (cursor_u32(&at) != t->field_count) {
        return pg_write_refuse_binary("a value of this version of the composite type", data, f);
    }
    bytes_append_byte(out, '(');
    for (size_t i = 0; i < t->field_count && !at.is_short; i++) {
        if (i > 0) {
            bytes_append_byte(out, ',');
        }
        enum value_step step = write_field(out, &t->fields[i], &at, f);
        if (step != VALUE_DONE) {
            return step;
        }
    }
    bytes_append_byte(out, ')');
    if (at.is_short || cursor_left(&at) > 0) {
        return pg_write_refuse_binary("a composite value", data, f);
    }
    return VALUE_DONE;
}

const struct type_ops PG_COMPOSITE = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = pg_composite_write_text,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
