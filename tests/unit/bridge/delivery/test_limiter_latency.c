// bridge/delivery/limiter: the target latency. The calls run on a clock of the test's own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/limiter.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

#define MS CLOCK_US_PER_MS

enum { TARGET_MS = 50, CONCURRENCY_MAX = 256 };

static const struct limiter_settings PLAIN = {.concurrency = 16,
                                              .target_latency_us = TARGET_MS * MS,
                                              .backoff_initial_us = 1000,
                                              .backoff_max_us = 60000};

static struct limiter make(void)
{
    struct limiter l = {0};
    limiter_init(&l, &PLAIN, 0);
    return l;
}

/** As many calls as are allowed begin, take so long and succeed, until so many have. */
static void succeed(struct limiter *l, size_t count, int64_t took_ms)
{
    struct limiter_call running[CONCURRENCY_MAX];
    for (size_t done = 0; done < count;) {
        size_t begun = 0;
        while (done + begun < count && limiter_admits(l, true, 0).reason == LIMITER_ADMITS) {
            running[begun++] = limiter_begin(l, 0);
        }
        assert_true(begun > 0);
        for (size_t i = 0; i < begun; i++, done++) {
            limiter_end(l);
            limiter_succeed(l, running[i], took_ms * MS);
        }
    }
}

/** One call at a time, although more are allowed. */
static void succeed_alone(struct limiter *l, size_t count, int64_t took_ms)
{
    for (size_t i = 0; i < count; i++) {
        struct limiter_call call = limiter_begin(l, 0);
        limiter_end(l);
        limiter_succeed(l, call, took_ms * MS);
    }
}

static void latency_changes_nothing_without_a_target(void **state)
{
    (void)state;
    struct limiter l = {0};
    struct limiter_settings s = PLAIN;
    s.target_latency_us = 0;
    limiter_init(&l, &s, 0);
    succeed(&l, 1000, 3600 * 1000);
    assert_int_equal(l.window.limit, 16);
    assert_int_equal(l.window.cause, WINDOW_NOT_REDUCED);
}

static void a_slow_round_takes_a_tenth_and_a_very_slow_one_half(void **state)
{
    (void)state;
    struct limiter l = make();
    succeed(&l, 16, TARGET_MS);
    assert_int_equal(l.window.limit, 16);
    succeed(&l, 16, TARGET_MS + 1);
    assert_int_equal(l.window.limit, 14);
    assert_int_equal(l.window.cause, WINDOW_LATENCY);
    succeed(&l, 14, 2 * TARGET_MS + 1);
    assert_int_equal(l.window.limit, 7);
    assert_int_equal(l.window.shrinks_by[WINDOW_LATENCY], 2);
}

static void calls_that_are_slow_now_and_then_change_nothing(void **state)
{
    (void)state;
    struct limiter l = make();
    for (size_t i = 0; i < 15; i++) {
        (void)limiter_begin(&l, 0);
    }
    for (size_t i = 0; i < 500; i++) {
        succeed_alone(&l, 1, 1000);
        succeed_alone(&l, 1, 1);
    }
    assert_int_equal(l.window.limit, 16);
    assert_int_equal(l.window.shrinks, 0);
}

static void calls_that_began_before_a_decrease_cause_no_other(void **state)
{
    (void)state;
    struct limiter l = make();
    struct limiter_call before[16];
    for (size_t i = 0; i < 16; i++) {
        before[i] = limiter_begin(&l, 0);
    }
    for (size_t i = 0; i < 3; i++) {
        limiter_window_shrink(&l.window, WINDOW_TIMED_OUT);
    }
    assert_int_equal(l.window.limit, 2);
    for (size_t i = 0; i < 16; i++) {
        limiter_end(&l);
        limiter_succeed(&l, before[i], 1000 * MS);
    }
    assert_int_equal(l.window.limit, 2);
    assert_int_equal(l.window.cause, WINDOW_TIMED_OUT);
}

static void a_fast_round_adds_one_if_all_of_the_limit_was_used(void **state)
{
    (void)state;
    struct limiter l = make();
    succeed(&l, 16, 1000);
    assert_int_equal(l.window.limit, 8);
    succeed(&l, 10, 1);  // a round has at least ten
    assert_int_equal(l.window.limit, 9);
    succeed_alone(&l, 1000, 1);
    assert_int_equal(l.window.limit, 9);
    for (size_t limit = 9; limit < 16; limit++) {
        assert_int_equal(l.window.limit, limit);
        succeed(&l, limit < 10 ? 10 : limit, 1);
    }
    succeed(&l, 100, 1);
    assert_int_equal(l.window.limit, 16);
    assert_int_equal(l.window.cause, WINDOW_NOT_REDUCED);
}

