// bridge/endpoints/http beside a stub function: method, compression and what is signed then, addresses that
// may not be called.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <zlib.h>

#include "bridge/endpoints/endpoint.h"
#include "core/base/clock.h"
#include "core/http/http_policy.h"
#include "core/http/webhook_signature.h"
#include "tests/component/bridge/stub_function.h"
#include "tests/component/core/http/raw_server.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct http_endpoint_case {
    uv_loop_t loop;
    uv_timer_t ticker;  // the loop never sleeps for long
    struct stub_function *function;
    struct function_config config;
    struct endpoint *endpoint;
    size_t done;
    struct response last;
    char text[512];
};

static struct stub_answer answer(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 204};
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static int setup(void **state)
{
    struct http_endpoint_case *c = memory_zeroed(1, sizeof(*c));
    *state = c;
    assert_int_equal(uv_loop_init(&c->loop), 0);
    (void)uv_timer_init(&c->loop, &c->ticker);
    (void)uv_timer_start(&c->ticker, on_tick, 5, 5);
    c->function = stub_function_start(&c->loop, answer, c);
    c->config.http.url = memory_string(stub_function_url(c->function));
    c->config.delivery.concurrency = 4;
    return 0;
}

static int teardown(void **state)
{
    struct http_endpoint_case *c = *state;
    endpoint_http.close(c->endpoint);
    stub_function_stop(c->function);
    uv_close((uv_handle_t *)&c->ticker, NULL);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    function_config_clear(&c->config);
    free(c);
    return 0;
}

static void open_endpoint(struct http_endpoint_case *c)
{
    struct fault f;
    if (!endpoint_http.open(&c->config, &c->loop, &c->endpoint, &f)) {
        fail_msg("%s", f.text);
    }
}

static void on_response(void *self, const struct response *r)
{
    struct http_endpoint_case *c = self;
    c->done++;
    c->last = *r;
    (void)snprintf(c->text, sizeof(c->text), "%s", r->transport.kind == FAULT_NONE ? "" : r->transport.text);
}

static void post(struct http_endpoint_case *c, struct slice body)
{
    const struct endpoint_request request = {
        .body = body,
        .content_type = "application/json",
        .header_lines = "ce-id: 7",
        .message_id = slice_of("7"),
        .timeout_us = 60 * CLOCK_US_PER_S,
    };
    size_t done = c->done;
    (void)endpoint_http.send(c->endpoint, &request, on_response, c);
    while (c->done == done) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

/** The value of a header that the call has; the caller frees it. */
static char *header_of(struct http_endpoint_case *c, size_t number, const char *name)
{
    char *value = stub_call_header(stub_function_call(c->function, number), name);
    if (value == NULL) {
        fail_msg("there is no %s", name);
    }
    return value;
}

static struct slice sent_body(struct http_endpoint_case *c, size_t number)
{
    CLEANUP(memory_free_pointer) char *length = header_of(c, number, "content-length");
    return slice_make(stub_function_call(c->function, number)->body, strtoul(length, NULL, 10));
}

static void fill_body(struct bytes *body)
{
    for (int i = 0; i < 300; i++) {
        bytes_format(body, "{\"id\":%d},", i);
    }
}

static void expect_unpacked(struct slice packed, struct slice body)
{
    uint8_t out[8192];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.size};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_out = out;
    stream.avail_out = sizeof(out);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, body.size);
    assert_memory_equal(out, body.data, body.size);
    assert_int_equal(inflateEnd(&stream), Z_OK);
}

static void large_bodies_are_compressed_and_small_ones_are_not(void **state)
{
    struct http_endpoint_case *c = *state;
    CLEANUP(bytes_clear) struct bytes body = {0};
    fill_body(&body);
    c->config.http.gzip_bytes = (int64_t)body.size;
    open_endpoint(c);
    post(c, bytes_slice(&body));
    post(c, slice_make(body.data, body.size - 1));
    CLEANUP(memory_free_pointer) char *encoding = header_of(c, 0, "content-encoding");
    CLEANUP(memory_free_pointer) char *id = header_of(c, 0, "ce-id");
    assert_string_equal(encoding, "gzip");
    assert_string_equal(id, "7");
    assert_true(sent_body(c, 0).size < body.size / 3);
    expect_unpacked(sent_body(c, 0), bytes_slice(&body));
    assert_null(stub_call_header(stub_function_call(c->function, 1), "content-encoding"));
    assert_int_equal(sent_body(c, 1).size, body.size - 1);
}

