// bridge/endpoints/http with OAuth 2.0 client credentials: a stub token endpoint and a stub function on one
// loop; the clock is the test's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <strings.h>

#include "bridge/endpoints/auth/auth_chain.h"
#include "bridge/endpoints/auth/token_source.h"
#include "bridge/endpoints/endpoint.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/component/bridge/stub_function.h"

enum { CALLS_MAX = 16 };

#define START_US (INT64_C(1000000) * CLOCK_US_PER_S)
#define WALL_US (INT64_C(1700000000) * CLOCK_US_PER_S)

/** One call and what came of it. */
struct call {
    struct oauth2_case *owner;
    struct endpoint_call *call;
    bool is_done;
    int status;
    bool is_sent;
    bool is_timeout;
    char failure[32];
    char text[512];  // of the fault
};

struct oauth2_case {
    uv_loop_t loop;
    struct stub_function *tokens;
    struct stub_function *function;
    struct stub_answer token_answers[8];  // of the token endpoint, the last one repeated; body NULL: token-N
    size_t token_answer_count;
    struct stub_answer (*function_answer)(const struct stub_call *call, size_t number);
    char bodies[64][256];
    struct function_config config;
    struct endpoint *endpoint;
    struct call calls[CALLS_MAX];
    size_t call_count;
    size_t done_count;
};

static struct stub_answer answer_token(void *self, const struct stub_call *call, size_t number)
{
    (void)call;
    struct oauth2_case *c = self;
    size_t at = number < c->token_answer_count ? number : c->token_answer_count - 1;
    struct stub_answer answer = c->token_answer_count == 0 ? (struct stub_answer){0} : c->token_answers[at];
    answer.status = answer.status == 0 ? 200 : answer.status;
    if (answer.body == NULL && answer.garbage_bytes == 0) {
        (void)snprintf(c->bodies[number], sizeof(c->bodies[number]),
                       "{\"access_token\":\"token-%zu\",\"token_type\":\"bearer\",\"expires_in\":100}",
                       number);
        answer.body = c->bodies[number];
    }
    return answer;
}

static struct stub_answer answer_function(void *self, const struct stub_call *call, size_t number)
{
    struct oauth2_case *c = self;
    return c->function_answer == NULL ? (struct stub_answer){.status = 204}
                                      : c->function_answer(call, number);
}

static void on_response(void *self, const struct response *r)
{
    struct call *call = self;
    call->is_done = true;
    call->status = r->transport.kind == FAULT_NONE ? r->status : 0;
    call->is_sent = r->is_sent;
    call->is_timeout = r->is_timeout;
    (void)snprintf(call->failure, sizeof(call->failure), "%s", r->failure == NULL ? "" : r->failure);
    (void)snprintf(call->text, sizeof(call->text), "%s", r->transport.text);
    call->owner->done_count++;
}

static void open_endpoint(struct oauth2_case *c, struct endpoint **ret)
{
    struct fault f = {0};
    if (!endpoint_http.open(&c->config, &c->loop, ret, &f)) {
        fail_msg("%s", f.text);
    }
}

