// core/base/cursor: a short read makes all later ones fail, and left-over bytes are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/cursor.h"

static const uint8_t golden[] = {0x01, 0x02, 0x03, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 'a', 'b', 0, 'x', 'y'};

struct all {
    uint8_t byte;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    struct slice text;
    struct slice rest;
};

static bool read_all(struct slice input, struct all *ret, struct fault *f)
{
    struct cursor c = cursor_over(input);
    struct all all = {.byte = cursor_u8(&c)};
    all.two = cursor_u16(&c);
    all.four = cursor_u32(&c);
    all.eight = cursor_u64(&c);
    all.text = cursor_string(&c);
    all.rest = cursor_take(&c, 2);
    if (!cursor_finish(&c, "test message", f)) {
        return false;
    }
    *ret = all;
    return true;
}

static void it_reads_big_endian_numbers_and_strings(void **state)
{
    (void)state;
    struct all all;
    struct fault f = {0};
    assert_true(read_all(slice_make(golden, sizeof(golden)), &all, &f));
    assert_int_equal(all.byte, 1);
    assert_int_equal(all.two, 0x0203);
    assert_int_equal(all.four, 0x100);
    assert_int_equal(all.eight, 9);
    assert_true(slice_equal(all.text, slice_of("ab")));
    assert_true(slice_equal(all.rest, slice_of("xy")));
}

static void every_truncation_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(golden); size++) {
        uint8_t *exact = malloc(size == 0 ? 1 : size);
        memcpy(exact, golden, size);
        struct all all = {.byte = 77};
        struct fault f = {0};
        assert_false(read_all(slice_make(exact, size), &all, &f));
        assert_int_equal(f.kind, FAULT_REJECT);
        assert_string_equal(f.text, "test message is cut short");
        assert_int_equal(all.byte, 77);
        free(exact);
    }
}

static void left_over_bytes_are_refused(void **state)
{
    (void)state;
    struct cursor c = cursor_over(slice_of("abc"));
    (void)cursor_u8(&c);
    struct fault f = {0};
    assert_false(cursor_finish(&c, "frame", &f));
    assert_string_equal(f.text, "frame has 2 bytes too many");
}

static void a_short_read_stays_short(void **state)
{
    (void)state;
    struct cursor c = cursor_over(slice_of("abc"));
    assert_int_equal(cursor_u32(&c), 0);
    assert_int_equal(cursor_u8(&c), 0);
    assert_int_equal(cursor_left(&c), 0);
    struct fault f = {0};
    assert_false(cursor_finish(&c, "frame", &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_big_endian_numbers_and_strings),
        cmocka_unit_test(every_truncation_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(left_over_bytes_are_refused),
        cmocka_unit_test(a_short_read_stays_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
