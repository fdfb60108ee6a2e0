#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/supervise/metrics_merge.h"
#include "core/base/memory.h"
#include "core/metrics.h"

/** Merges the texts (NULL-ended), each from a heap block of its exact size. */
static char *merged(const char *const *texts)
{
    struct metrics_merge *m = metrics_merge_new();
    for (; *texts != NULL; texts++) {
        size_t size = strlen(*texts);
        uint8_t *exact = memory_new(size == 0 ? 1 : size);
        memcpy(exact, *texts, size);
        metrics_merge_add(m, slice_make(exact, size));
        free(exact);
    }
    struct bytes out = {0};
    metrics_merge_write(m, &out);
    metrics_merge_free(m);
    char *text = memory_string(bytes_text(&out));
    bytes_clear(&out);
    return text;
}

static void expect_merged(const char *const *texts, const char *expected)
{
    char *text = merged(texts);
    assert_string_equal(text, expected);
    free(text);
}

static void one_process_alone_is_unchanged(void **state)
{
    (void)state;
    struct metrics *m = metrics_new();
    metric_add(metrics_series(m, METRIC_COUNTER, "x_total", "X.", "a=\"b c\",d=\"}\""), 2.5);
    metric_observe_us(metrics_series(m, METRIC_HISTOGRAM, "d_seconds", "D.", "f=\"a\""), 3000);
    struct bytes out = {0};
    metrics_write(m, &out);
    expect_merged((const char *const[]){bytes_text(&out), NULL}, bytes_text(&out));
    bytes_clear(&out);
    metrics_free(m);
}

static void identical_series_are_summed_and_others_stand_side_by_side(void **state)
{
    (void)state;
    expect_merged((const char *const[]){"# HELP x X.\n# TYPE x counter\nx{a=\"1\"} 1\n",
                                        "# HELP x X.\n# TYPE x counter\nx{a=\"1\"} 2\nx{a=\"2\"} 5\n", NULL},
                  "# HELP x X.\n# TYPE x counter\nx{a=\"1\"} 3\nx{a=\"2\"} 5\n");
}

static void of_lags_in_seconds_the_largest_stays(void **state)
{
    (void)state;
    expect_merged(
        (const char *const[]){"f_lag_seconds 2.5\n", "f_lag_seconds 7\n", "f_lag_seconds 1\n", NULL},
        "f_lag_seconds 7\n");
}

static void a_histogram_is_one_name_with_its_samples_summed(void **state)
{
    (void)state;
    const char *one = "# HELP d D.\n# TYPE d histogram\nd_bucket{le=\"1\"} 1\nd_sum 0.5\nd_count 1\n";
    expect_merged((const char *const[]){one, one, NULL},
                  "# HELP d D.\n# TYPE d histogram\nd_bucket{le=\"1\"} 2\nd_sum 1\nd_count 2\n");
}

static void lines_that_are_no_samples_are_left_out(void **state)
{
    (void)state;
    expect_merged(
        (const char *const[]){"garbage\n\n#\n# HELP\n# HELP x\n 5\nx y\nx \n", "", "# TYPE z", NULL}, "");
}

static void a_text_cut_anywhere_is_read_to_its_end(void **state)
{
    (void)state;
    const char *whole = "# HELP x X.\n# TYPE x counter\nx{a=\"1\"} 12\n";
    for (size_t size = 0; size <= strlen(whole); size++) {
        char *part = slice_to_string(slice_make(whole, size));
        free(merged((const char *const[]){part, NULL}));
        free(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_alone_is_unchanged),
        cmocka_unit_test(identical_series_are_summed_and_others_stand_side_by_side),
        cmocka_unit_test(of_lags_in_seconds_the_largest_stays),
        cmocka_unit_test(a_histogram_is_one_name_with_its_samples_summed),
        cmocka_unit_test(lines_that_are_no_samples_are_left_out),
        cmocka_unit_test(a_text_cut_anywhere_is_read_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
