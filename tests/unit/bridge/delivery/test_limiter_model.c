// Random calls of several functions with random limits, some shared, on a clock of their own: no limit is
// ever exceeded, every function progresses, and none that waits for a shared limit is passed over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/limiter.h"
#include "core/base/clock.h"

enum { FUNCTIONS = 4, CALLS = 400, STEPS_MAX = 200000, RUNNING_MAX = 16 };

struct sample {
    struct limiter limiter;
    struct limiter_settings settings;
    bool is_woken;
    bool is_shared;
    int64_t wakes_us;  // -1: when called
    size_t begun;
    size_t failures_left;
    int64_t begun_us[CALLS];
    struct limiter_call running[RUNNING_MAX];
    int64_t ends_us[RUNNING_MAX];
    uint64_t order[RUNNING_MAX];
};

static uint64_t seed;

static uint64_t any(uint64_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % limit;
}

static void on_turn(void *self)
{
    ((struct sample *)self)->is_woken = true;
}

static void begin_calls(struct sample *s, int64_t now_us)
{
    struct limiter_verdict v = {LIMITER_ADMITS, now_us};
    while (s->begun < CALLS && (v = limiter_admits(&s->limiter, true, now_us)).reason == LIMITER_ADMITS) {
        size_t i = s->limiter.running;
        assert_true(i < s->settings.concurrency);
        s->running[i] = limiter_begin(&s->limiter, now_us);
        s->ends_us[i] = now_us + 1 + (int64_t)any(20000);
        s->order[i] = s->begun + 1;
        s->begun_us[s->begun++] = now_us;
    }
    bool waits = s->begun < CALLS && v.reason == LIMITER_SHARED;
    (waits ? shared_limit_wait : shared_limit_pass)(&s->limiter.shared);
    s->wakes_us = s->begun == CALLS || v.reason == LIMITER_ADMITS ? LIMITER_WHEN_CALLED : v.at_us;
}

/** Fails some of the first calls, so that the breaker and the window take part, too. */
static void end_call(struct sample *s, size_t i, int64_t now_us)
{
    struct limiter_call call = s->running[i];
    struct limiter_subject subject = {.key = s->order[i] % 7 + 1};
    limiter_end(&s->limiter);
    size_t last = s->limiter.running;
    s->running[i] = s->running[last];
    s->ends_us[i] = s->ends_us[last];
    s->order[i] = s->order[last];
    uint64_t kind = s->failures_left == 0 ? 5 : any(6);
    s->failures_left -= kind < 5 ? 1 : 0;
    if (kind == 0) {
        limiter_unreachable(&s->limiter, now_us);
    } else if (kind < 3) {
        limiter_fail(&s->limiter, call, subject, (enum limiter_failure)any(3), now_us);
    } else if (kind < 5) {
        limiter_throttle(&s->limiter, call, subject, (int64_t)any(2) * (int64_t)any(100000), now_us);
    } else {
        limiter_succeed(&s->limiter, call, now_us);
    }
    s->is_woken = true;
}

/** The next time at which something happens; -1: nothing will. */
static int64_t next_us(const struct sample *s, int64_t now_us)
{
    int64_t next = -1;
    for (size_t f = 0; f < FUNCTIONS; f++) {
        if (s[f].is_woken) {
            return now_us;
        }
        if (s[f].wakes_us >= 0 && (next < 0 || s[f].wakes_us < next)) {
            next = s[f].wakes_us;
        }
        for (size_t i = 0; i < s[f].limiter.running; i++) {
            next = next < 0 || s[f].ends_us[i] < next ? s[f].ends_us[i] : next;
        }
    }
    return next;
}

static bool have_all_begun(const struct sample *s)
{
    size_t begun = 0;
    for (size_t f = 0; f < FUNCTIONS; f++) {
        begun += s[f].begun;
    }
    return begun == FUNCTIONS * CALLS;
}

/** Whatever two calls a window begins and ends with, it has at most burst + rate * its length. */
static void assert_rate(const int64_t *begun_us, size_t count, const struct config_rate *rate, int64_t burst)
{
    for (size_t first = 0; rate->count > 0 && first < count; first++) {
        for (size_t last = first; last < count; last++) {
            int64_t allowed = burst + (begun_us[last] - begun_us[first]) * rate->count / rate->period_us;
            assert_true((int64_t)(last - first + 1) <= allowed);
        }
    }
}

static struct config_rate any_rate(void)
{
    static const int64_t PERIODS_US[] = {CLOCK_US_PER_S, 60 * CLOCK_US_PER_S, 3600 * CLOCK_US_PER_S};
    return (struct config_rate){.count = any(3) == 0 ? 0 : 1 + (int64_t)any(3000),
                                .period_us = PERIODS_US[any(3)]};
}

