#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/catalogue/pg_column_masks.h"
#include "connectors/postgres/catalogue/pg_types.h"
#include "core/base/memory.h"

enum { TEXT = 25, INT4 = 23, VARCHAR = 1043 };

static char glob_hash[] = "public.people.email";
static char glob_mask[] = "*.phone";
static char glob_truncate[] = "public.people.note";
static char stars[] = "***";
static char four[] = "4";
static char salt[] = "pepper";
static char *hashed[] = {glob_hash};
static struct text_pair masked[] = {{.key = glob_mask, .value = stars}};
static struct text_pair truncated[] = {{.key = glob_truncate, .value = four}};
static struct connector_config config = {
    .columns = {.mask = {.items = masked, .count = 1},
                .truncate = {.items = truncated, .count = 1},
                .hash = {.columns = {hashed, 1}, .algorithm = CONNECTOR_SHA256, .salt = salt}}};

static void check(const char *column, uint32_t oid, int32_t modifier, const char *value, const char *expected)
{
    const struct text_list none = {0};
    struct pg_column_masks *masks = pg_column_masks_new(&config);
    const char *plain = NULL;
    struct value_type type;
    struct fault f;
    struct bytes out = {0};
    pg_types_resolve(oid, modifier, NULL, 0, &type, &plain);
    pg_mask_apply(&type, pg_column_masks_find(masks, "public.people", &none, column));
    assert_true(pg_mask_is_on(&type));
    assert_int_equal(type.ops->append_text(&out, &type, slice_of(value), &f), VALUE_DONE);
    size_t header = strlen(expected) < 64 ? 1 : 2;  // the length of an Avro string
    assert_int_equal(out.size, header + strlen(expected));
    assert_memory_equal(out.data + header, expected, strlen(expected));
    bytes_clear(&out);
    value_type_clear(&type);
    pg_column_masks_free(masks);
}

static void masked_values_are_as_debeziums(void **state)
{
    (void)state;
    check("phone", TEXT, -1, "0123", "***");
    check("phone", INT4, -1, "17", "***");
    // sha256 of "peppera@x"
    check("email", TEXT, -1, "a@x", "28e0deb150d883ac52fbe96ae5caaf5c09c308f077472cd1654f556cb0412926");
    check("email", VARCHAR, 4 + 10, "a@x", "28e0deb150");
    check("note", TEXT, -1, "abcdef", "abcd");
    check("note", TEXT, -1, "abc", "abc");
    check("note", TEXT, -1, "abc😀e", "abc");  // two UTF-16 units, of which one would fit
}

static void only_named_columns_are_masked(void **state)
{
    (void)state;
    const struct text_list none = {0};
    struct text_list above = {0};
    struct pg_column_masks *masks = pg_column_masks_new(&config);
    text_list_add(&above, "public.people");
    assert_null(pg_column_masks_find(masks, "public.people", &none, "name"));
    assert_null(pg_column_masks_find(masks, "public.people_2026", &none, "email"));
    assert_non_null(pg_column_masks_find(masks, "public.people_2026", &above, "email"));
    text_list_clear(&above);
    pg_column_masks_free(masks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_values_are_as_debeziums),
        cmocka_unit_test(only_named_columns_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
