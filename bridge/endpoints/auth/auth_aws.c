// Signatures of AWS (SigV4) in the header Authorization: of requests to function URLs with IAM, and of those
// to Lambda itself.
#include <ctype.h>
#include <curl/curl.h>

#include "bridge/endpoints/auth/auth.h"
#include "bridge/endpoints/auth/aws_credentials.h"
#include "bridge/endpoints/aws/aws_region.h"
#include "bridge/endpoints/aws/sigv4.h"
#include "core/base/clock.h"
#include "core/http/http_field_list.h"

enum { HEADERS_MAX = 64, STATUS_FORBIDDEN = 403 };

#define SKEW_MIN_US (INT64_C(30) * 1000000)  // less than that is no reason for a refusal

struct auth {
    struct aws_credentials *credentials;
    struct sigv4 *signer;
    int64_t skew_us;  // AWS's clock is ahead of ours by that
};

static bool aws_open(const struct function_config *config, uv_loop_t *loop, struct auth **ret,
                     struct fault *f)
{
    bool is_lambda = config->lambda.function != NULL;
    if (!is_lambda && !config->http.auth.aws.is_set) {
        return true;
    }
    const struct aws_config *keys = is_lambda ? &config->lambda.aws : &config->http.auth.aws.keys;
    struct slice named =
        is_lambda ? aws_region_of_arn(config->lambda.function) : aws_region_of_url(config->http.url);
    CLEANUP(memory_free_pointer) char *region = NULL;
    if (!aws_region_find(keys, named, &region, f)) {
        return fault_context(f, "%s", is_lambda ? "endpoint.lambda" : "endpoint.http.auth.aws");
    }
    struct auth *a = memory_zeroed(1, sizeof(*a));
    a->signer = sigv4_new(region, is_lambda ? "lambda" : config->http.auth.aws.service);
    a->credentials = aws_credentials_open(keys, region, loop);
    *ret = a;
    return true;
}

static enum auth_state aws_prepare(struct auth *a, struct auth_wait *wait)
{
    return aws_credentials_prepare(a->credentials, wait);
}

static void aws_cancel(struct auth *a, struct auth_wait *wait)
{
    aws_credentials_cancel(a->credentials, wait);
}

static const char *aws_place(const struct auth *a)
{
    return aws_credentials_place(a->credentials);
}

static bool is_name(struct slice name, const char *text)
{
    return name.size == strlen(text) && strncasecmp((const char *)name.data, text, name.size) == 0;
}

/** What a proxy may change, and what its sender itself adds, is not signed. */
static bool is_signed(struct slice name)
{
    static const char *const OTHERS[] = {"host",       "connection", "content-length",  "accept",
                                         "user-agent", "expect",     "x-amzn-trace-id", "transfer-encoding"};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        if (is_name(name, OTHERS[i])) {
            return false;
        }
    }
    return true;
}

static size_t add_lines(struct slice lines, struct sigv4_header *headers, size_t count)
{
    while (lines.size > 0 && count < HEADERS_MAX) {
        const uint8_t *end = memchr(lines.data, '\r', lines.size);
        size_t size = end == NULL ? lines.size : (size_t)(end - lines.data);
        const uint8_t *colon = memchr(lines.data, ':', size);
        if (colon != NULL) {
            size_t length = (size_t)(colon - lines.data);
            const struct sigv4_header header = {slice_make(lines.data, length),
                                                slice_make(colon + 1, size - length - 1)};
            headers[count] = header;
            count += is_signed(header.name) ? 1 : 0;
        }
        size_t taken = end == NULL || size + 2 > lines.size ? lines.size : size + 2;
        lines = slice_make(lines.data + taken, lines.size - taken);
    }
    return count;
}

static uint64_t aws_sign(struct auth *a, const struct auth_request *request, struct bytes *lines)
{
    const struct http_head *head = request->head;
    struct sigv4_header headers[HEADERS_MAX] = {{slice_of("host"), head->authority}};
    size_t count = 1;
    for (size_t i = 0; i < head->field_count && count < HEADERS_MAX; i++) {
        headers[count] = (struct sigv4_header){head->fields[i].name, head->fields[i].value};
        count += is_signed(head->fields[i].name) ? 1 : 0;
    }
    CLEANUP(bytes_wipe) struct bytes given = {0};  // the lines may move while they are appended to
    bytes_append_slice(&given, bytes_slice(lines));
    count = add_lines(bytes_slice(&given), headers, count);
    uint64_t number;
    const struct aws_keys *k = aws_credentials_keys(a->credentials, &number);
    const struct sigv4_keys keys = {k->access_key_id, k->secret_access_key, k->session_token};
    const struct sigv4_request signed_request = {
        .method = head->method,
        .target = request->target != NULL ? slice_of(request->target)
                                          : slice_make(head->text.data + head->target_at, head->target_size),
        .headers = headers,
        .header_count = count,
        .body = request->body,
        .wall_us = request->wall_us + a->skew_us,
    };
    sigv4_sign(a->signer, &keys, &signed_request, lines);
    return number;
}

/** The response says that the signature's time is wrong. */
static bool is_clock_wrong(const struct http_response *r)
{
    static const char *const SIGNS[] = {"Signature expired",    "Signature not yet current",
                                        "RequestTimeTooSkewed", "RequestExpired",
                                        "RequestInTheFuture",   "InvalidSignatureException"};
    for (size_t i = 0; r->body.size > 0 && i < COUNT_OF(SIGNS); i++) {
        if (memmem(r->body.data, r->body.size, SIGNS[i], strlen(SIGNS[i])) != NULL) {
            return true;
        }
    }
    return false;
}

/** How far the clock of the response's header Date is ahead of ours. False: it has none. */
static bool skew_of(const struct http_response *r, int64_t *ret_us)
{
    struct slice date = http_field_list_find(r->fields, r->field_count, "date");
    if (date.data == NULL) {
        return false;
    }
    CLEANUP(memory_free_pointer) char *text = slice_to_string(date);
    time_t at_s = curl_getdate(text, NULL);
    *ret_us = (int64_t)at_s * CLOCK_US_PER_S - clock_wall_us();
    return at_s >= 0;
}

static bool aws_on_response(struct auth *a, uint64_t version, const struct http_response *r)
{
    int64_t skew_us;
    if (r->transport.kind != FAULT_NONE || r->status != STATUS_FORBIDDEN) {
        return false;
    }
    if (is_clock_wrong(r) && skew_of(r, &skew_us) && llabs(skew_us - a->skew_us) >= SKEW_MIN_US) {
        a->skew_us = skew_us;
        return true;
    }
    return aws_credentials_refuse(a->credentials, version);
}

static void aws_close(struct auth *a)
{
    if (a != NULL) {
        aws_credentials_close(a->credentials);
        sigv4_free(a->signer);
        free(a);
    }
}

const struct auth_type auth_aws = {
    .kind = "aws",
    .open = aws_open,
    .prepare = aws_prepare,
    .cancel = aws_cancel,
    .place = aws_place,
    .sign = aws_sign,
    .on_response = aws_on_response,
    .close = aws_close,
};
