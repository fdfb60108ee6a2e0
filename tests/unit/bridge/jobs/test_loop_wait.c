// bridge/jobs/loop_wait: what ends a wait.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/jobs/loop_wait.h"

static void set(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static bool is_set(void *self)
{
    return *(const bool *)self;
}

static void what_is_over_is_not_waited_for(void **state)
{
    (void)state;
    bool is_over = true;
    assert_true(loop_wait(NULL, LOOP_WAIT_MS, is_set, &is_over));
}

static void what_the_loop_brings_ends_the_wait(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_timer_t timer;
    bool is_over = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    (void)uv_timer_init(&loop, &timer);
    timer.data = &is_over;
    (void)uv_timer_start(&timer, set, 1, 0);
    assert_true(loop_wait(&loop, LOOP_WAIT_MS, is_set, &is_over));
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/** As the registry answers what it knows: by a timer that is due at once, while nothing else wakes the loop.
 */
static void what_a_timer_brings_that_is_due_at_once_ends_the_wait_before_the_poll(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_timer_t answer;
    uv_timer_t later;
    bool is_over = false;
    bool is_late = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    (void)uv_timer_init(&loop, &answer);
    (void)uv_timer_init(&loop, &later);
    answer.data = &is_over;
    later.data = &is_late;
    (void)uv_timer_start(&answer, set, 0, 0);
    (void)uv_timer_start(&later, set, 20000, 0);
    assert_true(loop_wait(&loop, LOOP_WAIT_MS, is_set, &is_over));
    assert_false(is_late);
    uv_close((uv_handle_t *)&answer, NULL);
    uv_close((uv_handle_t *)&later, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_wait_ends_without_its_answer_and_leaves_nothing_on_the_loop(void **state)
{
    (void)state;
    uv_loop_t loop;
    bool is_over = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_false(loop_wait(&loop, 1, is_set, &is_over));
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_over_is_not_waited_for),
        cmocka_unit_test(what_the_loop_brings_ends_the_wait),
        cmocka_unit_test(what_a_timer_brings_that_is_due_at_once_ends_the_wait_before_the_poll),
        cmocka_unit_test(a_wait_ends_without_its_answer_and_leaves_nothing_on_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
