// A function's file changes while events wait for a retry: they are called as the new file says, each once
// and in order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge_case.h"
#include "core/clock.h"

/** Asks the old endpoint's callers to stay away for longer than any test lasts; serves the new one's. */
static struct stub_answer only_the_new(void *self, const struct stub_call *call, size_t number)
{
    const uint64_t *delays_ms = self;  // of the old answer and the new
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
    case_run_until(&c, has_retried, 1);
    size_t before = stub_function_count(c.stub);
    assert_int_equal(before, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_endpoint_is_tried_at_once_and_the_same_one_is_not),
        cmocka_unit_test(a_late_answer_of_the_former_endpoint_holds_up_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
