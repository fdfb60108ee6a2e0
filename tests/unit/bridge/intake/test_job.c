#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/job.h"

/** How many records are admitted when each millisecond one asks as often as it can. */
static int admitted(struct job *job, int64_t from_us, int64_t to_us)
{
    int count = 0;
    for (int64_t now_us = from_us; now_us < to_us; now_us += 1000) {
        while (job_admits(job, now_us)) {
            count++;
        }
    }
    return count;
}

static void a_rate_is_kept_from_the_first_record_on(void **state)
{
    (void)state;
    struct job job = {.rate = 10};
    assert_int_equal(admitted(&job, 1000000, 3000000), 20);
    assert_int_equal(admitted(&job, 3000000, 4000000), 10);
}

static void a_pause_saves_up_half_a_second(void **state)
{
    (void)state;
    struct job job = {.rate = 10};
    assert_true(job_admits(&job, 1000000));
    int count = 0;
    while (job_admits(&job, 60000000)) {
        count++;
    }
    assert_int_equal(count, 5);
}

static void a_slow_rate_admits_one_at_a_time(void **state)
{
    (void)state;
    struct job job = {.rate = 1};
    assert_int_equal(admitted(&job, 1000000, 6000000), 5);
}

static void the_end_is_that_of_the_partition(void **state)
{
    (void)state;
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(2);
    rd_kafka_topic_partition_list_add(ends, "a", 0)->offset = 7;
    rd_kafka_topic_partition_list_add(ends, "a", 1)->offset = 9;
    struct job job = {.ends = ends};
    assert_int_equal(job_end_of(&job, "a", 1), 9);
    assert_int_equal(job_end_of(&job, "a", 2), 0);
    assert_int_equal(job_end_of(&job, "b", 0), 0);
    rd_kafka_topic_partition_list_destroy(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_kept_from_the_first_record_on),
        cmocka_unit_test(a_pause_saves_up_half_a_second),
        cmocka_unit_test(a_slow_rate_admits_one_at_a_time),
        cmocka_unit_test(the_end_is_that_of_the_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
