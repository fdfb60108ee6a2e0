#include "nested_types.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_composite.h"
#include "connectors/postgres/values/pg_enum.h"
#include "connectors/postgres/values/pg_geometric.h"
#include "connectors/postgres/values/pg_hstore.h"
#include "connectors/postgres/values/pg_postgis.h"
#include "connectors/postgres/values/pg_range.h"
#include "connectors/postgres/values/pg_tsearch.h"
#include "connectors/postgres/values/pg_vector.h"
#include "connectors/postgres/values/pg_versioned.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"

static enum value_step append_int4(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    (void)t;
    char copy[16] = "";
    memcpy(copy, text.data, text.size < sizeof(copy) ? text.size : sizeof(copy) - 1);
    char *end;
    avro_encode_long(out, strtol(copy, &end, 10));
    return text.size > 0 && *end == '\0' ? VALUE_DONE : pg_write_refuse("an integer", text, f);
}

static enum value_step append_int4_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                          struct fault *f)
{
    (void)t;
    struct cursor at = cursor_over(data);
    avro_encode_long(out, (int32_t)cursor_u32(&at));
    return cursor_finish(&at, "int4", f) ? VALUE_DONE : VALUE_FAULT;
}

static enum value_step write_int4(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    struct cursor at = cursor_over(data);
    bytes_format(out, "%d", (int32_t)(data.size == 2 ? (int16_t)cursor_u16(&at) : (int32_t)cursor_u32(&at)));
    return cursor_finish(&at, "int4", f) ? VALUE_DONE : VALUE_FAULT;
}

static enum value_step append_int2_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                          struct fault *f)
{
    (void)t;
    struct cursor at = cursor_over(data);
    avro_encode_long(out, (int16_t)cursor_u16(&at));
    return cursor_finish(&at, "int2", f) ? VALUE_DONE : VALUE_FAULT;
}

static enum value_step append_text_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                          struct fault *f)
{
    return pg_write_text_string(out, t, data, f);
}

static void append_int_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                              struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    (void)io_names;
    bytes_append_string(out, "\"int\"");
}

static const struct type_ops INT4 = {
    .append_text = append_int4,
    .append_binary = append_int4_binary,
    .write_text = write_int4,
    .append_zero = pg_write_empty,
    .append_schema = append_int_schema,
};

static const struct type_ops INT2 = {
    .append_text = append_int4,
    .append_binary = append_int2_binary,
    .write_text = write_int4,
    .append_zero = pg_write_empty,
    .append_schema = append_int_schema,
};

static const struct type_ops TEXT = {
    .append_text = pg_write_text_string,
    .append_binary = append_text_binary,
    .write_text = pg_write_copy,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_PLACEHOLDER,
};

static char LABELS[5][16] = {"sad", "ok", "happy, very", "q\"uote", "\xc3\xbcn\xc3\xaf"};
static char *MOOD_LABELS[] = {LABELS[0], LABELS[1], LABELS[2], LABELS[3], LABELS[4]};

static struct value_type INT4_TYPE = {.ops = &INT4, .oid = 23};
static struct value_type INT2_TYPE = {.ops = &INT2, .oid = 21};
static struct value_type TEXT_TYPE = {.ops = &TEXT, .oid = 25};
static struct value_type MOOD_TYPE = {.ops = &PG_ENUM, .labels = {MOOD_LABELS, 5}};
static struct value_type INT4RANGE_TYPE = {.ops = &PG_RANGE, .element = &INT4_TYPE};
static struct value_type TEXTRANGE_TYPE = {.ops = &PG_RANGE, .element = &TEXT_TYPE};
static struct value_type COMP_FIELDS[] = {
    {.ops = &INT4, .oid = 23}, {.ops = &TEXT, .oid = 25}, {.ops = &TEXT, .oid = 25}};
static char FIELD_NAMES[3][8] = {"n", "a b", "a_b"};
static char *RECORD_NAMES[] = {FIELD_NAMES[0], FIELD_NAMES[1], FIELD_NAMES[2]};
static struct value_type COMP2_FIELDS[] = {{.ops = &INT4, .oid = 23}, {.ops = &TEXT, .oid = 25}};

