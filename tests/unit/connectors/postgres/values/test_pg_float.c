// Texts that PostgreSQL 15 wrote for the numbers; the binary numbers are read from these texts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/postgres/values/pg_float.h"

static struct bytes out;

static void assert_double(const char *text)
{
    bytes_reset(&out);
    pg_float_write_double(&out, strtod(text, NULL));
    assert_string_equal(bytes_text(&out), text);
}

static void assert_float(const char *text)
{
    bytes_reset(&out);
    pg_float_write_float(&out, strtof(text, NULL));
    assert_string_equal(bytes_text(&out), text);
    assert_true(pg_float_read_back(strtof(text, NULL)) == strtod(text, NULL));
}

static void test_doubles(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "-1.5",
        "0.1",
        "0.0001",
        "1e-05",
        "123456789012345",
        "1e+15",
        "1e+22",
        "5e-324",
        "1.5e-323",
        "NaN",
        "Infinity",
        "-Infinity",
        "1.7976931348623157e+308",
        "1e+300",
        "0.3",
        "1e-300",
        "100",
        "2.2250738585072014e-308",
        "5.684341886080802e-14",
        "-1.4621337705273541e-112",
        "3.617689930468946e+293",
        "2.04346040518536e+299",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_double(texts[i]);
    }
    assert_double("9.007199254740992e+15");
}

static void test_floats(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "1",
        "-1.5",
        "0.1",
        "0.3",
        "1e-45",
        "3.4028235e+38",
        "1.1754944e-38",
        "0.33333334",
        "1.6777216e+07",
        "100000",
        "1e+06",
        "0.0001",
        "1e-05",
        "-1.2002428e-21",
        "2.7403881e+25",
        "0.099975586",
        "9.536743e-07",
        // The shortest that reads back is half-way between two numbers, and not taken.
        "1.5526979e+08",
        "2.4658301e+08",
        "4.9254368e+07",
        "1.31653696e+08",
        "6.6242912e+07",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_float(texts[i]);
    }
}

// Each float of every 100,003rd pattern: the quick way gives what the text gives.
static void test_reads_back_as_the_text(void **state)
{
    (void)state;
    for (uint64_t bits = 0; bits < UINT32_MAX; bits += 100003) {
        uint32_t pattern = (uint32_t)bits;
        float value;
        memcpy(&value, &pattern, sizeof(value));
        if (value != value) {
            continue;
        }
        bytes_reset(&out);
        pg_float_write_float(&out, value);
        double want = strtod(bytes_text(&out), NULL);
        if (pg_float_read_back(value) != want) {
            fail_msg("%s", bytes_text(&out));
        }
    }
}

static void test_halves(void **state)
{
    (void)state;
    assert_true(pg_float_from_half(0x3c00) == 1.0F);
    assert_true(pg_float_from_half(0xc100) == -2.5F);
    assert_true(pg_float_from_half(0x7bff) == 65504.0F);
    assert_true(pg_float_from_half(0x0001) == 5.9604645e-08F);
    assert_true(pg_float_from_half(0xfc00) == -strtof("inf", NULL));
    float none = pg_float_from_half(0x7e00);
    assert_true(none != none);
}

static void test_take(void **state)
{
    (void)state;
    size_t at = 1;
    double value;
    assert_true(pg_float_take(slice_of("(-1.5e+3,x"), &at, &value));
    assert_true(value == -1500);
    assert_int_equal(at, 8);
    at = 9;
    assert_false(pg_float_take(slice_of("(-1.5e+3,x"), &at, &value));
    at = 0;
    assert_false(pg_float_take(slice_of("1e"), &at, &value));
    assert_false(pg_float_take(slice_of(""), &at, &value));
}

static int clear(void **state)
{
    (void)state;
    bytes_clear(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_reads_back_as_the_text),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_take),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
