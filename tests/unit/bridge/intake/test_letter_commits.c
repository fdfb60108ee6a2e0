// bridge/intake/letter_commits: how soon the next letters are committed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/intake/letter_commits.h"

bool __wrap_offset_store_commit(struct offset_store *s, bool is_last);
bool __wrap_offset_store_commit(struct offset_store *s, bool is_last)
{
    (void)is_last;
    s->is_repeat_due = true;  // noted by the test
    return true;
}

/** After how many milliseconds a letter is committed that is stored `since_ms` after the last such commit. */
static uint64_t wait_ms(size_t attempts, int64_t since_ms)
{
    struct partition p = {.attempt_count = attempts};
    struct partition *list = &p;
    struct offset_store store = {.partitions = &list, .queue = (rd_kafka_queue_t *)(void *)&p};
    struct letter_commits l;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    clock_fake(CLOCK_US_PER_S, 0);
    letter_commits_init(&l, &loop, &store);
    letter_commits_add(&l, &p);
    assert_int_equal(uv_timer_get_due_in(&l.timer), 0);
    (void)uv_run(&loop, UV_RUN_ONCE);
    assert_true(store.is_repeat_due);
    clock_fake(CLOCK_US_PER_S + since_ms * CLOCK_US_PER_MS, 0);
    letter_commits_add(&l, &p);
    uint64_t ret = uv_timer_get_due_in(&l.timer);
    letter_commits_close(&l, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    clock_fake(-1, 0);
    return ret;
}

static void a_letter_waits_longer_the_more_events_fail(void **state)
{
    (void)state;
    assert_int_equal(wait_ms(0, 0), 20);
    assert_int_equal(wait_ms(0, 15), 5);
    assert_int_equal(wait_ms(0, 60), 0);
    assert_int_equal(wait_ms(4000, 15), 25);
    assert_int_equal(wait_ms(1 << 15, 0), 184);
    assert_int_equal(wait_ms(1 << 20, 0), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_waits_longer_the_more_events_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