static int setup(void **state)
{
    struct oauth2_case *c = memory_zeroed(1, sizeof(*c));
    *state = c;
    log_start(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    clock_fake(START_US, WALL_US);
    assert_int_equal(uv_loop_init(&c->loop), 0);
    c->tokens = stub_function_start(&c->loop, answer_token, c);
    c->function = stub_function_start(&c->loop, answer_function, c);
    c->config.http.url = memory_string(stub_function_url(c->function));
    c->config.delivery.concurrency = CALLS_MAX;
    struct oauth2_config *oauth2 = &c->config.http.auth.oauth2;
    oauth2->token_url = memory_string(stub_function_url(c->tokens));
    oauth2->client_id = memory_string("shop");
    oauth2->client_secret = memory_string("hunter2 %:");
    oauth2->timeout_us = 10 * CLOCK_US_PER_S;
    open_endpoint(c, &c->endpoint);
    return 0;
}

static int teardown(void **state)
{
    struct oauth2_case *c = *state;
    endpoint_http.close(c->endpoint);
    stub_function_stop(c->tokens);
    stub_function_stop(c->function);
    clock_fake(-1, 0);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    function_config_clear(&c->config);
    free(c);
    return 0;
}

static struct call *begin_by(struct oauth2_case *c, struct endpoint *endpoint, int64_t timeout_us)
{
    assert_true(c->call_count < CALLS_MAX);
    struct call *call = &c->calls[c->call_count++];
    *call = (struct call){.owner = c};
    const struct endpoint_request request = {
        .body = slice_of("{}"), .content_type = "application/json", .timeout_us = timeout_us};
    call->call = endpoint_http.send(endpoint, &request, on_response, call);
    return call;
}

static struct call *begin(struct oauth2_case *c)
{
    return begin_by(c, c->endpoint, 30 * CLOCK_US_PER_S);
}

static void run_until_done(struct oauth2_case *c)
{
    while (c->done_count < c->call_count) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

/** Runs one call; returns what came of it. */
static struct call *call(struct oauth2_case *c)
{
    c->call_count = c->done_count = 0;
    struct call *call = begin(c);
    run_until_done(c);
    return call;
}

static void run_until_count(struct oauth2_case *c, const struct stub_function *stub, size_t count)
{
    while (stub_function_count(stub) < count) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
}

/** Runs until the loop has nothing more to do for now. */
static void run_idle(struct oauth2_case *c)
{
    for (int i = 0; i < 50; i++) {
        (void)uv_run(&c->loop, UV_RUN_NOWAIT);
    }
}

static void pass(double seconds)
{
    int64_t us = (int64_t)(seconds * (double)CLOCK_US_PER_S);
    clock_fake(clock_now_us() + us, clock_wall_us() + us);
}

static void check_header(const struct stub_function *stub, size_t number, const char *name, const char *want)
{
    CLEANUP(memory_free_pointer) char *value = stub_call_header(stub_function_call(stub, number), name);
    assert_non_null(value);
    assert_string_equal(value, want);
}

static void check_last_token(const struct oauth2_case *c, const char *want)
{
    check_header(c->function, stub_function_count(c->function) - 1, "Authorization", want);
}

static void calls_wait_for_one_token_and_share_it(void **state)
{
    struct oauth2_case *c = *state;
    struct endpoint *other = NULL;
    c->token_answers[0] = (struct stub_answer){.is_held = true};
    c->token_answer_count = 1;
    open_endpoint(c, &other);  // another function with the same settings
    for (int i = 0; i < 4; i++) {
        (void)begin_by(c, i % 2 == 0 ? c->endpoint : other, 30 * CLOCK_US_PER_S);
    }
    run_until_count(c, c->tokens, 1);
    run_idle(c);
    assert_int_equal(stub_function_count(c->function), 0);
    stub_function_release(c->tokens);
    run_until_done(c);
    assert_int_equal(stub_function_count(c->tokens), 1);
    assert_int_equal(stub_function_count(c->function), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(c->calls[i].status, 204);
        check_header(c->function, i, "Authorization", "Bearer token-0");
    }
    endpoint_http.close(other);
    (void)call(c);
    assert_int_equal(stub_function_count(c->tokens), 1);
}

/** RFC 6749, 2.3.1: "hunter2 %:" is encoded as in a form, then in base64. */
static void the_request_is_a_form_and_the_secret_is_encoded_first(void **state)
{
    struct oauth2_case *c = *state;
    c->config.http.auth.oauth2.scope = memory_string("read write");
    c->config.http.auth.oauth2.audience = memory_string("https://api.example/?a=1&b");
    text_pairs_set(&c->config.http.auth.oauth2.parameters, "resource", "urn:x");
    struct endpoint *endpoint = NULL;
    open_endpoint(c, &endpoint);
    (void)begin_by(c, endpoint, 30 * CLOCK_US_PER_S);
    run_until_done(c);
    const struct stub_call *request = stub_function_call(c->tokens, 0);
    check_header(c->tokens, 0, "Content-Type", "application/x-www-form-urlencoded");
    check_header(c->tokens, 0, "Accept", "application/json");
    check_header(c->tokens, 0, "Authorization", "Basic c2hvcDpodW50ZXIyKyUyNSUzQQ==");
    assert_string_equal(request->body, "grant_type=client_credentials&scope=read+write&"
                                       "audience=https%3A%2F%2Fapi.example%2F%3Fa%3D1%26b&resource=urn%3Ax");
    endpoint_http.close(endpoint);
    c->config.http.auth.oauth2.client_auth = OAUTH2_FORM;
    open_endpoint(c, &endpoint);
    (void)begin_by(c, endpoint, 30 * CLOCK_US_PER_S);
    run_until_done(c);
    request = stub_function_call(c->tokens, 1);
    assert_null(stub_call_header(request, "Authorization"));
    assert_non_null(strstr(request->body, "&client_id=shop&client_secret=hunter2+%25%3A"));
    endpoint_http.close(endpoint);
}

/** After four fifths of its life, more or less, and in the background: the call goes on with the old one. */
static void a_token_is_renewed_early_while_calls_use_the_old_one(void **state)
{
    struct oauth2_case *c = *state;
    (void)call(c);
    pass(74);
    (void)call(c);
    run_idle(c);
    assert_int_equal(stub_function_count(c->tokens), 1);
    c->token_answers[0] = (struct stub_answer){.is_held = true};
    c->token_answer_count = 1;
    pass(12);  // 86 of 100 s
    (void)call(c);
    check_last_token(c, "Bearer token-0");
    (void)call(c);  // while the request runs
    check_last_token(c, "Bearer token-0");
    run_until_count(c, c->tokens, 2);
    run_idle(c);
    assert_int_equal(stub_function_count(c->tokens), 2);
    stub_function_release(c->tokens);
    char *token = NULL;
    do {  // until the response has arrived
        free(token);
        (void)call(c);
        token = stub_call_header(stub_function_call(c->function, stub_function_count(c->function) - 1),
                                 "Authorization");
    } while (strcmp(token, "Bearer token-0") == 0);
    assert_string_equal(token, "Bearer token-1");
    free(token);
}

static void an_expired_token_is_never_sent(void **state)
{
    struct oauth2_case *c = *state;
    (void)call(c);
    pass(91);  // 100 s less a tenth for clocks and the way
    (void)call(c);
    check_last_token(c, "Bearer token-1");
    assert_int_equal(stub_function_count(c->tokens), 2);
}

/** A life counts from the moment of the request. */
static void a_slow_endpoint_uses_up_some_of_the_life(void **state)
{
    struct oauth2_case *c = *state;
    c->token_answers[0] = (struct stub_answer){.is_held = true};
    c->token_answers[1] = (struct stub_answer){.status = 200};
    c->token_answer_count = 2;
    (void)begin(c);
    run_until_count(c, c->tokens, 1);
    pass(5);
    stub_function_release(c->tokens);
    run_until_done(c);
    pass(86);  // 91 s after the request
    (void)call(c);
    check_last_token(c, "Bearer token-1");
}

static void without_expires_in_a_token_lives_for_five_minutes(void **state)
{
    struct oauth2_case *c = *state;
    c->token_answers[0].body = "{\"access_token\":\"a\",\"token_type\":\"BEARER\"}";
    c->token_answers[1].body = "{\"access_token\":\"b\",\"token_type\":\"Bearer\",\"expires_in\":null}";
    c->token_answer_count = 2;
    (void)call(c);
    pass(220);
    (void)call(c);
    run_idle(c);
    assert_int_equal(stub_function_count(c->tokens), 1);
    pass(75);
    (void)call(c);
    check_last_token(c, "Bearer b");
}

/** Also one that has expired when it comes: each is used for a second, or requests would never end. */
static void short_lives_do_not_make_a_request_for_each_call(void **state)
{
    static const char *const LIVES[] = {"0", "1", "-5", "\"1\"", "0.5"};
    struct oauth2_case *c = *state;
    char body[128];
    c->token_answers[0].body = body;
    c->token_answer_count = 1;
    for (size_t i = 0; i < COUNT_OF(LIVES); i++) {
        (void)snprintf(body, sizeof(body),
                       "{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":%s}", LIVES[i]);
        pass(400);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(call(c)->status, 204);
        }
        assert_int_equal(stub_function_count(c->tokens), i + 1);
    }
}

static struct stub_answer refuse_first(const struct stub_call *call, size_t number)
{
    (void)number;
    CLEANUP(memory_free_pointer) char *token = stub_call_header(call, "Authorization");
    return (struct stub_answer){.status = strcmp(token, "Bearer token-0") == 0 ? 401 : 204};
}

static struct stub_answer refuse_all(const struct stub_call *call, size_t number)
{
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 401};
}

