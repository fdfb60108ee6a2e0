// Types of the catalogue: what they resolve to, by which modes, and what changes when they are read again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_retype.h"
#include "connectors/postgres/catalogue/pg_type_modes.h"
#include "connectors/postgres/catalogue/pg_types.h"
#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_composite.h"
#include "connectors/postgres/values/pg_enum.h"
#include "connectors/postgres/values/pg_hstore.h"
#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_numeric.h"
#include "connectors/postgres/values/pg_string.h"
#include "connectors/postgres/values/pg_temporal.h"
#include "connectors/postgres/values/pg_temporal_native.h"
#include "connectors/postgres/values/pg_vector.h"
#include "core/base/memory.h"

#define NUMERIC_MODIFIER(precision, scale) ((((precision) << 16) | ((scale)&0x7ff)) + 4)

static void types_of_the_catalogue_are_followed_to_the_bottom(void **state)
{
    (void)state;
    char mood[] = "mood";
    char shop[] = "shop";
    char *labels[] = {mood, shop};
    const struct pg_type types[] = {
        {.oid = 20001, .kind = 'd', .base_oid = 20002, .base_modifier = -1, .name = mood},
        {.oid = 20002, .kind = 'd', .base_oid = 1700, .base_modifier = NUMERIC_MODIFIER(10, 2), .name = mood},
        {.oid = 20003, .kind = 'b', .element_oid = 20002, .name = mood},
        {.oid = 20004, .kind = 'e', .name = mood, .schema = shop, .labels = {labels, 2}},
        {.oid = 20005, .kind = 'b', .element_oid = 20004, .name = mood},
        {.oid = 20006, .kind = 'd', .base_oid = 20006, .base_modifier = -1, .name = mood},
    };
    struct value_type t;
    const char *plain;
    pg_types_resolve(20001, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.ops, &PG_NUMERIC_DECIMAL);
    assert_int_equal(t.oid, 1700);
    assert_int_equal(t.scale, 2);
    pg_types_resolve(20003, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.ops, &PG_ARRAY_NO_PLACEHOLDER);
    assert_ptr_equal(t.element->ops, &PG_NUMERIC_DECIMAL);
    assert_int_equal(t.element->precision, 10);
    assert_null(plain);
    value_type_clear(&t);
    pg_types_resolve(20004, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.ops, &PG_ENUM);
    assert_string_equal(t.name, "shop.mood");
    assert_int_equal(t.labels.count, 2);
    assert_null(plain);
    value_type_clear(&t);
    pg_types_resolve(20005, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.ops, &PG_ARRAY_REQUIRED);
    assert_ptr_equal(t.element->ops, &PG_ENUM);
    assert_null(plain);
    value_type_clear(&t);
    pg_types_resolve(20006, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.ops, &PG_STRING_PLAIN);
    pg_types_resolve(20099, -1, types, COUNT_OF(types), &t, &plain);
    assert_string_equal(plain, "unknown");
}

static void types_in_types_make_a_tree(void **state)
{
    (void)state;
    char street[] = "street";
    char number[] = "number";
    struct pg_type_field fields[] = {{street, 25, -1}, {number, 20003, -1}};
    const struct pg_type types[] = {
        {.oid = 20003,
         .kind = 'd',
         .base_oid = 1700,
         .base_modifier = NUMERIC_MODIFIER(6, 1),
         .name = street},
        {.oid = 20007, .kind = 'c', .name = street, .schema = street, .fields = fields, .field_count = 2},
        {.oid = 20008, .kind = 'b', .element_oid = 20007, .delimiter = ',', .name = street},
        {.oid = 20009, .kind = 'r', .below_oid = 1184, .name = street},
        {.oid = 20010, .kind = 'm', .below_oid = 20009, .name = street},
    };
    struct value_type t;
    const char *plain;
    pg_types_resolve(20008, -1, types, COUNT_OF(types), &t, &plain);
    CLEANUP(value_type_clear) struct value_type copy = value_type_copy(&t);
    value_type_clear(&t);
    assert_int_equal(copy.element->field_count, 2);
    assert_string_equal(copy.element->field_names.items[1], "number");
    assert_ptr_equal(copy.element->fields[1].ops, &PG_NUMERIC_DECIMAL);
    assert_int_equal(copy.element->fields[1].scale, 1);
    pg_types_resolve(20010, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.element->element->ops, &PG_TEMPORAL_ZONED_TIMESTAMP);
    value_type_clear(&t);
    pg_types_resolve(3912, -1, NULL, 0, &t, &plain);
    assert_ptr_equal(t.element->ops, &PG_TEMPORAL_DATE);
    value_type_clear(&t);
}

