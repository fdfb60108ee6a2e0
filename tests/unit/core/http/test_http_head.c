#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/http/http_head.h"

static struct http_head *make(const struct http_head_params *params)
{
    struct http_head *head = NULL;
    struct fault f = {0};
    if (!http_head_new(params, &head, &f)) {
        fail_msg("%s: %s", params->url, f.text);
    }
    return head;
}

#define AGENT "User-Agent: millrace/" MILLRACE_VERSION "\r\n"

static void the_head_is_as_on_the_wire(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{"Content-Type", "application/json", false},
                                                 {"X-Empty", "", false}};
    struct http_head *head = make(&(struct http_head_params){.method = "POST",
                                                             .url = "http://fn.example:8080/a/b?c=d&e#f",
                                                             .headers = headers,
                                                             .header_count = 2});
    assert_string_equal(bytes_text(&head->text),
                        "POST /a/b?c=d&e HTTP/1.1\r\nHost: fn.example:8080\r\n" AGENT
                        "Content-Type: application/json\r\nX-Empty:\r\nContent-Length: ");
    assert_string_equal(head->host, "fn.example");
    assert_int_equal(head->port, 8080);
    assert_false(head->is_tls);
    http_head_free(head);

    head = make(&(struct http_head_params){.method = "GET", .url = "https://[fe80::1%25eth0]"});
    assert_string_equal(bytes_text(&head->text), "GET / HTTP/1.1\r\nHost: [fe80::1]\r\n" AGENT);
    assert_string_equal(head->host, "fe80::1%eth0");
    assert_int_equal(head->port, 443);
    assert_true(head->is_tls);
    http_head_free(head);
}

static void given_headers_replace_the_default_ones(void **state)
{
    (void)state;
    static const struct http_header headers[] = {
        {"host", "other.example", false}, {"user-agent", "me", false}, {"authorization", "Bearer x", false}};
    struct http_head *head = make(&(struct http_head_params){.method = "GET",
                                                             .url = "http://u:p@a/",
                                                             .headers = headers,
                                                             .header_count = 3,
                                                             .username = "u",
                                                             .password = "p"});
    assert_string_equal(bytes_text(&head->text), "GET / HTTP/1.1\r\nhost: other.example\r\nuser-agent: me\r\n"
                                                 "authorization: Bearer x\r\n");
    http_head_free(head);
}

static void credentials_become_a_header(void **state)
{
    (void)state;
    struct http_head *head = make(&(struct http_head_params){
        .method = "GET", .url = "http://a/", .username = "Aladdin", .password = "open sesame"});
    assert_non_null(
        strstr(bytes_text(&head->text), "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    http_head_free(head);
    head = make(&(struct http_head_params){.method = "GET", .url = "http://Aladdin:open%20sesame@a/"});
    assert_non_null(
        strstr(bytes_text(&head->text), "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    http_head_free(head);
}

static void what_would_break_the_request_is_refused(void **state)
{
    (void)state;
    static const struct http_header headers[] = {
        {"A B", "x", false},
        {"", "x", false},
        {"A:", "x", false},
        {"A", "x\r\nB: y", false},
        {"A", "x\n", false},
        {"Content-Length", "1", false},
        {"transfer-encoding", "chunked", false},
    };
    static const char *const urls[] = {"http://a:99999/", "http://[::1/", "ftp://a/", "http:///", "a b"};
    struct http_head *head = NULL;
    struct fault f;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        const struct http_head_params params = {
            .method = "GET", .url = "http://a/", .headers = &headers[i], .header_count = 1};
        assert_false(http_head_new(&params, &head, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
    }
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        const struct http_head_params params = {.method = "GET", .url = urls[i]};
        assert_false(http_head_new(&params, &head, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
    }
    assert_null(head);
}

static void redirects_become_absolute(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"http://other/x", "http://other/x"},
        {"/x y", "http://a:81/x%20y"},
        {"beside?z", "http://a:81/b/beside?z"},
        {"//other/x", "http://other/x"},
    };
    struct http_head *head = make(&(struct http_head_params){.method = "GET", .url = "http://a:81/b/c?d"});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *resolved CLEANUP(memory_free_pointer) = http_head_resolve(head, NULL, cases[i][0]);
        assert_non_null(resolved);
        assert_string_equal(resolved, cases[i][1]);
    }
    assert_null(http_head_resolve(head, NULL, "http://[::1"));
    char *beside CLEANUP(memory_free_pointer) = http_head_resolve(head, "/other/x?q=1", "beside");
    assert_non_null(strstr(beside, "/other/beside"));
    http_head_free(head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_is_as_on_the_wire),
        cmocka_unit_test(given_headers_replace_the_default_ones),
        cmocka_unit_test(credentials_become_a_header),
        cmocka_unit_test(what_would_break_the_request_is_refused),
        cmocka_unit_test(redirects_become_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
