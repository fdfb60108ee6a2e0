// core/config/tracing_rules: shares and headers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/tracing_rules.h"

static double share_of(const char *text)
{
    struct fault f;
    double share;
    return tracing_sample_read(text, &share, &f) ? share : -1;
}

static void a_share_is_a_percentage_or_a_fraction(void **state)
{
    (void)state;
    assert_true(share_of("0") == 0);
    assert_true(share_of("1.0") == 1);
    assert_true(share_of("0.25") == 0.25);
    assert_true(share_of("100%") == 1);
    assert_true(share_of("50%") == 0.5);
    static const char *const BAD[] = {"",    "%",   "-1%", "1.1",  "101%", "1%%",   "1 %",
                                      "0x1", "nan", "inf", "1e-3", ".",    "0.1.2", "0.0000000000001"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_true(share_of(BAD[i]) == -1);
    }
}

static void headers_of_its_own_and_broken_ones_are_refused(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(tracing_header_rules.check_pair("x-key", "k", &f), CONFIG_GOOD);
    assert_int_equal(tracing_header_rules.check_pair("x-key", NULL, &f), CONFIG_GOOD);
    assert_int_equal(tracing_header_rules.check_pair("Content-Type", "k", &f), CONFIG_BAD_KEY);
    assert_int_equal(tracing_header_rules.check_pair("x key", "k", &f), CONFIG_BAD_KEY);
    assert_int_equal(tracing_header_rules.check_pair("x-key", "a\r\nb: c", &f), CONFIG_BAD_VALUE);
    assert_false(tracing_header_rules.is_shown("accept"));
}

static void the_path_of_otlp_is_not_given(void **state)
{
    (void)state;
    struct fault f;
    static const char *const GOOD[] = {"http://127.0.0.1:4318", "https://a.example/otlp/",
                                       "http://v1/traces/x"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        assert_true(tracing_url_rules.check(NULL, GOOD[i], &f));
    }
    static const char *const BAD[] = {"http://a:4318/v1/traces", "http://a/x/v1/traces/", "http://a/?x=1",
                                      "http://a#x"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_false(tracing_url_rules.check(NULL, BAD[i], &f));
        assert_string_equal(f.text,
                            "write the collector's address alone, as http://127.0.0.1:4318; /v1/traces is "
                            "appended");
    }
    assert_false(tracing_url_rules.check(NULL, "grpc://a:4317", &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_a_percentage_or_a_fraction),
        cmocka_unit_test(the_path_of_otlp_is_not_given),
        cmocka_unit_test(headers_of_its_own_and_broken_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