static struct {
    char name[16];
    struct value_type type;
} TYPES[] = {
    {"point", {.ops = &PG_GEOMETRIC_POINT, .oid = 600}},
    {"line", {.ops = &PG_GEOMETRIC, .oid = 628}},
    {"lseg", {.ops = &PG_GEOMETRIC, .oid = 601}},
    {"box", {.ops = &PG_GEOMETRIC, .oid = 603}},
    {"path", {.ops = &PG_GEOMETRIC, .oid = 602}},
    {"polygon", {.ops = &PG_GEOMETRIC, .oid = 604}},
    {"circle", {.ops = &PG_GEOMETRIC, .oid = 718}},
    {"hstore", {.ops = &PG_HSTORE_JSON}},
    {"hstore_map", {.ops = &PG_HSTORE_MAP}},
    {"tsvector", {.ops = &PG_TSEARCH_VECTOR}},
    {"tsquery", {.ops = &PG_TSEARCH_QUERY}},
    {"ltree", {.ops = &PG_VERSIONED_LTREE}},
    {"text1", {.ops = &PG_VERSIONED_TEXT}},
    {"mood", {.ops = &PG_ENUM, .labels = {MOOD_LABELS, 5}}},
    {"int4range", {.ops = &PG_RANGE, .element = &INT4_TYPE}},
    {"textrange", {.ops = &PG_RANGE, .element = &TEXT_TYPE}},
    {"int4multirange", {.ops = &PG_MULTIRANGE, .element = &INT4RANGE_TYPE}},
    {"textmultirange", {.ops = &PG_MULTIRANGE, .element = &TEXTRANGE_TYPE}},
    {"comp", {.ops = &PG_COMPOSITE, .fields = COMP_FIELDS, .field_count = 3}},
    {"comp2", {.ops = &PG_COMPOSITE, .fields = COMP2_FIELDS, .field_count = 2}},
    {"shop.record",
     {.ops = &PG_COMPOSITE_RECORD,
      .fields = COMP_FIELDS,
      .field_count = 3,
      .field_names = {RECORD_NAMES, 3}}},
    {"geometry", {.ops = &PG_POSTGIS_GEOMETRY}},
    {"geography", {.ops = &PG_POSTGIS_GEOGRAPHY}},
    {"vector", {.ops = &PG_VECTOR}},
    {"halfvec", {.ops = &PG_VECTOR_HALF}},
    {"sparsevec", {.ops = &PG_VECTOR_SPARSE}},
    {"sparse_native", {.ops = &PG_VECTOR_SPARSE_NATIVE}},
    {"mood_exact", {.ops = &PG_ARRAY_EXACT, .element = &MOOD_TYPE, .delimiter = ','}},
    {"int2vector", {.ops = &PG_ARRAY_VECTOR, .element = &INT2_TYPE}},
    {"int", {.ops = &INT4}},
    {"text", {.ops = &TEXT}},
};

static const struct value_type *find_type(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (strncmp(TYPES[i].name, name, size) == 0 && TYPES[i].name[size] == '\0') {
            TYPES[i].type.name = TYPES[i].name;
            return &TYPES[i].type;
        }
    }
    return NULL;
}

const struct value_type *nested_type_at(size_t i)
{
    size_t count = sizeof(TYPES) / sizeof(TYPES[0]);
    static char name[64];
    (void)snprintf(name, sizeof(name), "%s%s", TYPES[i % count].name, i % (2 * count) < count ? "" : "[]");
    return nested_type(name);
}

const struct value_type *nested_type(const char *name)
{
    static struct value_type array;
    size_t size = strlen(name);
    if (size < 2 || strcmp(name + size - 2, "[]") != 0) {
        return find_type(name, size);
    }
    struct value_type *element = (struct value_type *)(uintptr_t)find_type(name, size - 2);
    const struct type_ops *ops = element->ops->array != NULL ? element->ops->array : &PG_ARRAY_NO_PLACEHOLDER;
    array = (struct value_type){.ops = ops, .element = element, .delimiter = ','};
    if (strcmp(name, "box[]") == 0) {
        array.delimiter = ';';
    }
    return &array;
}