/** Of a limit that is hardly used, only what is used can be too much. */
static void what_is_reduced_is_the_number_of_calls_that_ran(void **state)
{
    (void)state;
    struct limiter l = make();
    struct limiter_call running[4];
    for (size_t i = 0; i < 10; i++) {
        for (size_t j = 0; j < 4; j++) {
            running[j] = limiter_begin(&l, 0);
        }
        for (size_t j = 0; j < 4; j++) {
            limiter_end(&l);
            limiter_succeed(&l, running[j], (TARGET_MS + 1) * MS);
        }
        if (l.window.shrinks > 0) {
            break;
        }
    }
    assert_int_equal(l.window.limit, 3);
}

static void one_call_at_a_time_is_the_least_and_is_noted_when_it_is_too_slow(void **state)
{
    (void)state;
    struct limiter l = make();
    while (l.window.limit > 1) {
        succeed(&l, l.window.limit, 1000);
    }
    assert_false(l.window.is_missed);
    uint32_t shrinks = l.window.shrinks;
    succeed(&l, 10, 1000);
    assert_true(l.window.is_missed);
    assert_int_equal(l.window.limit, 1);
    assert_int_equal(l.window.shrinks, shrinks);
    succeed(&l, 10, 1);
    assert_int_equal(l.window.limit, 2);
    assert_false(l.window.is_missed);
}

static void slow_errors_and_timeouts_count_and_fast_errors_do_not(void **state)
{
    (void)state;
    struct limiter l = make();
    const struct limiter_subject subject = {.key = 1};
    for (size_t i = 0; i < 7; i++) {  // an overloaded endpoint may refuse at once
        struct limiter_call call = limiter_begin(&l, 0);
        limiter_end(&l);
        limiter_fail(&l, call, subject, LIMITER_FAILED, 1 * MS);
    }
    assert_int_equal(l.window.responses, 0);
    for (size_t i = 0; i < 10; i++) {
        struct limiter_call call = limiter_begin(&l, 0);
        (void)limiter_begin(&l, 0);
        limiter_end(&l);
        limiter_end(&l);
        enum limiter_failure how = i % 2 == 0 ? LIMITER_FAILED : LIMITER_TIMED_OUT;  // of the same event
        limiter_fail(&l, call, subject, how, 1000 * MS);
    }
    assert_int_equal(l.window.limit, 1);
    assert_int_equal(l.window.cause, WINDOW_LATENCY);
}

static void after_a_pause_slow_calls_end_the_doubling(void **state)
{
    (void)state;
    struct limiter l = make();
    clock_fake(100, 100);
    limiter_unreachable(&l, 100);
    l.breaker.until_us = 0;
    succeed(&l, 1, 1);
    assert_int_equal(l.window.limit, 2);
    assert_int_equal(l.window.cause, WINDOW_BREAKER);
    succeed(&l, 6, TARGET_MS + 1);
    assert_int_equal(l.window.limit, 2);
    succeed(&l, 10, TARGET_MS + 1);
    assert_int_equal(l.window.limit, 1);
    assert_int_equal(l.window.cause, WINDOW_LATENCY);
}

static void a_target_that_is_removed_lets_the_limit_grow(void **state)
{
    (void)state;
    struct limiter l = make();
    succeed(&l, 100, 1000);
    assert_int_equal(l.window.limit, 1);
    struct limiter_settings s = PLAIN;
    s.target_latency_us = 0;
    limiter_adjust(&l, &s, 0);
    assert_false(l.window.is_missed);
    succeed(&l, 1000, 1000);
    assert_int_equal(l.window.limit, 16);
}

/** An endpoint whose calls take their work's time, and more once more than its capacity run at once. */
struct endpoint {
    int64_t (*work_us)(size_t number);
    size_t capacity;
};

struct outcome {
    double calls_s;  // in the second half
    size_t limit_min;
    size_t limit_max;
};

