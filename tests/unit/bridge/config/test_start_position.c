#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/config/start_position.h"
#include "core/base/memory.h"

static void expect(const char *text, enum function_start kind, int64_t value)
{
    struct start_position at = {0};
    struct fault f;
    assert_true(start_position_parse_any(text, &at, &f));
    assert_int_equal(at.kind, kind);
    assert_int_equal(at.value, value);
}

static void words_times_positions_and_offsets_are_read(void **state)
{
    (void)state;
    expect("latest", FUNCTION_START_LATEST, 0);
    expect("earliest", FUNCTION_START_EARLIEST, 0);
    expect("1970-01-01T00:00:01Z", FUNCTION_START_TIME, 1000);
    expect("2026-01-02T03:04:05Z", FUNCTION_START_TIME, INT64_C(1767323045000));
    expect("2026-01-02t03:04:05.1234z", FUNCTION_START_TIME, INT64_C(1767323045123));
    expect("2026-01-02T03:04:05.5+01:30", FUNCTION_START_TIME, INT64_C(1767317645500));
    expect("2026-01-02 03:04:05-00:30", FUNCTION_START_TIME, INT64_C(1767324845000));
    expect("2024-02-29T00:00:00Z", FUNCTION_START_TIME, INT64_C(1709164800000));
    expect("16/B374D848", FUNCTION_START_LSN, INT64_C(0x16B374D848));
    expect("0/0", FUNCTION_START_LSN, 0);
    expect("7fffffff/ffffffff", FUNCTION_START_LSN, INT64_MAX);
    expect("0", FUNCTION_START_OFFSET, 0);
    expect("9223372036854775807", FUNCTION_START_OFFSET, INT64_MAX);
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "",
        "newest",
        "2026-01-02",
        "2026-01-02T03:04Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05Zz",
        "2026-13-02T03:04:05Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:05+24:00",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "16/",
        "/16",
        "16/123456789",
        "g/1",
        "1/1/1",
        "80000000/0",
        "-1",
        "1x",
        "9223372036854775808",
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        struct start_position at = {0};
        struct fault f;
        if (start_position_parse_any(WRONG[i], &at, &f)) {
            fail_msg("\"%s\" was read", WRONG[i]);
        }
        assert_int_equal(f.kind, FAULT_CONFIG);
    }
}

static void a_function_file_takes_no_offset(void **state)
{
    (void)state;
    struct start_position at = {0};
    struct fault f;
    assert_false(start_position_parse("17", &at, &f));
    assert_string_equal(f.text, "\"17\" is neither latest, earliest, an RFC 3339 timestamp "
                                "(2026-01-02T03:04:05Z) nor an LSN (16/B374D848)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_times_positions_and_offsets_are_read),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(a_function_file_takes_no_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
