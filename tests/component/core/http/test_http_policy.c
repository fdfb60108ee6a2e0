// core/http/http_policy at work: names that change where they lead between look-ups, redirects. The resolver
// is the test's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netdb.h>
#include <stdio.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"
#include "core/http/http_policy.h"
#include "tests/component/core/http/raw_server.h"

static struct {
    uv_loop_t loop;
    uv_timer_t ticker;
    struct raw_server server;
    struct http_client *client;
    struct http_head *head;
    const char *answers[4][2];  // of each look-up, up to two addresses
    size_t look_ups;
    uv_getaddrinfo_cb on_found;
    int done;
    int status;
    struct fault fault;
    bool is_sent;
} t;

int __real_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_found,
                          const char *node, const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_found,
                          const char *node, const char *service, const struct addrinfo *hints);

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    assert_int_equal(status, 0);
    const char *second = t.answers[t.look_ups - 1][1];
    if (second != NULL) {
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
        assert_int_equal(getaddrinfo(second, "80", &hints, &found->ai_next), 0);
    }
    t.on_found(request, status, found);
}

/** Answers with the next addresses of the test, whatever is asked. */
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb callback,
                          const char *node, const char *service, const struct addrinfo *hints)
{
    assert_string_equal(node, "rebinding.test");
    assert_true(t.look_ups < COUNT_OF(t.answers));
    t.on_found = callback;
    return __real_uv_getaddrinfo(loop, request, on_found, t.answers[t.look_ups++][0], service, hints);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    assert_int_equal(uv_loop_init(&t.loop), 0);
    (void)uv_timer_init(&t.loop, &t.ticker);
    (void)uv_timer_start(&t.ticker, on_tick, 5, 5);
    raw_server_start(&t.server, &t.loop);
    CLEANUP(memory_free_pointer)
    char *url = memory_format("http://rebinding.test%s", strrchr(t.server.url, ':'));
    struct fault f;
    assert_true(http_head_new(&(struct http_head_params){.method = "POST", .url = url}, &t.head, &f));
    clock_fake(CLOCK_US_PER_S, CLOCK_US_PER_S);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clock_fake(-1, -1);
    http_client_free(t.client);
    raw_server_stop(&t.server);
    uv_close((uv_handle_t *)&t.ticker, NULL);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    http_head_free(t.head);
    return 0;
}

static void on_done(void *self, const struct http_response *r)
{
    (void)self;
    t.done++;
    t.status = r->status;
    t.fault = r->transport;
    t.is_sent = r->is_sent;
}

static void post(void)
{
    const struct http_request request = {.head = t.head, .timeout_us = 60 * CLOCK_US_PER_S};
    (void)http_client_send(t.client, &request, on_done, NULL);
}

#define RUN_UNTIL(condition)                                                                                 \
    do {                                                                                                     \
        time_t end_s_ = time(NULL) + 60;                                                                     \
        while (!(condition)) {                                                                               \
            assert_true(time(NULL) < end_s_);                                                                \
            (void)uv_run(&t.loop, UV_RUN_ONCE);                                                              \
        }                                                                                                    \
    } while (0)

/** A call to the server, on a connection that it closes then. */
static void call_through(size_t peer)
{
    int done = t.done;
    post();
    RUN_UNTIL(t.server.count == peer + 1 && t.server.peers[peer].in.size > 0);
    raw_server_say(&t.server, peer, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    RUN_UNTIL(t.done == done + 1);
    assert_int_equal(t.status, 204);
}

static void expect_refusal(const char *says)
{
    int done = t.done;
    post();
    RUN_UNTIL(t.done == done + 1);
    assert_int_equal(t.fault.kind, FAULT_RETRY);
    assert_string_equal(t.fault.origin, HTTP_POLICY_ORIGIN);
    assert_false(t.is_sent);
    if (strstr(t.fault.text, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", t.fault.text, says);
    }
}

static void open_client(const struct http_policy *policy)
{
    t.client = http_client_new(&t.loop, &(struct http_client_params){.connections_max = 1, .policy = policy});
}

static void a_name_is_judged_anew_at_each_look_up(void **state)
{
    (void)state;
    static char *items[] = {"127.0.0.1"};
    static const struct text_list allow = {items, 1};
    static const struct http_policy policy = {HTTP_POLICY_LIST, &allow};
    t.answers[0][0] = t.answers[2][0] = "127.0.0.1";
    t.answers[1][0] = "127.0.0.2";
    open_client(&policy);
    call_through(0);
    assert_int_equal(t.look_ups, 1);
    call_through(1);  // what was found holds for 30 s, and was permitted
    assert_int_equal(t.look_ups, 1);
    clock_fake(62 * CLOCK_US_PER_S, 62 * CLOCK_US_PER_S);
    expect_refusal("endpoint_policy list refuses rebinding.test, which is 127.0.0.2: not in endpoint_allow");
    assert_int_equal(t.server.count, 2);
    clock_fake(124 * CLOCK_US_PER_S, 124 * CLOCK_US_PER_S);
    call_through(2);
    assert_int_equal(t.look_ups, 3);
}

static void one_forbidden_address_refuses_them_all(void **state)
{
    (void)state;
    static const struct http_policy policy = {.kind = HTTP_POLICY_PRIVATE};
    t.answers[0][0] = "127.0.0.1";
    t.answers[0][1] = "169.254.169.254";
    open_client(&policy);
    expect_refusal("rebinding.test, which is 169.254.169.254: a link-local address");
    for (int i = 0; i < 5; i++) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    assert_int_equal(t.server.count, 0);
}

static void many_calls_are_refused_each(void **state)
{
    (void)state;
    static const struct http_policy policy = {.kind = HTTP_POLICY_PUBLIC};
    t.answers[0][0] = "10.0.0.1";
    open_client(&policy);
    for (int i = 0; i < 5; i++) {
        post();
    }
    RUN_UNTIL(t.done == 5);
    assert_string_equal(t.fault.origin, HTTP_POLICY_ORIGIN);
    assert_int_equal(t.look_ups, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_name_is_judged_anew_at_each_look_up),
        CASE(one_forbidden_address_refuses_them_all),
        CASE(many_calls_are_refused_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
