// connectors/record_plan: the records of a change keep their order and their parts while the plan grows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/change_record.h"
#include "connectors/record_plan.h"

static struct record_part put(struct record_plan *p, const char *text, size_t times)
{
    size_t begin = record_plan_begin(p);
    for (size_t i = 0; i < times; i++) {
        bytes_append_string(&p->bytes, text);
    }
    return record_plan_end(p, begin);
}

static void parts_stay_when_the_buffer_moves(void **state)
{
    (void)state;
    struct record_plan p = {0};
    const struct topic_route route = {.name = "t"};
    struct record_plan_item *item = record_plan_add(&p, RECORD_VALUE, &route);
    item->key = put(&p, "k", 1);
    item->value = put(&p, "v", 1);
    item->position_size = (uint8_t)change_record_position(item->position, 0x1a, 3);
    struct record_part key = item->key;
    item = record_plan_add(&p, RECORD_TOMBSTONE, &route);
    item->key = key;
    item->headers = put(&p, "h", 1 << 20);
    struct planned_record first = record_plan_get(&p, 0);
    struct planned_record second = record_plan_get(&p, 1);
    assert_int_equal(first.kind, RECORD_VALUE);
    assert_ptr_equal(first.route, &route);
    assert_true(slice_equal(first.key, slice_of("k")));
    assert_true(slice_equal(first.value, slice_of("v")));
    assert_true(slice_equal(first.position, slice_of("000000000000001a-00000003")));
    assert_int_equal(first.headers.size, 0);
    assert_int_equal(first.partition, RECORD_BY_KEY);
    assert_true(slice_equal(second.key, slice_of("k")));
    assert_null(second.value.data);
    assert_null(second.position.data);
    assert_int_equal(second.headers.size, 1 << 20);
    record_plan_clear(&p);
}

static void a_plan_that_is_used_again_keeps_its_buffer(void **state)
{
    (void)state;
    struct record_plan p = {0};
    record_plan_add(&p, RECORD_VALUE, NULL)->value = put(&p, "x", 1000);
    const uint8_t *buffer = p.bytes.data;
    p.next = 1;
    record_plan_reset(&p);
    assert_int_equal(p.count, 0);
    assert_int_equal(p.next, 0);
    record_plan_add(&p, RECORD_VALUE, NULL)->value = put(&p, "", 0);
    assert_ptr_equal(p.bytes.data, buffer);
    assert_non_null(record_plan_get(&p, 0).value.data);  // empty, and not null
    record_plan_clear(&p);
}

static void a_position_has_more_digits_from_row_2_to_the_32_on(void **state)
{
    (void)state;
    char id[RECORD_POSITION_MAX];
    size_t size = change_record_position(id, UINT64_MAX, UINT64_C(0x123456789));
    assert_true(slice_equal(slice_make(id, size), slice_of("ffffffffffffffff-123456789")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_stay_when_the_buffer_moves),
        cmocka_unit_test(a_plan_that_is_used_again_keeps_its_buffer),
        cmocka_unit_test(a_position_has_more_digits_from_row_2_to_the_32_on),
    };
    return cmocka_run_group_tests_name("connectors/record_plan", tests, NULL, NULL);
}
