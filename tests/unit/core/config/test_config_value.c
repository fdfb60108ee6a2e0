// core/config/config_value: parsing and checking of values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/config_value.h"

static void check_duration(const char *text, int64_t expected_us)
{
    int64_t us = -1;
    struct fault f = {0};
    assert_int_equal(config_value_duration(text, &us, &f), expected_us >= 0);
    assert_int_equal(us, expected_us >= 0 ? expected_us : -1);
    assert_int_equal(f.kind, expected_us >= 0 ? FAULT_NONE : FAULT_CONFIG);
}

static void durations_need_a_unit(void **state)
{
    (void)state;
    check_duration("500ms", 500000);
    check_duration("0ms", 0);
    check_duration("30s", 30000000);
    check_duration("5m", INT64_C(300000000));
    check_duration("1h", INT64_C(3600000000));
    check_duration("7d", INT64_C(604800000000));
    const char *const wrong[] = {"",
                                 "30",
                                 "s",
                                 "-1s",
                                 "+1s",
                                 "1 s",
                                 "1.5s",
                                 "1w",
                                 "1S",
                                 "1sm",
                                 "99999999999999999999s",
                                 "9223372036854775807d"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        check_duration(wrong[i], -1);
    }
}

static void check_size(const char *text, int64_t expected)
{
    int64_t size = -1;
    struct fault f = {0};
    assert_int_equal(config_value_size(text, &size, &f), expected >= 0);
    assert_int_equal(size, expected >= 0 ? expected : -1);
}

static void sizes_are_bytes_or_binary_units(void **state)
{
    (void)state;
    check_size("1000", 1000);
    check_size("100B", 100);
    check_size("512KiB", 524288);
    check_size("6MiB", 6291456);
    check_size("1GiB", 1073741824);
    const char *const wrong[] = {"", "1MB", "1 MiB", "MiB", "-1", "1.5MiB", "9999999999GiB", "0x10"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        check_size(wrong[i], -1);
    }
}

static void numbers_are_written_back_in_their_greatest_unit(void **state)
{
    (void)state;
    struct bytes out = {0};
    const int64_t durations[] = {0, 1000, 90000000, 60000000, INT64_C(86400000000)};
    for (size_t i = 0; i < COUNT_OF(durations); i++) {
        config_value_write_duration(durations[i], &out);
        bytes_append_byte(&out, ' ');
    }
    config_value_write_size(6291456, &out);
    bytes_append_byte(&out, ' ');
    config_value_write_size(1025, &out);
    assert_string_equal(bytes_text(&out), "0ms 1ms 90s 1m 1d 6MiB 1025B");
    bytes_clear(&out);
}

static void addresses_have_a_host_and_a_port(void **state)
{
    (void)state;
    char *host = NULL;
    int port = -1;
    struct fault f;
    assert_true(config_value_address("127.0.0.1:7070", &host, &port, &f));
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 7070);
    free(host);
    assert_true(config_value_address("[::1]:0", &host, &port, &f));
    assert_string_equal(host, "::1");
    assert_int_equal(port, 0);
    free(host);
    assert_false(config_value_address(":7070", &host, &port, &f));  // all interfaces must be explicit
    assert_non_null(strstr(f.text, "0.0.0.0"));
    const char *const wrong[] = {"", "7070", "h:", "h:65536", "h:-1", "h:1x", "::1:80"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(config_value_address(wrong[i], &host, &port, &f));
    }
}

static void urls_are_http_without_credentials(void **state)
{
    (void)state;
    struct fault f;
    assert_true(config_value_check_url(NULL, "http://localhost:8080/a?b=c@d#e", &f));
    assert_true(config_value_check_url(NULL, "https://[::1]/", &f));
    const char *const wrong[] = {"ftp://x",
                                 "http://",
                                 "http:///x",
                                 "//x",
                                 "http://a b",
                                 "http://a\r\nb",
                                 "http://\xc3\xa4/",
                                 "http://:80/",
                                 "http://a:99999/",
                                 "http://[::1/",
                                 "https://u:hunter2@host/"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(config_value_check_url(NULL, wrong[i], &f));
        assert_null(strstr(f.text, "hunter2"));
    }
}

