#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "core/base/memory.h"
#include "schemas/json/json_check.h"
#include "schemas/json/json_decimal.h"
#include "schemas/json/json_java.h"
#include "schemas/json/json_text.h"
#include "schemas/json/json_time.h"

static struct bytes out;

static const char *text(void)
{
    const char *written = bytes_text(&out);
    bytes_reset(&out);
    return written;
}

static const char *string_of(const char *data, size_t size)
{
    // A heap block of the exact size, so that a sanitizer detects a read past its end.
    uint8_t *copy = memory_new(size + 1);
    uint8_t *exact = memory_resize(copy, size > 0 ? size : 1);
    memcpy(exact, data, size);
    json_text_string(&out, slice_make(exact, size));
    free(exact);
    return text();
}

#define STRING(literal) string_of(literal, sizeof literal - 1)

static void strings_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(STRING(""), "\"\"");
    assert_string_equal(STRING("plain text of some length"), "\"plain text of some length\"");
    assert_string_equal(STRING("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    assert_string_equal(STRING("\b\t\n\v\f\r\x1f\x00z"), "\"\\b\\t\\n\\u000b\\f\\r\\u001f\\u0000z\"");
    assert_string_equal(STRING("1234567\n12345678\x7f"), "\"1234567\\n12345678\x7f\"");
}