static void what_is_signed_is_what_is_sent(void **state)
{
    struct http_endpoint_case *c = *state;
    CLEANUP(bytes_clear) struct bytes body = {0};
    fill_body(&body);
    c->config.http.gzip_bytes = 1;
    c->config.http.auth.webhooks.secret = memory_string(SECRET);
    open_endpoint(c);
    post(c, bytes_slice(&body));
    CLEANUP(memory_free_pointer) char *id = header_of(c, 0, "webhook-id");
    CLEANUP(memory_free_pointer) char *timestamp = header_of(c, 0, "webhook-timestamp");
    CLEANUP(memory_free_pointer) char *signature = header_of(c, 0, "webhook-signature");
    struct webhook_key *key = NULL;
    struct fault f;
    assert_true(webhook_key_new(SECRET, WEBHOOK_HMAC, &key, &f));
    CLEANUP(bytes_clear) struct bytes want = {0};
    const struct webhook_message message = {
        .id = slice_of(id), .timestamp_s = strtoll(timestamp, NULL, 10), .body = sent_body(c, 0)};
    webhook_signature_append(&want, key, &message);
    webhook_key_free(key);
    assert_string_equal(signature, bytes_text(&want));
}

static void the_method_is_the_configured_one(void **state)
{
    struct http_endpoint_case *c = *state;
    c->config.http.method = FUNCTION_DELETE_METHOD;
    open_endpoint(c);
    post(c, slice_of("{}"));
    assert_memory_equal(stub_function_call(c->function, 0)->head, "DELETE /fn HTTP/1.1\r\n", 21);
    assert_string_equal(stub_function_call(c->function, 0)->body, "{}");
}

/** Not sent, so it uses up no attempt; the label counts in the metrics. */
static void a_refused_address_has_its_label(void **state)
{
    struct http_endpoint_case *c = *state;
    static const struct http_policy public = {.kind = HTTP_POLICY_PUBLIC};
    c->config.policy = &public;
    open_endpoint(c);
    post(c, slice_of("{}"));
    assert_int_equal(c->last.transport.kind, FAULT_RETRY);
    assert_false(c->last.is_sent);
    assert_string_equal(c->last.failure, "refused_address");
    assert_non_null(strstr(c->text, "endpoint_policy public refuses 127.0.0.1: a loopback address"));
    assert_int_equal(stub_function_count(c->function), 0);
}

/** Whether the field of the first request in HTTP/2 is a literal that is never indexed (RFC 7541, 6.2.3). */
static bool is_never_indexed(struct slice in, const char *name)
{
    bool is_found = false;
    bool is_secret = false;
    size_t at = 24;  // the preface
    while (at + 9 <= in.size && in.data[at + 3] != NGHTTP2_HEADERS) {
        at += 9 + ((size_t)in.data[at] << 16 | (size_t)in.data[at + 1] << 8 | in.data[at + 2]);
    }
    size_t size = (size_t)in.data[at] << 16 | (size_t)in.data[at + 1] << 8 | in.data[at + 2];
    const uint8_t *from = in.data + at + 9;
    const uint8_t *end = from + size;
    nghttp2_hd_inflater *inflater = NULL;
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    while (from < end) {
        nghttp2_nv field;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &field, &flags, from, (size_t)(end - from), 1);
        assert_true(used > 0);
        from += used;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0 &&
            slice_equal(slice_make(field.name, field.namelen), slice_of(name))) {
            is_found = true;
            is_secret = (field.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0;
        }
    }
    nghttp2_hd_inflate_del(inflater);
    assert_true(is_found);
    return is_secret;
}

/** Data that somebody chooses stands in the same table: the size of requests would tell of a secret. */
static void secret_headers_stay_out_of_the_compression(void **state)
{
    struct http_endpoint_case *c = *state;
    struct raw_server server = {0};
    raw_server_start(&server, &c->loop);
    free(c->config.http.url);
    c->config.http.url = memory_string(server.url);
    c->config.http.version = HTTP_VERSION_2;
    text_pairs_set(&c->config.http.headers, "X-Region", "eu");
    text_pairs_set_secret(&c->config.http.headers, "X-My-Key", "k");
    open_endpoint(c);
    const struct endpoint_request request = {
        .body = slice_of("hello"), .content_type = "application/json", .timeout_us = 60 * CLOCK_US_PER_S};
    struct endpoint_call *call = endpoint_http.send(c->endpoint, &request, on_response, c);
    struct bytes *in = &server.peers[0].in;
    while (in->size < 5 || memcmp(in->data + in->size - 5, "hello", 5) != 0) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
    CLEANUP(bytes_clear) struct bytes sent = {0};
    bytes_append_slice(&sent, bytes_slice(in));
    endpoint_http.cancel(c->endpoint, call);
    endpoint_http.close(c->endpoint);
    c->endpoint = NULL;
    raw_server_stop(&server);
    assert_false(is_never_indexed(bytes_slice(&sent), "x-region"));
    assert_true(is_never_indexed(bytes_slice(&sent), "x-my-key"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(large_bodies_are_compressed_and_small_ones_are_not),
        CASE(what_is_signed_is_what_is_sent),
        CASE(the_method_is_the_configured_one),
        CASE(a_refused_address_has_its_label),
        CASE(secret_headers_stay_out_of_the_compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
