// connectors/postgres/snapshot/pg_backfill: where rows come in the stream.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/postgres/snapshot/pg_backfill.h"

// Its transaction id is 0, which to a server with more than 2^31 transactions is one of the future.
static void a_message_outside_of_transactions_comes_wherever_it_is(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_timer_t timer;
    (void)uv_loop_init(&loop);
    (void)uv_timer_init(&loop, &timer);
    struct pg_backfill_params params = {
        .snapshot = {.publication_names = ""}, .has_snapshot = true, .timer = &timer};
    struct pg_backfill *b = pg_backfill_start(&params);
    assert_true(pg_backfill_is_catching_up(b));
    assert_true(pg_backfill_comes_before(b, 7));
    assert_false(pg_backfill_comes_before(b, 0));
    pg_backfill_free(b);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_outside_of_transactions_comes_wherever_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
