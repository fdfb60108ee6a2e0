// connectors/column_memory: what is kept in the state topic, and read from it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "connectors/column_memory.h"
#include "core/base/memory.h"

enum { TABLE = 16400 };

static struct column_memory *memory;

static int set_up(void **state)
{
    (void)state;
    memory = column_memory_new("shop");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    column_memory_free(memory);
    return 0;
}

static void expect_entry(const char *key, const char *value)
{
    const char *found_key;
    struct slice found;
    assert_true(state_writes_due(column_memory_writes(memory), 0, &found_key, &found));
    assert_string_equal(found_key, key);
    if (value == NULL) {
        assert_null(found.data);
    } else {
        CLEANUP(memory_free_pointer) char *text = slice_to_string(found);
        assert_string_equal(text, value);
    }
    state_writes_taken(column_memory_writes(memory));
}

static void expect_none(void)
{
    const char *key;
    struct slice value;
    assert_false(state_writes_due(column_memory_writes(memory), UINT64_MAX, &key, &value));
}

static void what_is_new_is_written_once(void **state)
{
    (void)state;
    column_memory_add_name(memory, TABLE, 2, "public.people.pho\"ne");
    expect_entry("column/shop/16400/2", "{\"names\":[\"public.people.pho\\\"ne\"]}");
    column_memory_add_name(memory, TABLE, 2, "public.people.pho\"ne");
    column_memory_add_null(memory, TABLE, 0);  // its number is not known
    expect_none();
    column_memory_add_null(memory, TABLE, 3);
    column_memory_add_text(memory, TABLE, 3);
    column_memory_add_text(memory, TABLE, 3);
    expect_entry("column/shop/16400/3", "{\"names\":[],\"nullable\":true}");
    expect_entry("column/shop/16400/3", "{\"names\":[],\"nullable\":true,\"text\":true}");
    expect_none();
}

static void what_is_read_is_added(void **state)
{
    (void)state;
    column_memory_add_name(memory, TABLE, 2, "a.b.c");
    column_memory_load(memory, "column/shop/16400/2", slice_of("{\"names\":[\"a.b.d\"],\"text\":true}"));
    column_memory_load(memory, "column/shop/16400/2x", slice_of("{\"names\":[\"a.b.e\"]}"));
    column_memory_load(memory, "column/shop/16400/2", slice_of("not JSON"));
    const struct remembered_column *c = column_memory_find(memory, TABLE, 2);
    assert_non_null(c);
    assert_int_equal(c->names.count, 2);
    assert_true(c->has_text);
    assert_false(c->is_nullable);
    assert_null(column_memory_find(memory, TABLE, 3));
    assert_null(column_memory_find(NULL, TABLE, 2));
}

static void a_former_connectors_entries_are_deleted(void **state)
{
    (void)state;
    column_memory_load(memory, "column/shop/16400/2", slice_of("{\"names\":[\"a.b.d\"]}"));
    column_memory_discard(memory);
    assert_null(column_memory_find(memory, TABLE, 2));
    column_memory_add_name(memory, TABLE, 2, "a.b.e");
    expect_entry("column/shop/16400/2", NULL);
    expect_entry("column/shop/16400/2", "{\"names\":[\"a.b.e\"]}");
    expect_none();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_new_is_written_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_read_is_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_former_connectors_entries_are_deleted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