static void a_refused_token_is_renewed_and_the_request_sent_once_more(void **state)
{
    struct oauth2_case *c = *state;
    c->function_answer = refuse_first;
    for (int i = 0; i < 3; i++) {
        (void)begin(c);
    }
    run_until_done(c);
    assert_int_equal(stub_function_count(c->tokens), 2);
    assert_int_equal(stub_function_count(c->function), 6);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(c->calls[i].status, 204);
    }
}

static struct stub_answer refuse_twice_slowly(const struct stub_call *call, size_t number)
{
    (void)call;
    return (struct stub_answer){.status = number < 2 ? 401 : 204, .is_held = number == 1};
}

/** Not even when another token has come meanwhile. */
static void a_request_is_repeated_once_at_most(void **state)
{
    struct oauth2_case *c = *state;
    c->function_answer = refuse_twice_slowly;
    struct call *first = begin_by(c, c->endpoint, 3600 * CLOCK_US_PER_S);
    run_until_count(c, c->function, 2);
    pass(95);  // the second token has expired, too
    struct call *second = begin(c);
    while (!second->is_done) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stub_function_count(c->tokens), 3);
    stub_function_release(c->function);
    run_until_done(c);
    assert_int_equal(second->status, 204);
    assert_int_equal(first->status, 401);
    assert_int_equal(stub_function_count(c->function), 3);
}

