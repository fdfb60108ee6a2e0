// bridge/delivery/response_text: each kind of response in one line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/response_text.h"

static void expect(const struct response *r, const struct outcome *o, const char *wanted)
{
    const struct fault invalid = {.kind = FAULT_REJECT, .text = "1:5: batchItemFailures is not a list"};
    char text[512];
    response_text_write(r, o, &invalid, 10000000, text, sizeof(text));
    assert_string_equal(text, wanted);
}

static struct response lost(const char *why, bool is_sent, bool is_timeout)
{
    struct response r = {.is_sent = is_sent, .is_timeout = is_timeout};
    (void)fault_set(&r.transport, FAULT_RETRY, "%s", why);
    return r;
}

/** The endpoint may have done the work, and its late response is not read. */
static void a_call_that_was_sent_and_not_answered_has_an_unknown_outcome(void **state)
{
    (void)state;
    const struct outcome o = {.kind = OUTCOME_RETRY};
    struct response r = lost("no response in time", true, true);
    expect(&r, &o, "timed out after 10s: no response in time; outcome unknown");
    r = lost("the connection was closed without a response", true, false);
    expect(&r, &o, "the connection was closed without a response; outcome unknown");
    r = lost("no connection in time", false, true);
    expect(&r, &o, "timed out after 10s: no connection in time");
    r = lost("can't connect to 127.0.0.1 port 1: Connection refused", false, false);
    expect(&r, &o, "can't connect to 127.0.0.1 port 1: Connection refused");
}

static void the_longest_reason_leaves_room_for_the_outcome(void **state)
{
    (void)state;
    const struct outcome o = {.kind = OUTCOME_RETRY};
    char why[600];
    memset(why, 'x', sizeof(why));
    why[sizeof(why) - 1] = '\0';
    struct response r = lost(why, true, true);
    char text[512];
    response_text_write(&r, &o, NULL, INT64_C(86399999999), text, sizeof(text));
    assert_non_null(strstr(text, "xxx; outcome unknown"));
}

static void a_response_is_told_by_its_status_and_what_is_wrong(void **state)
{
    (void)state;
    const struct outcome retry = {.kind = OUTCOME_RETRY};
    const struct outcome invalid = {.kind = OUTCOME_RETRY, .is_invalid = true};
    const struct outcome partial = {.kind = OUTCOME_PARTIAL};
    const struct outcome aborted = {.kind = OUTCOME_DEAD, .is_aborted = true};
    struct response r = {.status = 500};
    expect(&r, &retry, "the function answered 500");
    expect(&r, &aborted, "the function answered 500 with webhook-delivery: abort-message");
    r.status = 200;
    expect(&r, &invalid,
           "the function answered 200 with an invalid body: 1:5: batchItemFailures is not a list");
    expect(&r, &partial, "the function answered 200 and named the event in batchItemFailures");
    r = (struct response){.status = 302, .location = "http://b/"};
    expect(&r, &retry, "the function answered 302, to http://b/; redirects are not followed");
}

static void a_failure_is_told_by_what_the_endpoint_says(void **state)
{
    (void)state;
    const struct outcome retry = {.kind = OUTCOME_RETRY};
    struct response r = {
        .status = 200, .failure = "function_error", .detail = slice_of("KeyError: 'id'\nat 1")};
    expect(&r, &retry, "the function failed: KeyError: 'id' at 1");
    r.detail.size = 0;
    expect(&r, &retry, "the function failed");
    r = (struct response){.status = 403, .detail = slice_of("ExpiredTokenException")};
    expect(&r, &retry, "the function answered 403: ExpiredTokenException");
    char longest[400];
    memset(longest, 'x', sizeof(longest));
    memcpy(longest + 359, "é", 2);
    r.detail = slice_make(longest, sizeof(longest));
    char text[512];
    response_text_write(&r, &retry, NULL, 0, text, sizeof(text));
    assert_non_null(strstr(text, "xxx…"));
    assert_int_equal(strlen(text), strlen("the function answered 403: ") + 359 + strlen("…"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_was_sent_and_not_answered_has_an_unknown_outcome),
        cmocka_unit_test(the_longest_reason_leaves_room_for_the_outcome),
        cmocka_unit_test(a_failure_is_told_by_what_the_endpoint_says),
        cmocka_unit_test(a_response_is_told_by_its_status_and_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
