// core/http/http_client and a server on the same loop: the fixture of its tests.
#ifndef TESTS_COMPONENT_CORE_HTTP_HTTP_CASE_H
#define TESTS_COMPONENT_CORE_HTTP_HTTP_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"
#include "tests/component/bridge/stub_function.h"

struct http_case {
    uv_loop_t loop;
    uv_timer_t timer;
    struct stub_function *stub;
    const struct http_transport_type *type;
    struct http_client_params params;
    void *client;
    int done;
    struct http_response last;
    char text[256];  // of the last body
    char location[256];
    char fields[512];            // of the last response, each as "name: value\n"
    const char *method;          // of new heads; NULL: POST
    const char *target;          // of the next calls
    struct http_head *heads[8];  // of the URLs called
    size_t head_count;
};

/** Starts the server and the client, which may have four connections. */
void http_case_start(struct http_case *c, stub_script script);
void http_case_stop(struct http_case *c);

/** Starts a call that wants 16 bytes of the body. */
struct http_call *http_case_post(struct http_case *c, const char *url, int64_t timeout_ms);

/** Runs until so many calls have ended. */
void http_case_run_until_done(struct http_case *c, int count);

#endif