static void characters_are_escaped_at_all_places(void **state)
{
    (void)state;
    static const char SPECIAL[] = {'"', '\\', '\n', '\xff'};
    char data[24];
    for (size_t size = 1; size <= sizeof(data); size++) {
        for (size_t at = 0; at < size * sizeof(SPECIAL); at++) {
            memset(data, 'a', sizeof(data));
            data[at % size] = SPECIAL[at / size];
            const char *escaped = string_of(data, size);
            assert_int_equal(strspn(escaped + 1, "a"), at % size);
            assert_int_equal(strlen(escaped), size + 2 + (SPECIAL[at / size] == '\xff' ? 2 : 1));
        }
    }
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    assert_string_equal(STRING("h\xc3\xb6he \xe2\x82\xac \xf0\x9f\x98\x80"),
                        "\"h\xc3\xb6he \xe2\x82\xac \xf0\x9f\x98\x80\"");
    assert_string_equal(STRING("\xff"), "\"\xef\xbf\xbd\"");
    assert_string_equal(STRING("a\xc3"), "\"a\xef\xbf\xbd\"");
    assert_string_equal(STRING("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_string_equal(STRING("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_string_equal(STRING("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static const char *integer(int64_t value)
{
    json_text_integer(&out, value);
    return text();
}

static const char *unescaped(const char *data, size_t size)
{
    uint8_t *exact = memory_new(size > 0 ? size : 1);
    memcpy(exact, data, size);
    json_text_unescape(&out, slice_make(exact, size));
    free(exact);
    return text();
}

#define UNESCAPED(literal) unescaped(literal, sizeof literal - 1)

static void strings_are_unescaped(void **state)
{
    (void)state;
    assert_string_equal(UNESCAPED(""), "");
    assert_string_equal(UNESCAPED("plain, h\xc3\xb6he"), "plain, h\xc3\xb6he");
    assert_string_equal(UNESCAPED("a\\\"b\\\\c\\/d"), "a\"b\\c/d");
    assert_string_equal(UNESCAPED("\\b\\t\\n\\f\\r\\u000b\\u007f"), "\b\t\n\f\r\v\x7f");
    assert_string_equal(UNESCAPED("\\u0041\\u00e9\\u20AC\\uD83d\\uDe00"),
                        "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void half_a_surrogate_pair_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(UNESCAPED("\\ud83dx"), "\xef\xbf\xbdx");
    assert_string_equal(UNESCAPED("\\ude00"), "\xef\xbf\xbd");
    assert_string_equal(UNESCAPED("\\ud83d\\u0041"), "\xef\xbf\xbd"
                                                     "A");
    assert_string_equal(UNESCAPED("\\ud83d\\n"), "\xef\xbf\xbd\n");
}

static void a_string_cut_short_is_unescaped_up_to_there(void **state)
{
    (void)state;
    static const char whole[] = "a\\n\\uD83d\\uDe00b";
    for (size_t size = 0; size < sizeof whole; size++) {
        const char *written = unescaped(whole, size);
        assert_true(strlen(written) <= size);
        assert_true(size == 0 || written[0] == 'a');
    }
}

static void integers_are_written_to_the_last_digit(void **state)
{
    (void)state;
    assert_string_equal(integer(0), "0");
    assert_string_equal(integer(-7), "-7");
    assert_string_equal(integer(100), "100");
    assert_string_equal(integer(INT64_MAX), "9223372036854775807");
    assert_string_equal(integer(INT64_MIN), "-9223372036854775808");
}

static const char *number(double value)
{
    json_text_double(&out, value);
    return text();
}

static void doubles_are_as_short_as_they_can_be(void **state)
{
    (void)state;
    assert_string_equal(number(0), "0");
    assert_string_equal(number(-0.0), "-0");
    assert_string_equal(number(1.5), "1.5");
    assert_string_equal(number(-12.05), "-12.05");
    assert_string_equal(number(0.1), "0.1");
    assert_string_equal(number(0.1 + 0.2), "0.30000000000000004");
    assert_string_equal(number(1e15), "1e+15");
    assert_string_equal(number(1e300), "1e+300");
    assert_string_equal(number(5e-324), "4.94065645841247e-324");
    assert_string_equal(number(9007199254740993.0), "9007199254740992");
    assert_string_equal(number((double)NAN), "\"NaN\"");
    assert_string_equal(number((double)INFINITY), "\"Infinity\"");
    assert_string_equal(number(-(double)INFINITY), "\"-Infinity\"");
}

static void every_double_reads_back_as_itself(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        double value = 0;
        memcpy(&value, &random, sizeof value);
        if (i % 2 == 0) {
            value = (double)(int64_t)(random >> 34) / 100.0;
        }
        if (!isfinite(value)) {
            continue;
        }
        double back = strtod(number(value), NULL);
        assert_memory_equal(&back, &value, sizeof value);
        float single = (float)value;
        if (isfinite(single)) {
            json_text_float(&out, single);
            float back_single = strtof(text(), NULL);
            assert_memory_equal(&back_single, &single, sizeof single);
        }
    }
    json_text_float(&out, 0.1F);
    assert_string_equal(text(), "0.1");
    json_text_float(&out, FLT_MAX);
    assert_string_equal(text(), "3.4028235e+38");
}

static const char *base64(const char *data)
{
    json_text_base64(&out, slice_of(data));
    return text();
}

static void base64_is_padded(void **state)
{
    (void)state;
    assert_string_equal(base64(""), "\"\"");
    assert_string_equal(base64("f"), "\"Zg==\"");
    assert_string_equal(base64("fo"), "\"Zm8=\"");
    assert_string_equal(base64("foobar"), "\"Zm9vYmFy\"");
}

static const char *date(int64_t days)
{
    json_time_date(&out, days);
    return text();
}

static void dates_reach_from_bc_to_five_million(void **state)
{
    (void)state;
    assert_string_equal(date(0), "\"1970-01-01\"");
    assert_string_equal(date(20455), "\"2026-01-02\"");
    assert_string_equal(date(-1), "\"1969-12-31\"");
    assert_string_equal(date(11016), "\"2000-02-29\"");
    assert_string_equal(date(-719528), "\"0000-01-01\"");
    assert_string_equal(date(-719529), "\"-0001-12-31\"");
    assert_string_equal(date(2932897), "\"+10000-01-01\"");
    assert_string_equal(date(2145042905), "\"+5874897-12-31\"");
    assert_string_equal(date(-2147472692), "\"infinity\"");
    assert_string_equal(date(-2147472691), "\"-infinity\"");
    assert_string_equal(date(2146033979), "\"infinity\"");
    assert_string_equal(date(INT32_MAX), "\"infinity\"");
    assert_string_equal(date(INT32_MIN), "\"-infinity\"");
    assert_string_equal(date(2145042905), "\"+5874897-12-31\"");
}

static const char *clock_text(int64_t value, size_t digits)
{
    json_time_of_day(&out, value, digits);
    return text();
}

static void times_have_the_fraction_they_need(void **state)
{
    (void)state;
    assert_string_equal(clock_text(11045500000, 6), "\"03:04:05.5\"");
    assert_string_equal(clock_text(11045000, 3), "\"03:04:05\"");
    assert_string_equal(clock_text(1, 6), "\"00:00:00.000001\"");
    assert_string_equal(clock_text(INT64_C(86400000000), 6), "\"24:00:00\"");
    assert_string_equal(clock_text(-1, 6), "-1");
    assert_string_equal(clock_text(INT64_MAX, 3), "9223372036854775807");
}

static const char *stamp(int64_t value, size_t digits, const char *suffix)
{
    json_time_timestamp(&out, value, digits, suffix);
    return text();
}

static void timestamps_are_iso_8601(void **state)
{
    (void)state;
    assert_string_equal(stamp(1767323045678901, 6, ""), "\"2026-01-02T03:04:05.678901\"");
    assert_string_equal(stamp(1767323045678, 3, "Z"), "\"2026-01-02T03:04:05.678Z\"");
    assert_string_equal(stamp(-1, 6, ""), "\"1969-12-31T23:59:59.999999\"");
    assert_string_equal(stamp(0, 9, ""), "\"1970-01-01T00:00:00\"");
    assert_string_equal(stamp(INT64_C(9223372036825200000), 6, ""), "\"infinity\"");
    assert_string_equal(stamp(INT64_C(-9223372036832400000), 6, ""), "\"-infinity\"");
    assert_string_equal(stamp(INT64_C(9223372036825200), 3, ""), "\"infinity\"");
    assert_string_equal(stamp(INT64_C(-9223372036832400), 3, ""), "\"-infinity\"");
    assert_string_equal(stamp(INT64_MAX, 6, ""), "\"infinity\"");
    assert_string_equal(stamp(INT64_MIN, 6, "Z"), "\"-infinity\"");
    assert_string_equal(stamp(INT64_C(9223372036825200000), 3, ""), "\"infinity\"");
    assert_string_equal(stamp(INT64_C(-9223372036832400000), 3, "Z"), "\"-infinity\"");
    assert_string_equal(stamp(INT64_MAX - 1, 6, ""), "\"+294247-01-10T04:00:54.775806\"");
    assert_string_equal(stamp(INT64_MIN, 9, ""), "\"1677-09-21T00:12:43.145224192\"");
    (void)stamp(INT64_MIN, 3, "");
    (void)stamp(INT64_MAX, 3, "");
}

static const char *java(double value)
{
    json_java_double(&out, value);
    return text();
}

static void java_prints_floating_point_numbers_its_own_way(void **state)
{
    (void)state;
    assert_string_equal(java(0), "0.0");
    assert_string_equal(java(-0.0), "-0.0");
    assert_string_equal(java(2), "2.0");
    assert_string_equal(java(-12.5), "-12.5");
    assert_string_equal(java(0.1), "0.1");
    assert_string_equal(java(0.001), "0.001");
    assert_string_equal(java(0.0001), "1.0E-4");
    assert_string_equal(java(9999999), "9999999.0");
    assert_string_equal(java(10000000), "1.0E7");
    assert_string_equal(java(12345678.9), "1.23456789E7");
    assert_string_equal(java(1e300), "1.0E300");
    assert_string_equal(java(-1.5e-300), "-1.5E-300");
    assert_string_equal(java((double)INFINITY), "\"Infinity\"");
    json_java_float(&out, 1.1F);
    assert_string_equal(text(), "1.1");
    json_java_float(&out, 3.4e38F);
    assert_string_equal(text(), "3.4E38");
}

static const char *decimal(const char *data, size_t size, int32_t scale)
{
    assert_true(json_decimal_append(&out, slice_make(data, size), scale));
    return text();
}

#define DECIMAL(literal, scale) decimal(literal, sizeof literal - 1, scale)

static void decimals_keep_their_scale(void **state)
{
    (void)state;
    assert_string_equal(DECIMAL("\x04\xd2", 2), "12.34");
    assert_string_equal(DECIMAL("\x04\xd2", 0), "1234");
    assert_string_equal(DECIMAL("\x04\xd2", 6), "0.001234");
    assert_string_equal(DECIMAL("\x04\xd2", -2), "123400");
    assert_string_equal(DECIMAL("\xff", 2), "-0.01");
    assert_string_equal(DECIMAL("\x80", 0), "-128");
    assert_string_equal(DECIMAL("", 2), "0.00");
    assert_string_equal(DECIMAL("\x00", -2), "0");
    assert_string_equal(DECIMAL("\x80\x00\x00\x00", 0), "-2147483648");
    assert_string_equal(DECIMAL("\xff\x00\x00\x00\x00", 0), "-4294967296");
    assert_string_equal(DECIMAL("\x0d\xe0\xb6\xb3\xa7\x64\x00\x00", 18), "1.000000000000000000");
    assert_string_equal(DECIMAL("\x7f\xff\xff\xff\xff\xff\xff\xff", 3), "9223372036854775.807");
    assert_string_equal(DECIMAL("\x80\x00\x00\x00\x00\x00\x00\x00", 0), "-9223372036854775808");
    assert_string_equal(DECIMAL("\x00\x80\x00\x00\x00\x00\x00\x00\x00", 0), "9223372036854775808");
    assert_string_equal(DECIMAL("\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 0), "-9223372036854775809");
    assert_string_equal(DECIMAL("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0),
                        "170141183460469231731687303715884105727");
}

static void decimals_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    uint8_t *large = memory_zeroed(JSON_DECIMAL_BYTES_MAX + 1, 1);
    assert_false(json_decimal_append(&out, slice_make(large, JSON_DECIMAL_BYTES_MAX + 1), 0));
    assert_false(json_decimal_append(&out, slice_make(large, 1), JSON_DECIMAL_SCALE_MAX + 1));
    assert_int_equal(out.size, 0);
    large[0] = 0x7f;
    assert_true(json_decimal_append(&out, slice_make(large, JSON_DECIMAL_BYTES_MAX), 10));
    assert_true(strlen(text()) > 157000);
    free(large);
}

static void json_is_told_from_what_is_not(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "1",    "-0",       " {\"a\" : [1, 2.5e-3, {}, [], \"\\u00e9\\n\", true, false, null]} ",
        "\"\"", "[[[[]]]]", "0.0",
    };
    static const char *const BAD[] = {
        "",         " ",         "01",       "1.",      "-",           "{",        "[1,]",
        "{\"a\":}", "{\"a\" 1}", "{1:2}",    "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "tru",
        "1 2",      "[}",        "\"\xff\"", "nan",     "{\"a\":1,}",  "\"open",   "\"\\",
    };
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        assert_true(json_check_value(slice_of(GOOD[i])));
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        size_t size = strlen(BAD[i]);
        uint8_t *exact = memory_new(size > 0 ? size : 1);
        memcpy(exact, BAD[i], size);
        assert_false(json_check_value(slice_make(exact, size)));
        free(exact);
    }
}

static void json_nested_too_deep_is_not_followed(void **state)
{
    (void)state;
    char nested[2 * JSON_CHECK_DEPTH_MAX + 2];
    memset(nested, '[', JSON_CHECK_DEPTH_MAX + 1);
    memset(nested + JSON_CHECK_DEPTH_MAX + 1, ']', JSON_CHECK_DEPTH_MAX + 1);
    assert_false(json_check_value(slice_make(nested, sizeof nested)));
    assert_true(json_check_value(slice_make(nested + 1, sizeof nested - 2)));
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
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(characters_are_escaped_at_all_places),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(half_a_surrogate_pair_is_replaced),
        cmocka_unit_test(a_string_cut_short_is_unescaped_up_to_there),
        cmocka_unit_test(integers_are_written_to_the_last_digit),
        cmocka_unit_test(doubles_are_as_short_as_they_can_be),
        cmocka_unit_test(every_double_reads_back_as_itself),
        cmocka_unit_test(base64_is_padded),
        cmocka_unit_test(dates_reach_from_bc_to_five_million),
        cmocka_unit_test(times_have_the_fraction_they_need),
        cmocka_unit_test(timestamps_are_iso_8601),
        cmocka_unit_test(java_prints_floating_point_numbers_its_own_way),
        cmocka_unit_test(decimals_keep_their_scale),
        cmocka_unit_test(decimals_beyond_the_limits_are_refused),
        cmocka_unit_test(json_is_told_from_what_is_not),
        cmocka_unit_test(json_nested_too_deep_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
