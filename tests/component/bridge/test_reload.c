// A function's file changes while events wait for a retry: they are delivered as the new file says, each once
// and in order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "tests/component/bridge/bridge_case.h"

/** The old endpoint responds with a Retry-After that is longer than any test; the new one accepts all calls.
 */
static struct stub_answer only_the_new(void *self, const struct stub_call *call, size_t number)
{
    const uint64_t *delays_ms = self;  // of the old and the new endpoint's response
    (void)number;
    CLEANUP(memory_free_pointer) char *is_new = stub_call_header(call, "X-New");
    if (is_new == NULL) {
        return (struct stub_answer){
            .status = 429, .headers = "Retry-After: 300\r\n", .delay_ms = delays_ms[0]};
    }
    return (struct stub_answer){.status = 200, .delay_ms = delays_ms[1]};
}

/** A configuration that calls another endpoint. */
static struct function_config *new_endpoint(const struct bridge_case *c)
{
    struct function_config *config = case_config(c, "fn");
    text_pairs_set(&config->http.headers, "X-New", "yes");
    return config;
}

static bool has_retried(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "retries_total{function=\"fn\",reason=\"429\"}") >= (double)n;
}

static void a_new_endpoint_is_tried_at_once_and_the_same_one_is_not(void **state)
{
    (void)state;
    struct bridge_case c;
    uint64_t delays_ms[] = {0, 20};
    case_start(&c, only_the_new, delays_ms);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.concurrency = 1;
    for (int key = 0; key < 4; key++) {
        case_change(&c, key, 'c', "x");
    }
    case_apply(&c, config);
    case_run_until(&c, has_retried, 2);  // the second throttle in a row is for all
    size_t before = stub_function_count(c.stub);
    assert_int_equal(before, 2);
    case_apply(&c, case_config(&c, "fn"));  // a wider one, the endpoint is the same
    case_run_ms(&c, 100);
    assert_int_equal(stub_function_count(c.stub), before);
    case_apply(&c, new_endpoint(&c));
    case_run_until(&c, case_has_settled, 4);
    assert_int_equal(stub_function_count(c.stub), before + 4);
    const struct stub_call *probe = stub_function_call(c.stub, before);
    assert_true(stub_function_call(c.stub, before + 1)->at_us >= probe->answered_us);
    case_stop(&c);
}

static void a_late_answer_of_the_former_endpoint_holds_up_nothing(void **state)
{
    (void)state;
    struct bridge_case c;
    uint64_t delays_ms[] = {300, 0};
    case_start(&c, only_the_new, delays_ms);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.concurrency = 1;
    case_apply(&c, config);
    case_change(&c, 1, 'c', "x");
    case_change(&c, 2, 'c', "x");
    case_run_until(&c, case_has_calls, 1);
    config = new_endpoint(&c);
    config->delivery.concurrency = 1;
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 2);
    assert_true(has_retried(&c, 1));
    assert_int_equal(stub_function_count(c.stub), 3);
    case_stop(&c);
}

/** Five changes, three of them of key 1, fail together in one call with payload rows. */
static void fail_a_batch_of_five(struct bridge_case *c, size_t note_bytes)
{
    static const int64_t KEYS[] = {1, 2, 1, 3, 1};
    struct function_config *config = case_config(c, "fn");
    config->payload = FUNCTION_PAYLOAD_ROW;
    config->delivery.batch.events = COUNT_OF(KEYS);
    config->delivery.batch.window_us = 10 * CLOCK_US_PER_S;
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        CLEANUP(memory_free_pointer) char *note = memory_format("%0*zu", (int)note_bytes, i);
        case_change(c, KEYS[i], 'c', note);
    }
    case_apply(c, config);
    case_run_until(c, has_retried, 1);
    assert_int_equal(stub_function_count(c->stub), 1);
}

