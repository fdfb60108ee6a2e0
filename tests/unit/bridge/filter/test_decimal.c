// bridge/filter/decimal: numbers compared digit by digit.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/filter/decimal.h"
#include "core/base/memory.h"

static struct decimal read_good(const char *text)
{
    struct decimal d;
    if (!decimal_read(slice_of(text), &d)) {
        fail_msg("%s is not read", text);
    }
    return d;
}

static int compare(const char *a, const char *b)
{
    struct decimal x = read_good(a);
    struct decimal y = read_good(b);
    int order = decimal_compare(&x, &y);
    assert_int_equal(decimal_compare(&y, &x), -order);
    return (order > 0) - (order < 0);
}

static void equal_numbers_are_equal_however_they_are_written(void **state)
{
    (void)state;
    static const char *const EQUAL[][2] = {
        {"300", "3e2"},      {"300", "300.00"},    {"0", "-0"},
        {"0", "0e99"},       {"0.10", "1E-1"},     {"-5", "-5.0"},
        {"12.5", "0.125e2"}, {"1e5", "100000"},    {"007", "7"},
        {"+3", "3"},         {".5", "0.5"},        {"5.", "5"},
        {"-0.0", "0.00"},    {"10.01", "1001e-2"}, {"9007199254740993", "9007199254740993.0"},
    };
    for (size_t i = 0; i < COUNT_OF(EQUAL); i++) {
        assert_int_equal(compare(EQUAL[i][0], EQUAL[i][1]), 0);
    }
}

static void no_digit_is_rounded_away(void **state)
{
    (void)state;
    static const char *const ASCENDING[] = {
        "-1e999999999",
        "-1e400",
        "-10",
        "-9.99",
        "-1",
        "-0.5",
        "-1e-400",
        "0",
        "1e-999999999",
        "1e-400",
        "0.1",
        "0.10000000000000000000000001",
        "0.11",
        "1",
        "1.5",
        "2",
        "10",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0000001",
        "12345678901234567890123456789",
        "1e400",
    };
    for (size_t i = 0; i < COUNT_OF(ASCENDING); i++) {
        for (size_t k = 0; k < COUNT_OF(ASCENDING); k++) {
            assert_int_equal(compare(ASCENDING[i], ASCENDING[k]), (i > k) - (i < k));
        }
    }
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"",         "-",  ".",  "e5",   "1e", "1e+", "1.2.3",        "NaN",
                                        "Infinity", "1 ", " 1", "0x10", "1f", "--1", "1e1000000000", "1,5",
                                        "1e5.0"};
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        struct decimal d;
        if (decimal_read(slice_of(WRONG[i]), &d)) {
            fail_msg("%s is read", WRONG[i]);
        }
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/** value * 10^-scale in one of many ways: more zeros at both ends, an exponent, another place of the point.
 */
static char *write_somehow(int64_t value, unsigned scale, uint64_t *random)
{
    uint64_t digits = (uint64_t)(value < 0 ? -value : value);
    const char *sign = value < 0 ? "-" : "";
    CLEANUP(memory_free_pointer)
    char *text = memory_format("%0*llu", (int)scale + 1, (unsigned long long)digits);
    int whole = (int)(strlen(text) - scale);
    switch (next_random(random) % 4) {
    case 0:
        return memory_format("%s%.*s.%s0", sign, whole, text, text + whole);
    case 1:
        return memory_format("%s%llue-%u", sign, (unsigned long long)digits, scale);
    case 2:
        return memory_format("%s00%llu.000E-%u", sign, (unsigned long long)digits, scale);
    default:
        return memory_format("%s0.%se%d", sign, text, whole);
    }
}

/** Random numbers of three scales, which whole numbers compare exactly. */
static void the_order_is_that_of_the_numbers(void **state)
{
    (void)state;
    uint64_t random = UINT64_C(88172645463325252);
    static const int64_t FACTOR[] = {10000, 100, 1};
    static const unsigned SCALE[] = {0, 2, 4};
    for (int i = 0; i < 20000; i++) {
        size_t form_a = next_random(&random) % 3;
        size_t form_b = next_random(&random) % 3;
        int64_t range = next_random(&random) % 2 == 0 ? 300 : 1000000000;
        int64_t a = (int64_t)(next_random(&random) % (uint64_t)(2 * range)) - range;
        int64_t b = (int64_t)(next_random(&random) % (uint64_t)(2 * range)) - range;
        CLEANUP(memory_free_pointer) char *text_a = write_somehow(a, SCALE[form_a], &random);
        CLEANUP(memory_free_pointer) char *text_b = write_somehow(b, SCALE[form_b], &random);
        int64_t exact_a = a * FACTOR[form_a];
        int64_t exact_b = b * FACTOR[form_b];
        if (compare(text_a, text_b) != (exact_a > exact_b) - (exact_a < exact_b)) {
            fail_msg("%s against %s", text_a, text_b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_numbers_are_equal_however_they_are_written),
        cmocka_unit_test(no_digit_is_rounded_away),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(the_order_is_that_of_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
