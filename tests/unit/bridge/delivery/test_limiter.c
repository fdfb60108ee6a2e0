// bridge/delivery/limiter: when calls may begin.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/limiter.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

static const struct limiter_settings PLAIN = {
    .concurrency = 8, .breaker_failures = 3, .backoff_initial_us = 1000, .backoff_max_us = 60000};

static struct limiter make(const struct limiter_settings *s)
{
    struct limiter l = {0};
    limiter_init(&l, s, 0);
    return l;
}

/** Begins as many calls as are admitted; returns how many. */
static size_t fill(struct limiter *l, int64_t now_us)
{
    size_t count = 0;
    while (limiter_admits(l, true, now_us).reason == LIMITER_ADMITS) {
        (void)limiter_begin(l, now_us);
        count++;
    }
    return count;
}

static void end_all(struct limiter *l)
{
    while (l->running > 0) {
        limiter_end(l);
    }
}

static struct limiter_subject of_key(uint64_t number)
{
    return (struct limiter_subject){.key = number};
}

/** One call begins, and its outcome is noted by the caller. */
static struct limiter_call call(struct limiter *l, int64_t now_us)
{
    assert_int_equal(limiter_admits(l, true, now_us).reason, LIMITER_ADMITS);
    struct limiter_call ret = limiter_begin(l, now_us);
    limiter_end(l);
    return ret;
}

static void concurrency_is_reached_and_not_exceeded(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    assert_int_equal(fill(&l, 100), 8);
    struct limiter_verdict v = limiter_admits(&l, true, 100);
    assert_int_equal(v.reason, LIMITER_CONCURRENCY);
    assert_int_equal(v.at_us, LIMITER_WHEN_CALLED);
    limiter_end(&l);
    assert_int_equal(fill(&l, 100), 1);
}

static void an_unreachable_endpoint_is_probed_by_one_call_then_by_twice_as_many(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    clock_fake(100, 100);
    limiter_unreachable(&l, 100);
    int64_t until_us = l.breaker.until_us;
    struct limiter_verdict v = limiter_admits(&l, true, 100);
    assert_int_equal(v.reason, LIMITER_BREAKER);
    assert_int_equal(v.at_us, until_us);
    limiter_unreachable(&l, 100);  // calls that fail together wait together
    assert_int_equal(l.breaker.until_us, until_us);
    assert_int_equal(l.breaker.backoff.failures, 1);
    static const size_t LIMITS[] = {1, 2, 4, 8, 8};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(fill(&l, until_us), LIMITS[i]);
        end_all(&l);
        limiter_succeed(&l, call(&l, until_us), until_us);
        assert_false(limiter_is_open(&l));
    }
    assert_int_equal(l.breaker.backoff.failures, 0);
}

static void one_throttled_event_only_delays_itself(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    for (int i = 0; i < 5; i++) {
        limiter_throttle(&l, call(&l, 100), of_key(1), 5000, 100);
        assert_int_equal(fill(&l, 100), 8);
        end_all(&l);
    }
    limiter_succeed(&l, call(&l, 100), 100);
    limiter_throttle(&l, call(&l, 100), of_key(2), 5000, 100);  // another one, a response in between
    assert_false(limiter_is_open(&l));
    limiter_throttle(&l, call(&l, 100), of_key(3), 5000, 100);
    assert_int_equal(limiter_admits(&l, true, 5099).reason, LIMITER_ENDPOINT);
    assert_int_equal(limiter_admits(&l, true, 5099).at_us, 5100);
    assert_int_equal(fill(&l, 5100), 1);
}

static void throttles_halve_and_successes_add_one_a_round(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    struct limiter_call first = call(&l, 100);
    struct limiter_call second = call(&l, 100);
    struct limiter_call third = call(&l, 100);
    limiter_throttle(&l, first, of_key(1), 1000, 100);
    limiter_throttle(&l, second, of_key(2), 1000, 100);
    limiter_throttle(&l, third, of_key(3), 2000, 100);  // it ran, too: no further decrease
    assert_int_equal(l.breaker.until_us, 2100);
    static const size_t LIMITS[] = {2, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6};  // doubles up to half of 8, then +1
    for (size_t i = 0; i < COUNT_OF(LIMITS); i++) {
        limiter_succeed(&l, call(&l, 3000), 3000);
        assert_int_equal(l.window.limit, LIMITS[i]);
    }
    for (int i = 0; i < 100; i++) {
        limiter_succeed(&l, call(&l, 3000), 3000);
    }
    assert_int_equal(l.window.limit, 8);
}