/** The calls of an endless queue; a call's time is decided when it begins. */
static struct outcome drive(struct limiter *l, const struct endpoint *e, int64_t seconds)
{
    static struct limiter_call calls[CONCURRENCY_MAX];
    static int64_t ends_us[CONCURRENCY_MAX];
    struct outcome ret = {.limit_min = SIZE_MAX};
    int64_t now_us = 1;
    size_t begun = 0;
    size_t done = 0;
    while (now_us < seconds * CLOCK_US_PER_S) {
        while (limiter_admits(l, true, now_us).reason == LIMITER_ADMITS) {
            size_t i = l->running;
            calls[i] = limiter_begin(l, now_us);
            size_t n = l->running > e->capacity ? l->running : e->capacity;
            ends_us[i] =
                now_us + e->work_us(begun++) * (int64_t)(n * n) / (int64_t)(e->capacity * e->capacity);
        }
        size_t first = 0;
        for (size_t i = 1; i < l->running; i++) {
            first = ends_us[i] < ends_us[first] ? i : first;
        }
        now_us = ends_us[first];
        struct limiter_call call = calls[first];
        limiter_end(l);
        calls[first] = calls[l->running];
        ends_us[first] = ends_us[l->running];
        limiter_succeed(l, call, now_us);
        if (now_us > seconds * CLOCK_US_PER_S / 2) {
            done++;
            ret.limit_min = l->window.limit < ret.limit_min ? l->window.limit : ret.limit_min;
            ret.limit_max = l->window.limit > ret.limit_max ? l->window.limit : ret.limit_max;
        }
    }
    ret.calls_s = (double)done / ((double)seconds / 2);
    return ret;
}

static int64_t always_20ms(size_t number)
{
    (void)number;
    return 20 * MS;
}

/** 0 to 5 ms, then 100 ms, then again. */
static int64_t varying(size_t number)
{
    return number % 2000 < 1000 ? (int64_t)(number * 7919 % 5000) : 100 * MS;
}

/** 8 calls of 20 ms: 400 a second at best; with 128 at once 25. */
static void an_endpoint_that_collapses_is_kept_near_its_best(void **state)
{
    (void)state;
    static const struct endpoint fragile = {always_20ms, 8};
    struct limiter_settings s = PLAIN;
    s.concurrency = 128;
    s.target_latency_us = 0;
    struct limiter l = {0};
    limiter_init(&l, &s, 0);
    assert_true(drive(&l, &fragile, 200).calls_s < 30);
    s.target_latency_us = 30 * MS;
    l = (struct limiter){0};
    limiter_init(&l, &s, 0);
    struct outcome o = drive(&l, &fragile, 200);
    assert_true(o.calls_s > 0.7 * 400);
    assert_true(o.limit_min >= 8 && o.limit_max <= 12);
}

/** The target is above what the work takes: all calls that the configuration allows run. */
static void work_of_varying_length_below_the_target_runs_at_full_concurrency(void **state)
{
    (void)state;
    static const struct endpoint sound = {varying, 10000};
    struct limiter_settings s = PLAIN;
    s.target_latency_us = 250 * MS;
    struct limiter l = {0};
    limiter_init(&l, &s, 0);
    struct outcome o = drive(&l, &sound, 200);
    assert_int_equal(o.limit_min, 16);
    assert_int_equal(l.window.shrinks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latency_changes_nothing_without_a_target),
        cmocka_unit_test(a_slow_round_takes_a_tenth_and_a_very_slow_one_half),
        cmocka_unit_test(calls_that_are_slow_now_and_then_change_nothing),
        cmocka_unit_test(calls_that_began_before_a_decrease_cause_no_other),
        cmocka_unit_test(a_fast_round_adds_one_if_all_of_the_limit_was_used),
        cmocka_unit_test(what_is_reduced_is_the_number_of_calls_that_ran),
        cmocka_unit_test(one_call_at_a_time_is_the_least_and_is_noted_when_it_is_too_slow),
        cmocka_unit_test(slow_errors_and_timeouts_count_and_fast_errors_do_not),
        cmocka_unit_test(after_a_pause_slow_calls_end_the_doubling),
        cmocka_unit_test(a_target_that_is_removed_lets_the_limit_grow),
        cmocka_unit_test(an_endpoint_that_collapses_is_kept_near_its_best),
        cmocka_unit_test(work_of_varying_length_below_the_target_runs_at_full_concurrency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
