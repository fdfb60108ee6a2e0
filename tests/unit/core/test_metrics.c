#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/metrics.h"

static char *written(const struct metrics *m)
{
    struct bytes out = {0};
    metrics_write(m, &out);
    char *text = memory_string(bytes_text(&out));
    bytes_clear(&out);
    return text;
}

static void a_name_is_explained_once_and_has_a_line_per_series(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    metric_add(metrics_series(m, METRIC_COUNTER, "x_total", "What x does.", "a=\"1\""), 2);
    metric_set(metrics_series(m, METRIC_GAUGE, "y", "The y.", ""), 0.25);
    metric_add(metrics_series(m, METRIC_COUNTER, "x_total", "What x does.", "a=\"2\""), 1);
    CLEANUP(memory_free_pointer) char *text = written(m);
    assert_string_equal(text, "# HELP x_total What x does.\n# TYPE x_total counter\n"
                              "x_total{a=\"1\"} 2\nx_total{a=\"2\"} 1\n"
                              "# HELP y The y.\n# TYPE y gauge\ny 0.25\n");
    metrics_free(m);
}

static void asking_twice_gives_the_same_series(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *first = metrics_series(m, METRIC_COUNTER, "x_total", "X.", "a=\"1\"");
    assert_ptr_equal(metrics_series(m, METRIC_COUNTER, "x_total", "X.", "a=\"1\""), first);
    metrics_free(m);
}

static void a_histogram_without_observations_has_no_finite_bucket(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    (void)metrics_series(m, METRIC_HISTOGRAM, "d_seconds", "D.", "f=\"a\"");
    struct bytes out = {0};
    metrics_write(m, &out);
    assert_string_equal(bytes_text(&out), "# HELP d_seconds D.\n# TYPE d_seconds histogram\n"
                                          "d_seconds_bucket{f=\"a\",le=\"+Inf\"} 0\n"
                                          "d_seconds_sum{f=\"a\"} 0\nd_seconds_count{f=\"a\"} 0\n");
    bytes_clear(&out);
    metrics_free(m);
}

static void a_duration_counts_in_every_bucket_that_holds_it(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    struct metric *s = metrics_series(m, METRIC_HISTOGRAM, "d_seconds", "D.", "f=\"a\"");
    metric_observe_us(s, 1000);
    metric_observe_us(s, 1001);
    metric_observe_us(s, 70000000);
    CLEANUP(memory_free_pointer) char *text = written(m);
    assert_non_null(strstr(text, "d_seconds_bucket{f=\"a\",le=\"0.001\"} 1\n"));
    assert_non_null(strstr(text, "d_seconds_bucket{f=\"a\",le=\"0.0025\"} 2\n"));
    assert_non_null(strstr(text, "d_seconds_bucket{f=\"a\",le=\"60\"} 2\n"));
    assert_non_null(strstr(text, "d_seconds_bucket{f=\"a\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "d_seconds_sum{f=\"a\"} 70.002001\n"));
    assert_non_null(strstr(text, "d_seconds_count{f=\"a\"} 3\n"));
    metrics_free(m);
}

static void removing_a_label_takes_its_series_and_no_others(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    (void)metrics_series(m, METRIC_COUNTER, "x_total", "X.", "function=\"a\",b=\"c\"");
    (void)metrics_series(m, METRIC_COUNTER, "x_total", "X.", "function=\"ab\"");
    (void)metrics_series(m, METRIC_COUNTER, "x_total", "X.", "my_function=\"a\"");
    (void)metrics_series(m, METRIC_COUNTER, "z_total", "Z.", "function=\"a\"");
    metrics_remove(m, "function=\"a\"");
    CLEANUP(memory_free_pointer) char *text = written(m);
    assert_string_equal(text, "# HELP x_total X.\n# TYPE x_total counter\n"
                              "x_total{function=\"ab\"} 0\nx_total{my_function=\"a\"} 0\n");
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_explained_once_and_has_a_line_per_series),
        cmocka_unit_test(asking_twice_gives_the_same_series),
        cmocka_unit_test(a_histogram_without_observations_has_no_finite_bucket),
        cmocka_unit_test(a_duration_counts_in_every_bucket_that_holds_it),
        cmocka_unit_test(removing_a_label_takes_its_series_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