static void types_of_extensions_are_found_by_name(void **state)
{
    (void)state;
    char hstore[] = "hstore";
    char vector[] = "vector";
    char shop[] = "shop";
    const struct pg_type types[] = {
        {.oid = 20001, .kind = 'b', .name = hstore, .schema = shop, .extension = hstore},
        {.oid = 20002, .kind = 'b', .name = hstore, .schema = shop},
        {.oid = 20003, .kind = 'b', .name = vector, .schema = shop, .extension = vector},
        {.oid = 20004, .kind = 'b', .element_oid = 20003, .delimiter = ',', .name = vector},
    };
    struct value_type t;
    const char *plain;
    pg_types_resolve(20001, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.ops, &PG_HSTORE_JSON);
    assert_null(plain);
    value_type_clear(&t);
    pg_types_resolve(20002, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.ops, &PG_STRING_PLAIN);
    assert_string_equal(plain, "hstore");
    value_type_clear(&t);
    pg_types_resolve(20004, -1, types, COUNT_OF(types), &t, &plain);
    assert_ptr_equal(t.element->ops, &PG_VECTOR);
    value_type_clear(&t);
    pg_types_resolve(1020, -1, NULL, 0, &t, &plain);
    assert_int_equal(t.delimiter, ';');
    value_type_clear(&t);
    pg_types_resolve(30, -1, NULL, 0, &t, &plain);
    assert_ptr_equal(t.ops, &PG_ARRAY_VECTOR);
    assert_ptr_equal(t.element->ops, &PG_NUMBER_OID);
    value_type_clear(&t);
    pg_types_resolve(6150, -1, NULL, 0, &t, &plain);
    assert_ptr_equal(t.element->element->element->ops, &PG_NUMBER_INT32);
    value_type_clear(&t);
}

// T0 (a int), T1 (a T0, b T0), T2 (a T1, b T1) …: the last one has 2^30 types in it.
static void a_type_with_too_many_types_in_it_is_text(void **state)
{
    (void)state;
    enum { DEPTH = 30 };
    char name[] = "t";
    struct pg_type_field fields[DEPTH][2];
    struct pg_type types[DEPTH];
    for (uint32_t i = 0; i < DEPTH; i++) {
        uint32_t below = i == 0 ? 23 : 20000 + i - 1;
        fields[i][0] = (struct pg_type_field){name, below, -1};
        fields[i][1] = (struct pg_type_field){name, below, -1};
        types[i] = (struct pg_type){.oid = 20000 + i,
                                    .kind = 'c',
                                    .name = name,
                                    .schema = name,
                                    .fields = fields[i],
                                    .field_count = 2};
    }
    struct value_type t;
    const char *plain;
    pg_types_resolve(20000 + DEPTH - 1, -1, types, DEPTH, &t, &plain);
    assert_ptr_equal(t.ops, &PG_STRING_PLAIN);
    assert_null(t.fields);
    assert_string_equal(plain, "t");
    assert_true(pg_types_is_too_large(20000 + DEPTH - 1, -1, types, DEPTH));
    value_type_clear(&t);
    pg_types_resolve(20009, -1, types, DEPTH, &t, &plain);
    assert_ptr_equal(t.ops, &PG_COMPOSITE);
    assert_null(plain);
    assert_false(pg_types_is_too_large(20009, -1, types, DEPTH));
    value_type_clear(&t);
    // A type in itself, as a catalogue may have it that was read while types were altered.
    types[0].fields[0].oid = 20000;
    pg_types_resolve(20000, -1, types, 1, &t, &plain);
    assert_ptr_equal(t.ops, &PG_STRING_PLAIN);
    assert_true(pg_types_is_too_large(20000, -1, types, 1));
    value_type_clear(&t);
}

