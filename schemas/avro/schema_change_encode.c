#include "schemas/avro/schema_change_encode.h"

enum { BRANCH_NULL = 0, BRANCH_VALUE = 1 };

static const char SEQUENCE[] = "nextval(";  // what the default of an auto-incremented column begins with

void schema_change_encode_key(struct bytes *out, const char *database)
{
    avro_encode_string(out, slice_of(database));
}

static void put_null(struct bytes *out)
{
    avro_encode_long(out, BRANCH_NULL);
}

static void put_text(struct bytes *out, const char *text)
{
    avro_encode_long(out, text == NULL ? BRANCH_NULL : BRANCH_VALUE);
    if (text != NULL) {
        avro_encode_string(out, slice_of(text));
    }
}

static void put_flag(struct bytes *out, bool value)
{
    avro_encode_long(out, BRANCH_VALUE);
    avro_encode_boolean(out, value);
}

static void put_size(struct bytes *out, int32_t size)
{
    if (size == COLUMN_SHAPE_NONE) {
        put_null(out);
        return;
    }
    avro_encode_long(out, BRANCH_VALUE);
    avro_encode_long(out, size);
}

static void put_labels(struct bytes *out, const struct text_list *labels)
{
    if (labels->count == 0) {
        put_null(out);
        return;
    }
    avro_encode_long(out, BRANCH_VALUE);
    avro_encode_long(out, (int64_t)labels->count);
    for (size_t i = 0; i < labels->count; i++) {
        avro_encode_string(out, slice_of(labels->items[i]));
    }
    avro_encode_long(out, 0);
}

static void put_column(struct bytes *out, const struct column *c, const struct column_shape *shape,
                       size_t position)
{
    avro_encode_string(out, slice_of(c->name));
    avro_encode_long(out, shape->jdbc_type);
    avro_encode_long(out, BRANCH_VALUE);
    avro_encode_long(out, c->type_oid);
    avro_encode_string(out, slice_of(shape->type));
    put_text(out, shape->expression);
    put_null(out);  // charsetName
    put_size(out, shape->length);
    put_size(out, shape->scale);
    avro_encode_long(out, (int64_t)position);
    put_flag(out, shape->is_nullable);
    put_flag(out, shape->default_text != NULL &&
                      strncmp(shape->default_text, SEQUENCE, sizeof(SEQUENCE) - 1) == 0);
    put_flag(out, shape->is_generated);
    put_null(out);  // comment
    put_text(out, shape->default_text);
    put_labels(out, &c->type.labels);
}

static void put_table(struct bytes *out, const struct table *t)
{
    put_null(out);  // defaultCharsetName
    avro_encode_long(out, BRANCH_VALUE);
    if (t->key_count > 0) {
        avro_encode_long(out, (int64_t)t->key_count);
    }
    for (size_t i = 0; i < t->key_count; i++) {
        avro_encode_string(out, slice_of(t->columns[t->key_columns[i]].name));
    }
    avro_encode_long(out, 0);
    if (t->column_count > 0) {
        avro_encode_long(out, (int64_t)t->column_count);
    }
    for (size_t i = 0; i < t->column_count; i++) {
        put_column(out, &t->columns[i], &t->shape->columns[i], i + 1);
    }
    avro_encode_long(out, 0);
    put_null(out);  // comment
}

static void put_change(struct bytes *out, const char *type, const char *schema, const char *name)
{
    avro_encode_string(out, slice_of(type));
    avro_encode_long(out, (int64_t)(strlen(schema) + strlen(name) + 5));
    const char *parts[] = {"\"", schema, "\".\"", name, "\""};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        bytes_append_string(out, parts[i]);
    }
}

void schema_change_encode_value(struct bytes *out, const struct avro_envelope *e,
                                const struct schema_change *change)
{
    const struct table *t = e->table;
    avro_encode_source(out, e);
    avro_encode_long(out, e->now_ns / 1000000);
    put_text(out, e->database);
    put_text(out, t->schema);
    put_null(out);  // ddl: the write-ahead log does not have it
    avro_encode_long(out, change->dropped_name == NULL ? 1 : 2);
    if (change->dropped_name != NULL) {
        put_change(out, "DROP", change->dropped_schema, change->dropped_name);
        put_null(out);
    }
    put_change(out, change->type, t->schema, t->name);
    avro_encode_long(out, BRANCH_VALUE);
    put_table(out, t);
    avro_encode_long(out, 0);
}