/** Its memory is used again. */
static void the_header_lines_of_a_call_are_overwritten_when_it_ends(void **state)
{
    struct oauth2_case *c = *state;
    struct auth_chain *chain = NULL;
    struct auth_call auth = {0};
    struct fault f;
    (void)call(c);  // there is a token
    assert_true(auth_chain_open(&c->config, &c->loop, &chain, &f));
    assert_int_equal(auth_call_begin(&auth, chain, INT64_MAX, NULL), AUTH_READY);
    const struct auth_request request = {.body = slice_of("{}")};
    assert_string_equal(auth_call_sign(&auth, &request, "ce-id: 1"),
                        "ce-id: 1\r\nAuthorization: Bearer token-0");
    assert_string_equal(auth_call_credentials(&auth), "\r\nAuthorization: Bearer token-0");
    size_t size = auth.lines.size;
    auth_call_end(&auth);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(auth.lines.data[i], 0);
    }
    auth_call_clear(&auth);
    auth_chain_close(chain);
}

/** The second 401 counts; and later calls do not renew again at once, as every token seems to be refused. */
static void a_function_that_refuses_every_token_does_not_flood_the_token_endpoint(void **state)
{
    struct oauth2_case *c = *state;
    c->function_answer = refuse_all;
    assert_int_equal(call(c)->status, 401);
    assert_int_equal(stub_function_count(c->function), 2);
    assert_int_equal(stub_function_count(c->tokens), 2);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(call(c)->status, 401);
    }
    assert_int_equal(stub_function_count(c->tokens), 2);
    assert_int_equal(stub_function_count(c->function), 7);
    pass(11);
    assert_int_equal(call(c)->status, 401);
    assert_int_equal(stub_function_count(c->tokens), 3);
    pass(11);  // the next interval is longer
    assert_int_equal(call(c)->status, 401);
    assert_int_equal(stub_function_count(c->tokens), 3);
    c->function_answer = NULL;
    assert_int_equal(call(c)->status, 204);  // accepted: the shortest interval again
    c->function_answer = refuse_all;
    pass(10);
    assert_int_equal(call(c)->status, 401);
    assert_int_equal(stub_function_count(c->tokens), 4);
    pass(11);
    assert_int_equal(call(c)->status, 401);
    assert_int_equal(stub_function_count(c->tokens), 5);
}

