// cli/config_compare: warnings that need more than one file, or the clock.
#include "tests/unit/config_case.h"

#include <stdio.h>
#include <unistd.h>

#include "bridge/config/function_config.h"
#include "cli/config_compare.h"
#include "core/base/clock.h"

#define END_US INT64_C(1795931264000000)  // of the certificate: 2026-11-29T05:47:44Z

static char dir[] = "/tmp/config-compare-XXXXXX";

static const char CERTIFICATE[] = "-----BEGIN CERTIFICATE-----\n"
                                  "MIIBbTCCAROgAwIBAgIUDs1i9wlVsW9eZY94ZAv4FWgHRowwCgYIKoZIzj0EAwIw\n"
                                  "DDEKMAgGA1UEAwwBYTAeFw0yNjExMjgwNTQ3NDRaFw0yNjExMjkwNTQ3NDRaMAwx\n"
                                  "CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATexagmv4RXX2Lb\n"
                                  "hJwpccxBclF+u6e8/uQZKARO3Nc8KZ4DnIpU4Vmfjuui+lBNKYRDDhDHuF6qpjvj\n"
                                  "F92mb90Ao1MwUTAdBgNVHQ4EFgQUlSee1O0j1g4Fr8ilpi0lhZ72Of0wHwYDVR0j\n"
                                  "BBgwFoAUlSee1O0j1g4Fr8ilpi0lhZ72Of0wDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"
                                  "hkjOPQQDAgNIADBFAiEA4roCqoiNMyw50EHfwdXRYHlkcD08oj5ZLjzna9sul44C\n"
                                  "IAcymIIvAZYYqTO37UAP4c/jjd9F2iGQBHdzRT03LCEy\n"
                                  "-----END CERTIFICATE-----\n";
static const char KEY[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwcl2FlTkQk4Fy9KQ\n"
                          "Jfcrp9oLXP7600efwderZG7AH6ChRANCAATexagmv4RXX2LbhJwpccxBclF+u6e8\n"
                          "/uQZKARO3Nc8KZ4DnIpU4Vmfjuui+lBNKYRDDhDHuF6qpjvjF92mb90A\n"
                          "-----END PRIVATE KEY-----\n";

static void write_file(const char *name, const char *text)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int start(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    write_file("a.pem", CERTIFICATE);
    write_file("a.key", KEY);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    CLEANUP(memory_free_pointer) char *certificate = memory_format("%s/a.pem", dir);
    CLEANUP(memory_free_pointer) char *key = memory_format("%s/a.key", dir);
    return unlink(certificate) == 0 && unlink(key) == 0 ? rmdir(dir) : -1;
}

static void check_warnings(int64_t wall_us, const char *expected)
{
    static const char TEXT[] = "source: {topics: [a]}\n"
                               "endpoint:\n"
                               "  http: {url: https://x, tls: {certificate: a.pem, key: {file: a.key}}}\n";
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/f.yaml", dir);
    struct config_case c = {.file = {.path = path}};
    struct function_config config;
    struct complaints warnings = {0};
    struct bytes text CLEANUP(bytes_clear) = {0};
    config_case_read(&c, &function_config_kind, slice_of(TEXT), &config);
    assert_string_equal(bytes_text(&c.text), "");
    clock_fake(0, wall_us);
    c.file.path = "f.yaml";
    config_compare_certificate(&c.file, &config, &warnings);
    complaints_write(&warnings, "warning", &text);
    assert_string_equal(bytes_text(&text), expected);
    complaints_clear(&warnings);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void an_expired_certificate_is_warned_of(void **state)
{
    (void)state;
    check_warnings(END_US - 1, "");
    check_warnings(END_US,
                   "f.yaml:3:45: warning: certificate: it expired at 2026-11-29T05:47:44.000Z; servers "
                   "refuse it until the file has a new one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_expired_certificate_is_warned_of)};
    return cmocka_run_group_tests(tests, start, stop);
}
