// Values of every type of the type table, and of types made from them, in both forms and in every mode.
// Input: one byte for the type, one for its modifier, one for the form and the modes; then the value.
#include <stdint.h>
#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_type_modes.h"
#include "connectors/postgres/catalogue/pg_types.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/json/json_encode.h"
#include "value_forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OID_MAX = 10000, KNOWN_MAX = 400, HEADER_SIZE = 4 };

#define NUMERIC_MODIFIER(precision, scale) ((((precision) << 16) | ((scale)&0x7ff)) + 4)

static const int32_t MODIFIERS[] = {-1,
                                    0,
                                    1,
                                    3,
                                    6,
                                    64,
                                    NUMERIC_MODIFIER(12, 2),
                                    NUMERIC_MODIFIER(38, 10),
                                    NUMERIC_MODIFIER(1000, 0),
                                    NUMERIC_MODIFIER(5, -2),
                                    NUMERIC_MODIFIER(3, 5)};
static const struct type_modes MODES[] = {
    {0},
    {.decimal = TYPE_MODE_DECIMAL_STRING,
     .temporal = TYPE_MODE_TEMPORAL_ISO,
     .binary = TYPE_MODE_BINARY_HEX,
     .interval = TYPE_MODE_INTERVAL_STRING,
     .hstore = TYPE_MODE_HSTORE_MAP},
    {.decimal = TYPE_MODE_DECIMAL_DOUBLE,
     .temporal = TYPE_MODE_TEMPORAL_CONNECT,
     .binary = TYPE_MODE_BINARY_BASE64},
    {.types = TYPE_MODE_NATIVE},
};

static char fuzz_name[] = "fuzz";
static char hstore_name[] = "hstore", ltree_name[] = "ltree", citext_name[] = "citext",
            vector_name[] = "vector";
static char half_name[] = "halfvec", sparse_name[] = "sparsevec", postgis_name[] = "postgis";
static char geometry_name[] = "geometry";
static char label_sad[] = "sad", label_very[] = "happy, very", field_a[] = "a", field_b[] = "a b",
            field_c[] = "c";
static char *LABELS[] = {label_sad, label_very};
enum { ENUM = 20001, COMPOSITE, RANGE, DOMAIN, DOMAIN_ARRAY, HSTORE };
static struct pg_type_field fields[] = {{field_a, 1184, -1}, {field_b, 1009, -1}, {field_c, ENUM, -1}};
static struct pg_type outer_types[] = {
    {.oid = ENUM,
     .kind = 'e',
     .schema = fuzz_name,
     .name = fuzz_name,
     .labels = {LABELS, 2},
     .has_send = true},
    {.oid = COMPOSITE,
     .kind = 'c',
     .schema = fuzz_name,
     .name = fuzz_name,
     .fields = fields,
     .field_count = COUNT_OF(fields),
     .has_send = true},
    {.oid = RANGE, .kind = 'r', .name = fuzz_name, .below_oid = 25, .has_send = true},
    {.oid = DOMAIN,
     .kind = 'd',
     .base_oid = 1700,
     .base_modifier = NUMERIC_MODIFIER(9, 3),
     .name = fuzz_name},
    {.oid = DOMAIN_ARRAY, .kind = 'b', .element_oid = DOMAIN, .delimiter = ',', .name = fuzz_name},
    {.oid = HSTORE, .kind = 'b', .name = hstore_name, .extension = hstore_name, .has_send = true},
    {.oid = 20007, .kind = 'b', .name = ltree_name, .extension = ltree_name, .has_send = true},
    {.oid = 20008, .kind = 'b', .name = citext_name, .extension = citext_name, .has_send = true},
    {.oid = 20009, .kind = 'b', .name = vector_name, .extension = vector_name, .has_send = true},
    {.oid = 20010, .kind = 'b', .name = half_name, .extension = vector_name, .has_send = true},
    {.oid = 20011, .kind = 'b', .name = sparse_name, .extension = vector_name, .has_send = true},
    {.oid = 20012, .kind = 'b', .name = geometry_name, .extension = postgis_name, .has_send = true},
    {.oid = 20013, .kind = 'm', .name = fuzz_name, .below_oid = RANGE, .has_send = true},
    {.oid = 20014, .kind = 'b', .element_oid = ENUM, .delimiter = ',', .name = fuzz_name},
    {.oid = 20015, .kind = 'b', .element_oid = COMPOSITE, .delimiter = ',', .name = fuzz_name},
    {.oid = 20016, .kind = 'b', .element_oid = HSTORE, .delimiter = ',', .name = fuzz_name},
};

// All types and arrays of the type table, whatever it has, and those above.
static uint32_t choose_type(unsigned number)
{
    static uint32_t oids[KNOWN_MAX];
    static size_t count;
    if (count == 0) {
        for (uint32_t oid = 1; oid < OID_MAX; oid++) {
            if (pg_types_is_known(oid)) {
                INVARIANT(count < KNOWN_MAX - COUNT_OF(outer_types));
                oids[count++] = oid;
            }
        }
        for (size_t i = 0; i < COUNT_OF(outer_types); i++) {
            oids[count++] = outer_types[i].oid;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (oids[i] == number) {
            return number;
        }
    }
    return oids[number % count];
}

// What was appended is a value of the type's schema, to the last byte.
static void read_back(const struct value_type *t, struct slice avro)
{
    struct schema_names names = {0};
    struct avro_type *type = NULL;
    struct fault f = {0};
    CLEANUP(bytes_clear) struct bytes schema = {0};
    CLEANUP(bytes_clear) struct bytes json = {0};
    t->ops->append_schema(&schema, t, slice_of(""), &names);
    INVARIANT(avro_type_parse(bytes_slice(&schema), &type, &f));
    INVARIANT(json_encode_datum(type, avro, NULL, &json, &f) || strstr(f.text, "too large") != NULL);
    avro_type_free(type);
    schema_names_clear(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bytes avro;
    if (size < HEADER_SIZE) {
        return 0;
    }
    CLEANUP(value_type_clear) struct value_type t;
    const char *plain;
    pg_types_resolve(choose_type((unsigned)data[0] << 8 | data[1]), MODIFIERS[data[2] % COUNT_OF(MODIFIERS)],
                     outer_types, COUNT_OF(outer_types), &t, &plain);
    pg_type_modes_apply(&t, &MODES[data[3] / 2 % COUNT_OF(MODES)]);
    // In a block of its own size, so that a sanitizer detects a read past its end.
    struct slice value = slice_make(data + HEADER_SIZE, size - HEADER_SIZE);
    uint8_t *copy = memory_new(value.size == 0 ? 1 : value.size);
    memcpy(copy, value.data, value.size);
    value = slice_make(copy, value.size);
    enum value_step step = VALUE_NONE;
    if (data[3] % 2 == 1) {
        step = value_forms_append_text(&t, value, &avro);
    } else if (value_type_has_binary(&t)) {
        step = value_forms_append_binary(&t, value, &avro);
    }
    if (step == VALUE_DONE) {
        read_back(&t, bytes_slice(&avro));
    }
    free(copy);
    return 0;
}