static struct stub_answer refuse_the_second(const struct stub_call *call, size_t number)
{
    (void)call;
    return (struct stub_answer){.status = number == 1 ? 401 : 204};
}

/** Another function may accept the token: its calls need not wait, and go on if no other can be had. */
static void what_one_function_refuses_others_go_on_using(void **state)
{
    struct oauth2_case *c = *state;
    struct endpoint *other = NULL;
    open_endpoint(c, &other);
    c->function_answer = refuse_the_second;
    c->token_answers[1] = (struct stub_answer){.is_held = true};
    c->token_answer_count = 2;
    (void)call(c);
    c->call_count = c->done_count = 0;
    struct call *refused = begin(c);
    run_until_count(c, c->tokens, 2);
    struct call *second = begin_by(c, other, 30 * CLOCK_US_PER_S);
    while (!second->is_done) {  // for ever, if it waits for the token that is held
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
    assert_int_equal(second->status, 204);
    check_last_token(c, "Bearer token-0");
    assert_false(refused->is_done);
    stub_function_release(c->tokens);
    run_until_done(c);
    assert_int_equal(refused->status, 204);
    check_last_token(c, "Bearer token-1");
    endpoint_http.close(other);
}

static struct stub_answer refuse_one_function(const struct stub_call *call, size_t number)
{
    (void)number;
    return (struct stub_answer){.status = strstr(call->head, "refuses") == NULL ? 204 : 401};
}

/** Another function with the same settings, which accepts every token, changes nothing about that. */
static void each_function_has_refusals_of_its_own(void **state)
{
    struct oauth2_case *c = *state;
    struct endpoint *refuses = NULL;
    CLEANUP(memory_free_pointer) char *url = memory_format("%srefuses", c->config.http.url);
    struct function_config config = c->config;
    struct fault f;
    config.http.url = url;
    assert_true(endpoint_http.open(&config, &c->loop, &refuses, &f));
    for (int i = 0; i < 60; i++) {
        c->call_count = c->done_count = 0;
        c->function_answer = refuse_one_function;
        struct call *refused = begin_by(c, refuses, 30 * CLOCK_US_PER_S);
        run_until_done(c);
        assert_int_equal(refused->status, 401);
        assert_int_equal(call(c)->status, 204);
        pass(1);
    }
    assert_int_equal(stub_function_count(c->tokens), 4);  // the first one, then after 0, 10 and 30 s
    endpoint_http.close(refuses);
}

/** Credentials that come at the last moment leave no time for the request. */
static void a_call_without_time_left_is_not_sent(void **state)
{
    struct oauth2_case *c = *state;
    c->function_answer = refuse_first;
    c->token_answers[1] = (struct stub_answer){.is_held = true};
    c->token_answer_count = 2;
    (void)begin_by(c, c->endpoint, 5 * CLOCK_US_PER_S);
    run_until_count(c, c->tokens, 2);
    stub_function_release(c->tokens);
    pass(5);
    run_until_done(c);
    assert_int_equal(stub_function_count(c->function), 1);
    assert_int_equal(c->calls[0].status, 0);
    assert_false(c->calls[0].is_sent);
    assert_true(c->calls[0].is_timeout);
}

static void check_unsent(const struct call *call, const char *want)
{
    assert_int_equal(call->status, 0);
    assert_false(call->is_sent);
    assert_string_equal(call->failure, "credentials");
    if (strstr(call->text, want) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", want, call->text);
    }
    assert_null(strstr(call->text, "hunter2"));
}

/** Nothing is sent, so no attempt is used up; calls fail at once until the next request may begin. */
static void a_token_endpoint_that_fails_is_asked_again_after_a_backoff(void **state)
{
    struct oauth2_case *c = *state;
    c->token_answers[0].status = 503;
    c->token_answers[0].body = "";
    c->token_answers[1].status = 200;
    c->token_answer_count = 2;
    for (int i = 0; i < 2; i++) {
        (void)begin(c);
    }
    run_until_done(c);
    check_unsent(&c->calls[0], "it answered 503");
    check_unsent(&c->calls[1], "it answered 503");
    check_unsent(call(c), "it answered 503");
    assert_int_equal(stub_function_count(c->tokens), 1);
    assert_int_equal(stub_function_count(c->function), 0);
    pass(1);
    assert_int_equal(call(c)->status, 204);
    assert_int_equal(stub_function_count(c->tokens), 2);
}

static void retry_after_is_waited_for(void **state)
{
    struct oauth2_case *c = *state;
    c->token_answers[0] = (struct stub_answer){.status = 429, .body = "", .headers = "Retry-After: 20\r\n"};
    c->token_answers[1].status = 200;
    c->token_answer_count = 2;
    check_unsent(call(c), "it answered 429");
    pass(19);
    check_unsent(call(c), "it answered 429");
    assert_int_equal(stub_function_count(c->tokens), 1);
    pass(2);
    assert_int_equal(call(c)->status, 204);
}

/** What is wrong with responses, in words that repeat no secret. */
static void responses_that_are_no_token_are_refused(void **state)
{
    static const struct {
        struct stub_answer answer;
        const char *why;
    } CASES[] = {
        {{.status = 200, .body = "<html>", .headers = "Content-Type: text/html\r\n"},
         "no JSON object but text/html"},
        {{.status = 200, .body = "[]"}, "no JSON object"},
        {{.status = 200, .body = "{}"}, "no access_token"},
        {{.status = 200, .body = "{\"access_token\":7,\"token_type\":\"bearer\"}"}, "no access_token"},
        {{.status = 200, .body = "{\"access_token\":\"\",\"token_type\":\"bearer\"}"}, "no access_token"},
        {{.status = 200, .body = "{\"access_token\":\"a\"}"}, "no token_type"},
        {{.status = 200, .body = "{\"access_token\":\"a\",\"token_type\":\"mac\"}"}, "\"mac\", not Bearer"},
        {{.status = 200, .body = "{\"access_token\":\"a\\r\\nX-Evil: 1\",\"token_type\":\"bearer\"}"},
         "a header can't carry"},
        {{.status = 200, .body = "{\"access_token\":\"a b\",\"token_type\":\"bearer\"}"}, "a header can't"},
        {{.status = 200, .body = "{\"access_token\":\"\\u00e9\",\"token_type\":\"bearer\"}"},
         "a header can't"},
        {{.status = 200, .garbage_bytes = 3 << 20}, "longer than 64 KiB"},
        {{.status = 200, .garbage_bytes = 65 << 10}, "longer than 64 KiB"},
        {{.status = 400, .body = "{\"error\":\"invalid_client\",\"error_description\":\"wrong\\nsecret\"}"},
         "it answered 400 invalid_client: wrong secret"},
        {{.status = 401, .body = "{\"error\":\"invalid_client\",\"error_description\":\"not hunter2 %:!\"}"},
         "it answered 401 invalid_client: ***"},
        {{.status = 401, .body = "{\"error\":\"c2hvcDpodW50ZXIyKyUyNSUzQQ==\"}"}, "it answered 401 ***"},
        {{.status = 401, .body = "{\"error\":\"client_secret=hunter2+%25%3A\"}"}, "it answered 401 ***"},
        {{.status = 302, .body = "", .headers = "Location: http://127.0.0.1:1/\r\n"}, "it answered 302"},
        {{.status = 500, .body = "<html>"}, "it answered 500"},
        {{.status = 400, .body = "{\"error\":\"x\"}", .headers = "Date: Tue, 14 Nov 2023 22:18:20 GMT\r\n"},
         "400 x; this machine's clock is 300 s behind the endpoint's"},
        {{.status = 400, .body = "{\"error\":\"x\"}", .headers = "Date: Tue, 14 Nov 2023 22:12:20 GMT\r\n"},
         "400 x; this machine's clock is 60 s ahead of the endpoint's"},
        {{.status = 400, .body = "{\"error\":\"x\"}", .headers = "Date: Tue, 14 Nov 2023 22:13:10 GMT\r\n"},
         "400 x"},
    };
    struct oauth2_case *c = *state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        c->token_answers[0] = CASES[i].answer;
        c->token_answer_count = 1;
        clock_fake(clock_now_us() + 60 * CLOCK_US_PER_S, WALL_US);
        check_unsent(call(c), CASES[i].why);
        assert_int_equal(stub_function_count(c->tokens), i + 1);
    }
    assert_null(strstr(c->calls[0].text, "clock"));
    assert_int_equal(stub_function_count(c->function), 0);
}

