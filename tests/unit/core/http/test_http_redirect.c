// core/http/http_redirect above a transport that answers as the test says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/http/http_head.h"
#include "core/http/http_redirect.h"

static struct {
    struct http_call inner;
    struct http_request request;  // the last one
    http_on_done on_done;
    void *of;
    int sent;
    int done;
    bool is_timeout;
    bool is_sent;
    enum fault_kind kind;
    char text[64];
    int64_t took_us;
} t;

static struct http_call *send_nothing(void *transport, const struct http_request *request,
                                      http_on_done on_done, void *self)
{
    (void)transport;
    t.request = *request;
    t.on_done = on_done;
    t.of = self;
    t.sent++;
    return &t.inner;
}

static void on_done(void *self, const struct http_response *r)
{
    (void)self;
    t.done++;
    t.is_timeout = r->is_timeout;
    t.is_sent = r->is_sent;
    t.kind = r->transport.kind;
    (void)snprintf(t.text, sizeof(t.text), "%.60s", r->transport.kind == FAULT_NONE ? "" : r->transport.text);
    t.took_us = r->took_us;
}

static void redirect(void)
{
    const struct http_response r = {.status = 307, .location = "http://a.example/next", .retry_after_us = -1};
    t.on_done(t.of, &r);
}

static void what_is_left_of_the_timeout_is_for_the_next_request(void **state)
{
    (void)state;
    static const struct http_transport_type TYPE = {.send = send_nothing};
    struct http_redirects redirects = {.type = &TYPE, .max = 3};
    struct http_head *head = NULL;
    struct fault f;
    memset(&t, 0, sizeof(t));
    assert_true(
        http_head_new(&(struct http_head_params){.method = "POST", .url = "http://a.example/"}, &head, &f));
    const struct http_request request = {.head = head, .timeout_us = 10 * CLOCK_US_PER_S};
    clock_fake(0, 0);
    (void)http_redirects_send(&redirects, &request, on_done, NULL);
    clock_fake(4 * CLOCK_US_PER_S, 0);
    redirect();
    assert_int_equal(t.sent, 2);
    assert_int_equal(t.request.timeout_us, 6 * CLOCK_US_PER_S);
    assert_string_equal(t.request.target, "/next");
    clock_fake(10 * CLOCK_US_PER_S, 0);  // the loop was busy: the response came in time, and is read now
    redirect();
    assert_int_equal(t.sent, 2);
    assert_int_equal(t.done, 1);
    assert_true(t.is_timeout);
    assert_true(t.is_sent);
    assert_int_equal(t.kind, FAULT_RETRY);
    assert_string_equal(t.text, "no time was left to follow a redirect");
    assert_int_equal(t.took_us, 10 * CLOCK_US_PER_S);
    assert_null(redirects.calls);
    clock_fake(-1, -1);
    http_head_free(head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_of_the_timeout_is_for_the_next_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
