// connectors/postgres/catalogue/pg_type_names: the names that the schema-change topic gives types.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "connectors/postgres/catalogue/pg_type_names.h"

static void each_type_has_name_expression_and_jdbc_type(void **state)
{
    (void)state;
    char color[] = "color";
    char shop[] = "shop";
    char positive[] = "positive";
    char colors[] = "_color";
    const struct pg_type types[] = {
        {.oid = 16500, .kind = 'e', .name = color, .schema = shop},
        {.oid = 16501, .kind = 'd', .name = positive, .base_oid = 23},
        {.oid = 16502, .kind = 'b', .name = colors, .schema = shop, .element_oid = 16500},
        {.oid = 16503, .kind = 'c', .name = color},
        {.oid = 16504, .kind = 'b', .name = color},
    };
    const struct {
        uint32_t oid;
        int32_t modifier;
        const char *type;
        const char *expression;
        int32_t jdbc;
        int32_t length;
        int32_t scale;
    } cases[] = {
        {23, -1, "int4", "int4", 4, -1, -1},
        {1700, -1, "numeric", "numeric", 2, -1, -1},
        {1700, ((10 << 16) | 2) + 4, "numeric", "numeric(10,2)", 2, 10, 2},
        {1700, ((3 << 16) | (-2 & 0x7ff)) + 4, "numeric", "numeric(3,-2)", 2, 3, -2},
        {1231, ((10 << 16) | 2) + 4, "_numeric", "numeric(10,2)[]", 2003, 10, 2},
        {1043, 24, "varchar", "varchar(20)", 12, 20, -1},
        {1042, 5, "bpchar", "bpchar(1)", 1, 1, -1},
        {1560, 3, "bit", "bit(3)", -7, 3, -1},
        {1184, 3, "timestamptz", "timestamptz(3)", 93, -1, 3},
        {1007, -1, "_int4", "int4[]", 2003, -1, -1},
        {16500, -1, "color", "shop.color", 12, -1, -1},
        {16501, -1, "positive", "positive", 2001, -1, -1},
        {16502, -1, "_color", "shop._color", 2003, -1, -1},
        {16503, -1, "color", "color", 2002, -1, -1},
        {16504, -1, "color", "color", 1111, -1, -1},
        {16599, -1, "unknown", "type 16599", 1111, -1, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct column_shape c = {0};
        pg_type_names_set(cases[i].oid, cases[i].modifier, types, sizeof(types) / sizeof(types[0]), &c);
        assert_string_equal(c.type, cases[i].type);
        assert_string_equal(c.expression, cases[i].expression);
        assert_int_equal(c.jdbc_type, cases[i].jdbc);
        assert_int_equal(c.length, cases[i].length);
        assert_int_equal(c.scale, cases[i].scale);
        free(c.type);
        free(c.expression);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_type_has_name_expression_and_jdbc_type)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
