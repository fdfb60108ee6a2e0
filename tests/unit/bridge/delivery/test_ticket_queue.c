// bridge/delivery/ticket_queue
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/delivery/ticket_queue.h"

static void a_ticket_queue_gives_back_what_was_put_in(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct ticket_queue q = {0};
    struct ticket_queue before = {0};
    uint64_t ticket = 1000;
    for (uint64_t i = 0; i < COUNT; i++) {
        ticket_queue_push(&q, ticket);
        ticket += 1 + i % 3 + (i % 1000 == 0 ? UINT64_C(1) << 40 : 0);
    }
    assert_true(q.size < 2 * COUNT);
    for (uint64_t i = 0; i < 10; i++) {
        ticket_queue_push(&before, i * 100);
    }
    ticket_queue_prepend(&q, &before);
    assert_int_equal(q.count, COUNT + 10);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(ticket_queue_pop(&q), i * 100);
    }
    ticket = 1000;
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_int_equal(ticket_queue_pop(&q), ticket);
        ticket += 1 + i % 3 + (i % 1000 == 0 ? UINT64_C(1) << 40 : 0);
    }
    assert_int_equal(q.count, 0);
    ticket_queue_push(&before, 7);
    ticket_queue_prepend(&q, &before);
    assert_int_equal(ticket_queue_pop(&q), 7);
    ticket_queue_clear(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_queue_gives_back_what_was_put_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