static void a_token_endpoint_that_is_down_is_named(void **state)
{
    struct oauth2_case *c = *state;
    struct endpoint *endpoint = NULL;
    free(c->config.http.auth.oauth2.token_url);
    c->config.http.auth.oauth2.token_url = memory_string("http://127.0.0.1:1/token?tenant=secret");
    open_endpoint(c, &endpoint);
    (void)begin_by(c, endpoint, 30 * CLOCK_US_PER_S);
    run_until_done(c);
    check_unsent(&c->calls[0], "no token from http://127.0.0.1:1/token");
    assert_non_null(strstr(c->calls[0].text, "refused"));
    assert_null(strstr(c->calls[0].text, "secret"));
    endpoint_http.close(endpoint);
}

static void an_old_token_is_used_while_the_endpoint_fails(void **state)
{
    struct oauth2_case *c = *state;
    c->token_answers[0].status = 200;
    c->token_answers[1] = (struct stub_answer){.status = 500, .body = ""};
    c->token_answer_count = 2;
    (void)call(c);
    pass(86);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(call(c)->status, 204);
        check_last_token(c, "Bearer token-0");
        run_idle(c);
    }
    assert_int_equal(stub_function_count(c->tokens), 2);
    pass(5);
    check_unsent(call(c), "it answered 500");
}

