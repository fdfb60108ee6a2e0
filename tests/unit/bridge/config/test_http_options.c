// bridge/config/http_options: how a function's URL is called.
#include "tests/unit/config_case.h"

#include <stdio.h>
#include <unistd.h>

#include "bridge/config/function_change.h"
#include "bridge/config/function_config.h"

#define HTTP(text) "source: {topics: [a]}\nendpoint:\n  http:\n    url: https://x\n    " text "\n"

static char dir[] = "/tmp/http-options-XXXXXX";

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
static const char OTHER_KEY[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                "MHcCAQEEICO2jliWEh0rPv4xLe2j/arn5mSAp1j4Wmy3OxMrT5kToAoGCCqGSM49\n"
                                "AwEHoUQDQgAEtgdmZLz/ZdPPZ1VqzBoomFjuAhoCHbTf8zBDeak+83a6TPAyOAAJ\n"
                                "nFE7nlMa9FsD4NLheCaLy1bMjMQs+9RvRA==\n"
                                "-----END EC PRIVATE KEY-----\n";
static const char LOCKED_KEY[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                 "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh3OyYmIxjbOgICCAAw\n"
                                 "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOHt0/5xSZG/vVlcSSKPNPsEgZCS\n"
                                 "8+8Bg+g1RH++IJWuMbpqKSqzHh96nIo3x954npL4IQPAAQxqV0pws8thzrB7Jfni\n"
                                 "RMOZKaDQZo7gimvfIFaFV/HPiWcxGCL7mSFmEn6TQItiWdTOts/EqD8rNfqxj3T/\n"
                                 "HjdJHMBqMSFUur3e+SR0GJuNQWPbb1wX91544VQFi+M1Z3XaejHFZe59pcDmZ9Y=\n"
                                 "-----END ENCRYPTED PRIVATE KEY-----\n";

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
    write_file("b.key", OTHER_KEY);
    write_file("locked.key", LOCKED_KEY);
    write_file("text", "no certificate\n");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"a.pem", "a.key", "b.key", "locked.key", "text"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        CLEANUP(memory_free_pointer) char *path = memory_format("%s/%s", dir, NAMES[i]);
        assert_int_equal(unlink(path), 0);
    }
    return rmdir(dir);
}

static void read_text(struct config_case *c, const char *text, struct function_config *config)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/f.yaml", dir);
    *c = (struct config_case){.file = {.path = path, .is_private = true}};
    config_case_read(c, &function_config_kind, slice_of(text), config);
    c->file.path = "f.yaml";
}

/** Complaints have the file's path in front. */
static void check(const char *text, const char *want)
{
    struct config_case c;
    struct function_config config;
    read_text(&c, text, &config);
    const char *got = bytes_text(&c.text);
    CLEANUP(memory_free_pointer) char *wanted = memory_format(want[0] == '\0' ? "%s%s" : "%s/%s", dir, want);
    assert_string_equal(got, want[0] == '\0' ? "" : wanted);
    function_config_clear(&config);
    config_case_clear(&c);
}

static void what_can_not_work_is_refused_where_it_stands(void **state)
{
    (void)state;
    check(HTTP("tls: {ca: a.pem, certificate: a.pem, key: {file: a.key}, server_name: y}"), "");
    check(HTTP("tls: {ca: text}"), "f.yaml:5:15: error: ca: there is no certificate in it (PEM, "
                                   "-----BEGIN CERTIFICATE-----)\n");
    check(HTTP("tls: {certificate: text, key: {file: a.key}}"),
          "f.yaml:5:24: error: certificate: there is no certificate in it that can be read (PEM, "
          "-----BEGIN CERTIFICATE-----, the client's own first)\n");
    check(HTTP("tls: {certificate: a.pem, key: {file: b.key}}"),
          "f.yaml:5:36: error: key: it is not the key of the certificate\n");
    check(HTTP("tls: {certificate: a.pem, key: {file: locked.key}}"),
          "f.yaml:5:36: error: key: it needs a passphrase; write it without one\n");
    check(HTTP("tls: {certificate: a.pem, key: {file: text}}"),
          "f.yaml:5:36: error: key: there is no private key in it (PEM)\n");
    check(
        HTTP("tls: {certificate: a.pem, key: a.key}"),
        "f.yaml:5:36: error: key: there is no private key in it (PEM); to name a file write {file: PATH}\n");
    check(HTTP("tls: {certificate: a.pem}"),
          "f.yaml:5:10: error: tls: certificate and key belong together; key is missing\n");
    check("source: {topics: [a]}\nendpoint: {http: {url: http://x, tls: {ca: a.pem}}}\n",
          "f.yaml:2:39: error: tls: has a meaning only with https://\n");
    check(HTTP("proxy: {url: 'http://p:3128', user: u, password: {file: a.key}}"), "");
    static const char *const PROXIES[] = {"https://p", "http://p/x", "socks5://p", "p:3128", "http://u:x@p"};
    for (size_t i = 0; i < COUNT_OF(PROXIES); i++) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format(HTTP("proxy: {url: '%s'}"), PROXIES[i]);
        check(text, "f.yaml:5:18: error: url: a proxy's URL is http://HOST:PORT, nothing more; its name and "
                    "password are in user and password\n");
    }
    check(HTTP("proxy: {url: 'http://p', password: x}"),
          "f.yaml:5:40: error: password: has a meaning only with user\n");
    check(HTTP("redirects: 21"), "f.yaml:5:16: error: redirects: must be from 0 to 20, not 21\n");
    check(HTTP("http_version: 3"),
          "f.yaml:5:19: error: http_version: \"3\" is not valid; write auto, 1.1 or 2\n");
    check(HTTP("method: GET"),
          "f.yaml:5:13: error: method: \"GET\" is not valid; write POST, PUT, PATCH or DELETE\n");
    check(HTTP("gzip: 16KiB"), "");
}

