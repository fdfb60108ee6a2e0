#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/supervise/metrics_sums.h"

#define BEGINNING "d_total{f=\""

static void expect(const char *text, const char *value, int sum)
{
    struct metrics_sums *s = metrics_sums_new(slice_of(text), BEGINNING);
    assert_int_equal((int)metrics_sums_of(s, value), sum);
    metrics_sums_free(s);
}

static void samples_are_summed_by_their_first_label(void **state)
{
    (void)state;
    static const char TEXT[] = "# TYPE d_total counter\n"
                               "d_total{f=\"a\",reason=\"x y\"} 2\n"
                               "d_total{f=\"ab\",reason=\"x\"} 40\n"
                               "e_total{f=\"a\"} 100\n"
                               "d_total{f=\"a\",reason=\"y\"} 3\n"
                               "d_total{f=\"c\"} 7";
    expect(TEXT, "a", 5);
    expect(TEXT, "ab", 40);
    expect(TEXT, "c", 7);
    expect(TEXT, "b", 0);
    expect(TEXT, "", 0);
}

static void lines_that_are_no_samples_are_left_out(void **state)
{
    (void)state;
    expect("", "a", 0);
    expect("d_total{f=\"", "", 0);
    expect("d_total{f=\"a 5\n\n", "a 5", 0);
    expect("d_total{f=\"a\"}5\n", "a", 0);
    expect("d_total{f=\"a 5\"\n", "a 5", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_summed_by_their_first_label),
        cmocka_unit_test(lines_that_are_no_samples_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
