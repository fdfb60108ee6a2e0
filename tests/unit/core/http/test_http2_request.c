// core/http/http2_request: the fields of a request, and which of them stay out of the compression's tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/http/http2_request.h"
#include "core/http/http_head.h"

static const nghttp2_nv *field_of(const nghttp2_nv *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(slice_make(fields[i].name, fields[i].namelen), slice_of(name))) {
            return &fields[i];
        }
    }
    fail_msg("no field %s", name);
    return NULL;
}

static void check(const nghttp2_nv *fields, size_t count, const char *name, const char *value, int flags)
{
    const nghttp2_nv *field = field_of(fields, count, name);
    assert_true(slice_equal(slice_make(field->value, field->valuelen), slice_of(value)));
    assert_int_equal(field->flags, flags);
}

static void credentials_are_not_indexed(void **state)
{
    (void)state;
    static const char LINES[] = "ce-id: 1\r\nCE-Type: t\r\nAuthorization: Bearer x\r\nX-Api-Key: k";
    const struct http_head_params params = {.method = "POST", .url = "http://a.example/p"};
    struct http_head *head = NULL;
    struct fault f = {0};
    assert_true(http_head_new(&params, &head, &f));
    struct http_request request = {
        .head = head, .header_lines = LINES, .credentials = strstr(LINES, "\r\nAuthorization")};
    struct http2_scratch scratch = {0};
    size_t count = 0;
    const nghttp2_nv *fields = http2_request_fields(&request, &scratch, &count);
    check(fields, count, ":path", "/p", NGHTTP2_NV_FLAG_NO_INDEX);
    check(fields, count, "ce-id", "1", NGHTTP2_NV_FLAG_NONE);
    check(fields, count, "ce-type", "t", NGHTTP2_NV_FLAG_NONE);
    check(fields, count, "authorization", "Bearer x", NGHTTP2_NV_FLAG_NO_INDEX);
    check(fields, count, "x-api-key", "k", NGHTTP2_NV_FLAG_NO_INDEX);
    request.credentials = LINES;
    fields = http2_request_fields(&request, &scratch, &count);
    check(fields, count, "ce-id", "1", NGHTTP2_NV_FLAG_NO_INDEX);
    request.credentials = NULL;
    fields = http2_request_fields(&request, &scratch, &count);
    check(fields, count, "authorization", "Bearer x", NGHTTP2_NV_FLAG_NONE);
    http2_scratch_clear(&scratch);
    http_head_free(head);
}

static void secrets_of_the_head_are_not_indexed(void **state)
{
    (void)state;
    const struct http_header headers[] = {
        {"X-Region", "eu", false}, {"X-My-Key", "k", true}, {"X-My", "m", false}};
    const struct http_head_params params = {.method = "POST",
                                            .url = "http://user:password@a.example/?key=k",
                                            .headers = headers,
                                            .header_count = 3};
    struct http_head *head = NULL;
    struct fault f = {0};
    assert_true(http_head_new(&params, &head, &f));
    const struct http_request request = {.head = head};
    struct http2_scratch scratch = {0};
    size_t count = 0;
    const nghttp2_nv *fields = http2_request_fields(&request, &scratch, &count);
    check(fields, count, ":path", "/?key=k", NGHTTP2_NV_FLAG_NO_INDEX);
    check(fields, count, "x-region", "eu", NGHTTP2_NV_FLAG_NONE);
    check(fields, count, "x-my-key", "k", NGHTTP2_NV_FLAG_NO_INDEX);
    check(fields, count, "x-my", "m", NGHTTP2_NV_FLAG_NONE);
    check(fields, count, "authorization", "Basic dXNlcjpwYXNzd29yZA==", NGHTTP2_NV_FLAG_NO_INDEX);
    http2_scratch_clear(&scratch);
    http_head_free(head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_not_indexed),
        cmocka_unit_test(secrets_of_the_head_are_not_indexed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
