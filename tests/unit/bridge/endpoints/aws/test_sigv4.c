// bridge/endpoints/aws/sigv4: vectors of AWS's published test suite (aws-signing-test-suite, v4, paths
// normalised), and what the derived key is kept for. tests/system/test_sigv4.py compares with botocore.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/endpoints/aws/sigv4.h"
#include "core/base/memory.h"

#define ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define WALL_US (INT64_C(1440938160) * 1000000)  // 2015-08-30T12:36:00Z
#define TOKEN "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"

struct vector {
    const char *name;
    const char *method;
    const char *target;
    const char *headers[8];  // names and values, beside the host
    const char *token;
    const char *body;
    const char *names;
    const char *signature;
};

static const struct vector vectors[] = {
    {"get-vanilla",
     "GET",
     "/",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-normalized",
     "GET",
     "/example/..",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slashes-normalized",
     "GET",
     "//example//",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-utf8",
     "GET",
     "/\xe1\x88\xb4",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-space-normalized",
     "GET",
     "/example space/",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-vanilla-utf8-query",
     "GET",
     "/?\xe1\x88\xb4=bar",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-query-order-encoded",
     "GET",
     "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/?Param2=value2&Param1=value1",
     {NULL},
     NULL,
     "",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-header-value-trim",
     "GET",
     "/",
     {"My-Header1", " value1", "My-Header2", " \"a   b   c\""},
     NULL,
     "",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     {"My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1"},
     NULL,
     "",
     "host;my-header1;x-amz-date",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-vanilla-with-session-token",
     "GET",
     "/",
     {NULL},
     TOKEN,
     "",
     "host;x-amz-date;x-amz-security-token",
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"post-x-www-form-urlencoded-parameters",
     "POST",
     "/",
     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "Content-Length", "13",
      "X-Amz-Content-Sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"},
     NULL,
     "Param1=value1",
     "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
     "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
};

static void sign(struct sigv4 *s, const struct vector *v, const char *secret, int64_t wall_us,
                 struct bytes *lines)
{
    struct sigv4_header headers[8] = {{slice_of("Host"), slice_of("example.amazonaws.com")}};
    size_t count = 1;
    for (size_t i = 0; i < COUNT_OF(v->headers) && v->headers[i] != NULL; i += 2) {
        headers[count++] = (struct sigv4_header){slice_of(v->headers[i]), slice_of(v->headers[i + 1])};
    }
    const struct sigv4_keys keys = {ID, secret, v->token};
    const struct sigv4_request request = {
        .method = v->method,
        .target = slice_of(v->target),
        .headers = headers,
        .header_count = count,
        .body = slice_of(v->body),
        .wall_us = wall_us,
    };
    sigv4_sign(s, &keys, &request, lines);
}

static void requests_are_signed_as_the_published_suite_says(void **state)
{
    (void)state;
    struct sigv4 *s = sigv4_new("us-east-1", "service");
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct vector *v = &vectors[i];
        CLEANUP(bytes_clear) struct bytes lines = {0};
        sign(s, v, SECRET, WALL_US, &lines);
        CLEANUP(memory_free_pointer)
        char *token =
            v->token == NULL ? memory_string("") : memory_format("X-Amz-Security-Token: %s\r\n", v->token);
        CLEANUP(memory_free_pointer)
        char *want = memory_format("X-Amz-Date: 20150830T123600Z\r\n%sAuthorization: AWS4-HMAC-SHA256 "
                                   "Credential=" ID "/20150830/us-east-1/service/aws4_request, "
                                   "SignedHeaders=%s, Signature=%s",
                                   token, v->names, v->signature);
        if (strcmp(bytes_text(&lines), want) != 0) {
            fail_msg("%s:\n%s\nbut should be\n%s", v->name, bytes_text(&lines), want);
        }
    }
    sigv4_free(s);
}

static void lines_follow_those_that_are_there(void **state)
{
    (void)state;
    struct sigv4 *s = sigv4_new("us-east-1", "service");
    CLEANUP(bytes_clear) struct bytes lines = {0};
    bytes_append_string(&lines, "a: b");
    sign(s, &vectors[0], SECRET, WALL_US, &lines);
    assert_memory_equal(bytes_text(&lines), "a: b\r\nX-Amz-Date: ", 18);
    sigv4_free(s);
}

/** A signer that has signed other things gives what a new one gives. */
static void check_after(const char *secret, int64_t wall_us)
{
    CLEANUP(bytes_clear) struct bytes want = {0};
    struct sigv4 *fresh = sigv4_new("us-east-1", "service");
    sign(fresh, &vectors[0], secret, wall_us, &want);
    sigv4_free(fresh);
    struct sigv4 *used = sigv4_new("us-east-1", "service");
    CLEANUP(bytes_clear) struct bytes lines = {0};
    sign(used, &vectors[10], SECRET, WALL_US, &lines);
    bytes_reset(&lines);
    sign(used, &vectors[0], secret, wall_us, &lines);
    sigv4_free(used);
    assert_string_equal(bytes_text(&lines), bytes_text(&want));
}

static void the_derived_key_is_that_of_the_day_and_of_the_secret(void **state)
{
    (void)state;
    check_after(SECRET, WALL_US + 1000000);
    check_after(SECRET, WALL_US + INT64_C(86400) * 1000000);
    check_after("another", WALL_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_signed_as_the_published_suite_says),
        cmocka_unit_test(lines_follow_those_that_are_there),
        cmocka_unit_test(the_derived_key_is_that_of_the_day_and_of_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