static void calls_that_ran_when_the_breaker_opened_do_not_close_it(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    struct limiter_call before = call(&l, 100);
    clock_fake(100, 100);
    limiter_unreachable(&l, 100);
    for (int i = 0; i < 7; i++) {
        limiter_succeed(&l, before, 100);
    }
    assert_true(limiter_is_open(&l));
    assert_int_equal(l.window.limit, 1);
    limiter_succeed(&l, call(&l, l.breaker.until_us), l.breaker.until_us);
    assert_int_equal(l.window.limit, 2);
}

static void two_timeouts_in_a_row_halve_and_one_poisoned_event_does_not(void **state)
{
    (void)state;
    struct limiter_settings s = PLAIN;
    s.breaker_failures = 0;
    struct limiter l = make(&s);
    for (int i = 0; i < 5; i++) {
        limiter_fail(&l, call(&l, 100), of_key(1), LIMITER_TIMED_OUT, 100);
    }
    assert_int_equal(l.window.limit, 8);
    struct limiter_call a = call(&l, 100);
    struct limiter_call b = call(&l, 100);
    limiter_fail(&l, a, of_key(2), LIMITER_TIMED_OUT, 100);
    limiter_fail(&l, b, of_key(3), LIMITER_TIMED_OUT, 100);  // it began before the decrease
    assert_int_equal(l.window.limit, 4);
    assert_false(limiter_is_open(&l));
}

static void the_breaker_opens_after_failures_of_different_keys(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    clock_fake(100, 100);
    for (int i = 0; i < 10; i++) {  // one poisoned event
        limiter_fail(&l, call(&l, 100), of_key(1), LIMITER_FAILED, 100);
    }
    limiter_fail(&l, call(&l, 100), of_key(2), LIMITER_FAILED, 100);
    limiter_succeed(&l, call(&l, 100), 100);
    limiter_fail(&l, call(&l, 100), of_key(3), LIMITER_FAILED, 100);
    limiter_fail(&l, call(&l, 100), of_key(4), LIMITER_FAILED, 100);
    assert_false(limiter_is_open(&l));
    limiter_fail(&l, call(&l, 100), of_key(5), LIMITER_LOST, 100);
    assert_true(limiter_is_open(&l));
    assert_int_equal(limiter_admits(&l, true, 100).reason, LIMITER_BREAKER);
    // A probe that fails keeps it open; the next one, of another key, closes it.
    int64_t probe_us = l.breaker.until_us;
    assert_int_equal(fill(&l, probe_us), 1);
    end_all(&l);
    clock_fake(probe_us, probe_us);
    limiter_fail(&l, call(&l, limiter_admits(&l, true, probe_us).at_us), of_key(6), LIMITER_FAILED, probe_us);
    assert_true(limiter_is_open(&l));
    probe_us = limiter_admits(&l, true, probe_us).at_us;
    limiter_succeed(&l, call(&l, probe_us), probe_us);
    assert_false(limiter_is_open(&l));
    assert_int_equal(fill(&l, probe_us), 2);
}

static void an_endpoint_that_responds_with_an_error_is_reachable(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    clock_fake(100, 100);
    limiter_unreachable(&l, 100);
    int64_t now_us = l.breaker.until_us;
    limiter_fail(&l, call(&l, now_us), of_key(1), LIMITER_LOST, now_us);
    assert_true(limiter_is_open(&l));
    limiter_fail(&l, call(&l, now_us), of_key(1), LIMITER_FAILED, now_us);
    assert_false(limiter_is_open(&l));
}

/** Nor more often, without events that were never sent: an endpoint that is down has little to do. */
static void a_probe_with_an_event_that_failed_before_comes_at_least_every_five_seconds(void **state)
{
    (void)state;
    struct limiter_settings s = PLAIN;
    s.breaker_failures = 1;
    s.backoff_initial_us = s.backoff_max_us = 3600 * CLOCK_US_PER_S;
    struct limiter l = make(&s);
    struct limiter_subject tried = {.key = 1, .tried_us = 1};
    int64_t now_us = 100;
    size_t probes = 0;
    for (; now_us < 100 * CLOCK_US_PER_S; probes++) {
        clock_fake(now_us, now_us);
        assert_int_equal(limiter_admits(&l, false, now_us).reason, LIMITER_ADMITS);
        struct limiter_call begun = limiter_begin(&l, now_us);
        assert_true(probes == 0 || limiter_admits(&l, false, now_us).reason != LIMITER_ADMITS);
        limiter_end(&l);
        limiter_fail(&l, begun, tried, LIMITER_FAILED, now_us);
        int64_t next_us = limiter_admits(&l, false, now_us).at_us;
        assert_true(next_us > now_us && next_us <= now_us + BREAKER_WAIT_MAX_US);
        now_us = next_us;
    }
    assert_true(probes < 100);
}