/** A call's time includes the waiting; the request goes on for others. */
static void a_call_waits_no_longer_than_its_timeout(void **state)
{
    struct oauth2_case *c = *state;
    c->token_answers[0] = (struct stub_answer){.is_held = true};
    c->token_answer_count = 1;
    (void)begin_by(c, c->endpoint, 50 * CLOCK_US_PER_MS);
    run_until_count(c, c->tokens, 1);
    pass(0.05);
    run_until_done(c);
    check_unsent(&c->calls[0], "oauth2: no credentials in time from http://127.0.0.1");
    assert_true(c->calls[0].is_timeout);
    struct call *next = begin(c);
    run_idle(c);
    stub_function_release(c->tokens);
    run_until_done(c);
    assert_int_equal(next->status, 204);
    assert_int_equal(stub_function_count(c->tokens), 1);
}

static void a_slow_token_endpoint_has_a_timeout_of_its_own(void **state)
{
    struct oauth2_case *c = *state;
    struct endpoint *endpoint = NULL;
    c->config.http.auth.oauth2.timeout_us = 50 * CLOCK_US_PER_MS;
    c->token_answers[0] = (struct stub_answer){.is_held = true};
    c->token_answer_count = 1;
    open_endpoint(c, &endpoint);
    (void)begin_by(c, endpoint, 30 * CLOCK_US_PER_S);
    run_until_count(c, c->tokens, 1);
    pass(0.05);
    run_until_done(c);
    check_unsent(&c->calls[0], "no response in time");
    assert_false(c->calls[0].is_timeout);
    endpoint_http.close(endpoint);
}