/** Checks that the calls of key 1 after the very first call came one after the other, with these notes. */
static void assert_order(const struct bridge_case *c, const size_t *notes, size_t count)
{
    int64_t previous_us = 0;
    size_t seen = 0;
    for (size_t i = 1; i < stub_function_count(c->stub); i++) {
        const struct stub_call *call = stub_function_call(c->stub, i);
        if (strstr(call->body, "\"id\":1,") == NULL) {
            continue;
        }
        assert_true(seen < count);
        CLEANUP(memory_free_pointer) char *note = memory_format("0%zu\"", notes[seen++]);
        assert_non_null(strstr(call->body, note));
        assert_true(call->at_us >= previous_us);  // never before the response to the previous one
        previous_us = call->answered_us;
    }
    assert_int_equal(seen, count);
}

static void a_batch_that_failed_is_called_one_by_one_when_its_payload_takes_one(void **state)
{
    (void)state;
    struct bridge_case c;
    uint64_t delays_ms[] = {0, 30};
    case_start(&c, only_the_new, delays_ms);
    fail_a_batch_of_five(&c, 4);
    case_apply(&c, new_endpoint(&c));
    case_run_until(&c, case_has_settled, 5);
    assert_int_equal(stub_function_count(c.stub), 6);
    for (size_t i = 1; i < 6; i++) {
        const struct stub_call *call = stub_function_call(c.stub, i);
        CLEANUP(memory_free_pointer) char *id = stub_call_header(call, "ce-id");
        CLEANUP(memory_free_pointer) char *note = memory_format("\"000%s\"", strrchr(id, '-') + 1);
        assert_non_null(strstr(call->body, note));  // under its own id: its offset is its note
    }
    assert_order(&c, (const size_t[]){0, 2, 4}, 3);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 5);
    case_stop(&c);
}

static void a_batch_that_failed_keeps_to_a_smaller_count(void **state)
{
    (void)state;
    struct bridge_case c;
    uint64_t delays_ms[] = {0, 30};
    case_start(&c, only_the_new, delays_ms);
    fail_a_batch_of_five(&c, 4);
    struct function_config *config = new_endpoint(&c);
    config->payload = FUNCTION_PAYLOAD_ROW;
    config->delivery.batch.events = 2;
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 5);
    const char *body = stub_function_call(c.stub, 1)->body;
    const char *first = strstr(body, "\"row\":{\"id\":1,\"note\":\"0000\"}");
    assert_non_null(first);
    assert_non_null(strstr(first, "\"row\":{\"id\":1,\"note\":\"0002\"}"));
    assert_null(strstr(body, "\"0004\""));
    assert_order(&c, (const size_t[]){0, 4}, 2);
    case_stop(&c);
}

static void a_batch_that_failed_keeps_to_a_smaller_body_and_its_order(void **state)
{
    (void)state;
    struct bridge_case c;
    uint64_t delays_ms[] = {0, 30};
    case_start(&c, only_the_new, delays_ms);
    fail_a_batch_of_five(&c, 600);
    struct function_config *config = new_endpoint(&c);
    config->payload = FUNCTION_PAYLOAD_ROW;
    config->delivery.batch.events = 5;
    config->delivery.batch.bytes = 1024;  // one of them
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 5);
    assert_int_equal(stub_function_count(c.stub), 6);
    assert_order(&c, (const size_t[]){0, 2, 4}, 3);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_endpoint_is_tried_at_once_and_the_same_one_is_not),
        cmocka_unit_test(a_late_answer_of_the_former_endpoint_holds_up_nothing),
        cmocka_unit_test(a_batch_that_failed_is_called_one_by_one_when_its_payload_takes_one),
        cmocka_unit_test(a_batch_that_failed_keeps_to_a_smaller_count),
        cmocka_unit_test(a_batch_that_failed_keeps_to_a_smaller_body_and_its_order),
    };
    return case_run_part(tests, COUNT_OF(tests));
}
