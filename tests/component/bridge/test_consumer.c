// A function's place in its group: where it reads, what it commits, and what becomes of that in trouble.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge_case.h"
#include "core/clock.h"

static struct stub_answer always_ok(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200};
}

static void a_log_made_anew_is_read_and_committed_from_its_beginning(void **state)
{
    (void)state;
    struct bridge_case c;
    case_start(&c, always_ok, NULL);
    case_register(&c, "fn", 1000);  // of a longer log of that name
    case_change(&c, 1, 'c', "x");
    case_change(&c, 2, 'c', "y");
    case_apply(&c, case_config(&c, "fn"));
    case_run_until(&c, case_has_settled, 2);
    case_drain(&c);
    assert_int_equal(case_committed(&c, "fn"), 2);
    case_stop(&c);
}

static struct stub_answer never(void *self, const struct stub_call *call, size_t number)
{
    (void)self;
    (void)call;
    (void)number;
    return (struct stub_answer){.status = 200, .delay_ms = 600000};
}

static bool has_lag(struct bridge_case *c, int64_t n)
{
    return case_metric(c, "millrace_function_lag_records{function=\"fn\"}") == (double)n;
}

static void a_function_that_hangs_knows_how_far_it_is_behind(void **state)
{
    (void)state;
    struct bridge_case c;
    char note[1500];
    memset(note, 'x', sizeof(note) - 1);
    note[sizeof(note) - 1] = '\0';
    case_start(&c, never, NULL);
    struct function_config *config = case_config(&c, "fn");
    config->delivery.timeout_us = 2 * CLOCK_US_PER_S;
    // More than it takes and more than is read ahead: nothing is fetched any more.
    case_changes(&c, 2500, 1, note);
    case_apply(&c, config);
    case_run_until(&c, has_lag, 2500);
    case_run_ms(&c, 1000);
    case_changes(&c, 100, 1, note);
    case_run_until(&c, has_lag, 2600);
    assert_true(case_metric(&c, "millrace_function_lag_seconds{function=\"fn\"}") > 1);
    case_stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_made_anew_is_read_and_committed_from_its_beginning),
        cmocka_unit_test(a_function_that_hangs_knows_how_far_it_is_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
