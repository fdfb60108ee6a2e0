// connectors/known_tables: what is said to have changed, and what is kept in the state topic.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "connectors/known_tables.h"
#include "core/base/memory.h"

enum { OID = 16400, COLUMNS_MAX = 200 };

static struct known_tables *known;
static struct known_tables_place place;  // of the next row

static int set_up(void **state)
{
    (void)state;
    known = known_tables_new("shop");
    known_tables_begin(known);
    place = (struct known_tables_place){0x100, 0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    known_tables_free(known);
    return 0;
}

// Columns as "name type"; a "?" before the name: nullable, "=x" behind the type: a default.
static struct table *new_table(const char *name, const char *const *columns, size_t count)
{
    struct table *t = memory_zeroed(1, sizeof(*t));
    t->schema = memory_string("public");
    t->name = memory_string(name);
    t->columns = memory_zeroed(count, sizeof(*t->columns));
    t->column_count = count;
    t->key_columns = memory_zeroed(count, sizeof(*t->key_columns));
    t->key_count = 1;
    t->shape = table_shape_new(OID, 'd', count);
    for (size_t i = 0; i < count; i++) {
        const char *at = columns[i];
        t->shape->columns[i].is_nullable = *at == '?';
        at += *at == '?' ? 1 : 0;
        const char *type = strchr(at, ' ') + 1;
        size_t type_size = strcspn(type, "=");
        t->columns[i].name = slice_to_string(slice_make(at, (size_t)(type - at) - 1));
        t->shape->columns[i].type = memory_string("t");
        t->shape->columns[i].expression = slice_to_string(slice_make(type, type_size));
        t->shape->columns[i].default_text =
            type[type_size] == '=' ? memory_string(type + type_size + 1) : NULL;
    }
    return t;
}

#define TABLE(name, ...)                                                                                     \
    new_table(name, (const char *const[]){__VA_ARGS__},                                                      \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void expect(struct table *t, enum known_tables_effect effect, const char *effects)
{
    struct known_tables_change what = known_tables_compare(known, t, place);
    assert_int_equal(what.effect, effect);
    if (effects != NULL) {
        CLEANUP(memory_free_pointer) char *text = slice_to_string(what.effects);
        assert_string_equal(text, effects);
    }
    if (effect != KNOWN_TABLES_SAME) {
        known_tables_set(known, t, place, 1);
    }
    place.index++;
    table_free(t);
}

static bool is_due(uint64_t first, const char **ret_key, struct slice *ret_value)
{
    return state_writes_due(known_tables_writes(known), first, ret_key, ret_value);
}

static void take(void)
{
    state_writes_taken(known_tables_writes(known));
}

static struct table *numbered(struct table *t, const uint16_t *numbers)
{
    for (size_t i = 0; i < t->column_count; i++) {
        t->columns[i].number = numbers[i];
    }
    return t;
}

#define NUMBERED(t, ...) numbered(t, (const uint16_t[]){__VA_ARGS__})

static void each_change_is_named(void **state)
{
    (void)state;
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, "{}");
    expect(TABLE("a", "id int4"), KNOWN_TABLES_SAME, NULL);
    expect(TABLE("a", "id int4", "?x int4", "?y text"), KNOWN_TABLES_ALTER, "{\"added\":[\"x\",\"y\"]}");
    expect(TABLE("a", "id int4", "?z int4", "?y text"), KNOWN_TABLES_ALTER, "{\"renamed\":{\"x\":\"z\"}}");
    expect(TABLE("a", "id int4", "?z int8", "?y text"), KNOWN_TABLES_ALTER, "{\"retyped\":[\"z\"]}");
    expect(TABLE("a", "id int4", "z int8", "?y text='q'"), KNOWN_TABLES_ALTER,
           "{\"nullability\":[\"z\"],\"default\":[\"y\"]}");
    expect(TABLE("a", "id int4", "?y text='q'"), KNOWN_TABLES_ALTER, "{\"dropped\":[\"z\"]}");
    // At the end of a table a renaming can't be told from a drop and an add.
    expect(TABLE("a", "id int4", "?v text='q'"), KNOWN_TABLES_ALTER,
           "{\"dropped\":[\"y\"],\"added\":[\"v\"]}");
    expect(TABLE("b", "id int4", "?v text='q'"), KNOWN_TABLES_ALTER, "{\"renamed_from\":\"public.a\"}");
    struct table *t = TABLE("b", "id int4", "?v text='q'");
    t->key_count = 0;
    t->shape->identity = 'f';
    expect(t, KNOWN_TABLES_ALTER, "{\"key\":[],\"identity\":\"f\"}");
}

static void another_table_under_a_known_name_means_that_the_first_was_dropped(void **state)
{
    (void)state;
    const char *key;
    struct slice value;
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, NULL);
    assert_true(is_due(2, &key, &value));
    take();
    struct table *t = TABLE("a", "id int8");
    t->shape->oid = OID + 1;
    struct known_tables_change what = known_tables_compare(known, t, place);
    assert_int_equal(what.effect, KNOWN_TABLES_CREATE);
    assert_string_equal(what.dropped_name, "a");
    assert_string_equal(what.dropped_schema, "public");
    known_tables_set(known, t, place, 7);
    table_free(t);
    assert_false(is_due(7, &key, &value));
    assert_true(is_due(8, &key, &value));
    assert_string_equal(key, "table/shop/16400");
    assert_non_null(memmem(value.data, value.size, "\"dropped\":true", 14));
    take();
    assert_true(is_due(8, &key, &value));
    assert_string_equal(key, "table/shop/16401");
    assert_non_null(value.data);
    take();
    assert_false(is_due(UINT64_MAX, &key, &value));
}

