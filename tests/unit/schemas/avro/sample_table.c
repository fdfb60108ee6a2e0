#include "tests/unit/schemas/avro/sample_table.h"

#include <stdio.h>

#include "connectors/postgres/values/pg_bytea.h"
#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"

struct table *sample_table_new(const char *name, const struct sample_column *columns, size_t count)
{
    struct table *t = memory_zeroed(1, sizeof *t);
    t->prefix = memory_string("bench");
    t->schema = memory_string("public");
    t->name = memory_string(name);
    t->topic = memory_format("bench.public.%s", name);
    t->columns = memory_zeroed(count, sizeof *t->columns);
    t->column_count = count;
    for (size_t i = 0; i < count; i++) {
        struct column *c = &t->columns[i];
        c->name = memory_string(columns[i].name);
        struct value_type type = {
            .ops = columns[i].ops, .precision = columns[i].precision, .scale = columns[i].scale};
        if (columns[i].is_array) {
            c->type.ops = type.ops->array;
            c->type.element = memory_new(sizeof *c->type.element);
            *c->type.element = type;
        } else {
            c->type = type;
        }
        c->is_nullable = columns[i].is_nullable;
        c->is_key = i == 0;
        if (columns[i].default_json != NULL) {
            bytes_append_string(&c->default_json, columns[i].default_json);
        }
    }
    t->key_columns = memory_zeroed(1, sizeof *t->key_columns);
    t->key_count = 1;
    return t;
}

struct table *sample_table(void)
{
    static const struct sample_column COLUMNS[] = {
        {"id", &PG_NUMBER_INT32, false, false, 0, 0, NULL},
        {"name", &PG_STRING_TEXT, false, false, 0, 0, NULL},
        {"amount", &PG_NUMERIC_DECIMAL, true, false, 12, 2, NULL},
        {"price", &PG_NUMBER_FLOAT64, true, false, 0, 0, NULL},
        {"flag", &PG_NUMBER_BOOLEAN, true, false, 0, 0, NULL},
        {"at", &PG_TEMPORAL_ZONED_TIMESTAMP, true, false, 6, 0, NULL},
        {"day", &PG_TEMPORAL_DATE, true, false, 0, 0, NULL},
        {"t", &PG_TEMPORAL_TIME_US, true, false, 6, 0, NULL},
        {"ts", &PG_TEMPORAL_TIMESTAMP_US, true, false, 6, 0, NULL},
        {"doc", &PG_STRING_JSON, true, false, 0, 0, NULL},
        {"uid", &PG_STRING_UUID, true, false, 0, 0, NULL},
        {"tags", &PG_STRING_TEXT, true, true, 0, 0, NULL},
        {"raw", &PG_BYTEA_BYTES, true, false, 0, 0, NULL},
        {"big", &PG_STRING_TEXT, true, false, 0, 0, NULL},
    };
    return sample_table_new("sample", COLUMNS, COUNT_OF(COLUMNS));
}

struct table *sample_table_default(void)
{
    static const struct sample_column COLUMNS[] = {
        {"id", &PG_NUMBER_INT64, false, false, 0, 0, "0"},
        {"name", &PG_STRING_TEXT, true, false, 0, 0, NULL},
        {"big", &PG_STRING_TEXT, true, false, 0, 0, NULL},
    };
    return sample_table_new("sample_default", COLUMNS, COUNT_OF(COLUMNS));
}

static void sample_table_put_text(struct bytes *out, const char *text)
{
    avro_encode_long(out, 1);
    avro_encode_string(out, slice_of(text));
}

void sample_table_row(struct bytes *out)
{
    avro_encode_long(out, 1);                  // id
    avro_encode_string(out, slice_of("Ada"));  // name
    avro_encode_long(out, 1);                  // amount 12.34
    avro_encode_string(out, slice_make("\x04\xd2", 2));
    avro_encode_long(out, 1);  // price
    avro_encode_double(out, 1.5);
    avro_encode_long(out, 1);  // flag
    avro_encode_boolean(out, true);
    sample_table_put_text(out, "2026-01-02T03:04:05.678901Z");  // at
    avro_encode_long(out, 1);                                   // day
    avro_encode_long(out, 20455);
    avro_encode_long(out, 1);  // t
    avro_encode_long(out, INT64_C(11045500000));
    avro_encode_long(out, 1);  // ts
    avro_encode_long(out, INT64_C(1767323045678901));
    sample_table_put_text(out, "{\"a\": [1, 2]}");                       // doc
    sample_table_put_text(out, "11111111-2222-3333-4444-555555555555");  // uid
    avro_encode_long(out, 1);  // tags: one block of two, then the end
    avro_encode_long(out, 2);
    sample_table_put_text(out, "x");
    sample_table_put_text(out, "y z");
    avro_encode_long(out, 0);
    avro_encode_long(out, 1);  // raw
    avro_encode_string(out, slice_make("\x00\xff", 2));
    sample_table_put_text(out, "b");  // big
}

struct bytes sample_table_golden(const char *name)
{
    char *path CLEANUP(memory_free_pointer) = memory_format("%s/envelope/%s", MILLRACE_GOLDEN_DIR, name);
    FILE *file = fopen(path, "rb");
    INVARIANT(file != NULL);
    struct bytes text = {0};
    size_t got = 0;
    do {
        got = fread(bytes_reserve(&text, 4096), 1, 4096, file);
        text.size += got;
    } while (got > 0);
    (void)fclose(file);
    return text;
}