static void a_waiting_call_can_be_cancelled(void **state)
{
    struct oauth2_case *c = *state;
    c->token_answers[0] = (struct stub_answer){.is_held = true};
    c->token_answer_count = 1;
    struct call *first = begin(c);
    struct call *second = begin(c);
    run_until_count(c, c->tokens, 1);
    endpoint_http.cancel(c->endpoint, first->call);
    stub_function_release(c->tokens);
    while (!second->is_done) {
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    }
    assert_false(first->is_done);
    assert_int_equal(stub_function_count(c->function), 1);
    c->token_answers[0].is_held = true;  // and at the end, a request runs
    pass(200);
    struct call *third = begin(c);
    run_until_count(c, c->tokens, 2);
    endpoint_http.cancel(c->endpoint, third->call);
}

/** Other settings, another source: a token is never sent to a function of other credentials. */
static void other_settings_have_another_token(void **state)
{
    struct oauth2_case *c = *state;
    struct endpoint *endpoint = NULL;
    free(c->config.http.auth.oauth2.client_secret);
    c->config.http.auth.oauth2.client_secret = memory_string("other");
    open_endpoint(c, &endpoint);
    (void)call(c);
    check_last_token(c, "Bearer token-0");
    c->call_count = c->done_count = 0;
    (void)begin_by(c, endpoint, 30 * CLOCK_US_PER_S);
    run_until_done(c);
    check_last_token(c, "Bearer token-1");
    endpoint_http.close(endpoint);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_wait_for_one_token_and_share_it),
        TEST(the_request_is_a_form_and_the_secret_is_encoded_first),
        TEST(a_token_is_renewed_early_while_calls_use_the_old_one),
        TEST(an_expired_token_is_never_sent),
        TEST(a_slow_endpoint_uses_up_some_of_the_life),
        TEST(without_expires_in_a_token_lives_for_five_minutes),
        TEST(short_lives_do_not_make_a_request_for_each_call),
        TEST(a_refused_token_is_renewed_and_the_request_sent_once_more),
        TEST(a_request_is_repeated_once_at_most),
        TEST(the_header_lines_of_a_call_are_overwritten_when_it_ends),
        TEST(a_function_that_refuses_every_token_does_not_flood_the_token_endpoint),
        TEST(what_one_function_refuses_others_go_on_using),
        TEST(each_function_has_refusals_of_its_own),
        TEST(a_call_without_time_left_is_not_sent),
        TEST(a_token_endpoint_that_fails_is_asked_again_after_a_backoff),
        TEST(retry_after_is_waited_for),
        TEST(responses_that_are_no_token_are_refused),
        TEST(a_token_endpoint_that_is_down_is_named),
        TEST(an_old_token_is_used_while_the_endpoint_fails),
        TEST(a_call_waits_no_longer_than_its_timeout),
        TEST(a_slow_token_endpoint_has_a_timeout_of_its_own),
        TEST(a_waiting_call_can_be_cancelled),
        TEST(other_settings_have_another_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