// Writes what is due to a fresh session, as the state topic would give it.
static void restart(void)
{
    const char *key;
    struct slice value;
    struct known_tables *next = known_tables_new("shop");
    known_tables_begin(next);
    while (is_due(UINT64_MAX, &key, &value)) {
        if (value.data != NULL) {
            known_tables_load(next, key, value);
        }
        take();
    }
    known_tables_free(known);
    known = next;
}

static void a_restart_knows_what_was_recorded(void **state)
{
    (void)state;
    expect(TABLE("a \"quoted\" \xc3\xa4", "id int4", "?x int4='\"'"), KNOWN_TABLES_CREATE, NULL);
    restart();
    expect(TABLE("a \"quoted\" \xc3\xa4", "id int4", "?x int4='\"'"), KNOWN_TABLES_SAME, NULL);
    expect(TABLE("a \"quoted\" \xc3\xa4", "id int4"), KNOWN_TABLES_ALTER, "{\"dropped\":[\"x\"]}");
}

// As after a kill: what is in the state topic is newer than the place where the stream resumes.
static void what_comes_once_more_is_not_recorded_again(void **state)
{
    (void)state;
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, NULL);
    struct known_tables_place second = place;
    expect(TABLE("a", "id int4", "?x int4"), KNOWN_TABLES_ALTER, NULL);
    restart();
    place = (struct known_tables_place){0x100, 0};
    expect(TABLE("a", "id int4"), KNOWN_TABLES_SAME, NULL);
    place = (struct known_tables_place){0xff, 7};
    struct table *t = TABLE("a", "id int8");
    assert_true(known_tables_compare(known, t, place).is_early);
    table_free(t);
    place = second;
    expect(TABLE("a", "id int4", "?x int4"), KNOWN_TABLES_SAME, NULL);
    expect(TABLE("a", "id int4"), KNOWN_TABLES_ALTER, "{\"dropped\":[\"x\"]}");
    expect(TABLE("a", "id int4", "?x int4"), KNOWN_TABLES_ALTER, "{\"added\":[\"x\"]}");
}

static struct table *with_oid(struct table *t, uint32_t oid)
{
    t->shape->oid = oid;
    return t;
}

static void a_table_that_was_dropped_comes_once_more(void **state)
{
    (void)state;
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, NULL);
    expect(with_oid(TABLE("a", "id int8"), OID + 1), KNOWN_TABLES_CREATE, NULL);
    expect(with_oid(TABLE("b", "id int8"), OID + 1), KNOWN_TABLES_ALTER, "{\"renamed_from\":\"public.a\"}");
    restart();
    known_tables_begin_stream(known, 0x100);  // the transaction comes once more
    struct known_tables_place after = {0x200, 0};
    place = (struct known_tables_place){0x100, 0};
    expect(TABLE("a", "id int4"), KNOWN_TABLES_SAME, NULL);
    expect(with_oid(TABLE("a", "id int8"), OID + 1), KNOWN_TABLES_SAME, NULL);
    expect(with_oid(TABLE("b", "id int8"), OID + 1), KNOWN_TABLES_SAME, NULL);
    place = after;
    expect(with_oid(TABLE("a", "id int8"), OID + 2), KNOWN_TABLES_CREATE, NULL);
    restart();
    const char *key;
    struct slice value;
    assert_false(is_due(UINT64_MAX, &key, &value));
    known_tables_load(known, "table/shop/16400",
                      slice_of("{\"schema\":\"s\",\"name\":\"a\",\"place\":\"00000000000000F0-00000000\","
                               "\"dropped\":true}"));
    known_tables_begin_stream(known, 0x108);  // after it
    assert_true(is_due(0, &key, &value));
    assert_string_equal(key, "table/shop/16400");
    assert_null(value.data);
}