static char pair[] = "pair";
static char hstore[] = "hstore";
static struct pg_type_field pair_fields[] = {{pair, 1082, -1}, {pair, 20002, -1}, {pair, 20003, -1}};
static const struct pg_type pair_types[] = {
    {.oid = 20001, .kind = 'c', .name = pair, .schema = pair, .fields = pair_fields, .field_count = 3},
    {.oid = 20002, .kind = 'b', .name = hstore, .schema = pair, .extension = hstore},
    {.oid = 20003, .kind = 'b', .element_oid = 20004, .delimiter = ',', .name = pair},
    {.oid = 20004, .kind = 'e', .name = pair, .schema = pair},
};

static void modes_reach_the_types_in_a_composite_type(void **state)
{
    (void)state;
    struct value_type t;
    const char *plain;
    const struct type_modes modes = {.types = TYPE_MODE_NATIVE, .hstore = TYPE_MODE_HSTORE_MAP};
    pg_types_resolve(20001, -1, pair_types, COUNT_OF(pair_types), &t, &plain);
    pg_type_modes_apply(&t, &modes);
    assert_ptr_equal(t.ops, &PG_COMPOSITE_RECORD);
    assert_ptr_equal(t.fields[0].ops, &PG_TEMPORAL_NATIVE_DATE);
    assert_ptr_equal(t.fields[1].ops, &PG_HSTORE_MAP);
    assert_ptr_equal(t.fields[2].ops, &PG_ARRAY_EXACT);
    assert_ptr_equal(t.fields[2].element->ops, &PG_ENUM);
    value_type_clear(&t);
    pg_types_resolve(1009, -1, NULL, 0, &t, &plain);
    pg_type_modes_apply(&t, &modes);
    assert_ptr_equal(t.ops, &PG_ARRAY_EXACT_PLACEHOLDER);
    value_type_clear(&t);
}

static void a_composite_type_that_is_read_again_keeps_the_modes(void **state)
{
    (void)state;
    const char *plain;
    const struct type_modes modes = {.types = TYPE_MODE_NATIVE, .hstore = TYPE_MODE_HSTORE_MAP};
    struct column c = {.name = pair, .type_oid = 20001, .type_modifier = -1};
    struct table t = {.columns = &c, .column_count = 1};
    struct pg_type old[COUNT_OF(pair_types)];
    memcpy(old, pair_types, sizeof(old));
    old[0].field_count = 1;
    pg_types_resolve(20001, -1, old, COUNT_OF(old), &c.type, &plain);
    pg_type_modes_apply(&c.type, &modes);
    pg_retype_columns(&t, &modes, pair_types, COUNT_OF(pair_types));
    assert_ptr_equal(c.type.ops, &PG_COMPOSITE_RECORD);
    assert_int_equal(c.type.field_count, 3);
    assert_ptr_equal(c.type.fields[0].ops, &PG_TEMPORAL_NATIVE_DATE);
    assert_ptr_equal(c.type.fields[1].ops, &PG_HSTORE_MAP);
    value_type_clear(&c.type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_the_catalogue_are_followed_to_the_bottom),
        cmocka_unit_test(types_in_types_make_a_tree),
        cmocka_unit_test(types_of_extensions_are_found_by_name),
        cmocka_unit_test(a_type_with_too_many_types_in_it_is_text),
        cmocka_unit_test(modes_reach_the_types_in_a_composite_type),
        cmocka_unit_test(a_composite_type_that_is_read_again_keeps_the_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
