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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_made_anew_is_read_and_committed_from_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