static void columns_are_followed_by_their_numbers(void **state)
{
    (void)state;
    expect(NUMBERED(TABLE("a", "id int4", "x int4", "y int4"), 1, 2, 3), KNOWN_TABLES_CREATE, NULL);
    expect(NUMBERED(TABLE("a", "id int4", "y int4", "x int4"), 1, 2, 3), KNOWN_TABLES_ALTER,
           "{\"renamed\":{\"x\":\"y\",\"y\":\"x\"}}");
    restart();
    expect(NUMBERED(TABLE("a", "id int4", "y int4", "last int4"), 1, 2, 3), KNOWN_TABLES_ALTER,
           "{\"renamed\":{\"x\":\"last\"}}");
    expect(NUMBERED(TABLE("a", "id int4", "y int4", "last int8"), 1, 2, 4), KNOWN_TABLES_ALTER,
           "{\"dropped\":[\"last\"],\"added\":[\"last\"]}");
    // The numbers of an older version may be unknown.
    expect(TABLE("a", "id int4", "y int4", "last int8"), KNOWN_TABLES_SAME, NULL);
    expect(TABLE("a", "id int4", "z int4", "last int8"), KNOWN_TABLES_ALTER, "{\"renamed\":{\"y\":\"z\"}}");
}

static void a_connector_made_anew_reads_no_memory_of_a_former_one(void **state)
{
    (void)state;
    const char *key;
    struct slice value;
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, NULL);
    restart();
    known_tables_discard(known);
    assert_true(is_due(0, &key, &value));
    assert_string_equal(key, "table/shop/16400");
    assert_null(value.data);
    take();
    assert_false(is_due(UINT64_MAX, &key, &value));
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, NULL);
}

static void of_a_long_definition_only_the_hash_is_kept(void **state)
{
    (void)state;
    const char *columns[COLUMNS_MAX];
    for (size_t i = 0; i < COLUMNS_MAX; i++) {
        columns[i] = memory_format("column_with_the_number_%zu text", i);
    }
    const char *key;
    struct slice value;
    expect(new_table("a", columns, COLUMNS_MAX), KNOWN_TABLES_CREATE, NULL);
    assert_true(is_due(UINT64_MAX, &key, &value));
    assert_true(value.size < 200);
    restart();
    expect(new_table("a", columns, COLUMNS_MAX), KNOWN_TABLES_SAME, NULL);
    expect(new_table("a", columns, COLUMNS_MAX - 1), KNOWN_TABLES_ALTER, "{}");
    expect(new_table("a", columns, COLUMNS_MAX - 2), KNOWN_TABLES_ALTER,
           "{\"dropped\":[\"column_with_the_number_198\"]}");
    for (size_t i = 0; i < COLUMNS_MAX; i++) {
        free((void *)(uintptr_t)columns[i]);
    }
}

static void a_lost_session_knows_only_what_is_loaded_again(void **state)
{
    (void)state;
    const char *key;
    struct slice value;
    uint32_t session = known_tables_session(known);
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, NULL);
    known_tables_begin(known);
    assert_int_not_equal(known_tables_session(known), session);
    assert_false(is_due(UINT64_MAX, &key, &value));
    expect(TABLE("a", "id int4"), KNOWN_TABLES_CREATE, NULL);
    known_tables_load(known, "table/shop/12x", slice_of("{\"schema\":\"s\",\"name\":\"n\"}"));
    known_tables_load(known, "table/shop/12", slice_of("not JSON"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_change_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_table_under_a_known_name_means_that_the_first_was_dropped,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_knows_what_was_recorded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_once_more_is_not_recorded_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_that_was_dropped_comes_once_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(columns_are_followed_by_their_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connector_made_anew_reads_no_memory_of_a_former_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_a_long_definition_only_the_hash_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_session_knows_only_what_is_loaded_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