/** Keys that were never sent, all of which fail after 2 ms, until `count` have failed. Returns the time. */
static int64_t fail_unsent(struct limiter *l, size_t count, int64_t now_us)
{
    static int64_t begun_us[20000];
    assert_true(count <= COUNT_OF(begun_us));
    for (size_t i = 0; i < count; i++) {
        struct limiter_verdict v = limiter_admits(l, true, now_us);
        while (v.reason != LIMITER_ADMITS) {
            assert_true(v.at_us > now_us);
            now_us = v.at_us;
            v = limiter_admits(l, true, now_us);
        }
        begun_us[i] = now_us;
        struct limiter_call begun = limiter_begin(l, now_us);
        limiter_end(l);
        now_us += 2 * CLOCK_US_PER_MS;
        clock_fake(now_us, now_us);
        limiter_fail(l, begun, of_key(1000 + i), LIMITER_FAILED, now_us);
        bool is_probe = i >= BREAKER_PROBES_PER_S + 20;
        assert_true(!is_probe || begun_us[i] - begun_us[i - BREAKER_PROBES_PER_S] >= CLOCK_US_PER_S);
    }
    return now_us;
}

static struct limiter make_default(void)
{
    struct limiter_settings s = PLAIN;
    s.breaker_failures = 20;
    s.backoff_initial_us = CLOCK_US_PER_S;
    s.backoff_max_us = 60 * CLOCK_US_PER_S;
    clock_fake(CLOCK_US_PER_S, CLOCK_US_PER_S);
    return make(&s);
}

static void thousands_of_failing_keys_are_passed_at_a_bounded_rate(void **state)
{
    (void)state;
    struct limiter l = make_default();
    int64_t now_us = fail_unsent(&l, 120, CLOCK_US_PER_S);
    assert_true(now_us > 5 * CLOCK_US_PER_S);  // an outage of seconds costs few calls
    now_us = fail_unsent(&l, 10000, now_us);
    assert_true(now_us < 120 * CLOCK_US_PER_S);
    assert_true(limiter_is_open(&l));
    // The next failing keys are passed as fast, if they come soon.
    now_us = limiter_admits(&l, true, now_us).at_us;
    limiter_succeed(&l, call(&l, now_us), now_us);
    assert_false(limiter_is_open(&l));
    assert_true(fail_unsent(&l, 1000, now_us) < now_us + 12 * CLOCK_US_PER_S);
    now_us = limiter_admits(&l, true, now_us + 20 * CLOCK_US_PER_S).at_us;
    limiter_succeed(&l, call(&l, now_us), now_us);
    now_us += 2 * BREAKER_MEMORY_US;
    assert_true(fail_unsent(&l, 1000, now_us) > now_us + 15 * CLOCK_US_PER_S);
}

static void an_event_that_failed_before_the_last_success_does_not_open_it(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    clock_fake(100, 100);
    limiter_succeed(&l, call(&l, 100), 100);
    for (uint64_t key = 1; key <= 100; key++) {
        struct limiter_subject known = {.key = key, .tried_us = 50};
        limiter_fail(&l, call(&l, 200), known, LIMITER_FAILED, 200);
    }
    assert_false(limiter_is_open(&l));
    for (uint64_t key = 1; key <= 3; key++) {  // there was no success since these failed first
        struct limiter_subject later = {.key = key, .tried_us = 150};
        limiter_fail(&l, call(&l, 200), later, LIMITER_FAILED, 200);
    }
    assert_true(limiter_is_open(&l));
}

static void a_retry_waits_for_the_backoff_while_untried_events_are_sent(void **state)
{
    (void)state;
    struct limiter l = make_default();
    int64_t now_us = fail_unsent(&l, 25, CLOCK_US_PER_S);
    now_us = limiter_admits(&l, true, now_us).at_us;
    l.breaker.wait_us = 3 * CLOCK_US_PER_S;
    (void)call(&l, now_us);
    assert_int_equal(limiter_admits(&l, true, now_us).at_us, now_us + BREAKER_GROWTH_US / 25);
    assert_int_equal(limiter_admits(&l, false, now_us).at_us, now_us + 3 * CLOCK_US_PER_S);
}