static int compare_times(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

static void assert_shared_rate(const struct sample *s, const struct limit_setting *limit)
{
    static int64_t all[FUNCTIONS * CALLS];
    size_t count = 0;
    for (size_t f = 0; f < FUNCTIONS; f++) {
        for (size_t i = 0; s[f].is_shared && i < s[f].begun; i++) {
            all[count++] = s[f].begun_us[i];
        }
    }
    qsort(all, count, sizeof(all[0]), compare_times);
    assert_rate(all, count, &limit->rate, limit->burst);
}

static void turn(struct sample *s, const struct limit_setting *limit, int64_t now_us)
{
    size_t shared_running = 0;
    for (size_t f = 0; f < FUNCTIONS; f++) {
        for (size_t i = 0; i < s[f].limiter.running;) {
            if (s[f].ends_us[i] <= now_us) {
                end_call(&s[f], i, now_us);
            } else {
                i++;
            }
        }
    }
    for (size_t f = 0; f < FUNCTIONS; f++) {
        if (s[f].is_woken || (s[f].wakes_us >= 0 && s[f].wakes_us <= now_us)) {
            s[f].is_woken = false;
            begin_calls(&s[f], now_us);
        }
        shared_running += s[f].is_shared ? s[f].limiter.running : 0;
    }
    assert_true(limit->concurrency == 0 || shared_running <= (size_t)limit->concurrency);
}

static void run(uint64_t number)
{
    seed = number * UINT64_C(0x9e3779b97f4a7c15) | 1;
    struct limit_setting limit = {.name = (char *)"l",
                                  .concurrency = (int64_t)any(12),
                                  .rate = any_rate(),
                                  .burst = 1 + (int64_t)any(50)};
    struct settings settings = {.limits = {.items = &limit, .count = 1}};
    struct shared_limits *limits = shared_limits_new(&settings);
    static struct sample s[FUNCTIONS];
    int64_t now_us = CLOCK_US_PER_S;
    clock_fake(now_us, now_us);
    for (size_t f = 0; f < FUNCTIONS; f++) {
        s[f] = (struct sample){.is_woken = true, .is_shared = any(4) > 0, .failures_left = any(60)};
        s[f].settings = (struct limiter_settings){.concurrency = 1 + any(RUNNING_MAX),
                                                  .target_latency_us = any(3) * any(20000),
                                                  .breaker_failures = any(5),
                                                  .backoff_initial_us = 1000,
                                                  .backoff_max_us = 1000000,
                                                  .rate = any_rate(),
                                                  .burst = 1 + (int64_t)any(20)};
        s[f].limiter.shared = (struct shared_member){.on_turn = on_turn, .self = &s[f]};
        limiter_init(&s[f].limiter, &s[f].settings, now_us);
        shared_limit_join(limits, &s[f].limiter.shared, s[f].is_shared ? "l" : NULL);
    }
    for (size_t steps = 0; !have_all_begun(s); steps++) {
        assert_true(steps < STEPS_MAX);
        int64_t next = next_us(s, now_us);
        assert_true(next >= 0);  // else all wait for nothing
        now_us = next > now_us ? next : now_us;
        clock_fake(now_us, now_us);
        turn(s, &limit, now_us);
    }
    for (size_t f = 0; f < FUNCTIONS; f++) {
        assert_rate(s[f].begun_us, s[f].begun, &s[f].settings.rate, s[f].settings.burst);
        shared_limit_join(limits, &s[f].limiter.shared, NULL);
    }
    assert_shared_rate(s, &limit);
    shared_limits_free(limits);
}

static void no_limit_is_exceeded_and_all_progress(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= 200; number++) {
        run(number);
    }
}

/** Three functions with endless work share one slot: each begins every third call. */
static void functions_take_turns(void **state)
{
    (void)state;
    struct limit_setting limit = {.name = (char *)"l", .concurrency = 1, .burst = 1};
    struct settings settings = {.limits = {.items = &limit, .count = 1}};
    struct shared_limits *limits = shared_limits_new(&settings);
    static struct sample s[3];
    for (size_t f = 0; f < 3; f++) {
        s[f] = (struct sample){.settings = {.concurrency = 16}};
        s[f].limiter.shared = (struct shared_member){.on_turn = on_turn, .self = &s[f]};
        limiter_init(&s[f].limiter, &s[f].settings, 0);
        shared_limit_join(limits, &s[f].limiter.shared, "l");
        begin_calls(&s[f], 1);
    }
    assert_int_equal(s[0].begun, 1);
    size_t owner = 0;
    for (size_t round = 0; round < 30; round++) {
        limiter_end(&s[owner].limiter);
        size_t following = round % 3;
        assert_true(s[following].is_woken);
        for (size_t f = 0; f < 3; f++) {  // the others ask first, and have to wait
            begin_calls(&s[(following + 1 + f) % 3], 1);
            assert_int_equal(s[following].limiter.running, f == 2 ? 1 : 0);
        }
        s[following].is_woken = false;
        owner = following;
    }
    // A function without work gives up its turn, and the next one is told.
    shared_limit_pass(&s[0].limiter.shared);
    limiter_end(&s[2].limiter);
    assert_true(s[1].is_woken);
    s[0].begun = s[1].begun = s[2].begun = CALLS;
    for (size_t f = 0; f < 3; f++) {
        shared_limit_join(limits, &s[f].limiter.shared, NULL);
    }
    shared_limits_free(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit_is_exceeded_and_all_progress),
        cmocka_unit_test(functions_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
