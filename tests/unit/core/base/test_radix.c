#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/base/radix.h"

static uint32_t seed = 1;

static uint8_t next_byte(void)
{
    seed = seed * 1664525 + 1013904223;
    return (uint8_t)(seed >> 24);
}

// The simple method, one digit after another.
static void reference_bytes(const uint8_t *digits, size_t count, uint8_t *ret, size_t size)
{
    memset(ret, 0, size);
    for (size_t d = 0; d < count; d++) {
        unsigned carry = digits[d] - '0';
        for (size_t i = size; i > 0; i--) {
            carry += ret[i - 1] * 10U;
            ret[i - 1] = (uint8_t)carry;
            carry >>= 8;
        }
        assert_int_equal(carry, 0);
    }
}

static void check_length(size_t count, bool is_round)
{
    size_t size = radix_bytes_max(count);
    uint8_t *digits = memory_new(count + 1);
    uint8_t *want = memory_new(size);
    uint8_t *have = memory_new(size);
    for (size_t i = 0; i < count; i++) {
        digits[i] = is_round ? (i == 0 ? '1' : '0') : (uint8_t)('0' + next_byte() % 10);
    }
    reference_bytes(digits, count, want, size);
    radix_to_bytes(slice_make(digits, count), have, size);
    assert_memory_equal(have, want, size);
    size_t back_count = radix_digits_max(size);
    uint8_t *back = memory_new(back_count);
    radix_to_digits(slice_make(have, size), back, back_count);
    for (size_t i = 0; i < back_count - count; i++) {
        assert_int_equal(back[i], '0');
    }
    assert_memory_equal(back + (back_count - count), digits, count);
    free(back);
    free(have);
    free(want);
    free(digits);
}

static void both_directions_agree_with_the_schoolbook_at_every_length(void **state)
{
    (void)state;
    static const size_t LENGTHS[] = {1,   2,   9,   10,  18,  19,   286,  287,  288,  289,  290, 575,
                                     576, 577, 578, 863, 865, 1151, 1152, 1153, 2303, 2305, 5000};
    for (size_t i = 0; i < COUNT_OF(LENGTHS); i++) {
        check_length(LENGTHS[i], false);
        check_length(LENGTHS[i], true);
    }
}

static void nothing_is_zero(void **state)
{
    (void)state;
    uint8_t digits[3];
    radix_to_digits((struct slice){NULL, 0}, digits, 3);
    assert_memory_equal(digits, "000", 3);
    uint8_t bytes[3] = {1, 1, 1};
    radix_to_bytes((struct slice){NULL, 0}, bytes, 3);
    assert_memory_equal(bytes, "\0\0\0", 3);
}

static int64_t processor_time_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

enum { LONG_DIGITS = 131072, SHORT_DIGITS = 1024, SHORTS = LONG_DIGITS / SHORT_DIGITS };

// Compares the processor time for one long number with that for 128 short ones with the same digits in all,
// in both directions: with n * n steps for a number the ratio would be 128.
static void the_work_for_a_long_number_is_far_from_quadratic(void **state)
{
    (void)state;
    uint8_t *digits = memory_new(LONG_DIGITS);
    memset(digits, '7', LONG_DIGITS);
    size_t size = radix_bytes_max(LONG_DIGITS);
    uint8_t *number = memory_new(size);
    int64_t began = processor_time_ns();
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < SHORTS; i++) {
            radix_to_bytes(slice_make(digits, SHORT_DIGITS), number, radix_bytes_max(SHORT_DIGITS));
            radix_to_digits(slice_make(number, radix_bytes_max(SHORT_DIGITS)), digits, SHORT_DIGITS);
        }
    }
    int64_t short_ns = (processor_time_ns() - began) / 4;
    began = processor_time_ns();
    radix_to_bytes(slice_make(digits, LONG_DIGITS), number, size);
    radix_to_digits(slice_make(number, size), digits, LONG_DIGITS);
    int64_t long_ns = processor_time_ns() - began;
    print_message("%d digits: %lld us as one number, %lld us as %d\n", LONG_DIGITS,
                  (long long)(long_ns / 1000), (long long)(short_ns / 1000), SHORTS);
    assert_true(long_ns < 48 * short_ns);
    assert_int_equal(digits[LONG_DIGITS - 1], '7');
    free(number);
    free(digits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_agree_with_the_schoolbook_at_every_length),
        cmocka_unit_test(nothing_is_zero),
        cmocka_unit_test(the_work_for_a_long_number_is_far_from_quadratic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
