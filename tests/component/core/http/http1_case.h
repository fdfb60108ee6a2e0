// core/http/http1_client beside a raw_server: the fixture of its tests. One at a time.
#ifndef TESTS_COMPONENT_CORE_HTTP_HTTP1_CASE_H
#define TESTS_COMPONENT_CORE_HTTP_HTTP1_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "core/base/clock.h"
#include "core/http/http_head.h"
#include "core/http/http_transport.h"
#include "tests/component/core/http/raw_server.h"

#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

enum { HTTP1_CASE_CALLS = 64 };

struct http1_outcome {
    bool is_done;
    struct http_response response;
    char body[64];
};

struct http1_case {
    uv_loop_t loop;
    uv_timer_t ticker;  // the loop never sleeps for long
    struct raw_server server;
    void *client;
    struct http_head *head;
    struct http_call *calls[HTTP1_CASE_CALLS];
    struct http1_outcome outcomes[HTTP1_CASE_CALLS];
    size_t done;
    struct http_request again;  // sent by on_done of call 0, unless it has no head
    bool frees_client;          // on_done frees the client
};

extern struct http1_case http1;

#define RUN_UNTIL(condition)                                                                                 \
    do {                                                                                                     \
        time_t end_s_ = time(NULL) + 60;                                                                     \
        while (!(condition)) {                                                                               \
            assert_true(time(NULL) < end_s_);                                                                \
            (void)uv_run(&http1.loop, UV_RUN_ONCE);                                                          \
        }                                                                                                    \
    } while (0)

/** Set-up and tear-down of each test; the client may have two connections. */
int http1_case_start(void **state);
int http1_case_stop(void **state);
#define CASE(f) cmocka_unit_test_setup_teardown(f, http1_case_start, http1_case_stop)

/** The head of a POST; the caller frees it. */
struct http_head *http1_case_head_of(const char *url);

/** Of the calls: `self` is their outcome. */
void http1_case_on_done(void *self, const struct http_response *r);

/** A request with a minute's time that wants 32 bytes of the body. */
struct http_request http1_case_request_of(const struct http_head *head, struct slice body);

/** Starts call `number`, to the server with the body "hello" unless said otherwise. */
void http1_case_post_to(const struct http_head *head, size_t number, struct slice body);
void http1_case_post(size_t number);

/** A body that the socket can't take at once. */
struct slice http1_case_large_body(void);

void http1_case_run_turns(int count);

/** Runs until the server's peer has got so many whole requests. */
void http1_case_wait_request(size_t peer, size_t count);
void http1_case_wait_done(size_t number);
void http1_case_expect_status(size_t number, int status);
void http1_case_expect_fault(size_t number, bool is_sent, bool is_timeout, const char *says);

/** Makes call `number` on the next connection, which becomes idle. */
void http1_case_warm_up(size_t number, size_t peer);

#endif
