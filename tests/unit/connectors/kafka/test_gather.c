// connectors/kafka/gather: what is put in comes out, in order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/kafka/gather.h"

static const char position[] = "0000000000000100-00000000";

static struct gather_record record_of(uint64_t ticket, const char *key, const char *value)
{
    struct slice none = {NULL, 0};
    return (struct gather_record){ticket, key == NULL ? none : slice_of(key),
                                  value == NULL ? none : slice_of(value), slice_of(position)};
}

static void expect(struct gather *g, uint64_t ticket, const char *key, const char *value)
{
    struct gather_record wanted = record_of(ticket, key, value);
    struct gather_record got = gather_first(g);
    assert_int_equal(got.ticket, ticket);
    assert_true(slice_equal(got.key, wanted.key));
    assert_true(slice_equal(got.value, wanted.value));
    assert_int_equal(got.key.data == NULL, key == NULL);
    assert_int_equal(got.value.data == NULL, value == NULL);
    assert_true(slice_equal(got.position, slice_of(position)));
    gather_pop(g, 0);
}

static void put(struct gather *g, uint64_t ticket, const char *key, const char *value)
{
    struct gather_record record = record_of(ticket, key, value);
    gather_put(g, &record);
}

static void records_come_out_in_order_and_null_is_not_empty(void **state)
{
    (void)state;
    struct gather g = {0};
    put(&g, 1, "k", "value");
    put(&g, 2, "longer key", NULL);  // a tombstone
    put(&g, 3, NULL, "no key");
    put(&g, UINT64_MAX, "", "");
    assert_int_equal(g.count, 4);
    expect(&g, 1, "k", "value");
    expect(&g, 2, "longer key", NULL);
    put(&g, 4, "late", "one");
    expect(&g, 3, NULL, "no key");
    expect(&g, UINT64_MAX, "", "");
    expect(&g, 4, "late", "one");
    assert_int_equal(g.count, 0);
    assert_int_equal(gather_bytes(&g), 0);
    gather_clear(&g);
}

static void an_emptied_buffer_is_kept_only_when_it_is_small(void **state)
{
    (void)state;
    struct gather g = {0};
    put(&g, 1, "k", "v");
    gather_pop(&g, 4096);
    assert_non_null(g.records.data);
    put(&g, 1, "k", "v");
    gather_pop(&g, 0);
    assert_null(g.records.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_in_order_and_null_is_not_empty),
        cmocka_unit_test(an_emptied_buffer_is_kept_only_when_it_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