/** An empty one, or one that begins with a dot, would make OpenSSL accept certificates for other hosts. */
static void a_server_name_is_a_host_or_an_address(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"a", "orders.svc_1.internal", "10.0.0.1", "fd00::1"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format(HTTP("tls: {server_name: '%s'}"), GOOD[i]);
        check(text, "");
    }
    static const char *const BAD[] = {".internal", "a.",          "a..b",  "*.internal", "a b",
                                      "a:443",     "https://a.b", "[::1]", "a/b"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        CLEANUP(memory_free_pointer)
        char *text = memory_format(HTTP("tls: {server_name: '%s'}"), BAD[i]);
        check(text, "f.yaml:5:24: error: server_name: must be a host name such as orders.internal, or an IP "
                    "address\n");
    }
    check(HTTP("tls: {server_name: ''}"), "f.yaml:5:24: error: server_name: must not be empty\n");
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct config_case c;
    struct function_config config;
    read_text(&c, HTTP("tls: {ca: nowhere.pem}"), &config);
    assert_non_null(strstr(bytes_text(&c.text), "f.yaml:5:15: error: ca: the file can't be read: "));
    assert_non_null(strstr(bytes_text(&c.text), "/nowhere.pem: No such file or directory"));
    function_config_clear(&config);
    config_case_clear(&c);
}

static void how_to_call_is_read(void **state)
{
    (void)state;
    struct config_case c;
    struct function_config config;
    read_text(
        &c,
        HTTP("http_version: 2\n    method: PUT\n    redirects: 3\n    gzip: 1KiB\n"
             "    tls: {ca: a.pem, server_name: y}\n    proxy: {url: 'http://p:1', user: u, password: s}"),
        &config);
    assert_true(c.is_good);
    const struct http_client_params params = function_config_http_params(&config);
    assert_int_equal(params.version, HTTP_VERSION_2);
    assert_string_equal(function_config_method(&config), "PUT");
    assert_int_equal(params.redirects_max, 3);
    assert_int_equal(config.http.gzip_bytes, 1024);
    assert_string_equal(params.tls.ca, CERTIFICATE);
    assert_string_equal(params.tls.server_name, "y");
    assert_string_equal(params.proxy.password, "s");
    CLEANUP(bytes_clear) struct bytes shown = {0};
    config_show(&function_config_kind, &config, &shown);
    assert_non_null(strstr(bytes_text(&shown), "ca: a.pem\n"));
    assert_null(strstr(bytes_text(&shown), "BEGIN"));
    function_config_clear(&config);
    config_case_clear(&c);
}

/** The file's name stays, its content does not: the endpoint is opened anew, in place. */
static void a_rotated_certificate_is_a_change(void **state)
{
    (void)state;
    struct config_case c[3];
    struct function_config config[3];
    static const char TEXT[] = HTTP("tls: {ca: a.pem}");
    read_text(&c[0], TEXT, &config[0]);
    read_text(&c[1], TEXT, &config[1]);
    CLEANUP(memory_free_pointer) char *longer = memory_format("%s%s", CERTIFICATE, CERTIFICATE);
    write_file("a.pem", longer);
    read_text(&c[2], TEXT, &config[2]);
    write_file("a.pem", CERTIFICATE);
    assert_int_equal(function_change_between(&config[0], &config[1]), FUNCTION_CHANGE_NONE);
    assert_int_equal(function_change_between(&config[0], &config[2]), FUNCTION_CHANGE_IN_PLACE);
    assert_false(function_change_is_same_endpoint(&config[0], &config[2]));
    for (size_t i = 0; i < COUNT_OF(config); i++) {
        function_config_clear(&config[i]);
        config_case_clear(&c[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_not_work_is_refused_where_it_stands),
        cmocka_unit_test(a_server_name_is_a_host_or_an_address),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(how_to_call_is_read),
        cmocka_unit_test(a_rotated_certificate_is_a_change),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
