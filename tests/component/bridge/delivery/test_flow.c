// Flow control of a whole function: pause and resume, the circuit breaker, the rate, the
// target latency.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "tests/component/bridge/bridge_case.h"

#define STATE(name) "millrace_function_state{function=\"fn\",state=\"" name "\"} "

static struct stub_answer respond(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200};
}

static struct stub_answer hold_the_first(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    return (struct stub_answer){.status = 200, .is_held = number == 0};
}

static bool is_paused(struct bridge_case *c, int64_t n)
{
    (void)n;
    return case_metric(c, STATE("paused")) == 1;
}

static bool is_throttled(struct bridge_case *c, int64_t n)
{
    (void)n;
    return case_metric(c, STATE("throttled")) == 1;
}

static bool lags(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_lag_records{function=\"fn\"} ") >= (double)n;
}

static struct function_config *paused(const struct bridge_case *c)
{
    struct function_config *config = case_config(c, "fn");
    config->paused = true;
    return config;
}

static int64_t held_events(const struct bridge_case *c)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    const char *at = strstr(bytes_text(&status), "\"held_events\":");
    return at == NULL ? -1 : strtoll(at + strlen("\"held_events\":"), NULL, 10);
}

static void a_paused_function_stays_in_its_group_and_calls_nothing(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, respond, NULL);
    case_distinct_changes(&c, 3000, 0);
    case_apply(&c, paused(&c));
    case_run_until(&c, is_paused, 0);
    case_run_until(&c, lags, 3000);
    assert_int_equal(stub_function_count(c.stub), 0);
    assert_true(bridge_is_ready(c.bridge));
    assert_true(held_events(&c) <= 1024 + 256);
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_settled, 3000);
    assert_int_equal(stub_function_count(c.stub), 3000);
    case_stop(&c);
}

static void a_running_call_ends_after_the_pause_and_no_other_begins(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, hold_the_first, NULL);
    case_numbered_changes(&c, 3, 1);
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_calls, 1);
    case_apply(&c, paused(&c));
    assert_true(is_paused(&c, 0));
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 1);
    case_change(&c, 2, 'c', "x");
    case_run_until(&c, lags, 3);
    assert_int_equal(stub_function_count(c.stub), 1);
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_settled, 4);
    assert_true(case_metric(&c, STATE("running")) == 1);
    case_stop(&c);
}

struct outage {
    bool is_over;
};

/** Key 1 fails always, the others until the outage is over. */
static struct stub_answer fail_some(void *self, const struct stub_call *call, size_t number)
{
    const struct outage *outage = self;
    (void)number;
    bool is_poisoned = strstr(call->body, "\"id\":1,") != NULL;
    return (struct stub_answer){.status = outage->is_over && !is_poisoned ? 200 : 500};
}

static void the_breaker_opens_for_failures_and_a_poisoned_event_does_not_keep_it_open(void **state)
{
    (void)state;
    struct bridge_case c;
    struct outage outage = {false};
    case_start(&c, fail_some, &outage);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 100000;
    config->delivery.breaker.failures = 3;
    case_distinct_changes(&c, 40, 1);
    case_apply(&c, config);
    case_run_until(&c, is_throttled, 0);
    outage.is_over = true;
    case_run_until(&c, case_has_settled, 39);
    assert_false(is_throttled(&c, 0));
    size_t calls = stub_function_count(c.stub);
    case_change(&c, 100, 'c', "x");
    case_run_until(&c, case_has_settled, 40);
    assert_true(stub_function_count(c.stub) > calls);
    assert_true(
        case_metric(&c, "millrace_function_throttled_seconds_total{function=\"fn\",reason=\"breaker\"} ") >
        0);
    case_drain(&c);
    case_stop(&c);
}

enum { OLD_KEYS = 3, FRESH_FAILING = 99, FRESH = 100 };

struct probes {
    bool is_armed;  // the next call is held
    bool is_over;
};

/** All calls but those of FRESH fail until it is over. */
static struct stub_answer hold_a_probe(void *self, const struct stub_call *call, size_t number)
{
    struct probes *p = self;
    (void)number;
    bool is_fresh = strstr(call->body, "\"id\":100,") != NULL;
    struct stub_answer ret = {.status = is_fresh || p->is_over ? 200 : 500, .is_held = p->is_armed};
    p->is_armed = false;
    return ret;
}

static bool is_call_of(const struct bridge_case *c, size_t number, const char *id)
{
    return strstr(stub_function_call(c->stub, number)->body, id) != NULL;
}

static bool holds(struct bridge_case *c, int64_t n)
{
    return held_events(c) == n;
}

static bool is_probing(struct bridge_case *c, int64_t n)
{
    (void)n;
    const struct probes *p = c->script;
    return !p->is_armed;
}