static void topic_names_and_globs_are_what_kafka_takes(void **state)
{
    (void)state;
    struct fault f;
    assert_true(config_value_check_topic(NULL, "shop.public.orders_1-x", &f));
    assert_false(config_value_check_topic(NULL, "sh op", &f));
    assert_false(config_value_check_topic(NULL, "..", &f));
    assert_false(config_value_check_topic(NULL, "shop.*", &f));
    assert_true(config_value_check_topic_glob(NULL, "shop.*", &f));
    assert_true(config_value_check_topic_glob(NULL, "/^shop\\.(a|b)$/", &f));
    assert_false(config_value_check_topic_glob(NULL, "/(/", &f));
    assert_false(config_value_check_topic_glob(NULL, "shop/*", &f));
    char longest[251];
    memset(longest, 'a', 250);
    longest[250] = '\0';
    assert_false(config_value_check_topic(NULL, longest, &f));
    longest[249] = '\0';
    assert_true(config_value_check_topic(NULL, longest, &f));
}

static void names_of_files_are_short_words(void **state)
{
    (void)state;
    assert_true(config_value_is_name("order-email"));
    assert_true(config_value_is_name("7"));
    const char *const wrong[] = {"",
                                 "-a",
                                 "A",
                                 "a_b",
                                 "a.b",
                                 "\xc3\xa4",
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(config_value_is_name(wrong[i]));
    }
}

static void a_long_or_odd_value_is_quoted_short_and_harmless(void **state)
{
    (void)state;
    struct bytes out = {0};
    config_value_quote("a\x1b[31m", &out);
    assert_string_equal(bytes_text(&out), "\"a\\u001b[31m\"");
    bytes_reset(&out);
    char long_text[300];
    memset(long_text, 'x', sizeof(long_text));
    memcpy(long_text + 79, "\xe2\x82\xac", 3);
    long_text[299] = '\0';
    config_value_quote(long_text, &out);
    assert_int_equal(out.size, 79 + 2 + strlen(" \xe2\x80\xa6"));
    bytes_clear(&out);
}

static void a_url_is_shown_without_its_secrets(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"https://fn.example/a", "https://fn.example/a"},
        {"https://me:pa@ss@fn.example:1/a?x=1", "https://***@fn.example:1/a?x=***"},
        {"https://fn.example?code=s3cret&n&k=#t=1", "https://fn.example?code=***&n&k=***#t=***"},
        {"http://fn.example/a@b", "http://fn.example/a@b"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes out = {0};
        config_value_redact_url(cases[i][0], &out);
        assert_string_equal(bytes_text(&out), cases[i][1]);
        bytes_clear(&out);
    }
}

static bool is_glob(const char *glob)
{
    struct fault f = {0};
    return config_value_check_glob(NULL, glob, &f);
}

static void check_regex(const char *glob, const char *why)
{
    struct fault f = {0};
    assert_false(config_value_check_glob(NULL, glob, &f));
    assert_string_equal(f.text, why);
}

static void expressions_that_posix_lacks_are_refused(void **state)
{
    (void)state;
    assert_true(is_glob("a\\Q,(?!"));  // no regular expression
    assert_true(is_glob("/public\\.a_\\d+/"));
    check_regex("/\\Qa\\E/", "\"/\\\\Qa\\\\E/\" has \\Q, which POSIX regular expressions lack");
    check_regex("/(a)\\1/", "\"/(a)\\\\1/\" has \\1, which POSIX regular expressions lack");
    check_regex("/a(?!b)/", "\"/a(?!b)/\" has (?!, which POSIX regular expressions lack");
    check_regex("/[\\p]/", "\"/[\\\\p]/\" has \\p, which POSIX regular expressions lack in brackets");
    check_regex("/a.b,a.c/", "\"/a.b,a.c/\" has a comma: write each expression as an item of its own, and a "
                             "comma of a name as \\,");
    check_regex("/[a/", "\"/[a/\" is not a regular expression: a [ has no ]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(sizes_are_bytes_or_binary_units),
        cmocka_unit_test(numbers_are_written_back_in_their_greatest_unit),
        cmocka_unit_test(a_url_is_shown_without_its_secrets),
        cmocka_unit_test(addresses_have_a_host_and_a_port),
        cmocka_unit_test(urls_are_http_without_credentials),
        cmocka_unit_test(topic_names_and_globs_are_what_kafka_takes),
        cmocka_unit_test(names_of_files_are_short_words),
        cmocka_unit_test(expressions_that_posix_lacks_are_refused),
        cmocka_unit_test(a_long_or_odd_value_is_quoted_short_and_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
