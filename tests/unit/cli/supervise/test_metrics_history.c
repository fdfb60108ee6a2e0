#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/supervise/metrics_history.h"
#include "core/base/memory.h"

#define COUNTER "# HELP c_total C.\n# TYPE c_total counter\n"
#define GAUGE "# HELP lag L.\n# TYPE lag gauge\n"
#define STATE "# HELP x_state S.\n# TYPE x_state gauge\n"
#define FLIGHT "# HELP x_in_flight_records F.\n# TYPE x_in_flight_records gauge\n"

static void expect(const struct metrics_history *h, const char *live, const char *expected)
{
    struct bytes out = {0};
    metrics_history_write(h, slice_of(live), &out);
    assert_string_equal(bytes_text(&out), expected);
    bytes_clear(&out);
}

static void a_counter_goes_on_over_restarts(void **state)
{
    (void)state;
    struct metrics_history *h = metrics_history_new();
    expect(h, COUNTER "c_total{a=\"1\"} 5\n", COUNTER "c_total{a=\"1\"} 5\n");
    metrics_history_end(h, slice_of(COUNTER "c_total{a=\"1\"} 5\n"));
    expect(h, COUNTER "c_total{a=\"1\"} 0\n", COUNTER "c_total{a=\"1\"} 5\n");
    metrics_history_end(h, slice_of(COUNTER "c_total{a=\"1\"} 2\n"));
    metrics_history_end(h, slice_of(""));
    expect(h, COUNTER "c_total{a=\"1\"} 1\nc_total{a=\"2\"} 4\n",
           COUNTER "c_total{a=\"1\"} 8\nc_total{a=\"2\"} 4\n");
    metrics_history_free(h);
}

static void histograms_are_counters(void **state)
{
    (void)state;
    static const char text[] =
        "# HELP d_seconds D.\n# TYPE d_seconds histogram\nd_seconds_bucket{le=\"1\"} 2\n"
        "d_seconds_sum 0.5\nd_seconds_count 2\n";
    struct metrics_history *h = metrics_history_new();
    metrics_history_end(h, slice_of(text));
    expect(h, text,
           "# HELP d_seconds D.\n# TYPE d_seconds histogram\nd_seconds_bucket{le=\"1\"} 4\nd_seconds_sum 1\n"
           "d_seconds_count 4\n");
    metrics_history_free(h);
}

static void gauges_are_the_live_ones_or_the_last_but_a_state_ends_with_its_process(void **state)
{
    (void)state;
    struct metrics_history *h = metrics_history_new();
    metrics_history_end(h, slice_of(GAUGE "lag 7\n" STATE "x_state 4\n" FLIGHT "x_in_flight_records 3\n"));
    expect(h, "", GAUGE "lag 7\n");
    expect(h, GAUGE "lag 1\n" STATE "x_state 1\n", GAUGE "lag 1\n" STATE "x_state 1\n");
    metrics_history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_goes_on_over_restarts),
        cmocka_unit_test(histograms_are_counters),
        cmocka_unit_test(gauges_are_the_live_ones_or_the_last_but_a_state_ends_with_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