static void more_probes_run_side_by_side_as_more_keys_fail(void **state)
{
    (void)state;
    struct limiter l = make_default();
    int64_t now_us = fail_unsent(&l, 40, CLOCK_US_PER_S);
    assert_int_equal(l.window.limit, 1);
    now_us = fail_unsent(&l, 100, now_us);
    assert_int_equal(l.window.limit, 3);
    now_us = limiter_admits(&l, true, now_us).at_us;
    limiter_fail(&l, call(&l, now_us), of_key(1), LIMITER_TIMED_OUT, now_us);
    assert_int_equal(l.window.limit, 1);
    int64_t next_us = limiter_admits(&l, true, now_us).at_us;
    assert_true(next_us > now_us && next_us <= now_us + BREAKER_WAIT_MAX_US);
}

static void a_changed_concurrency_counts_at_once(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    struct limiter_settings s = PLAIN;
    s.concurrency = 16;
    limiter_adjust(&l, &s, 0);
    assert_int_equal(fill(&l, 100), 16);
    s.concurrency = 2;
    limiter_adjust(&l, &s, 0);
    end_all(&l);
    assert_int_equal(fill(&l, 100), 2);
}

static void a_new_endpoint_is_called_at_once_by_one_more(void **state)
{
    (void)state;
    struct limiter l = make(&PLAIN);
    (void)fill(&l, 100);
    while (l.running > 3) {
        limiter_end(&l);
    }
    clock_fake(100, 100);
    limiter_unreachable(&l, 100);
    limiter_reopen(&l);
    assert_int_equal(fill(&l, 101), 1);
    assert_int_equal(l.running, 4);
}

static void a_rate_admits_its_burst_and_then_one_an_interval(void **state)
{
    (void)state;
    struct limiter_settings s = PLAIN;
    s.concurrency = 1000;
    s.rate = (struct config_rate){.count = 10, .period_us = CLOCK_US_PER_S};
    s.burst = 3;
    struct limiter l = {0};
    int64_t now_us = 7 * CLOCK_US_PER_S;
    limiter_init(&l, &s, now_us);
    assert_int_equal(fill(&l, now_us), 3);
    struct limiter_verdict v = limiter_admits(&l, true, now_us);
    assert_int_equal(v.reason, LIMITER_RATE);
    assert_int_equal(v.at_us, now_us + 100000);
    assert_int_equal(fill(&l, v.at_us - 1), 0);
    assert_int_equal(fill(&l, v.at_us), 1);
    assert_int_equal(fill(&l, now_us + 60 * CLOCK_US_PER_S), 3);  // no more than the burst is saved up
    s.rate = (struct config_rate){.count = 1, .period_us = 3600 * CLOCK_US_PER_S};
    s.burst = 1;
    now_us += 120 * CLOCK_US_PER_S;
    limiter_adjust(&l, &s, now_us);
    assert_int_equal(fill(&l, now_us), 1);
    assert_int_equal(limiter_admits(&l, true, now_us).at_us, now_us + 3600 * CLOCK_US_PER_S);
    s.rate = (struct config_rate){.count = 10, .period_us = CLOCK_US_PER_S};
    limiter_adjust(&l, &s, now_us);  // the hour is forgotten
    assert_int_equal(limiter_admits(&l, true, now_us).at_us, now_us + 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concurrency_is_reached_and_not_exceeded),
        cmocka_unit_test(an_unreachable_endpoint_is_probed_by_one_call_then_by_twice_as_many),
        cmocka_unit_test(one_throttled_event_only_delays_itself),
        cmocka_unit_test(throttles_halve_and_successes_add_one_a_round),
        cmocka_unit_test(calls_that_ran_when_the_breaker_opened_do_not_close_it),
        cmocka_unit_test(two_timeouts_in_a_row_halve_and_one_poisoned_event_does_not),
        cmocka_unit_test(the_breaker_opens_after_failures_of_different_keys),
        cmocka_unit_test(an_endpoint_that_responds_with_an_error_is_reachable),
        cmocka_unit_test(a_probe_with_an_event_that_failed_before_comes_at_least_every_five_seconds),
        cmocka_unit_test(thousands_of_failing_keys_are_passed_at_a_bounded_rate),
        cmocka_unit_test(an_event_that_failed_before_the_last_success_does_not_open_it),
        cmocka_unit_test(a_retry_waits_for_the_backoff_while_untried_events_are_sent),
        cmocka_unit_test(more_probes_run_side_by_side_as_more_keys_fail),
        cmocka_unit_test(a_changed_concurrency_counts_at_once),
        cmocka_unit_test(a_new_endpoint_is_called_at_once_by_one_more),
        cmocka_unit_test(a_rate_admits_its_burst_and_then_one_an_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
