#include "tests/component/core/http/http1_case.h"

struct http1_case http1;

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

struct http_head *http1_case_head_of(const char *url)
{
    struct http_head *head = NULL;
    struct fault f;
    const struct http_head_params params = {.method = "POST", .url = url};
    assert_true(http_head_new(&params, &head, &f));
    return head;
}

int http1_case_start(void **state)
{
    (void)state;
    memset(&http1, 0, sizeof(http1));
    assert_int_equal(uv_loop_init(&http1.loop), 0);
    (void)uv_timer_init(&http1.loop, &http1.ticker);
    (void)uv_timer_start(&http1.ticker, on_tick, 5, 5);
    raw_server_start(&http1.server, &http1.loop);
    static const struct http_client_params PARAMS = {.connections_max = 2};
    http1.client = http1_client.open(&http1.loop, &PARAMS);
    http1.head = http1_case_head_of(http1.server.url);
    return 0;
}

int http1_case_stop(void **state)
{
    (void)state;
    clock_fake(-1, -1);
    http1_client.close(http1.client);
    raw_server_stop(&http1.server);
    uv_close((uv_handle_t *)&http1.ticker, NULL);
    (void)uv_run(&http1.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&http1.loop), 0);
    http_head_free(http1.head);
    return 0;
}

void http1_case_on_done(void *self, const struct http_response *r)
{
    struct http1_outcome *o = self;
    assert_false(o->is_done);
    o->is_done = true;
    o->response = *r;
    size_t size = r->body.size < sizeof(o->body) - 1 ? r->body.size : sizeof(o->body) - 1;
    memcpy(o->body, size == 0 ? "" : (const char *)r->body.data, size);
    http1.done++;
    if (o == &http1.outcomes[0] && http1.again.head != NULL) {
        http1.calls[1] =
            http1_client.send(http1.client, &http1.again, http1_case_on_done, &http1.outcomes[1]);
    }
    if (http1.frees_client) {
        http1_client.close(http1.client);
        http1.client = NULL;
    }
}

struct http_request http1_case_request_of(const struct http_head *head, struct slice body)
{
    return (struct http_request){
        .head = head, .body = body, .timeout_us = 60 * CLOCK_US_PER_S, .response_max_bytes = 32};
}

void http1_case_post_to(const struct http_head *head, size_t number, struct slice body)
{
    const struct http_request request = http1_case_request_of(head, body);
    http1.calls[number] =
        http1_client.send(http1.client, &request, http1_case_on_done, &http1.outcomes[number]);
    assert_false(http1.outcomes[number].is_done);
}

void http1_case_post(size_t number)
{
    http1_case_post_to(http1.head, number, slice_of("hello"));
}

void http1_case_run_turns(int count)
{
    for (int i = 0; i < count; i++) {
        (void)uv_run(&http1.loop, UV_RUN_ONCE);
    }
}

/** How many whole requests have arrived at this connection. */
static size_t requests_of(size_t peer)
{
    size_t count = 0;
    if (peer >= http1.server.count || http1.server.peers[peer].in.size == 0) {
        return 0;
    }
    for (const char *at = bytes_text(&http1.server.peers[peer].in);
         (at = strstr(at, "\r\n\r\nhello")) != NULL; at++) {
        count++;
    }
    return count;
}

void http1_case_wait_request(size_t peer, size_t count)
{
    RUN_UNTIL(requests_of(peer) == count);
}

void http1_case_wait_done(size_t number)
{
    RUN_UNTIL(http1.outcomes[number].is_done);
}

void http1_case_expect_status(size_t number, int status)
{
    http1_case_wait_done(number);
    if (http1.outcomes[number].response.transport.kind != FAULT_NONE) {
        fail_msg("call %zu: %s", number, http1.outcomes[number].response.transport.text);
    }
    assert_int_equal(http1.outcomes[number].response.status, status);
}

void http1_case_expect_fault(size_t number, bool is_sent, bool is_timeout, const char *says)
{
    http1_case_wait_done(number);
    const struct http_response *r = &http1.outcomes[number].response;
    assert_int_equal(r->transport.kind, FAULT_RETRY);
    assert_int_equal(r->is_sent, is_sent);
    assert_int_equal(r->is_timeout, is_timeout);
    if (strstr(r->transport.text, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", r->transport.text, says);
    }
}

void http1_case_warm_up(size_t number, size_t peer)
{
    http1_case_post(number);
    http1_case_wait_request(peer, 1);
    raw_server_say(&http1.server, peer, EMPTY);
    http1_case_expect_status(number, 200);
}

struct slice http1_case_large_body(void)
{
    static uint8_t body[8 * 1024 * 1024];
    return slice_make(body, sizeof(body));
}