/** One call, held, keeps all events waiting: those of keys that have failed come before the new ones. */
static void a_probe_is_an_event_that_was_never_sent(void **state)
{
    (void)state;
    struct bridge_case c;
    struct probes probes = {0};
    case_start(&c, hold_a_probe, &probes);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.retry.attempts = 100000;
    config->delivery.retry.backoff.initial_us = 1 * CLOCK_US_PER_MS;
    config->delivery.retry.backoff.max_us = 5 * CLOCK_US_PER_MS;
    config->delivery.breaker.failures = 1;
    case_distinct_changes(&c, OLD_KEYS, 1);
    case_apply(&c, config);
    case_run_until(&c, is_throttled, 0);
    case_run_until(&c, holds, OLD_KEYS);
    probes.is_armed = true;
    case_run_until(&c, is_probing, 0);
    case_run_ms(&c, 200);  // the old keys are due, and their attempts committed
    case_change(&c, FRESH_FAILING, 'c', "x");
    case_run_until(&c, holds, OLD_KEYS + 1);
    case_change(&c, FRESH, 'c', "x");
    case_run_until(&c, holds, OLD_KEYS + 2);
    size_t before = stub_function_count(c.stub);
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 1);
    assert_true(is_call_of(&c, before, "\"id\":99,"));
    assert_true(is_call_of(&c, before + 1, "\"id\":100,"));
    probes.is_over = true;
    case_run_until(&c, case_has_settled, OLD_KEYS + 2);
    case_stop(&c);
}

enum { RATE = 40, BURST = 3, EVENTS = 12 };

static void no_more_calls_begin_than_burst_and_rate_allow(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, respond, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.rate = (struct config_rate){.count = RATE, .period_us = CLOCK_US_PER_S};
    config->delivery.burst = BURST;
    case_distinct_changes(&c, EVENTS, 1);
    int64_t start_us = clock_now_us();
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, EVENTS);
    for (size_t i = BURST; i < EVENTS; i++) {
        int64_t since_us = stub_function_call(c.stub, i)->at_us - start_us;
        assert_true((int64_t)(i + 1) <= BURST + RATE * since_us / CLOCK_US_PER_S);
    }
    assert_true(stub_function_call(c.stub, EVENTS - 1)->at_us >= start_us + 225000);
    assert_true(
        case_metric(&c, "millrace_function_throttled_seconds_total{function=\"fn\",reason=\"rate\"} ") > 0);
    case_stop(&c);
}

static struct stub_answer respond_after_5_ms(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .delay_ms = 5};
}

static bool is_limited_to(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_concurrency_limit{function=\"fn\"} ") == (double)n;
}

static bool says(const struct bridge_case *c, const char *text)
{
    CLEANUP(bytes_clear) struct bytes status = {0};
    bridge_status(c->bridge, &status);
    return strstr(bytes_text(&status), text) != NULL;
}

static void fewer_calls_run_while_they_take_longer_than_the_target(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, respond_after_5_ms, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.target_latency_us = CLOCK_US_PER_MS;
    case_distinct_changes(&c, 200, 1);
    case_apply(&c, config);
    case_run_until(&c, case_has_settled, 200);
    assert_int_equal(stub_function_running_max(c.stub), 16);
    case_run_until(&c, is_limited_to, 1);
    assert_true(says(&c, "\"concurrency_limit\":1,\"concurrency_reduced_by\":\"latency\""));
    assert_true(case_metric(&c, "millrace_function_concurrency_decreases_total{function=\"fn\","
                                "reason=\"latency\"} ") >= 4);
    case_apply(&c, case_config(&c, "fn"));  // without a target
    case_distinct_changes(&c, 200, 1);
    case_run_until(&c, case_has_settled, 400);
    case_run_until(&c, is_limited_to, 16);
    assert_true(says(&c, "\"concurrency_limit\":16,\"concurrency_reduced_by\":\"none\""));
    case_stop(&c);
}

static bool has_coalesced(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_events_total{function=\"fn\",outcome=\"coalesced\"} ") >=
           (double)n;
}

static void of_a_key_that_changes_often_the_latest_event_is_sent(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, hold_the_first, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.coalesce_us = CLOCK_US_PER_S;
    case_numbered_changes(&c, 50, 1);
    case_apply(&c, config);
    case_run_until(&c, has_coalesced, 49);
    case_run_until(&c, case_has_calls, 1);
    assert_non_null(strstr(stub_function_call(c.stub, 0)->body, "\"n49\""));
    case_numbered_changes(&c, 20, 1);  // while it is being sent
    case_change(&c, 1, 'd', "gone");
    case_run_until(&c, has_coalesced, 49 + 20);
    stub_function_release(c.stub);
    case_run_until(&c, case_has_settled, 2);
    assert_int_equal(stub_function_count(c.stub), 2);
    assert_non_null(strstr(stub_function_call(c.stub, 1)->body, "\"gone\""));
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 71);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paused_function_stays_in_its_group_and_calls_nothing),
        cmocka_unit_test(a_running_call_ends_after_the_pause_and_no_other_begins),
        cmocka_unit_test(the_breaker_opens_for_failures_and_a_poisoned_event_does_not_keep_it_open),
        cmocka_unit_test(a_probe_is_an_event_that_was_never_sent),
        cmocka_unit_test(no_more_calls_begin_than_burst_and_rate_allow),
        cmocka_unit_test(fewer_calls_run_while_they_take_longer_than_the_target),
        cmocka_unit_test(of_a_key_that_changes_often_the_latest_event_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
